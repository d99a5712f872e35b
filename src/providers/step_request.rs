//! A request of a provider's own shape for a token, filled in for one connection. Not here: what
//! the templates are, and sending.

use serde_json::{Map, Value};
use url::Url;

use super::{
    entry::Entry,
    refresh_rule::{RuleError, header, is_optional, url},
    template::{self, TemplateError, Values},
    token_steps::{StepFormat, TokenStep},
};
use crate::{
    domain::secret::{Secret, SecretMap},
    oauth2::http::{HttpRequest, Method},
};

/// What the connection signs in with: its inputs over their defaults, and what the integration
/// brings over both.
#[must_use]
pub fn credentials(entry: &Entry, inputs: &SecretMap, preset: &SecretMap) -> SecretMap {
    let default =
        |name: &str, value: Option<&String>| Some((name.to_owned(), value?.clone().into()));
    let defaults = entry.credentials.iter();
    let defaults = defaults.filter_map(|it| default(&it.name, it.default_value.as_ref()));
    SecretMap::new(defaults.collect())
        .merged(inputs)
        .merged(preset)
}

/// The inputs of a connection that are its own, not the integration's.
#[must_use]
pub fn own_inputs(inputs: &SecretMap, preset: &SecretMap) -> SecretMap {
    let mut own = inputs.expose().clone();
    own.retain(|name, _| !preset.has_text(name));
    SecretMap::new(own)
}

/// The request of `step`. What lacks an optional input is left out.
pub fn step_request(
    step: &TokenStep,
    entry: &Entry,
    values: &Values<'_>,
) -> Result<HttpRequest, RuleError> {
    let mut url = url(entry, "token_url", &step.url, values)?;
    let format = step.format.unwrap_or(entry.step_format);
    let parameters = match &step.parameters {
        Some(template) => filled(template, entry, values).map_err(in_field("token_params"))?,
        None => None,
    };
    let (content_type, body) = match (step.method, format, parameters) {
        (_, _, None) => (None, None),
        (Method::Get, _, Some(parameters)) | (_, StepFormat::Query, Some(parameters)) => {
            extend_query(&mut url, &parameters);
            (None, None)
        }
        (Method::Post, StepFormat::Form, Some(parameters)) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(pairs(&parameters));
            (
                Some("application/x-www-form-urlencoded"),
                Some(form.finish()),
            )
        }
        (Method::Post, StepFormat::Json, Some(parameters)) => {
            (Some("application/json"), Some(parameters.to_string()))
        }
        (Method::Post, StepFormat::Xml, Some(_)) => {
            return Err(RuleError::Unsupported("a body of XML"));
        }
    };
    let mut headers = vec![
        ("accept".to_owned(), Secret::new("application/json")),
        ("user-agent".to_owned(), Secret::new("holdfast")),
    ];
    headers.extend(content_type.map(|it| ("content-type".to_owned(), Secret::new(it))));
    for (name, template) in &step.headers {
        let value = unless_optional(template::text(template, values), entry);
        let Some(value) = value.map_err(in_field("token_headers"))? else {
            continue;
        };
        let value = header(name, value).map_err(in_field("token_headers"))?;
        let name = name.to_ascii_lowercase();
        headers.retain(|(other, _)| *other != name);
        headers.push((name, value));
    }
    Ok(HttpRequest {
        method: step.method,
        url,
        headers,
        body: body.map(Secret::new),
    })
}

fn in_field(field: &'static str) -> impl Fn(TemplateError) -> RuleError {
    move |source| RuleError::Template { field, source }
}

fn unless_optional(
    filled: Result<String, TemplateError>,
    entry: &Entry,
) -> Result<Option<String>, TemplateError> {
    match filled {
        Err(TemplateError::Missing(input))
            if is_optional(&entry.connection_config, &entry.credentials, &input) =>
        {
            Ok(None)
        }
        filled => filled.map(Some),
    }
}

/// `template` with every text in it filled in. How deep it is was checked with the entry.
fn filled(
    template: &Value,
    entry: &Entry,
    values: &Values<'_>,
) -> Result<Option<Value>, TemplateError> {
    Ok(match template {
        Value::Array(items) => {
            let items = items.iter().map(|item| filled(item, entry, values));
            let items: Result<Vec<_>, _> = items.filter_map(Result::transpose).collect();
            Some(Value::Array(items?))
        }
        Value::Object(members) => {
            let mut object = Map::new();
            for (name, member) in members {
                let member = filled(member, entry, values)?;
                object.extend(member.map(|member| (name.clone(), member)));
            }
            Some(Value::Object(object))
        }
        Value::String(text) => {
            unless_optional(template::text(text, values), entry)?.map(Value::String)
        }
        Value::Bool(_) | Value::Null | Value::Number(_) => Some(template.clone()),
    })
}

fn extend_query(url: &mut Url, parameters: &Value) {
    let pairs = pairs(parameters);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
}

/// Parameters as texts; what is nested is JSON, and `null` is left out.
fn pairs(parameters: &Value) -> Vec<(&str, String)> {
    let parameters = parameters.as_object().into_iter().flatten();
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    parameters
        .filter_map(|(name, value)| Some((name.as_str(), text(value)?)))
        .collect()
}
