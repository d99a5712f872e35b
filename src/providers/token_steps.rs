//! Token requests of a provider's own shape: their fields in an entry, and what is read of them.
//!
//! Here: the rows of the fields, the requests of a login and of a refresh as data, and where their
//! answers have what. Not here: filling them in, and sending.

use serde_json::Value;

use super::{
    checked::Checked,
    entry::{Entry, Parameters},
    entry_fields::{EXPIRES_IN_UNITS, names},
    shape::{Field, MAX_NAME_CHARS, Shape},
};
use crate::{
    domain::auth_mode::AuthMode,
    oauth2::{
        http::Method,
        token_answer::{AnswerRules, ExpirationStrategy},
        token_response::ExpiresInUnit,
    },
};

/// The fields.
pub(super) const FIELDS: &[Field] = &[
    TOKEN_HEADERS,
    TOKEN_REQUEST_METHOD,
    Field::new(
        "token_response",
        Shape::Object(TOKEN_RESPONSE),
        "Where a token answer has what.",
    )
    .required_in(&[AuthMode::TwoStep]),
    Field::new(
        "token_response_metadata",
        Shape::Names,
        "Paths in a token answer to values that become part of `connection_config`.",
    ),
    Field::new(
        "refresh_token_response_metadata",
        Shape::Names,
        "The same; both count for every answer.",
    ),
    Field::new(
        "token_response_headers",
        Shape::Names,
        "Headers of a token answer that are kept with the token.",
    ),
    Field::new(
        "token_expires_in_ms",
        Shape::Number(0, i64::MAX),
        "How many milliseconds a token lives when its answer does not say; 0 for ever.",
    ),
    Field::new(
        "additional_steps",
        Shape::List(&Shape::Object(STEP), MAX_ADDITIONAL_STEPS),
        "The requests after the first, in their order.",
    ),
    Field::new(
        "refresh_token_params",
        Shape::Template,
        "The body of a refresh; values are templates.",
    ),
    Field::new(
        "refresh_token_headers",
        Shape::Headers,
        "Headers of a refresh.",
    ),
];

const TOKEN_HEADERS: Field = Field::new(
    "token_headers",
    Shape::Headers,
    "Headers of a token request; values are templates.",
);

const TOKEN_REQUEST_METHOD: Field = Field::new(
    "token_request_method",
    Shape::Choice(|| names(&METHODS)),
    "The method of a token request; `POST` by default.",
);

pub(super) const TOKEN_RESPONSE: &[Field] = &[
    Field::new("token", PATH, "The path to the token; empty for the whole.").required(),
    Field::new("refresh_token", PATH, "The path to a refresh token."),
    Field::new(
        "token_expiration",
        PATH,
        "The path to what tells the end of the token.",
    ),
    Field::new(
        "token_expiration_strategy",
        Shape::Choice(|| names(&STRATEGIES)),
        "Whether that is a lifetime, which it is by default, or a date.",
    ),
];

const STEP: &[Field] = &[
    Field::new(
        "token_url",
        Shape::UrlTemplate,
        "Template of the URL; `${step1.x}` is the value `x` of the first answer.",
    )
    .required(),
    Field::new("token_params", Shape::Template, "The body."),
    TOKEN_HEADERS,
    TOKEN_REQUEST_METHOD,
    Field::new(
        "body_format",
        Shape::Choice(|| names(&STEP_FORMATS)),
        "How the body is written; that of the entry by default.",
    ),
];

/// A request for a token, as templates.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenStep {
    /// Where it goes.
    pub url: String,
    /// Its method.
    pub method: Method,
    /// Its headers.
    pub headers: Parameters,
    /// Its parameters, an object whose texts are templates.
    pub parameters: Option<Value>,
    /// How the parameters are written.
    pub format: Option<StepFormat>,
    /// The fields of the entry that say so.
    pub fields: StepFields,
}

/// The fields of an entry that say where a request goes, its headers and its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepFields {
    pub(super) url: &'static str,
    pub(super) headers: &'static str,
    pub(super) parameters: &'static str,
}

