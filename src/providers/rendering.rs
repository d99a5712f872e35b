//! Whether the requests of an entry can be made.
//!
//! Here: rendering the token requests of an entry with stand-ins for what connections bring, so
//! that an entry that could never work is known before there is a connection. Not here: the
//! requests themselves, and mistakes in a field alone, which the check of the fields finds.

use serde_json::{Map, Value};
use url::Url;

use super::{
    entry::Entry,
    field_schema::FieldSchema,
    refresh_rule::{RuleError, StepRequest, TokenRequestRules, url},
    revocation_rule::revocation_url,
    template::{TemplateError, Values},
};
use crate::{
    domain::{auth_mode::AuthMode, secret::SecretMap, timestamp::Timestamp},
    validation::input::Input,
};

/// The requests that show the client's secret to the provider: that for a token and that for its
/// revocation, as far as the entry has them.
#[must_use]
pub fn token_requests(entry: &Entry, connection_config: &SecretMap) -> Vec<Result<Url, RuleError>> {
    let provided = provided(entry);
    let values = &Values {
        provided: Some(&provided),
        ..Values::new(connection_config, Timestamp::EPOCH, "random")
    };
    let rules = match entry.auth_mode {
        AuthMode::Custom | AuthMode::McpOAuth2 | AuthMode::OAuth2 => {
            TokenRequestRules::for_refresh(entry, values)
        }
        AuthMode::OAuth2ClientCredentials => {
            TokenRequestRules::for_client_credentials(entry, values)
        }
        _ => return Vec::new(),
    };
    let token_request = rules.map(|rules| rules.url);
    let revocation = revocation_url(entry, values).transpose();
    let steps = entry.refresh_steps.iter().map(|step| {
        if step.is_optional {
            // Where it lacks a value, it is not made.
            return url(entry, "refresh_steps", &step.token_url, values);
        }
        StepRequest::of(entry, step, values).map(|request| request.url)
    });
    [Some(token_request), revocation]
        .into_iter()
        .flatten()
        .chain(steps)
        .collect()
}

/// What a token request brings beside the connection's configuration.
fn provided(entry: &Entry) -> SecretMap {
    let own = entry.integration_config.iter().map(|it| it.name.as_str());
    let names = PROVIDED.into_iter().chain(own);
    SecretMap::new(names.map(|it| (it.to_owned(), "stand-in".into())).collect())
}

/// Raises a mistake for each request that no values of the declared inputs can render. `input` is
/// the entry, without any other mistake.
pub fn check(entry: &Entry, input: &Input<'_>) {
    let Some(object) = input.object() else { return };
    let as_text = token_requests(entry, &stand_ins(entry, Kind::Text));
    let as_url = token_requests(entry, &stand_ins(entry, Kind::Url));
    for (as_text, as_url) in as_text.into_iter().zip(as_url) {
        let (Err(error), Err(_)) = (as_text, as_url) else {
            continue;
        };
        let (field, mistake) = match error {
            // What an answer brings, nobody knows before.
            RuleError::Template {
                source: TemplateError::Missing(name),
                ..
            } if name.starts_with("raw.") => continue,
            RuleError::NoTokenUrl => ("token_url", "There is no token URL".to_owned()),
            RuleError::ForeignDomain => (
                "token_domains",
                "A token request or revocation leads outside of these domains".to_owned(),
            ),
            RuleError::Template { field, source } => (field, explained(&source)),
            RuleError::Unsupported(what) => ("body_format", format!("{what} is not supported")),
        };
        object.field(field).refuse("custom", mistake);
    }
}

fn explained(error: &TemplateError) -> String {
    match error {
        TemplateError::Missing(name) => format!("No input is declared for ${{{name}}}"),
        TemplateError::Unfit(name) => {
            format!("The value of ${{{name}}} does not fit where the template puts it")
        }
        TemplateError::Unsupported(name) => format!("The function {name} is not computed yet"),
        TemplateError::Malformed | TemplateError::NoUrl => {
            "The template gives no valid URL".to_owned()
        }
    }
}

/// What stands for inputs of which nothing is known.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Url,
}

/// What is known of the client and the tokens when a token is asked for.
const PROVIDED: [&str; 5] = [
    "accessToken",
    "clientId",
    "clientSecret",
    "refreshToken",
    "scopes",
];

/// A value for each input that a person or an answer of the provider gives.
fn stand_ins(entry: &Entry, kind: Kind) -> SecretMap {
    // Any host will do but where the entry names those that will.
    let host = entry.token_domains.first().map_or("a.example", |it| it);
    let base = format!("https://{host}");
    let stand_in = |input: &FieldSchema| {
        let said = [&input.example, &input.default_value];
        let mut said = said.into_iter().flatten().chain(&input.choices);
        if let Some(said) = said.next() {
            return said.clone();
        }
        match (input.format.as_deref(), kind) {
            (Some("uri"), _) | (None, Kind::Url) => base.clone(),
            _ => host.to_owned(),
        }
    };
    let declared = entry.connection_config.iter();
    let declared = declared.map(|input| (input.name.clone(), stand_in(input)));
    let learned = entry.learned_inputs.iter().map(|name| match kind {
        Kind::Text => (name.clone(), host.to_owned()),
        Kind::Url => (name.clone(), base.clone()),
    });
    let values = learned.chain(declared);
    let values = values.map(|(name, value)| (name, Value::from(value)));
    SecretMap::new(values.collect::<Map<_, _>>())
}
