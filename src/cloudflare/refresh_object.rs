//! The object of a connection: its refreshes happen here, one at a time.

use std::{cell::RefCell, rc::Rc, time::Duration};

use serde::Serialize;
use serde_json::json;
use worker::{
    DurableObject, Env, Method, Request, Response, ResponseBody, ResponseBuilder, State,
    console_error, console_log, durable_object,
};

use super::{
    journal::SqlJournal, panics::report_without_message, runtime::Runtime, settings::settings,
};
use crate::{
    domain::attempt::Attempt,
    service::{
        error::InternalError,
        pending::finish_pending,
        ports::{Ports, RefreshReply, RefreshRequest, VerifyReply, VerifyRequest},
        refresh_connection::{refresh_connection, was_attempted},
        single_flight::SingleFlight,
        verify_import::verify_import,
    },
};

/// How many round trips to the database a call made itself. One that took over the result of
/// another call's attempt made none.
pub(super) const ROUND_TRIPS: &str = "d1-round-trips";

/// The object of one connection, named by the connection's `uid`.
#[durable_object(alarm)]
pub(super) struct RefreshObject {
    state: State,
    env: Env,
    journal: SqlJournal,
    /// Replaced when the connection is deleted, so that no result outlives it.
    attempts: RefCell<Rc<SingleFlight<Outcome>>>,
}

/// What one attempt gave, in the form in which it can be given to all who wait for it.
type Outcome = Result<RefreshReply, String>;

impl DurableObject for RefreshObject {
    fn new(state: State, env: Env) -> Self {
        report_without_message();
        Self {
            journal: SqlJournal::new(state.storage()),
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
            (Method::Post, "/import") => {
                let text = request.text().await?;
                // serde's own words repeat the value.
                let malformed = |error: serde_json::Error| {
                    format!("the import is malformed at column {}", error.column())
                };
                let request = serde_json::from_str(&text).map_err(malformed)?;
                self.import(&request).await
            }
            (Method::Delete, "/") => {
                self.attempts.take();
                self.journal.forget().await?;
                Response::empty()
            }
            _ => Response::error("unknown call", 404),
        }
    }

    /// Finishes what is pending: an attempt was cut off, or the database did not take its result.
    /// The runtime repeats an alarm that fails a few times only, so it is set again instead.
    async fn alarm(&self) -> worker::Result<Response> {
        if let Err(error) = self.finish().await {
            report(&error);
            self.journal.wake_in(RETRY_ALARM).await?;
        }
        Response::empty()
    }
}

impl RefreshObject {
    async fn refresh(&self, request: RefreshRequest) -> worker::Result<Response> {
        let runtime = self.runtime()?;
        let attempts = Rc::clone(&self.attempts.borrow());
        let counts = |outcome: &Outcome| outcome.as_ref().is_ok_and(was_attempted);
        let attempt = || attempt(&runtime, &self.journal, &request);
        let outcome = attempts.run(request.trigger, counts, attempt).await;
        self.answer(&runtime, &outcome)
    }

    async fn import(&self, request: &VerifyRequest) -> worker::Result<Response> {
        let runtime = self.runtime()?;
        let attempts = Rc::clone(&self.attempts.borrow());
        let verify = || verify(&runtime, &self.journal, request);
        let outcome = attempts.alone(verify).await;
        self.answer(&runtime, &outcome)
    }

    fn answer(
        &self,
        runtime: &Runtime,
        outcome: &Result<impl Serialize, String>,
    ) -> worker::Result<Response> {
        self.clear_journal();
        if let Some(writes) = runtime.take_deferred_writes() {
            self.state.wait_until(writes);
        }
        let (status, body) = match outcome {
            Ok(reply) => (200, serde_json::to_string(reply)?),
            Err(error) => (500, error.clone()),
        };
        let response = ResponseBuilder::new().with_status(status);
        let response = response.with_header(ROUND_TRIPS, &runtime.round_trips().own.to_string())?;
        Ok(response.body(ResponseBody::Body(body.into_bytes())))
    }

    async fn finish(&self) -> Result<(), String> {
        let runtime = self.runtime()?;
        let attempts = Rc::clone(&self.attempts.borrow());
        let finish = || finish_pending(&runtime, &self.journal);
        match attempts.alone(finish).await {
            Ok(None) => self.clear_journal(),
            // The alarm is set again with the pair.
            Ok(Some((_, error))) => report(&error.to_string()),
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    fn runtime(&self) -> Result<Runtime, String> {
        let settings = settings(&self.env).map_err(|error| error.to_string())?;
        Ok(Runtime::new(self.env.clone(), settings))
    }

    fn clear_journal(&self) {
        if let Some(clearing) = self.journal.take_clearing() {
            self.state.wait_until(clearing);
        }
    }
}

/// Makes an attempt, and writes a line if the provider was asked or something of ours broke.
async fn attempt(runtime: &Runtime, journal: &SqlJournal, request: &RefreshRequest) -> Outcome {
    let result = refresh_connection(runtime, journal, &request.uid, request.trigger).await;
    let (attempt, error) = match &result {
        Ok(refresh) => (refresh.attempt.as_ref(), refresh.trouble.as_ref()),
        Err(error) => (None, Some(error)),
    };
    let outcome = result.as_ref().map(|refresh| refresh.reply.outcome());
    let outcome = ("refresh.outcome", outcome.unwrap_or("error"));
    write_line(runtime, &request.uid, outcome, attempt, error);
    result
        .map(|refresh| refresh.reply)
        .map_err(|error| error.to_string())
}

/// Verifies an import, and writes a line likewise.
async fn verify(
    runtime: &Runtime,
    journal: &SqlJournal,
    request: &VerifyRequest,
) -> Result<VerifyReply, String> {
    let result = verify_import(runtime, journal, request).await;
    let (attempt, error) = match &result {
        Ok(verified) => (verified.attempt.as_ref(), verified.trouble.as_ref()),
        Err(error) => (None, Some(error)),
    };
    let outcome = result.as_ref().map(|verified| verified.reply.outcome());
    let outcome = ("import.outcome", outcome.unwrap_or("error"));
    write_line(runtime, &request.connection.uid, outcome, attempt, error);
    result
        .map(|verified| verified.reply)
        .map_err(|error| error.to_string())
}

fn write_line(
    runtime: &Runtime,
    uid: &str,
    outcome: (&str, &str),
    attempt: Option<&Attempt>,
    error: Option<&InternalError>,
) {
    let (name, outcome) = outcome;
    let line = json!({
        (name): outcome,
        "attempt.id": attempt.map(|attempt| &attempt.id),
        "attempt.outcome": attempt.map(|attempt| attempt.outcome.as_str()),
        "attempt.status": attempt.and_then(|attempt| attempt.status),
        "attempt.duration_ms": attempt.map(|attempt| attempt.duration),
        "connection.uid": uid,
        "d1.round_trips": runtime.round_trips().own,
        "error": error.map(ToString::to_string),
    });
    if error.is_some() {
        console_error!("{line}");
    } else if attempt.is_some() {
        console_log!("{line}");
    }
}

fn report(error: &str) {
    let error = format!("what is pending could not be finished: {error}");
    console_error!("{}", json!({ "error": error }));
}

/// When the alarm goes off again after it could do nothing.
const RETRY_ALARM: Duration = Duration::from_secs(30);
