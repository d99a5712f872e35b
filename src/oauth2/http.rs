//! HTTP messages as values. Not here: sending them.

use std::fmt;

use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use crate::domain::{secret::Secret, timestamp::Timestamp, xml};

/// The method of a request (RFC 9110 §9).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Reads.
    Get,
    /// Hands something over.
    Post,
}

impl Method {
    /// Its name in a request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request to a provider.
pub struct HttpRequest {
    /// The method; a `GET` has no body.
    pub method: Method,
    /// Where it goes; the query may hold secrets.
    pub url: Url,
    /// Header names in lower case, each once, with their values.
    pub headers: Vec<(String, Secret)>,
    /// The body.
    pub body: Option<Secret>,
}

/// A body with its type.
#[derive(Debug)]
pub struct Content {
    media_type: &'static str,
    text: Secret,
}

impl HttpRequest {
    /// A request with the headers that each has. One of `own`, whose names are in lower case,
    /// replaces that of the same name, and an empty one leaves it out.
    #[must_use]
    pub fn new(
        method: Method,
        url: Url,
        own: Vec<(String, Secret)>,
        content: Option<Content>,
    ) -> Self {
        let general = [("accept", "application/json"), ("user-agent", "holdfast")];
        let general = general.map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let mut headers: Fields = general.into_iter().chain(own).collect();
        if let Some(Content { media_type, .. }) = &content {
            headers.set_if_absent("content-type", Secret::new(*media_type));
        }
        headers.0.retain(|(_, value)| !value.is_empty());
        Self {
            method,
            url,
            headers: headers.0,
            body: content.map(|content| content.text),
        }
    }
}

impl Content {
    /// A form (RFC 6749, Appendix B).
    pub fn form(pairs: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>) -> Self {
        Self {
            media_type: "application/x-www-form-urlencoded",
            text: Secret::new(
                form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(pairs)
                    .finish(),
            ),
        }
    }

    /// JSON.
    #[must_use]
    pub fn json(value: &Value) -> Self {
        Self {
            media_type: "application/json",
            text: Secret::new(value.to_string()),
        }
    }

    /// XML; none where `value` cannot be written as such.
    #[must_use]
    pub fn xml(value: &Value) -> Option<Self> {
        Some(Self {
            media_type: "application/xml",
            text: Secret::new(xml::document(value)?),
        })
    }
}

/// Puts `pairs` behind the query that `url` has.
pub fn extend_query(
    url: &mut Url,
    pairs: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
) {
    let mut pairs = pairs.into_iter().peekable();
    // Without any, the URL would get a question mark all the same.
    if pairs.peek().is_some() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
}

/// Whether a header can carry `value`: a control character could end it, and what other bytes mean
/// than those of ASCII, nobody knows (RFC 9110 §5.5).
#[must_use]
pub fn is_header_value(value: &str) -> bool {
    let is_allowed = |char: char| matches!(char, '\t' | ' '..='~');
    value.chars().all(is_allowed)
}

/// Named values in the order in which their names came first, no name twice: a later value
/// replaces an earlier one.
#[derive(Clone, Default)]
pub struct Fields(Vec<(String, Secret)>);

impl Fields {
    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[(String, Secret)] {
        &self.0
    }

    fn set(&mut self, name: String, value: Secret) {
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    pub(super) fn set_if_absent(&mut self, name: &str, value: Secret) {
        if self.0.iter().all(|(other, _)| other != name) {
            self.0.push((name.to_owned(), value));
        }
    }
}

impl Extend<(String, Secret)> for Fields {
    fn extend<I: IntoIterator<Item = (String, Secret)>>(&mut self, fields: I) {
        for (name, value) in fields {
            self.set(name, value);
        }
    }
}

impl FromIterator<(String, Secret)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(fields: I) -> Self {
        let mut all = Self::default();
        all.extend(fields);
        all
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        formatter.debug_list().entries(names).finish()
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpRequest")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

/// A provider's answer.
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names in lower case with their values; `set-cookie` may be there several times.
    pub headers: Vec<(String, Secret)>,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl HttpResponse {
    /// The first header called `name`, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(other, value)| (other == name).then(|| value.expose()))
    }

    /// The media type of the body, without its parameters (RFC 9110 §8.3.1).
    pub(super) fn media_type(&self) -> Option<&str> {
        let content_type = self.header("content-type")?;
        Some(content_type.split(';').next()?.trim())
    }

    /// The body as JSON, which is recognised by itself, because its media type is often wrong, or
    /// as XML, which is recognised by its media type.
    pub(super) fn value(&self) -> Option<Value> {
        let body = self.body.as_slice();
        // RFC 8259 §8.1 lets us ignore a byte order mark.
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        serde_json::from_slice(body).ok().or_else(|| {
            let media_type = self.media_type()?.to_ascii_lowercase();
            // RFC 7303 §9.
            let is_xml = ["application/xml", "text/xml"].contains(&media_type.as_str());
            let text = str::from_utf8(body).ok().filter(|_| is_xml)?;
            xml::value(text)
        })
    }

    /// For how many seconds from `now` the provider wants to be left alone: `Retry-After` as a
    /// number or as a date (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after_seconds(&self, now: Timestamp) -> Option<u32> {
        let text = self.header("retry-after")?.trim();
        let seconds: u64 = text.parse().ok().or_else(|| {
            let millis = Timestamp::parse(text)?.millis_since(now);
            Some(u64::try_from(millis).unwrap_or(0).div_ceil(1000))
        })?;
        Some(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn waits(retry_after: Option<&str>, expected: Option<u32>) {
        let response = HttpResponse {
            status: 429,
            headers: retry_after
                .map(|value| ("retry-after".to_owned(), Secret::new(value)))
                .into_iter()
                .collect(),
            body: Zeroizing::default(),
        };
        let now = Timestamp::parse("2024-12-31T23:59:00.500Z").unwrap();
        assert_eq!(
            response.retry_after_seconds(now),
            expected,
            "{retry_after:?}"
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds() {
        waits(Some("120"), Some(120));
        waits(Some(" 0 "), Some(0));
        waits(Some("99999999999"), Some(u32::MAX));
    }

    #[test]
    fn retry_after_is_read_as_a_date_and_rounded_up() {
        waits(Some("Tue, 31 Dec 2024 23:59:59 GMT"), Some(59));
        waits(Some("Tue, 31 Dec 2024 23:58:59 GMT"), Some(0));
    }

    #[test]
    fn another_retry_after_is_ignored() {
        for text in [None, Some(""), Some("soon"), Some("-1"), Some("1.5")] {
            waits(text, None);
        }
    }

    proptest! {
        #[test]
        fn debug_of_a_request_never_contains_a_secret(secret in "canary[a-z0-9]{0,20}") {
            let mut url = Url::parse("https://example.com/").unwrap();
            url.set_path(&secret);
            url.set_query(Some(&secret));
            let request = HttpRequest {
                method: Method::Post,
                url,
                headers: vec![("authorization".to_owned(), Secret::new(secret.clone()))],
                body: Some(Secret::new(secret)),
            };
            let shown = format!("{request:?}");
            prop_assert!(!shown.contains("canary"), "{}", shown);
        }

        #[test]
        fn debug_of_a_response_never_contains_a_secret(secret in "canary[a-z0-9]{0,20}") {
            let response = HttpResponse {
                status: 200,
                headers: vec![("set-cookie".to_owned(), Secret::new(secret.clone()))],
                body: Zeroizing::new(secret.into_bytes()),
            };
            let shown = format!("{response:?}");
            prop_assert!(!shown.contains("canary"), "{}", shown);
        }
    }
}