impl StepFields {
    const LOGIN: Self = Self {
        url: "token_url",
        headers: "token_headers",
        parameters: "token_params",
    };
    pub(super) const ADDITIONAL: Self = Self {
        url: "additional_steps",
        headers: "additional_steps",
        parameters: "additional_steps",
    };
}

/// How the parameters of such a request are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StepFormat {
    /// As a form.
    Form,
    /// As JSON.
    Json,
    /// Into the query of the URL.
    Query,
    /// As XML.
    Xml,
}

impl TokenStep {
    /// A request that has nothing but an address.
    pub(super) fn to(url: String) -> Self {
        Self {
            url,
            method: Method::Post,
            headers: Vec::new(),
            parameters: None,
            format: None,
            fields: StepFields::LOGIN,
        }
    }
}

impl Entry {
    /// The first request of a login.
    #[must_use]
    pub fn login_step(&self) -> Option<TokenStep> {
        Some(TokenStep {
            url: self.token_url.as_ref()?.oauth2().to_owned(),
            method: self.token_request_method,
            headers: self.token_headers.clone(),
            parameters: self.token_params_json.clone(),
            format: Some(self.step_format),
            fields: StepFields::LOGIN,
        })
    }

    /// The request of a refresh, if the provider has any, in place of the first of a login.
    #[must_use]
    pub fn renewal_step(&self) -> Option<TokenStep> {
        if self.refresh_token_params.is_none() && self.refresh_token_headers.is_none() {
            return None;
        }
        let login = self.login_step()?;
        let mut step = TokenStep {
            parameters: self.refresh_token_params.clone(),
            ..login
        };
        step.fields.parameters = "refresh_token_params";
        if let Some(url) = &self.refresh_url {
            step.url.clone_from(url);
            step.fields.url = "refresh_url";
        }
        if let Some(headers) = &self.refresh_token_headers {
            step.headers.clone_from(headers);
            step.fields.headers = "refresh_token_headers";
        }
        Some(step)
    }
}

/// The requests after the first.
pub(super) fn additional_steps(entry: Checked<'_>) -> Vec<TokenStep> {
    let steps = entry.objects("additional_steps").into_iter();
    let step = |step: Checked<'_>| TokenStep {
        url: step.text("token_url").unwrap_or_default(),
        method: token_request_method(step),
        headers: step.headers("token_headers").unwrap_or_default(),
        parameters: step.json("token_params"),
        format: step.choice("body_format", &STEP_FORMATS),
        fields: StepFields::ADDITIONAL,
    };
    steps.map(step).collect()
}

/// The method of a request for a token.
pub(super) fn token_request_method(step: Checked<'_>) -> Method {
    let method = step.choice("token_request_method", &METHODS);
    method.unwrap_or(Method::Post)
}

/// Where an answer has what.
pub(super) fn answer_rules(entry: Checked<'_>) -> Option<AnswerRules> {
    let rules = entry.object("token_response")?;
    Some(AnswerRules {
        token: rules.text("token")?,
        refresh_token: rules.text("refresh_token"),
        token_expiration: rules.text("token_expiration"),
        token_expiration_strategy: rules
            .choice("token_expiration_strategy", &STRATEGIES)
            .unwrap_or(ExpirationStrategy::ExpireIn),
        expires_in_unit: entry
            .choice("expires_in_unit", &EXPIRES_IN_UNITS)
            .unwrap_or(ExpiresInUnit::Seconds),
    })
}

pub(super) const METHODS: [(Method, &str); 2] = [(Method::Get, "GET"), (Method::Post, "POST")];

const STRATEGIES: [(ExpirationStrategy, &str); 2] = [
    (ExpirationStrategy::ExpireAt, "expireAt"),
    (ExpirationStrategy::ExpireIn, "expireIn"),
];

pub(super) const STEP_FORMATS: [(StepFormat, &str); 4] = [
    (StepFormat::Form, "form"),
    (StepFormat::Json, "json"),
    (StepFormat::Query, "query"),
    (StepFormat::Xml, "xml"),
];

const PATH: Shape = Shape::Text(0, MAX_NAME_CHARS);
/// Each is a request within one attempt.
const MAX_ADDITIONAL_STEPS: usize = 5;
