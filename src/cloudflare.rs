//! The Workers runtime: what it calls, and the ports as it offers them.
//!
//! Here: the entry point, bindings, D1, outgoing requests, and the object that takes the refreshes
//! of a connection one at a time. Not here: any decision. What a request means is `api`'s, what is
//! done for it is `service`'s; this room only passes on.

mod chance;
mod d1;
mod fetch;
mod journal;
mod panics;
mod refresh_object;
mod refresher;
mod runtime;
mod settings;
mod stream;
mod wire;

use worker::{Context, Env, Request, Response, console_error, console_log, event};

use self::{
    panics::report_without_message,
    runtime::{Runtime, now},
    settings::settings,
    wire::{incoming, outgoing},
};
use crate::api::{handle, refuse};

#[event(fetch)]
async fn answer(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    report_without_message();
    let started = now();
    let request = incoming(&request).await?;
    let (reply, log) = match settings(&env) {
        Ok(settings) => {
            let runtime = Runtime::new(env, settings);
            let answer = handle(&runtime, &request).await;
            if let Some(writes) = runtime.take_deferred_writes() {
                context.wait_until(writes);
            }
            answer
        }
        Err(error) => refuse(&error, &request),
    };
    let is_error = log.is_error();
    let line = log.line(now().millis_since(started));
    if is_error {
        console_error!("{line}");
    } else {
        console_log!("{line}");
    }
    outgoing(reply)
}
