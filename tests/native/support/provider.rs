//! A provider's token endpoint that answers as a script says and remembers what it was asked.

use std::{cell::RefCell, collections::VecDeque};

use futures_util::lock::Mutex;
use holdfast::{
    domain::secret::Secret,
    oauth2::{
        http::{HttpRequest, HttpResponse, Method},
        token_error::Unreachable,
    },
};
use serde_json::{Value, json};

/// What a provider answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Html(u16),
    Json(u16, Value),
    /// JSON with further headers.
    JsonWith(&'static [(&'static str, &'static str)], Value),
    Lost(Unreachable),
    /// None for as long as the caller waits.
    Never,
    Text(u16, String),
    /// Status 429 with this `Retry-After`.
    Throttled(&'static str),
    Xml(u16, String),
}

impl Answer {
    pub(crate) fn token(access_token: &str, refresh_token: Option<&str>) -> Self {
        let mut body = json!({"access_token": access_token, "expires_in": 3600});
        if let Some(refresh_token) = refresh_token {
            body["refresh_token"] = refresh_token.into();
        }
        Self::Json(200, body)
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::Json(status, json!({ "error": code }))
    }
}

/// A request as the provider saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) timeout_millis: u32,
}

#[derive(Default)]
pub(crate) struct ScriptedProvider {
    answers: RefCell<VecDeque<Answer>>,
    seen: RefCell<Vec<Seen>>,
    /// Held by a test, it makes the provider hang.
    pub(crate) gate: Mutex<()>,
}

impl ScriptedProvider {
    pub(crate) fn will_answer(&self, answer: Answer) {
        self.answers.borrow_mut().push_back(answer);
    }

    pub(crate) fn forget_answers(&self) {
        self.answers.borrow_mut().clear();
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    pub(crate) async fn answer(
        &self,
        request: &HttpRequest,
        timeout_millis: u32,
    ) -> Result<HttpResponse, Unreachable> {
        let expose = |(name, value): &(String, Secret)| (name.clone(), value.expose().to_owned());
        self.seen.borrow_mut().push(Seen {
            method: request.method,
            url: request.url.to_string(),
            headers: request.headers.iter().map(expose).collect(),
            body: request
                .body
                .as_ref()
                .map(|body| body.expose().to_owned())
                .unwrap_or_default(),
            timeout_millis,
        });
        let _open = self.gate.lock().await;
        let answer = self.answers.borrow_mut().pop_front();
        let answer = answer.expect("the provider was asked more often than the test says");
        let (status, content_type, others, body) = match answer {
            Answer::Html(status) => (status, "text/html", vec![], "<h1>canary</h1>".to_owned()),
            Answer::Json(status, body) => (status, "application/json", vec![], body.to_string()),
            Answer::JsonWith(headers, body) => {
                (200, "application/json", headers.to_vec(), body.to_string())
            }
            Answer::Lost(unreachable) => return Err(unreachable),
            Answer::Never => std::future::pending().await,
            Answer::Text(status, body) => (status, "text/plain", vec![], body),
            Answer::Throttled(wait) => (
                429,
                "text/plain",
                vec![("retry-after", wait)],
                String::new(),
            ),
            Answer::Xml(status, body) => (status, "text/xml; charset=UTF-8", vec![], body),
        };
        let headers = [("content-type", content_type)].into_iter().chain(others);
        Ok(HttpResponse {
            status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), Secret::new(value)))
                .collect(),
            body: body.into_bytes().into(),
        })
    }
}
