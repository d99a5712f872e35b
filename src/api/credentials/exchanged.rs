//! Imports of credentials that are exchanged for short-lived ones: the inputs of the exchange, and
//! what it gave elsewhere, if that is to be taken over.

use serde_json::{Map, Value};

use super::{ImportedCredentials, MAX_TOKEN_CHARS, answer, expires_at, fits};
use crate::{
    api::rules::MAX_KEYS,
    domain::{
        auth_mode::AuthMode,
        credentials::{Credentials, ExchangeMode, Exchanged, is_aws_region},
        secret::{Secret, SecretMap},
    },
    validation::{
        input::{Fields, Input},
        text::Text,
    },
};

/// Reads credentials of the kind `mode`; none where that is of another family.
pub(super) fn exchanged<'a>(
    input: &Input<'a>,
    fields: &Fields<'a>,
    mode: AuthMode,
) -> Option<ImportedCredentials> {
    let mut parts = Parts {
        input,
        fields,
        inputs: Map::new(),
        issued: Map::new(),
        connection_config: Map::new(),
        complete: true,
    };
    let (mode, refresh_token) = match mode {
        AuthMode::App | AuthMode::Custom => {
            parts.config(&[
                ("app_id", Need::Required),
                ("installation_id", Need::Required),
            ]);
            return parts.finish(ExchangeMode::App, None);
        }
        AuthMode::AppStore => {
            parts.inputs(&[
                ("private_key", 10_000, Need::Required),
                ("privateKeyId", 255, Need::Required),
                ("issuerId", 255, Need::Required),
            ]);
            parts.issued(&["access_token"]);
            (ExchangeMode::AppStore, None)
        }
        AuthMode::AwsSigV4 => {
            parts.config(&[
                ("role_arn", Need::Required),
                ("external_id", Need::Optional),
            ]);
            parts.region();
            parts.config(&[("service", Need::Optional)]);
            parts.inputs.extend(parts.connection_config.clone());
            parts.issued(&["access_key_id", "secret_access_key", "session_token"]);
            (ExchangeMode::AwsSigV4, None)
        }
        AuthMode::Bill => {
            parts.inputs(&[
                ("username", 1024, Need::Required),
                ("password", 1024, Need::Required),
                ("organization_id", 255, Need::Required),
                ("dev_key", 1024, Need::Required),
            ]);
            parts.issued(&["session_id", "user_id"]);
            (ExchangeMode::Bill, None)
        }
        AuthMode::Jwt => {
            parts.issued(&["token"]);
            (ExchangeMode::Jwt, None)
        }
        AuthMode::Signature => {
            parts.inputs(&[
                ("username", 1024, Need::Required),
                ("password", 1024, Need::Required),
            ]);
            parts.issued(&["token"]);
            (ExchangeMode::Signature, None)
        }
        AuthMode::TwoStep => {
            parts.issued(&["token"]);
            let refresh_token = fields.optional("refresh_token");
            let refresh_token = refresh_token.and_then(|it| parts.text(&it, MAX_TOKEN_CHARS));
            (ExchangeMode::TwoStep, refresh_token)
        }
        AuthMode::ApiKey
        | AuthMode::Basic
        | AuthMode::InstallPlugin
        | AuthMode::McpOAuth2
        | AuthMode::McpOAuth2Generic
        | AuthMode::None
        | AuthMode::OAuth1
        | AuthMode::OAuth2
        | AuthMode::OAuth2ClientCredentials
        | AuthMode::Tba => return None,
    };
    parts.finish(mode, refresh_token)
}

#[derive(Clone, Copy)]
enum Need {
    Optional,
    Required,
}

/// Credentials under construction.
struct Parts<'f, 'a> {
    /// All of them.
    input: &'f Input<'a>,
    fields: &'f Fields<'a>,
    inputs: Map<String, Value>,
    issued: Map<String, Value>,
    connection_config: Map<String, Value>,
    complete: bool,
}

