//! The calls that test whether credentials work, from `proxy` and its `verification`.
//!
//! Here: reading them, and the requests with a connection's values filled in. Not here: sending
//! them, and what an answer means.

use serde_json::{Map, Value};

use super::{
    entry::Parameters,
    field_schema::FieldSchema,
    refresh_rule::is_optional,
    shape::rooted,
    template::{self, TemplateError, Values},
};
use crate::{
    domain::secret::Secret,
    oauth2::http::{HttpRequest, Method},
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
    /// Reads a `proxy`, which was checked; none if there is nothing to call.
    pub(super) fn of(proxy: &Value) -> Option<Self> {
        let own = proxy.get("verification")?;
        let endpoints = own.get("endpoints")?.as_array()?;
        let endpoints: Vec<_> = endpoints.iter().filter_map(Value::as_str).collect();
        let base_url = own
            .get("base_url_override")
            .or_else(|| proxy.get("base_url"))?;
        let method = match own.get("method").and_then(Value::as_str) {
            Some("POST") => Method::Post,
            Some(_) | None => Method::Get,
        };
        let mut headers = parameters(proxy.get("headers"));
        headers.extend(parameters(own.get("headers")));
        let verification = Self {
            endpoints: endpoints.into_iter().map(rooted).collect(),
            base_url: base_url.as_str()?.to_owned(),
            method,
            headers,
            query: parameters(proxy.get("query")),
            body: body(proxy.get("body"), own.get("data")).filter(|_| method == Method::Post),
        };
        (!verification.endpoints.is_empty()).then_some(verification)
    }

    /// The call to `endpoint`. Headers of the entry go before `authorization`. A header or a
    /// parameter of the query that lacks the value of an optional input is left out.
    pub fn request(
        &self,
        endpoint: &str,
        inputs: &[FieldSchema],
        authorization: Option<Secret>,
        values: &Values<'_>,
    ) -> Result<HttpRequest, TemplateError> {
        let base = template::url(&self.base_url, values)?;
        let mut url = template::url_below(&base, endpoint, values)?;
        for (name, value) in filled(&self.query, inputs, values)? {
            url.query_pairs_mut().append_pair(&name, &value);
        }
        let body = self.body.as_ref();
        let body = body.map(|body| template::text_json(body, values));
        let body = body.transpose()?;

        let mut headers = Headers::default();
        headers.set("accept", Secret::new("application/json"));
        headers.set("user-agent", Secret::new("holdfast"));
        if body.is_some() {
            headers.set("content-type", Secret::new("application/json"));
        }
        if let Some(authorization) = authorization {
            headers.set("authorization", authorization);
        }
        for (name, value) in filled(&self.headers, inputs, values)? {
            if !is_header_value(&value) {
                return Err(TemplateError::Unfit(format!("the header {name}")));
            }
            headers.set(&name, Secret::new(value));
        }
        Ok(HttpRequest {
            method: self.method,
            url,
            headers: headers.0,
            body: body.map(|body| Secret::new(body.to_string())),
        })
    }
}

/// Each name once, in lower case.
#[derive(Default)]
struct Headers(Vec<(String, Secret)>);

impl Headers {
    fn set(&mut self, name: &str, value: Secret) {
        let name = name.to_ascii_lowercase();
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, value));
    }
}

/// Text templates by name, as the check of an entry takes them.
fn parameters(value: Option<&Value>) -> Parameters {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members
        .filter_map(|(name, value)| {
            let text = match value {
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => value.as_str()?.to_owned(),
            };
            Some((name.clone(), text))
        })
        .collect()
}

/// The members of every call with those of the test over them.
fn body(every: Option<&Value>, own: Option<&Value>) -> Option<Value> {
    match (every, own) {
        (Some(Value::Object(every)), Some(Value::Object(own))) => {
            let members = every.iter().chain(own);
            let members = members.map(|(name, value)| (name.clone(), value.clone()));
            Some(Value::Object(members.collect::<Map<_, _>>()))
        }
        (every, own) => own.or(every).cloned(),
    }
}

fn filled(
    parameters: &Parameters,
    inputs: &[FieldSchema],
    values: &Values<'_>,
) -> Result<Vec<(String, String)>, TemplateError> {
    let mut filled = Vec::new();
    for (name, template) in parameters {
        match template::text(template, values) {
            Ok(value) => filled.push((name.clone(), value)),
            Err(TemplateError::Missing(input)) if is_optional(inputs, &[], &input) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Whether a header can carry it (RFC 9110 §5.5), which for the runtime's `fetch` means bytes.
fn is_header_value(value: &str) -> bool {
    let is_allowed = |char: char| matches!(char, '\t' | ' '..='~' | '\u{a0}'..='\u{ff}');
    value.chars().all(is_allowed)
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
