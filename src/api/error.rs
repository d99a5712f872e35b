//! Every error that a caller can see: this file is the error contract.

pub(super) mod legacy;
mod messages;
mod parts;
pub(super) mod verification;

use std::{error::Error, fmt::Write};

use serde_json::{Value, json};

use self::{
    legacy::{LegacyParameter, missing, unknown_connection},
    messages::{missing_scope, refresh_failure, unknown_connection_of_metadata},
    parts::{Parts, internal, invalid, issue, legacy, plain, with_payload},
    verification::VerificationError,
};
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
    ClientCertificate,
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
    UnknownLog,
    UnknownProvider(String),
    UnknownProviderOfImport,
    UnknownProviderOfLegacyImport,
    UnknownSessionToken,
    Verification(VerificationError),
    WrongAuthMode {
        provider: AuthMode,
        credentials: AuthMode,
    },
}

/// Whether a request named more than one connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Several {
    No,
    Yes,
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
        let mut reply = self.parts(request_id).reply();
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
            } => unknown_connection(connection_id, provider_config_key),
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
            Self::ClientCertificate => plain(
                400,
                "invalid_body",
                "Client certificates are not supported: Workers cannot present one per connection",
            ),
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
            Self::MissingScope(scopes) => plain(403, "forbidden", missing_scope(scopes)),
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
                let message =
                    unknown_connection_of_metadata(connection_id, provider_config_key, *several);
                plain(404, "unknown_connection", message)
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
            Self::UnknownLog => plain(404, "not_found", "Log not found"),
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
            Self::Verification(error) => error.parts(),
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