impl Parts<'_, '_> {
    fn inputs(&mut self, names: &[(&'static str, usize, Need)]) {
        for (name, max, need) in names {
            if let Some(text) = self.named(name, *max, *need) {
                self.inputs.insert((*name).to_owned(), text.into());
            }
        }
    }

    fn config(&mut self, names: &[(&'static str, Need)]) {
        for (name, need) in names {
            if let Some(text) = self.named(name, 255, *need) {
                self.connection_config
                    .insert((*name).to_owned(), text.into());
            }
        }
    }

    fn region(&mut self) {
        let region = self.fields.optional("region");
        let rule = Text::pattern("/^[a-z0-9-]{1,64}$/", is_aws_region, 64);
        if let Some(region) = region.map(|region| region.text(rule)) {
            self.complete &= region.is_some();
            let region = region.map(|region| ("region".to_owned(), region.into()));
            self.connection_config.extend(region);
        }
    }

    /// What was issued elsewhere: all of it or none.
    fn issued(&mut self, names: &[&'static str]) {
        let is_given = |name: &&&str| self.fields.map().contains_key(**name);
        let need = if names.iter().any(|name| is_given(&name)) {
            Need::Required
        } else {
            Need::Optional
        };
        for name in names {
            if let Some(text) = self.named(name, MAX_TOKEN_CHARS, need) {
                self.issued.insert((*name).to_owned(), text.into());
            }
        }
    }

    fn named(&mut self, name: &'static str, max: usize, need: Need) -> Option<String> {
        let input = match need {
            Need::Optional => self.fields.optional(name)?,
            Need::Required => self.fields.field(name),
        };
        self.text(&input, max)
    }

    fn text(&mut self, input: &Input<'_>, max: usize) -> Option<String> {
        let text = input.text(Text::of(1, max));
        self.complete &= text.is_some();
        text
    }

    /// The inputs that the provider's entry declares, which is checked where it is known: texts,
    /// and objects of texts.
    fn free_inputs(&mut self) {
        for (name, input) in self.fields.rest() {
            let value = if input.value().is_some_and(Value::is_object) {
                self.texts(&input).map(Value::from)
            } else {
                self.text(&input, MAX_TOKEN_CHARS).map(Value::from)
            };
            self.inputs
                .extend(value.map(|value| (name.to_owned(), value)));
        }
    }

    fn texts(&mut self, input: &Input<'_>) -> Option<Map<String, Value>> {
        let mut texts = Map::new();
        for (name, input) in input.entries(MAX_KEYS)? {
            texts.insert(name.to_owned(), self.text(&input, MAX_TOKEN_CHARS)?.into());
        }
        Some(texts)
    }

    fn finish(
        mut self,
        mode: ExchangeMode,
        refresh_token: Option<String>,
    ) -> Option<ImportedCredentials> {
        let is_exchange = mode != ExchangeMode::App;
        let expires_at = is_exchange.then(|| expires_at(self.fields)).flatten();
        let raw = match mode {
            ExchangeMode::AppStore
            | ExchangeMode::AwsSigV4
            | ExchangeMode::Bill
            | ExchangeMode::TwoStep => self.fields.optional("raw").and_then(|raw| answer(&raw)),
            ExchangeMode::App | ExchangeMode::Jwt | ExchangeMode::Signature => None,
        };
        if matches!(mode, ExchangeMode::Jwt | ExchangeMode::TwoStep) {
            self.free_inputs();
        }
        let inputs = SecretMap::new(self.inputs);
        self.complete &= fits(self.input, &inputs);
        let imported = ImportedCredentials::new(Credentials::Exchanged(Exchanged {
            inputs,
            issued: SecretMap::new(self.issued),
            refresh_token: refresh_token.map(Secret::new),
            expires_at,
            raw: raw.unwrap_or_default(),
            ..Exchanged::of(mode)
        }));
        self.complete.then(|| ImportedCredentials {
            connection_config: SecretMap::new(self.connection_config),
            ..imported
        })
    }
}
