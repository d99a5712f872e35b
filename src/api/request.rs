//! A request as the runtime received it: nothing in it is trusted.

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// Scheme, host and port that it was sent to.
    pub origin: String,
    /// The path, percent-encoded.
    pub path: String,
    /// The query without its question mark, percent-encoded.
    pub query: String,
    /// The headers that mean something here.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// The name of the request in logs.
    pub id: String,
}

/// The headers that mean something here.
#[derive(Clone, Default)]
pub struct Headers {
    /// `Authorization` (RFC 9110 §11.6.2).
    pub authorization: Option<String>,
    /// `Content-Type` (RFC 9110 §8.3).
    pub content_type: Option<String>,
    /// `Provider-Config-Key`, of deprecated routes.
    pub provider_config_key: Option<String>,
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Headers(…)")
    }
}

/// The body of a request.
#[derive(Clone)]
pub enum Body {
    /// All of it; empty if there is none.
    Bytes(Vec<u8>),
    /// More than [`MAX_BODY_BYTES`], so it was not read.
    TooLarge,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Body(…)")
    }
}

/// The largest body that is read.
pub const MAX_BODY_BYTES: usize = 1_048_576;
