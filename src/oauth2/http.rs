//! HTTP messages as values. Not here: sending them.

use std::fmt;

use url::Url;
use zeroize::Zeroizing;

use crate::domain::{secret::Secret, timestamp::Timestamp};

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
