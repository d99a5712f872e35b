//! The object of a connection: its refreshes happen here, one at a time.

use std::{cell::RefCell, rc::Rc};

use serde_json::json;
use worker::{
    DurableObject, Env, Method, Request, Response, ResponseBody, ResponseBuilder, State,
    console_error, console_log, durable_object,
};

use super::{panics::report_without_message, runtime::Runtime, settings::settings};
use crate::service::{
    ports::{Clock, Ports, RefreshReply, RefreshRequest},
    refresh_connection::{refresh_connection, was_attempted},
    single_flight::SingleFlight,
};

/// How many round trips to the database a call made itself. One that took over the result of
/// another call's attempt made none.
pub(super) const ROUND_TRIPS: &str = "d1-round-trips";

/// The object of one connection, named by the connection's `uid`.
#[durable_object(fetch)]
#[derive(Debug)]
pub(super) struct RefreshObject {
    state: State,
    env: Env,
    /// Replaced when the connection is deleted, so that no result outlives it.
    attempts: RefCell<Rc<SingleFlight<Outcome>>>,
}

/// What one attempt gave, in the form in which it can be given to all who wait for it.
type Outcome = Result<RefreshReply, String>;

impl DurableObject for RefreshObject {
    fn new(state: State, env: Env) -> Self {
        report_without_message();
        Self {
            state,
            env,
            attempts: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        match (request.method(), request.path().as_str()) {
            (Method::Post, "/refresh") => {
                let request = serde_json::from_str(&request.text().await?)?;
                self.refresh(request).await
            }
            (Method::Delete, "/") => {
                self.attempts.take();
                self.state.storage().delete_all().await?;
                Response::empty()
            }
            _ => Response::error("unknown call", 404),
        }
    }
}

impl RefreshObject {
    async fn refresh(&self, request: RefreshRequest) -> worker::Result<Response> {
        let settings = settings(&self.env).map_err(|error| error.to_string())?;
        let runtime = Runtime::new(self.env.clone(), settings);
        let attempts = Rc::clone(&self.attempts.borrow());
        let counts = |outcome: &Outcome| outcome.as_ref().is_ok_and(was_attempted);
        let outcome = attempts
            .run(request.trigger, counts, || attempt(&runtime, &request))
            .await;
        if let Some(writes) = runtime.take_deferred_writes() {
            self.state.wait_until(writes);
        }
        let (status, body) = match outcome {
            Ok(reply) => (200, serde_json::to_string(&reply)?),
            Err(error) => (500, error),
        };
        let response = ResponseBuilder::new().with_status(status);
        let response = response.with_header(ROUND_TRIPS, &runtime.round_trips().own.to_string())?;
        Ok(response.body(ResponseBody::Body(body.into_bytes())))
    }
}

/// Makes an attempt, and writes a line if the provider was asked or something of ours broke.
async fn attempt(runtime: &Runtime, request: &RefreshRequest) -> Outcome {
    let started = runtime.now();
    let result = refresh_connection(runtime, &request.uid, request.trigger).await;
    let outcome = result.map_err(|error| error.to_string());
    let line = json!({
        "refresh.outcome": outcome.as_ref().map_or("error", RefreshReply::outcome),
        "refresh.failure": outcome.as_ref().ok().and_then(RefreshReply::failure),
        "connection.uid": request.uid,
        "d1.round_trips": runtime.round_trips().own,
        "duration_ms": runtime.now().millis_since(started),
        "error": outcome.as_ref().err(),
    });
    match &outcome {
        Ok(reply) if was_attempted(reply) => console_log!("{line}"),
        Ok(_) => {}
        Err(_) => console_error!("{line}"),
    }
    outcome
}
