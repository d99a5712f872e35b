//! The client of an integration, as requests bring it.

use serde_json::Value;

use super::rules::MAX_URL_CHARS;
use crate::{
    domain::{auth_mode::AuthMode, secret::Secret},
    service::create_integration::ClientSettings,
    validation::{fields::Fields, input::Input, text::Text},
};

/// Reads `credentials` of an integration, by their `type`.
pub(super) fn client_settings(input: &Input<'_>) -> Option<ClientSettings> {
    let fields = input.object()?;
    let kind = fields.field("type");
    let mode = kind
        .value()
        .and_then(Value::as_str)
        .and_then(AuthMode::parse);
    let settings = match mode {
        Some(
            mode @ (AuthMode::McpOAuth2
            | AuthMode::McpOAuth2Generic
            | AuthMode::OAuth1
            | AuthMode::OAuth2
            | AuthMode::Tba),
        ) => oauth(&fields, mode),
        Some(AuthMode::App) => app(&fields),
        Some(AuthMode::Custom) => custom(&fields),
        _ => {
            kind.refuse("invalid_union", "invalid credentials object");
            return None;
        }
    };
    fields.finish();
    settings
}

fn oauth(fields: &Fields<'_>, auth_mode: AuthMode) -> Option<ClientSettings> {
    let client_id = client_id(fields);
    // Clients of Model Context Protocol servers are public (RFC 6749 §2.1) more often than not.
    let is_lacking = !fields.map().contains_key("client_secret");
    let may_be_public = matches!(auth_mode, AuthMode::McpOAuth2 | AuthMode::McpOAuth2Generic);
    let client_secret = if may_be_public && is_lacking {
        Some(None)
    } else {
        client_secret(fields).map(Some)
    };
    let scopes = fields
        .optional("scopes")
        .and_then(|scopes| scopes.text(SCOPES));
    let webhook_secret = fields
        .optional("webhook_secret")
        .and_then(|secret| secret.text(Text::of(0, 255)));
    Some(ClientSettings {
        auth_mode,
        client_id: client_id?,
        client_secret: client_secret?,
        scopes,
        webhook_secret: webhook_secret.map(Secret::new),
        app_id: None,
        app_link: None,
        private_key: None,
    })
}

fn app(fields: &Fields<'_>) -> Option<ClientSettings> {
    let app_id = app_id(fields);
    let app_link = app_link(fields);
    let private_key = private_key(fields);
    Some(ClientSettings {
        auth_mode: AuthMode::App,
        client_id: app_id?,
        client_secret: None,
        scopes: None,
        webhook_secret: None,
        app_id: None,
        app_link: Some(app_link?),
        private_key: Some(private_key?),
    })
}

fn custom(fields: &Fields<'_>) -> Option<ClientSettings> {
    let client_id = client_id(fields);
    let client_secret = client_secret(fields);
    let app_id = app_id(fields);
    let app_link = app_link(fields);
    let private_key = private_key(fields);
    Some(ClientSettings {
        auth_mode: AuthMode::Custom,
        client_id: client_id?,
        client_secret: Some(client_secret?),
        scopes: None,
        webhook_secret: None,
        app_id: Some(app_id?),
        app_link: Some(app_link?),
        private_key: Some(private_key?),
    })
}

fn client_id(fields: &Fields<'_>) -> Option<String> {
    fields.field("client_id").text(Text::of(1, 255))
}

fn client_secret(fields: &Fields<'_>) -> Option<Secret> {
    fields
        .field("client_secret")
        .text(Text::of(1, MAX_KEY_CHARS))
        .map(Secret::new)
}

fn app_id(fields: &Fields<'_>) -> Option<String> {
    fields.field("app_id").text(Text::of(1, 255))
}

fn app_link(fields: &Fields<'_>) -> Option<String> {
    fields.field("app_link").text(Text::of(1, MAX_URL_CHARS))
}

fn private_key(fields: &Fields<'_>) -> Option<Secret> {
    let key = fields.field("private_key").text(Text::of(1, MAX_KEY_CHARS));
    key.map(Secret::new)
}

/// The longest secret: it may be a private key too.
const MAX_KEY_CHARS: usize = 10_000;

/// Scopes separated by commas, or nothing.
const SCOPES: Text = Text::pattern(
    "/^[0-9a-zA-Z:/_.*-]+(,[0-9a-zA-Z:/_.*-]+)*$/",
    are_scopes,
    8192,
);

fn are_scopes(text: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || ":/_.*-".contains(char);
    let is_scope = |scope: &str| !scope.is_empty() && scope.chars().all(allowed);
    text.is_empty() || text.split(',').all(is_scope)
}
