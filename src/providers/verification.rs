//! The calls that test whether credentials work, from `proxy` and its `verification`.
//!
//! Here: reading them, and the requests with a connection's values filled in. Not here: sending
//! them, and what an answer means.

use serde_json::{Map, Value};

use super::{
    checked::Checked,
    entry::{Entry, Parameters},
    filling::Declared,
    shape::rooted,
    template::{self, TemplateError, Values},
    token_steps::METHODS,
};
use crate::{
    domain::secret::Secret,
    oauth2::http::{Content, HttpRequest, Method, extend_query},
};

/// How a provider's credentials are tested: by calls of which one must succeed.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Templates of paths below the base URL.
    pub endpoints: Vec<String>,
    base_url: String,
    method: Method,
    headers: Parameters,
    query: Parameters,
    body: Option<Value>,
}

impl Verification {
    /// Reads a `proxy`; none if there is nothing to call.
    pub(super) fn of(proxy: Checked<'_>) -> Option<Self> {
        let own = proxy.object("verification")?;
        let endpoints = own.names("endpoints");
        let method = own.choice("method", &METHODS).unwrap_or(Method::Get);
        let mut headers = proxy.headers("headers").unwrap_or_default();
        headers.extend(own.headers("headers").unwrap_or_default());
        let verification = Self {
            endpoints: endpoints.iter().map(|path| rooted(path)).collect(),
            base_url: own
                .text("base_url_override")
                .or_else(|| proxy.text("base_url"))?,
            method,
            headers,
            query: proxy.parameters("query").unwrap_or_default(),
            body: body(proxy.json("body"), own.json("data")).filter(|_| method == Method::Post),
        };
        (!verification.endpoints.is_empty()).then_some(verification)
    }

    /// The call to `endpoint`. Headers of the entry go before `authorization`. A header or a
    /// parameter of the query that lacks the value of an optional input is left out.
    pub fn request(
        &self,
        endpoint: &str,
        entry: &Entry,
        authorization: Option<Secret>,
        values: &Values<'_>,
    ) -> Result<HttpRequest, TemplateError> {
        let base = template::url(&self.base_url, values)?;
        let mut url = template::url_below(&base, endpoint, values)?;
        let declared = Declared::of_configuration(entry);
        extend_query(&mut url, declared.texts(&self.query, values)?);
        let body = self.body.as_ref();
        let body = body.map(|body| template::text_json(body, values));
        let content = body.transpose()?.as_ref().map(Content::json);
        let authorization = authorization.map(|value| ("authorization".to_owned(), value));
        let headers = declared.headers(&self.headers, values)?;
        let headers = authorization.into_iter().chain(headers).collect();
        Ok(HttpRequest::new(self.method, url, headers, content))
    }
}

/// The members of every call with those of the test over them.
fn body(every: Option<Value>, own: Option<Value>) -> Option<Value> {
    match (every, own) {
        (Some(Value::Object(every)), Some(Value::Object(own))) => Some(Value::Object(
            every.into_iter().chain(own).collect::<Map<_, _>>(),
        )),
        (every, own) => own.or(every),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{providers::entry::Entry, validation::input::read};

    fn entry(proxy: &Value) -> Value {
        json!({
            "display_name": "Example", "docs": "https://docs.example", "auth_mode": "API_KEY",
            "proxy": proxy,
        })
    }

    #[track_caller]
    fn refused(proxy: &Value, expected: &str) {
        let issues = read(Some(&entry(proxy)), Entry::parse)
            .err()
            .unwrap_or_default();
        let found: Vec<_> = issues
            .iter()
            .map(|issue| format!("{} {}", issue.path.join("/"), issue.message))
            .collect();
        assert_eq!(found, [expected]);
    }

    #[test]
    fn what_no_call_can_be_made_of_is_a_mistake() {
        refused(
            &json!({"verification": {"method": "FETCH"}}),
            "proxy/verification/method Invalid option: expected one of \"GET\"|\"POST\"",
        );
        for endpoint in ["/a b", "/${a", "/a/../b", "/${oops(a)}"] {
            refused(
                &json!({"verification": {"endpoints": ["/me", endpoint]}}),
                "proxy/verification/endpoints/1 Invalid path template: expected a path with \
                 ${name} placeholders",
            );
        }
        refused(
            &json!({"verification": {"data": [{"a": "${"}]}}),
            "proxy/verification/data Invalid template: expected text with ${name} \
             placeholders",
        );
        refused(
            &json!({"headers": {"a": "${"}}),
            "proxy/headers/a Invalid template: expected text with ${name} placeholders",
        );
    }

    #[test]
    fn there_is_no_test_without_an_endpoint_or_an_address() {
        for proxy in [
            json!({"base_url": "https://a.example"}),
            json!({"base_url": "https://a.example", "verification": {}}),
            json!({"base_url": "https://a.example", "verification": {"endpoints": []}}),
            json!({"verification": {"endpoints": ["/me"]}}),
        ] {
            let entry = read(Some(&entry(&proxy)), Entry::parse).unwrap();
            assert!(entry.verification.is_none(), "{proxy}");
        }
    }
}
