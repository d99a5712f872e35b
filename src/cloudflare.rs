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
mod signer;
mod stream;
mod wire;

use std::fmt::Display;

use serde_json::json;
use worker::{
    Context, Env, Request, Response, ScheduleContext, ScheduledEvent, console_error, console_log,
    event,
};

use self::{
    panics::report_without_message,
    runtime::{Runtime, now},
    settings::settings,
    wire::{incoming, outgoing},
};
use crate::{
    api::{handle, refuse},
    service::{keep_alive::keep_alive, retention::remove_old_logs},
};

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
    report(&log.line(now().millis_since(started)), is_error);
    outgoing(reply)
}

#[event(scheduled)]
async fn keep_house(_event: ScheduledEvent, env: Env, context: ScheduleContext) {
    report_without_message();
    let runtime = match settings(&env) {
        Ok(settings) => Runtime::new(env, settings),
        Err(error) => {
            let error = format!("nothing is kept alive: {error}");
            return console_error!("{}", json!({ "error": error }));
        }
    };
    let started = now();
    let run = keep_alive(&runtime).await;
    let line = json!({
        "keep_alive.outcomes": run.outcomes,
        "keep_alive.is_cut_short": run.is_cut_short,
        "duration_ms": now().millis_since(started),
        "error": run.trouble.as_ref().map(ToString::to_string),
    });
    report(&line, run.trouble.is_some());

    let started = now();
    let removed = remove_old_logs(&runtime).await;
    let line = json!({
        "retention.logs": removed.logs,
        "duration_ms": now().millis_since(started),
        "error": removed.trouble.as_ref().map(ToString::to_string),
    });
    report(&line, removed.trouble.is_some());

    if let Some(writes) = runtime.take_deferred_writes() {
        context.wait_until(writes);
    }
}

fn report(line: &impl Display, is_error: bool) {
    if is_error {
        console_error!("{line}");
    } else {
        console_log!("{line}");
    }
}
