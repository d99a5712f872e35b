//! Token requests that follow the first one of a refresh.
//!
//! Here: the fields of a step and what an entry says with them. Not here: when a step is made,
//! and what becomes of a failure.

use super::{
    checked::Checked,
    entry::Parameters,
    entry_fields::{BODY_FORMATS, names},
    shape::{Field, Shape},
    token_steps::{METHODS, TOKEN_RESPONSE, answer_rules, token_request_method},
};
use crate::oauth2::{http::Method, token_answer::AnswerRules, token_request::BodyFormat};

/// A token request after the first one of a refresh. Its parameters are those of the entry and no
/// others: nothing is generated.
#[derive(Clone, Debug)]
pub struct RefreshStep {
    /// How its parameters are written.
    pub body_format: BodyFormat,
    /// Whether the refresh succeeds without it. Such a step is not made where it lacks a value.
    pub is_optional: bool,
    /// Where its answer goes.
    pub result: StepResult,
    /// How long its token lives when its answer does not say, in milliseconds.
    pub token_expires_in_ms: Option<i64>,
    /// Its headers. Values are text templates.
    pub token_headers: Parameters,
    /// Its parameters. Values are text templates.
    pub token_params: Parameters,
    /// Its method.
    pub token_request_method: Method,
    /// Where its answer has what, if not as RFC 6749 §5.1 says.
    pub token_response: Option<AnswerRules>,
    /// Its address, a URL template.
    pub token_url: String,
}

/// Where the answer of a step goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StepResult {
    /// Its token takes the place of the access token.
    AccessToken,
    /// Its token and when that ends are a value of `connection_config`.
    ConnectionConfig(String),
    /// It is put over what is under this key of the answer before it.
    Raw(String),
}

impl StepResult {
    /// Reads the `result` of a step.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_name = |name: &str| {
            let is_allowed = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
            !name.is_empty() && name.chars().all(is_allowed)
        };
        match text.split_once('.') {
            None if text == "access_token" => Some(Self::AccessToken),
            Some(("connection_config", name)) if is_name(name) => {
                Some(Self::ConnectionConfig(name.to_owned()))
            }
            Some(("raw", name)) if is_name(name) => Some(Self::Raw(name.to_owned())),
            _ => None,
        }
    }
}

/// The fields of a step.
pub(super) const FIELDS: &[Field] = &[
    Field::new("token_url", Shape::UrlTemplate, "Template of its address.").required(),
    Field::new(
        "token_params",
        Shape::Parameters,
        "Its parameters; no others are sent.",
    ),
    Field::new("token_headers", Shape::Headers, "Its headers."),
    Field::new(
        "token_request_method",
        Shape::Choice(|| names(&METHODS)),
        "Its method; `POST` by default.",
    ),
    Field::new(
        "body_format",
        Shape::Choice(|| names(&BODY_FORMATS)),
        "How its parameters are written; `form` by default.",
    ),
    Field::new(
        "token_response",
        Shape::Object(TOKEN_RESPONSE),
        "Where its answer has what, if not as RFC 6749 says.",
    ),
    Field::new(
        "token_expires_in_ms",
        Shape::Number(1, i64::MAX),
        "How many milliseconds its token lives when its answer does not say.",
    ),
    Field::new(
        "result",
        Shape::StepResult,
        "Where its answer goes: `access_token`, `connection_config.NAME` or `raw.NAME`.",
    )
    .required(),
    Field::new(
        "optional",
        Shape::Flag,
        "Whether the refresh succeeds without it; `false` by default.",
    ),
];

/// Each is a request within one attempt.
pub(super) const MAX_STEPS: usize = 5;

/// The steps of an entry.
pub(super) fn steps(entry: Checked<'_>) -> Vec<RefreshStep> {
    let steps = entry.objects("refresh_steps").into_iter();
    steps.filter_map(step).collect()
}

fn step(step: Checked<'_>) -> Option<RefreshStep> {
    Some(RefreshStep {
        body_format: step
            .choice("body_format", &BODY_FORMATS)
            .unwrap_or(BodyFormat::Form),
        is_optional: step.flag("optional"),
        result: StepResult::parse(&step.text("result")?)?,
        token_headers: step.headers("token_headers").unwrap_or_default(),
        token_params: step.parameters("token_params").unwrap_or_default(),
        token_expires_in_ms: step.number("token_expires_in_ms"),
        token_request_method: token_request_method(step),
        token_response: answer_rules(step),
        token_url: step.text("token_url")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_goes_to_one_of_three_places() {
        assert_eq!(
            StepResult::parse("access_token"),
            Some(StepResult::AccessToken)
        );
        assert_eq!(
            StepResult::parse("connection_config.botToken"),
            Some(StepResult::ConnectionConfig("botToken".to_owned()))
        );
        assert_eq!(
            StepResult::parse("raw.authed_user"),
            Some(StepResult::Raw("authed_user".to_owned()))
        );
        for text in [
            "",
            "raw",
            "raw.",
            "raw.a.b",
            "connection_config",
            "token",
            "access_token.x",
        ] {
            assert_eq!(StepResult::parse(text), None, "{text}");
        }
    }
}
