//! Imports of credentials that are exchanged for short-lived ones: the inputs of the exchange, and
//! what it gave elsewhere, if that is to be taken over.

use serde_json::{Map, Value};

use super::{ImportedCredentials, MAX_TOKEN_CHARS, answer, expires_at, fits, secret};
use crate::{
    domain::{
        credentials::{Credentials, ExchangeMode, Exchanged, is_aws_region},
        secret::SecretMap,
    },
    validation::{fields::Fields, input::Input, text::Text},
};

/// What an import of one kind consists of, beside the inputs that the provider's entry declares.
struct Parts {
    /// What is exchanged: each text with whether it has to be there.
    inputs: &'static [(&'static str, Text, bool)],
    /// Whether the inputs are part of the credentials.
    in_credentials: bool,
    /// Whether the inputs are part of the configuration of the connection.
    in_configuration: bool,
    /// What they were exchanged for elsewhere: all of it or none.
    issued: &'static [&'static str],
}

impl Parts {
    fn of(mode: ExchangeMode) -> Self {
        let usual = Self {
            inputs: &[],
            in_credentials: true,
            in_configuration: false,
            issued: &[],
        };
        match mode {
            ExchangeMode::App => Self {
                inputs: &[("app_id", NAME, true), ("installation_id", NAME, true)],
                in_credentials: false,
                in_configuration: true,
                ..usual
            },
            ExchangeMode::AppStore => Self {
                inputs: &[
                    ("private_key", KEY, true),
                    ("privateKeyId", NAME, true),
                    ("issuerId", NAME, true),
                ],
                issued: &["access_token"],
                ..usual
            },
            ExchangeMode::AwsSigV4 => Self {
                inputs: &[
                    ("role_arn", NAME, true),
                    ("external_id", NAME, false),
                    ("region", REGION, false),
                    ("service", NAME, false),
                ],
                in_configuration: true,
                issued: &["access_key_id", "secret_access_key", "session_token"],
                ..usual
            },
            ExchangeMode::Bill => Self {
                inputs: &[
                    ("username", WORD, true),
                    ("password", WORD, true),
                    ("organization_id", NAME, true),
                    ("dev_key", WORD, true),
                ],
                issued: &["session_id", "user_id"],
                ..usual
            },
            ExchangeMode::Signature => Self {
                inputs: &[("username", WORD, true), ("password", WORD, true)],
                issued: &["token"],
                ..usual
            },
            ExchangeMode::Jwt | ExchangeMode::TwoStep => Self {
                issued: &["token"],
                ..usual
            },
        }
    }
}

/// Reads credentials of the kind `mode`.
pub(super) fn exchanged(
    input: &Input<'_>,
    fields: &Fields<'_>,
    mode: ExchangeMode,
) -> ImportedCredentials {
    let parts = Parts::of(mode);
    let mut inputs = Map::new();
    for (name, rule, is_required) in parts.inputs {
        inputs.extend(named(fields, name, *rule, *is_required));
    }
    let are_issued = parts.issued.iter().any(|it| fields.map().contains_key(*it));
    let issued = parts.issued.iter();
    let issued = issued.filter_map(|name| named(fields, name, TOKEN, are_issued));
    let mut credentials = Exchanged {
        issued: SecretMap::new(issued.collect()),
        ..Exchanged::of(mode)
    };
    if !parts.issued.is_empty() {
        credentials.expires_at = expires_at(fields);
        if mode.has_answer() {
            let raw = fields.optional("raw").and_then(|raw| answer(&raw));
            credentials.raw = raw.unwrap_or_default();
        }
    }
    if mode == ExchangeMode::TwoStep {
        let refresh_token = fields.optional("refresh_token");
        credentials.refresh_token =
            refresh_token.and_then(|token| secret(&token, 1, MAX_TOKEN_CHARS));
    }
    if mode.has_declared_inputs() {
        let declared = fields.rest().into_iter();
        inputs.extend(declared.filter_map(|(name, input)| {
            let value = declared_input(&input, mode)?;
            Some((name.to_owned(), value))
        }));
    }
    let inputs = SecretMap::new(inputs);
    fits(input, &inputs);
    if parts.in_credentials {
        credentials.inputs = inputs.clone();
    }
    let mut imported = ImportedCredentials::new(Credentials::Exchanged(credentials));
    if parts.in_configuration {
        imported.connection_config = inputs;
    }
    imported
}

fn named(
    fields: &Fields<'_>,
    name: &'static str,
    rule: Text,
    is_required: bool,
) -> Option<(String, Value)> {
    let input = if is_required {
        fields.field(name)
    } else {
        fields.optional(name)?
    };
    Some((name.to_owned(), input.text(rule)?.into()))
}

/// An input that the provider's entry declares, which is checked where that is known: a text, or
/// for a key of two parts both of them.
fn declared_input(input: &Input<'_>, mode: ExchangeMode) -> Option<Value> {
    if mode != ExchangeMode::Jwt || !input.value().is_some_and(Value::is_object) {
        return input.text(TOKEN).map(Value::from);
    }
    let fields = input.object()?;
    let parts = ["id", "secret"].map(|name| named(&fields, name, TOKEN, true));
    fields.finish();
    Some(parts.into_iter().flatten().collect())
}

const KEY: Text = Text::of(1, 10_000);
const NAME: Text = Text::of(1, 255);
const REGION: Text = Text::pattern("/^[a-z0-9-]{1,64}$/", is_aws_region, 64);
const TOKEN: Text = Text::of(1, MAX_TOKEN_CHARS);
const WORD: Text = Text::of(1, 1024);
