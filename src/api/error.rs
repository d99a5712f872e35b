//! Every error that a caller can see: this file is the error contract.

use std::{borrow::Cow, error::Error, fmt::Write};

use serde_json::{Map, Value, json};

use super::reply::Reply;
use crate::{
    domain::{auth_mode::AuthMode, scope::Scope},
    service::{error::InternalError, ports::RefreshFailure, readiness::NotReady},
    validation::issue::Issue,
};

/// An error, as the wire tells them apart.
#[derive(Debug)]
pub(super) enum ApiError {
    ApiKeyNameTaken,
    ApiKeysFull,
    CannotDeleteProd,
    ConnectionOptionsNeedCredentialsScope,
    ContentType,
    CustomNotAccepted,
    EnvironmentNameTaken,
    EnvironmentsFull,
    IncompatibleCredentials,
    IntegrationChangedMeanwhile,
    IntegrationConfig(Vec<String>),
    IntegrationHasConnections,
    IntegrationKeyTaken,
    IntegrationTooLarge,
    Internal(InternalError),
    InvalidBody(Vec<Issue>),
    InvalidCredentials {
        failure: RefreshFailure,
        connection: Value,
    },
    InvalidExpiresAt,
    InvalidHeaders(Vec<Issue>),
    InvalidJson(String),
    InvalidProdFlag,
    InvalidProvider,
    InvalidQuery(Vec<Issue>),
    InvalidSessionTokenFormat,
    InvalidUri(Vec<Issue>),
    KeyMalformed,
    KeyMistyped,
    KeyNotOfEnvironment,
    KeyUnknown,
    LegacyMissing(LegacyParameter),
    LegacyUnknownConnection {
        connection_id: String,
        provider_config_key: String,
    },
    LegacyUnknownIntegration {
        payload: Value,
    },
    LegacyUnknownProvider,
    LegacyUnsupportedMode,
    MergedMetadataTooLarge,
    MethodNotAllowed(String),
    MissingAccountId,
    MissingAccountIdLegacy,
    MissingAuthHeader,
    MissingClient,
    /// The caller has none of these.
    MissingScope(Vec<Scope>),
    NotFound,
    NotReady(NotReady),
    PayloadTooLarge,
    ProviderInUse,
    RenameKeyTaken,
    SettingsRefused(String),
    TooManyTags,
    UnknownApiKey,
    UnknownConnection,
    UnknownConnectionOfDeletion,
    UnknownConnectionOfMetadata {
        connection_id: String,
        provider_config_key: String,
        several: Several,
    },
    UnknownCustomProvider(String),
    UnknownEnvironment,
    UnknownIntegration,
    UnknownIntegrationConfig,
    UnknownIntegrationKey(String),
    UnknownProvider(String),
    UnknownProviderOfImport,
    UnknownProviderOfLegacyImport,
    UnknownSessionToken,
    WrongAuthMode {
        provider: AuthMode,
        credentials: AuthMode,
    },
}

/// A parameter that the deprecated import needs for a kind of credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LegacyParameter {
    AccessToken,
    ApiKey,
    BasicUsername,
    ClientSecret,
    ExpiresAt,
    OAuthToken,
    OAuthTokenSecret,
    ProviderConfigKey,
    TokenId,
    TokenSecret,
}

/// Whether a request named more than one connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Several {
    No,
    Yes,
}

/// What an error looks like on the wire.
struct Parts {
    status: u16,
    code: &'static str,
    message: Option<Cow<'static, str>>,
    payload: Option<Value>,
    issues: Vec<Issue>,
}

impl ApiError {
    /// The caller lacks `scope`.
    pub(super) fn missing_scope(scope: Scope) -> Self {
        Self::MissingScope(vec![scope])
    }

