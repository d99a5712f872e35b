//! The parts of an error on the wire, and the envelopes that they come in. Not here: which error
//! has which parts.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::{api::reply::Reply, validation::issue::Issue};

/// What an error looks like on the wire.
pub(super) struct Parts {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: Option<Cow<'static, str>>,
    pub(super) payload: Option<Value>,
    pub(super) issues: Vec<Issue>,
}

impl Parts {
    /// The parts in an envelope.
    pub(super) fn reply(self) -> Reply {
        let mut error = Map::new();
        error.insert("code".to_owned(), self.code.into());
        if let Some(message) = self.message {
            error.insert("message".to_owned(), message.into());
        }
        if let Some(payload) = self.payload {
            error.insert("payload".to_owned(), payload);
        }
        if !self.issues.is_empty() {
            let issue = |issue: &Issue| json!({"code": issue.code, "message": issue.message, "path": issue.path});
            error.insert("errors".to_owned(), self.issues.iter().map(issue).collect());
        }
        Reply::json(self.status, &json!({ "error": error }))
    }
}

/// A code and a message.
pub(super) fn plain(
    status: u16,
    code: &'static str,
    message: impl Into<Cow<'static, str>>,
) -> Parts {
    Parts {
        status,
        code,
        message: Some(message.into()),
        payload: None,
        issues: Vec::new(),
    }
}

/// The older envelope, which has a payload even where it is empty.
pub(super) fn legacy(status: u16, code: &'static str, message: &'static str) -> Parts {
    with_payload(status, code, message, json!({}))
}

pub(super) fn with_payload(
    status: u16,
    code: &'static str,
    message: impl Into<Cow<'static, str>>,
    payload: Value,
) -> Parts {
    Parts {
        payload: Some(payload),
        ..plain(status, code, message)
    }
}

/// Mistakes with their paths and no message.
pub(super) fn invalid(code: &'static str, issues: &[Issue]) -> Parts {
    Parts {
        message: None,
        issues: issues.to_vec(),
        ..plain(400, code, "")
    }
}

/// One mistake in the body that is found only against what is stored.
pub(super) fn issue(code: &'static str, message: &'static str, field: &str) -> Parts {
    invalid(
        "invalid_body",
        &[Issue {
            code,
            message: message.into(),
            path: vec![field.to_owned()],
        }],
    )
}

pub(super) fn internal(request_id: &str) -> Parts {
    let message = "An internal error occurred. Please report this request id.";
    with_payload(
        500,
        "server_error",
        message,
        json!({ "request_id": request_id }),
    )
}
