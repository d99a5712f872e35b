//! An answer, ready for the runtime to send, and the log line that goes with it.

use serde::Serialize;
use serde_json::{Map, Value};

/// An answer.
#[derive(Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for no content.
    pub body: String,
    /// How many seconds caches may keep it, where it is the same for everyone.
    pub(super) max_age: Option<u32>,
}

impl Reply {
    /// Status 200 and a JSON body.
    pub(super) fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    /// A JSON body. What cannot be serialised does not exist here: keys are strings.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        Self::text(
            status,
            "application/json; charset=utf-8",
            serde_json::to_string(body).unwrap_or_default(),
        )
    }

    /// A JSON body that is JSON text already.
    pub(super) fn json_text(body: String) -> Self {
        Self::text(200, "application/json; charset=utf-8", body)
    }

    fn text(status: u16, content_type: &str, body: String) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body,
            max_age: None,
        }
    }

    /// An image, the same for everyone.
    pub(super) fn svg(body: String) -> Self {
        Self {
            max_age: Some(86_400),
            ..Self::text(200, "image/svg+xml", body)
        }
    }

    /// A JSON Schema, the same for everyone.
    pub(super) fn json_schema(schema: &Value) -> Self {
        Self {
            max_age: Some(3600),
            ..Self::text(200, "application/schema+json", schema.to_string())
        }
    }

    /// Status 204: what a browser asks before it sends a request with a key from another origin
    /// (Fetch standard, CORS-preflight request).
    pub(super) fn preflight(methods: String) -> Self {
        let mut reply = Self::no_content();
        reply.headers.extend([
            ("access-control-allow-headers", ALLOWED_HEADERS.to_owned()),
            ("access-control-allow-methods", methods),
            ("access-control-max-age", "600".to_owned()),
        ]);
        reply
    }

    /// Status 204 and no body.
    pub(super) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: String::new(),
            max_age: None,
        }
    }
}

/// What the clients of the observed service send. A `*` would not cover `authorization`.
const ALLOWED_HEADERS: &str = "accept, authorization, baggage, connection-id, content-type, \
    nango-activity-log-id, nango-is-dry-run, nango-is-script, nango-is-sync, origin, \
    provider-config-key, sentry-trace, x-requested-with";

impl std::fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Reply")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// One structured log line.
#[derive(Clone, Debug)]
pub struct Log(pub(super) Map<String, Value>);

impl Log {
    /// The line with the time that the request took, in milliseconds.
    #[must_use]
    pub fn line(mut self, duration_millis: i64) -> String {
        self.0
            .insert("duration_ms".to_owned(), duration_millis.into());
        Value::Object(self.0).to_string()
    }

    /// Whether it tells of an error of ours.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.0.contains_key("error")
    }
}