    /// The code, for the log.
    pub(super) fn code(&self) -> &'static str {
        self.parts("").code
    }

    /// What broke, with all causes, for the log. Only errors of ours have something to tell.
    pub(super) fn internal_cause(&self) -> Option<String> {
        let error: &dyn Error = match self {
            Self::Internal(error) => error,
            Self::NotReady(error) => error,
            _ => return None,
        };
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let _infallible = write!(text, ": {cause}");
            source = cause.source();
        }
        Some(text)
    }

    /// The answer. `request_id` is told only where something of ours broke.
    pub(super) fn reply(&self, request_id: &str) -> Reply {
        let Parts {
            status,
            code,
            message,
            payload,
            issues,
        } = self.parts(request_id);
        let mut error = Map::new();
        error.insert("code".to_owned(), code.into());
        if let Some(message) = message {
            error.insert("message".to_owned(), message.into());
        }
        if let Some(payload) = payload {
            error.insert("payload".to_owned(), payload);
        }
        if !issues.is_empty() {
            let issue = |issue: &Issue| json!({"code": issue.code, "message": issue.message, "path": issue.path});
            error.insert("errors".to_owned(), issues.iter().map(issue).collect());
        }
        let mut reply = Reply::json(status, &json!({ "error": error }));
        if let Self::MethodNotAllowed(allow) = self {
            reply.headers.push(("allow", allow.clone()));
        }
        reply
    }

    #[expect(
        clippy::too_many_lines,
        reason = "a table: one line for each error there is"
    )]
    fn parts(&self, request_id: &str) -> Parts {
        match self {
            Self::ApiKeyNameTaken => plain(409, "conflict", "A key with this name already exists"),
            Self::ApiKeysFull => plain(
                400,
                "resource_capped",
                "Maximum number of API keys per environment reached",
            ),
            Self::CannotDeleteProd => plain(
                400,
                "cannot_delete_prod_environment",
                "Cannot delete prod environment",
            ),
            Self::ConnectionOptionsNeedCredentialsScope => plain(
                403,
                "forbidden",
                "Credential and refresh options require the environment:connections:read_credentials scope",
            ),
            Self::ContentType => plain(
                415,
                "invalid_content_type",
                "Content-Type header must be application/json",
            ),
            Self::CustomNotAccepted => plain(
                400,
                "invalid_body",
                "This provider uses integration_config; set its values there instead of custom",
            ),
            Self::EnvironmentNameTaken => plain(409, "conflict", "Environment already exists"),
            Self::EnvironmentsFull => plain(
                400,
                "resource_capped",
                "Maximum number of environments reached",
            ),
            Self::IncompatibleCredentials => plain(
                400,
                "invalid_body",
                "incompatible credentials auth type and provider auth",
            ),
            Self::IntegrationChangedMeanwhile => plain(
                409,
                "conflict",
                "Integration was changed by another request meanwhile",
            ),
            Self::IntegrationConfig(messages) => plain(400, "invalid_body", messages.join(", ")),
            Self::IntegrationHasConnections => plain(
                400,
                "invalid_body",
                "Can't rename an integration with active connections",
            ),
            Self::IntegrationKeyTaken => {
                issue("invalid_string", "Unique key already exists", "uniqueKey")
            }
            Self::IntegrationTooLarge => issue(
                "too_big",
                "Too big: expected settings to have <=131072 bytes",
                "custom",
            ),
            Self::Internal(_) => internal(request_id),
            Self::InvalidBody(issues) => invalid("invalid_body", issues),
            Self::InvalidCredentials {
                failure,
                connection,
            } => {
                let (status, message) = refresh_failure(*failure);
                with_payload(
                    status,
                    "invalid_credentials",
                    message,
                    json!({ "connection": connection }),
                )
            }
            Self::InvalidExpiresAt => legacy(
                400,
                "invalid_expires_at",
                "The provided 'expires_at' parameter is invalid. It should be a valid date",
            ),
            Self::InvalidHeaders(issues) => invalid("invalid_headers", issues),
            Self::InvalidJson(reason) => plain(400, "invalid_json", reason.clone()),
            Self::InvalidProdFlag => plain(
                400,
                "invalid_is_prod_flag",
                "The \"prod\" environment must be marked as production.",
            ),
            Self::InvalidProvider => issue("invalid_string", "Invalid provider", "provider"),
            Self::InvalidQuery(issues) => invalid("invalid_query_params", issues),
            Self::InvalidSessionTokenFormat => legacy(
                401,
                "invalid_connect_session_token_format",
                "Authentication failed. The provided connect session token is not following correct format: nango_connect_session_RANDOM)",
            ),
            Self::InvalidUri(issues) => invalid("invalid_uri_params", issues),
            Self::KeyMalformed => legacy(
                401,
                "invalid_secret_key_format",
                "Authentication failed. The provided secret key is not a UUID v4.",
            ),
            Self::KeyMistyped => legacy(
                401,
                "invalid_secret_key_format",
                "Authentication failed. The provided secret key is mistyped or incomplete.",
            ),
            Self::KeyNotOfEnvironment => plain(
                403,
                "forbidden",
                "API key is not authorized for an environment",
            ),
            Self::KeyUnknown => legacy(
                401,
                "unknown_account",
                "Authentication failed. The provided authorization header does not match any account.",
            ),
            Self::LegacyMissing(parameter) => missing(*parameter),
            Self::LegacyUnknownConnection {
                connection_id,
                provider_config_key,
            } => unknown_legacy_connection(connection_id, provider_config_key),
            Self::LegacyUnknownIntegration { payload } => {
                let shown = serde_json::to_string_pretty(payload).unwrap_or_default();
                let message = format!(
                    "There is no Provider Configuration matching this key. Please make sure this value exists in the Nango dashboard {shown}"
                );
                with_payload(400, "unknown_provider_config", message, payload.clone())
            }
            Self::LegacyUnknownProvider => legacy(
                400,
                "unknown_provider_template",
                "No Provider Template matching the 'provider' parameter.",
            ),
            Self::LegacyUnsupportedMode => legacy(
                400,
                "unknown_oauth_type",
                "The provider's auth mode is not supported by this endpoint.",
            ),
            Self::MergedMetadataTooLarge => issue(
                "too_big",
                "Too big: expected merged metadata to have <=262144 bytes",
                "metadata",
            ),
            Self::MethodNotAllowed(_) => plain(405, "method_not_allowed", "Method not allowed"),
            Self::MissingAccountId => plain(
                400,
                "invalid_body",
                "Missing accountId in connection_config. This is required to create a TBA connection.",
            ),
            Self::MissingAccountIdLegacy => plain(
                400,
                "missing_account_id",
                "Missing accountId in connection_config. This is required to create a TBA connection.",
            ),
            Self::MissingAuthHeader => legacy(
                401,
                "missing_auth_header",
                "Authentication failed. The request is missing the Authorization header.",
            ),
            Self::MissingClient => plain(400, "invalid_body", "Missing credentials"),
            Self::MissingScope(scopes) => {
                let names: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
                let required = if names.len() > 1 {
                    "Required one of"
                } else {
                    "Required"
                };
                let names = names.join(" or ");
                plain(
                    403,
                    "forbidden",
                    format!("Insufficient scope. {required}: {names}"),
                )
            }
            Self::NotFound => plain(404, "not_found", "Not found"),
            Self::NotReady(reason) => plain(503, "not_ready", reason.to_string()),
            Self::PayloadTooLarge => plain(
                413,
                "payload_too_large",
                "The request body is larger than 1 MiB",
            ),
            Self::ProviderInUse => plain(409, "conflict", "Integrations use this provider"),
            Self::RenameKeyTaken => plain(
                400,
                "invalid_body",
                "uniqueKey is already used by another integration",
            ),
            Self::SettingsRefused(reason) => plain(503, "not_ready", reason.clone()),
            Self::TooManyTags => {
                plain(400, "invalid_body", "Tags cannot contain more than 10 keys")
            }
            Self::UnknownApiKey => plain(404, "not_found", "API key not found"),
            Self::UnknownConnection => plain(404, "not_found", "Failed to find connection"),
            Self::UnknownConnectionOfDeletion => Parts {
                message: None,
                ..plain(400, "unknown_connection", "")
            },
            Self::UnknownConnectionOfMetadata {
                connection_id,
                provider_config_key,
                several,
            } => {
                let consequence = match several {
                    Several::No => "",
                    Several::Yes => {
                        ". No actions were taken on any of the connections as a result of this failure."
                    }
                };
                plain(
                    404,
                    "unknown_connection",
                    format!(
                        "Connection with connection id {connection_id} and provider config key {provider_config_key} not found. Please make sure the connection exists in the Nango dashboard{consequence}"
                    ),
                )
            }
            Self::UnknownCustomProvider(name) => {
                plain(404, "not_found", format!("Unknown custom provider {name}"))
            }
            Self::UnknownEnvironment => plain(404, "not_found", "Environment not found"),
            Self::UnknownIntegration => plain(404, "not_found", "Integration does not exist"),
            Self::UnknownIntegrationConfig => {
                plain(400, "unknown_provider_config", "Provider does not exists")
            }
            Self::UnknownIntegrationKey(key) => plain(
                404,
                "not_found",
                format!("Integration \"{key}\" does not exist"),
            ),
            Self::UnknownProvider(name) => {
                plain(404, "not_found", format!("Unknown provider {name}"))
            }
            Self::UnknownProviderOfImport => plain(404, "not_found", "Provider does not exist"),
            Self::UnknownProviderOfLegacyImport => Parts {
                message: None,
                ..plain(404, "unknown_provider_template", "")
            },
            Self::UnknownSessionToken => legacy(
                401,
                "unknown_connect_session_token",
                "Authentication failed. The provided connect session token does not match any account.",
            ),
            Self::WrongAuthMode {
                provider,
                credentials,
            } => plain(
                400,
                "invalid_body",
                format!(
                    "Provider {} does not support {} auth",
                    provider.as_str(),
                    credentials.as_str()
                ),
            ),
        }
    }
}

