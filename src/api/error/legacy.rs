//! Errors that only deprecated routes have.

use serde_json::json;

use super::parts::{Parts, legacy, with_payload};

/// A parameter that the deprecated import needs for a kind of credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::api) enum LegacyParameter {
    AccessToken,
    ApiKey,
    AppId,
    BasicUsername,
    ClientId,
    ClientSecret,
    ExpiresAt,
    InstallationId,
    OAuthToken,
    OAuthTokenSecret,
    ProviderConfigKey,
    TokenId,
    TokenSecret,
}

/// What is said where `parameter` is missing.
pub(super) fn missing(parameter: LegacyParameter) -> Parts {
    match parameter {
        LegacyParameter::AccessToken => {
            legacy(400, "missing_access_token", "Missing param 'access_token'.")
        }
        LegacyParameter::ApiKey => legacy(400, "missing_api_key", "Missing param 'api_key'."),
        LegacyParameter::AppId => legacy(400, "missing_app_id", "Missing param 'app_id'."),
        LegacyParameter::BasicUsername => legacy(
            400,
            "missing_basic_username",
            "Missing param username for basic api authentication.",
        ),
        LegacyParameter::ClientId => {
            legacy(400, "missing_client_id", "Missing param 'oauth_client_id'.")
        }
        LegacyParameter::ClientSecret => legacy(
            400,
            "missing_client_secret",
            "Missing param 'oauth_client_secret'.",
        ),
        LegacyParameter::ExpiresAt => legacy(
            400,
            "missing_expires_at",
            "Importing an OAuth2 token requires the 'expires_at' parameter. If the token doesn't expire pass in the 'no_expiration' parameter",
        ),
        LegacyParameter::InstallationId => legacy(
            400,
            "missing_installation_id",
            "Missing param 'installation_id'.",
        ),
        LegacyParameter::OAuthToken => {
            legacy(400, "missing_oauth_token", "Missing param 'oauth_token'.")
        }
        LegacyParameter::OAuthTokenSecret => legacy(
            400,
            "missing_oauth_token_secret",
            "Missing param 'oauth_token_secret'.",
        ),
        LegacyParameter::ProviderConfigKey => legacy(
            400,
            "missing_provider_config",
            "Missing param 'provider_config_key'.",
        ),
        LegacyParameter::TokenId => legacy(400, "missing_token_id", "Missing param 'token_id'."),
        LegacyParameter::TokenSecret => {
            legacy(400, "missing_token_secret", "Missing param 'token_secret'.")
        }
    }
}

/// What is said where there is no such connection.
pub(super) fn unknown_connection(connection_id: &str, provider_config_key: &str) -> Parts {
    let payload = json!({"connectionId": connection_id, "providerConfigKey": provider_config_key});
    let shown = serde_json::to_string_pretty(&payload).unwrap_or_default();
    let message = format!(
        "No connection matching the provided params of 'connection_id' and 'provider_config_key'. Please make sure these values exist in the Nango dashboard {shown}"
    );
    with_payload(404, "unknown_connection", message, payload)
}
