//! Credentials as an import brings them.

use serde_json::{Map, Value};

use crate::{
    domain::{
        auth_mode::AuthMode,
        credentials::{
            ClientOverride, Credentials, ExchangeMode, OAuth1, OAuth2, OAuth2ClientCredentials, Tba,
        },
        secret::{MAX_RAW_BYTES, Secret, SecretMap},
        timestamp::Timestamp,
    },
    validation::{fields::Fields, input::Input, text::Text, wording::too_big},
};

mod exchanged;

use self::exchanged::exchanged;

/// Credentials to import.
pub(super) struct ImportedCredentials {
    /// The `type` that was sent.
    pub(super) auth_mode: AuthMode,
    pub(super) credentials: Credentials,
    /// What of them belongs to the configuration of the connection.
    pub(super) connection_config: SecretMap,
}

impl ImportedCredentials {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            auth_mode: credentials.auth_mode(),
            credentials,
            connection_config: SecretMap::default(),
        }
    }
}

/// Reads `credentials`, by their `type`.
pub(super) fn credentials(input: &Input<'_>) -> Option<ImportedCredentials> {
    let fields = input.object()?;
    let kind = fields.field("type");
    let Some(mode) = kind
        .value()
        .and_then(Value::as_str)
        .and_then(AuthMode::parse)
    else {
        kind.refuse("invalid_union", "Invalid input");
        return None;
    };
    let exchanged = |mode| Some(exchanged(input, &fields, mode));
    let imported = match mode {
        AuthMode::ApiKey => api_key(&fields).map(ImportedCredentials::new),
        AuthMode::Basic => basic(&fields).map(ImportedCredentials::new),
        AuthMode::None => Some(ImportedCredentials::new(Credentials::None)),
        AuthMode::OAuth1 => oauth1(&fields).map(ImportedCredentials::new),
        AuthMode::OAuth2 | AuthMode::McpOAuth2 | AuthMode::McpOAuth2Generic => {
            oauth2(&fields).map(ImportedCredentials::new)
        }
        AuthMode::OAuth2ClientCredentials => {
            client_credentials(&fields).map(ImportedCredentials::new)
        }
        AuthMode::Tba => tba(&fields).map(ImportedCredentials::new),
        AuthMode::App | AuthMode::Custom => exchanged(ExchangeMode::App),
        AuthMode::AppStore => exchanged(ExchangeMode::AppStore),
        AuthMode::AwsSigV4 => exchanged(ExchangeMode::AwsSigV4),
        AuthMode::Bill => exchanged(ExchangeMode::Bill),
        AuthMode::Jwt => exchanged(ExchangeMode::Jwt),
        AuthMode::Signature => exchanged(ExchangeMode::Signature),
        AuthMode::TwoStep => exchanged(ExchangeMode::TwoStep),
        // Answers show another type, which is the one to import.
        AuthMode::InstallPlugin => {
            kind.refuse("invalid_union", "Invalid input");
            return None;
        }
    };
    fields.finish();
    imported.map(|imported| ImportedCredentials {
        auth_mode: mode,
        ..imported
    })
}

fn api_key(fields: &Fields<'_>) -> Option<Credentials> {
    let api_key = secret(&fields.field("apiKey"), 1, 1024);
    Some(Credentials::ApiKey { api_key: api_key? })
}

fn basic(fields: &Fields<'_>) -> Option<Credentials> {
    let username = secret(&fields.field("username"), 0, 1024);
    let password = secret(&fields.field("password"), 0, 1024);
    Some(Credentials::Basic {
        username: username?,
        password: password?,
    })
}

fn oauth1(fields: &Fields<'_>) -> Option<Credentials> {
    let oauth_token = secret(&fields.field("oauth_token"), 1, 2048);
    let oauth_token_secret = secret(&fields.field("oauth_token_secret"), 1, 2048);
    Some(Credentials::OAuth1(OAuth1 {
        oauth_token: oauth_token?,
        oauth_token_secret: oauth_token_secret?,
        raw: raw(fields, None),
    }))
}