impl From<InternalError> for ApiError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

fn refresh_failure(failure: RefreshFailure) -> (u16, &'static str) {
    match failure {
        RefreshFailure::BackingOff => (
            424,
            "A recent refresh attempt failed. Backing off before retrying.",
        ),
        RefreshFailure::Client => (
            400,
            "The integration has no client that the provider's token endpoint accepts.",
        ),
        RefreshFailure::ClientCredentials => (400, "Failed to fetch client credentials token"),
        RefreshFailure::Exhausted => (
            424,
            "The refresh limit has been reached for this connection.",
        ),
        RefreshFailure::External => (
            400,
            "The external API returned an error when trying to refresh the access token. Please try again later.",
        ),
        RefreshFailure::TokenUrl => (400, "Token URL is missing or invalid."),
    }
}

fn missing(parameter: LegacyParameter) -> Parts {
    match parameter {
        LegacyParameter::AccessToken => {
            legacy(400, "missing_access_token", "Missing param 'access_token'.")
        }
        LegacyParameter::ApiKey => legacy(400, "missing_api_key", "Missing param 'api_key'."),
        LegacyParameter::BasicUsername => legacy(
            400,
            "missing_basic_username",
            "Missing param username for basic api authentication.",
        ),
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

fn unknown_legacy_connection(connection_id: &str, provider_config_key: &str) -> Parts {
    let payload = json!({"connectionId": connection_id, "providerConfigKey": provider_config_key});
    let shown = serde_json::to_string_pretty(&payload).unwrap_or_default();
    let message = format!(
        "No connection matching the provided params of 'connection_id' and 'provider_config_key'. Please make sure these values exist in the Nango dashboard {shown}"
    );
    with_payload(404, "unknown_connection", message, payload)
}

/// A code and a message.
fn plain(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Parts {
    Parts {
        status,
        code,
        message: Some(message.into()),
        payload: None,
        issues: Vec::new(),
    }
}

/// The older envelope, which has a payload even where it is empty.
fn legacy(status: u16, code: &'static str, message: &'static str) -> Parts {
    with_payload(status, code, message, json!({}))
}

fn with_payload(
    status: u16,
    code: &'static str,
    message: impl Into<Cow<'static, str>>,
    payload: Value,
) -> Parts {
    Parts {
        payload: Some(payload),
        ..plain(status, code, message)
    }
}

/// Mistakes with their paths and no message.
fn invalid(code: &'static str, issues: &[Issue]) -> Parts {
    Parts {
        message: None,
        issues: issues.to_vec(),
        ..plain(400, code, "")
    }
}

/// One mistake in the body that is found only against what is stored.
fn issue(code: &'static str, message: &'static str, field: &str) -> Parts {
    invalid(
        "invalid_body",
        &[Issue {
            code,
            message: message.into(),
            path: vec![field.to_owned()],
        }],
    )
}

fn internal(request_id: &str) -> Parts {
    let message = "An internal error occurred. Please report this request id.";
    with_payload(
        500,
        "server_error",
        message,
        json!({ "request_id": request_id }),
    )
}
