//! A request of a provider's own shape for a token, filled in for one connection. Not here: what
//! the templates are, and sending.

use serde_json::{Map, Value};

use super::{
    entry::Entry,
    filled_request::{FillError, url},
    filling::Declared,
    template::{TemplateError, Values},
    token_steps::{StepFormat, TokenStep},
};
use crate::{
    domain::secret::SecretMap,
    oauth2::http::{Content, HttpRequest, Method, extend_query},
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

/// The request of `step`. What lacks an optional input is left out.
pub fn step_request(
    step: &TokenStep,
    entry: &Entry,
    values: &Values<'_>,
) -> Result<HttpRequest, FillError> {
    let mut url = url(entry, step.fields.url, &step.url, values)?;
    let format = step.format.unwrap_or(entry.step_format);
    let declared = Declared::all(entry);
    let parameters = match &step.parameters {
        Some(template) => {
            filled(template, declared, values).map_err(in_field(step.fields.parameters))?
        }
        None => None,
    };
    let content = match (step.method, format, parameters) {
        (_, _, None) => None,
        (Method::Get, _, Some(parameters)) | (_, StepFormat::Query, Some(parameters)) => {
            extend_query(&mut url, pairs(&parameters));
            None
        }
        (Method::Post, StepFormat::Form, Some(parameters)) => {
            Some(Content::form(pairs(&parameters)))
        }
        (Method::Post, StepFormat::Json, Some(parameters)) => Some(Content::json(&parameters)),
        (Method::Post, StepFormat::Xml, Some(parameters)) => {
            Some(Content::xml(&parameters).ok_or(FillError::NotXml)?)
        }
    };
    let headers = declared.headers(&step.headers, values);
    let headers = headers.map_err(in_field(step.fields.headers))?;
    Ok(HttpRequest::new(step.method, url, headers, content))
}

fn in_field(field: &'static str) -> impl Fn(TemplateError) -> FillError {
    move |source| FillError::Template { field, source }
}

/// `template` with every text in it filled in. How deep it is was checked with the entry.
fn filled(
    template: &Value,
    declared: Declared<'_>,
    values: &Values<'_>,
) -> Result<Option<Value>, TemplateError> {
    Ok(match template {
        Value::Array(items) => {
            let items = items.iter().map(|item| filled(item, declared, values));
            let items: Result<Vec<_>, _> = items.filter_map(Result::transpose).collect();
            Some(Value::Array(items?))
        }
        Value::Object(members) => {
            let mut object = Map::new();
            for (name, member) in members {
                let member = filled(member, declared, values)?;
                object.extend(member.map(|member| (name.clone(), member)));
            }
            Some(Value::Object(object))
        }
        Value::String(text) => declared.text(text, values)?.map(Value::String),
        Value::Bool(_) | Value::Null | Value::Number(_) => Some(template.clone()),
    })
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