fn oauth2(fields: &Fields<'_>) -> Option<Credentials> {
    let access_token = secret(&fields.field("access_token"), 1, MAX_TOKEN_CHARS);
    let refresh_token = fields
        .optional("refresh_token")
        .and_then(|token| secret(&token, 1, MAX_TOKEN_CHARS));
    let expires_at = expires_at(fields);
    let config_override = fields
        .optional("config_override")
        .and_then(|input| client(&input));
    Some(Credentials::OAuth2(OAuth2 {
        access_token: access_token?,
        refresh_token,
        expires_at,
        config_override,
        raw: raw(fields, expires_at),
        derived_config: SecretMap::default(),
        renews_without_refresh_token: false,
    }))
}

fn client_credentials(fields: &Fields<'_>) -> Option<Credentials> {
    let token = secret(&fields.field("token"), 1, 4096);
    let client_id = fields.field("client_id").text(Text::of(1, 255));
    // A client that signs need not have a secret.
    let key = fields.map().get("client_private_key");
    let has_key = key.and_then(Value::as_str).is_some_and(|it| !it.is_empty());
    let client_secret = if has_key {
        let given = fields.optional("client_secret");
        given.map_or_else(|| Some(Secret::new("")), |it| secret(&it, 0, 2048))
    } else {
        secret(&fields.field("client_secret"), 1, 2048)
    };
    let pem = |name| {
        fields
            .optional(name)
            .and_then(|pem| secret(&pem, 1, 10_000))
    };
    let client_certificate = pem("client_certificate");
    let client_private_key = pem("client_private_key");
    let expires_at = expires_at(fields);
    Some(Credentials::OAuth2ClientCredentials(
        OAuth2ClientCredentials {
            token: token?,
            client_id: client_id?,
            client_secret: client_secret?,
            client_certificate,
            client_private_key,
            expires_at,
            raw: raw(fields, expires_at),
            derived_config: SecretMap::default(),
        },
    ))
}

fn tba(fields: &Fields<'_>) -> Option<Credentials> {
    let token_id = secret(&fields.field("token_id"), 1, 2048);
    let token_secret = secret(&fields.field("token_secret"), 1, 2048);
    let config_override = fields
        .optional("config_override")
        .and_then(|input| client(&input));
    Some(Credentials::Tba(Tba {
        token_id: token_id?,
        token_secret: token_secret?,
        config_override: config_override.unwrap_or_default(),
    }))
}

fn client(input: &Input<'_>) -> Option<ClientOverride> {
    let fields = input.object()?;
    let client_id = fields
        .optional("client_id")
        .and_then(|id| id.text(Text::of(1, 255)));
    let client_secret = fields
        .optional("client_secret")
        .and_then(|value| secret(&value, 1, 2048));
    fields.finish();
    Some(ClientOverride {
        client_id,
        client_secret,
    })
}

fn secret(input: &Input<'_>, min: usize, max: usize) -> Option<Secret> {
    input.text(Text::of(min, max)).map(Secret::new)
}

/// `expires_at`; `null` says the same as its absence.
fn expires_at(fields: &Fields<'_>) -> Option<Timestamp> {
    fields
        .optional("expires_at")
        .filter(|input| !input.is_null())?
        .instant()
}

/// `raw` of imported credentials: the answer that they came from, else what was sent, with the date
/// in the form of all dates.
fn raw(fields: &Fields<'_>, expires_at: Option<Timestamp>) -> SecretMap {
    if let Some(raw) = fields.optional("raw") {
        return answer(&raw).unwrap_or_default();
    }
    let mut raw: Map<String, Value> = fields.map().clone();
    match expires_at {
        Some(expires_at) => raw.insert("expires_at".to_owned(), expires_at.to_iso().into()),
        None => raw.shift_remove("expires_at"),
    };
    SecretMap::new(raw)
}

/// The provider's answer that tokens came from, which may have further tokens in it.
fn answer(input: &Input<'_>) -> Option<SecretMap> {
    let answer = SecretMap::new(input.record(MAX_RAW_KEYS)?.clone());
    fits(input, &answer).then_some(answer)
}

/// Whether a row has room for `map`, which `input` gave; a mistake where it has none.
fn fits(input: &Input<'_>, map: &SecretMap) -> bool {
    let fits = map.json_len() <= MAX_RAW_BYTES;
    if !fits {
        input.refuse("too_big", too_big("JSON", MAX_RAW_BYTES, "bytes"));
    }
    fits
}

/// More than any answer has at its top level.
const MAX_RAW_KEYS: usize = 1000;
/// The longest access or refresh token, in characters.
pub(super) const MAX_TOKEN_CHARS: usize = 16_384;
