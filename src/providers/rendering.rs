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
    filled_request::{FillError, FilledRequest, url},
    revocation_rule::revocation_url,
    step_request::step_request,
    template::{TemplateError, Values},
    token_steps::TokenStep,
};
use crate::{
    domain::{auth_mode::AuthMode, secret::SecretMap, timestamp::Timestamp},
    validation::input::Input,
};

/// The requests that show the client's secret to the provider: that for a token and that for its
/// revocation, as far as the entry has them.
#[must_use]
pub fn token_requests(entry: &Entry, connection_config: &SecretMap) -> Vec<Result<Url, FillError>> {
    let provided = provided(entry);
    let values = &Values {
        provided: Some(&provided),
        ..Values::new(connection_config, Timestamp::EPOCH, "random")
    };
    let filled = match entry.auth_mode {
        AuthMode::App | AuthMode::Bill | AuthMode::TwoStep => return logins(entry, values),
        AuthMode::Custom | AuthMode::McpOAuth2 | AuthMode::OAuth2 => {
            FilledRequest::for_refresh(entry, values)
        }
        AuthMode::McpOAuth2Generic if entry.has_refresh_url() => {
            FilledRequest::for_refresh(entry, values)
        }
        AuthMode::OAuth2ClientCredentials => FilledRequest::for_client_credentials(entry, values),
        _ => return Vec::new(),
    };
    let token_request = filled.map(|filled| filled.url);
    let revocation = revocation_url(entry, values).transpose();
    let steps = entry.refresh_steps.iter().map(|step| {
        if step.is_optional {
            // Where it lacks a value, it is not made.
            return url(entry, "refresh_steps", &step.token_url, values);
        }
        FilledRequest::for_step(entry, step, values).map(|request| request.url)
    });
    [Some(token_request), revocation]
        .into_iter()
        .flatten()
        .chain(steps)
        .collect()
}

/// The requests that inputs of a connection log in with.
fn logins(entry: &Entry, values: &Values<'_>) -> Vec<Result<Url, FillError>> {
    let steps = if entry.auth_mode == AuthMode::TwoStep {
        [entry.login_step(), entry.renewal_step()]
    } else {
        let app = entry.token_url.as_ref().map(|it| it.app().to_owned());
        [app.map(TokenStep::to), None]
    };
    let steps = steps.into_iter().flatten();
    let inputs = Kind::ALL.map(|kind| {
        let inputs = [&entry.credentials, &entry.integration_config];
        let inputs = inputs.into_iter().flatten();
        let issued = ["assertion", "refresh_token"].map(|it| (it.to_owned(), "stand-in".into()));
        let inputs = inputs.map(|it| (it.name.clone(), stand_in(entry, it, kind).into()));
        SecretMap::new(inputs.chain(issued).collect())
    });
    let rendered = |step: TokenStep| {
        let [as_example, as_text, as_url] = inputs.each_ref().map(|inputs| {
            let values = Values {
                credentials: Some(inputs),
                ..*values
            };
            step_request(&step, entry, &values).map(|request| request.url)
        });
        as_example.or(as_text).or(as_url)
    };
    steps
        .chain(entry.additional_steps.iter().cloned())
        .map(rendered)
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
    let [as_example, as_text, as_url] =
        Kind::ALL.map(|kind| token_requests(entry, &stand_ins(entry, kind)));
    let others = as_text.into_iter().zip(as_url);
    for (as_example, (as_text, as_url)) in as_example.into_iter().zip(others) {
        let (Err(error), Err(_), Err(_)) = (as_example, as_text, as_url) else {
            continue;
        };
        let (field, mistake) = match error {
            // What an answer brings, nobody knows before.
            FillError::Template {
                source: TemplateError::Missing(name),
                ..
            } if name.starts_with("raw.") || name.starts_with("step") => continue,
            FillError::NoTokenUrl => ("token_url", "There is no token URL".to_owned()),
            FillError::ForeignDomain => (
                "token_domains",
                "A token request or revocation leads outside of these domains".to_owned(),
            ),
            FillError::Template { field, source } => (field, explained(&source)),
            FillError::NotXml => (
                "body_format",
                "The parameters cannot be written as XML: expected one element".to_owned(),
            ),
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
        TemplateError::TooLong => "The filled template is too long".to_owned(),
        TemplateError::Unsupported(name) => format!("The function {name} is not computed"),
        TemplateError::Malformed | TemplateError::NoUrl => {
            "The template gives no valid URL".to_owned()
        }
    }
}

/// What stands for inputs of which nothing is known.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Example,
    Text,
    Url,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Example, Self::Text, Self::Url];
}

/// What is known of the client and the tokens when a token is asked for.
const PROVIDED: [&str; 7] = [
    "accessToken",
    "clientId",
    "clientSecret",
    "refreshToken",
    "refresh_token",
    "scopes",
    "token",
];

/// A value for each input that a person or an answer of the provider gives.
fn stand_ins(entry: &Entry, kind: Kind) -> SecretMap {
    let declared = entry.connection_config.iter();
    let declared = declared.map(|input| (input.name.clone(), stand_in(entry, input, kind)));
    // An import of an app brings these.
    let of_app = ["app_id", "installation_id"].map(str::to_owned);
    let of_app = of_app.iter().filter(|_| entry.auth_mode == AuthMode::App);
    let learned = entry.learned_inputs.iter().chain(of_app);
    let learned = learned.map(|name| (name.clone(), address(entry, kind)));
    let values = learned.chain(declared);
    let values = values.map(|(name, value)| (name, Value::from(value)));
    SecretMap::new(values.collect::<Map<_, _>>())
}

fn stand_in(entry: &Entry, input: &FieldSchema, kind: Kind) -> String {
    // An example need not be a value: `{your domain}/token` is written for people.
    let example = input.example.iter().filter(|_| kind == Kind::Example);
    let mut said = example.chain(&input.default_value).chain(&input.choices);
    if let Some(said) = said.find(|it| !it.is_empty()) {
        return said.clone();
    }
    match input.format.as_deref() {
        Some("uri") => address(entry, Kind::Url),
        Some(_) => address(entry, Kind::Text),
        None => address(entry, kind),
    }
}

/// A host, or a whole base URL. Any will do but where the entry names those that will.
fn address(entry: &Entry, kind: Kind) -> String {
    let host = entry.token_domains.first().map_or("a.example", |it| it);
    match kind {
        Kind::Example | Kind::Text => host.to_owned(),
        Kind::Url => format!("https://{host}"),
    }
}
