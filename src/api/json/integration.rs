//! Integrations as answers show them.

use serde_json::{Map, Value, json};

use crate::{
    domain::{auth_mode::AuthMode, integration::IntegrationSecrets, secret::Secret},
    providers::provider::logo_url,
    storage::integrations::IntegrationRecord,
};

/// An integration without its secrets. `provider_name` is shown where it has no name of its own.
pub(in crate::api) fn integration_json(
    integration: &IntegrationRecord,
    provider_name: &str,
    origin: &str,
) -> Map<String, Value> {
    let members = [
        ("unique_key", integration.unique_key.as_str().into()),
        ("provider", integration.provider.as_str().into()),
        (
            "display_name",
            integration
                .display_name
                .as_deref()
                .unwrap_or(provider_name)
                .into(),
        ),
        ("logo", logo_url(&integration.provider, origin).into()),
        (
            "forward_webhooks",
            (integration.forward_webhooks != 0).into(),
        ),
        ("created_at", integration.created_at.to_iso().into()),
        ("updated_at", integration.updated_at.to_iso().into()),
    ];
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// The client of an integration, in the shape of its provider's kind of credentials; `null` for
/// kinds without a client.
pub(in crate::api) fn client_json(
    integration: &IntegrationRecord,
    secrets: &IntegrationSecrets,
    mode: AuthMode,
) -> Value {
    let kind = mode.as_str();
    match mode {
        AuthMode::McpOAuth2Generic if integration.client_id.is_none() => Value::Null,
        AuthMode::McpOAuth2
        | AuthMode::McpOAuth2Generic
        | AuthMode::OAuth1
        | AuthMode::OAuth2
        | AuthMode::Tba => json!({
            "type": kind,
            "client_id": integration.client_id,
            "client_secret": shown(secrets.client_secret.as_ref()),
            "scopes": integration.scopes,
            "webhook_secret": shown(secrets.webhook_secret.as_ref()),
        }),
        AuthMode::App => json!({
            "type": kind,
            "app_id": integration.client_id,
            "private_key": shown(secrets.private_key.as_ref()),
            "app_link": integration.app_link,
        }),
        AuthMode::Custom => json!({
            "type": kind,
            "client_id": integration.client_id,
            "client_secret": shown(secrets.client_secret.as_ref()),
            "app_id": secrets.app_id,
            "app_link": integration.app_link,
            "private_key": shown(secrets.private_key.as_ref()),
        }),
        AuthMode::ApiKey
        | AuthMode::AppStore
        | AuthMode::AwsSigV4
        | AuthMode::Basic
        | AuthMode::Bill
        | AuthMode::InstallPlugin
        | AuthMode::Jwt
        | AuthMode::None
        | AuthMode::OAuth2ClientCredentials
        | AuthMode::Signature
        | AuthMode::TwoStep => Value::Null,
    }
}

/// A secret, or `null`.
pub(in crate::api) fn shown(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose)
}
