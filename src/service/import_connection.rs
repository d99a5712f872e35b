//! Importing credentials: one upsert, whoever else imports the same connection meanwhile.

use super::{
    connection::{Connection, grant_fingerprint, seal_connection_config, seal_credentials},
    error::InternalError,
    integration::provider_of,
    ports::{Ports, random_uuid},
};
use crate::{
    domain::{
        auth_mode::AuthMode,
        connection::ConnectionId,
        credentials::Credentials,
        end_user::EndUser,
        refresh::{Origin, schedule},
        secret::SecretMap,
        tags::{Tags, merged},
    },
    storage::{
        database::fetch_one,
        imports::{OnUpdate, UpsertConnection, upsert},
        integrations::IntegrationRecord,
    },
};

/// A connection to import.
#[derive(Debug)]
pub struct ImportConnection {
    /// The caller's name for it; none lets us choose one.
    pub connection_id: Option<ConnectionId>,
    /// Its credentials.
    pub credentials: Credentials,
    /// Its configuration.
    pub connection_config: SecretMap,
    /// The caller's own data, as JSON text of an object.
    pub metadata: OnUpdate<Option<String>>,
    /// The caller's labels, which go over those that describe the end user.
    pub tags: OnUpdate<Tags>,
    /// The caller's end user.
    pub end_user: Option<EndUser>,
    /// Where webhooks about it go.
    pub webhook_url_override: Option<String>,
}

/// Why a connection is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportConnectionError {
    /// There is no such integration, or not any more.
    #[error("unknown integration")]
    UnknownIntegration,
    /// The integration's provider is neither in the catalogue nor a custom one.
    #[error("unknown provider")]
    UnknownProvider,
    /// The provider takes other credentials.
    #[error("the provider takes other credentials")]
    WrongAuthMode {
        /// Those it takes.
        provider: AuthMode,
    },
    /// The configuration lacks `accountId`, which these credentials need.
    #[error("the configuration lacks accountId")]
    MissingAccountId,
    /// Given labels and those that describe the end user are too many together.
    #[error("too many labels")]
    TooManyTags,
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// Stores a connection at `integration`, in place of an earlier one of its name.
pub async fn import_connection(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    request: ImportConnection,
) -> Result<Connection, ImportConnectionError> {
    let provider = provider_of(integration)?.ok_or(ImportConnectionError::UnknownProvider)?;
    let auth_mode = request.credentials.auth_mode();
    if provider.entry.auth_mode != auth_mode {
        let provider = provider.entry.auth_mode;
        return Err(ImportConnectionError::WrongAuthMode { provider });
    }
    if auth_mode == AuthMode::Tba && !request.connection_config.has_text("accountId") {
        return Err(ImportConnectionError::MissingAccountId);
    }

    let now = ports.now();
    let connection_id = request
        .connection_id
        .map_or_else(|| random_uuid(ports), |id| id.as_str().to_owned());
    let tags = match request.tags {
        OnUpdate::Replace(explicit) => {
            let tags = merged(request.end_user.as_ref(), explicit);
            OnUpdate::Replace(tags.ok_or(ImportConnectionError::TooManyTags)?)
        }
        OnUpdate::Keep => OnUpdate::Keep,
    };
    let record = UpsertConnection {
        uid: random_uuid(ports),
        integration_id: integration.id,
        credentials: seal_credentials(ports, integration, &connection_id, &request.credentials),
        connection_config: seal_connection_config(
            ports,
            integration,
            &connection_id,
            &request.connection_config,
        ),
        connection_id,
        auth_mode,
        grant_fingerprint: grant_fingerprint(ports, integration, &request.credentials),
        metadata: request.metadata,
        tags,
        end_user: request.end_user,
        webhook_url_override: request.webhook_url_override,
        schedule: schedule(
            &request.credentials,
            provider.entry.refresh_rule(),
            Origin::Imported,
            now,
        ),
        first_fetched_at: (auth_mode != AuthMode::None).then_some(now),
    };
    let stored = fetch_one(ports, upsert(&record, now))
        .await
        .map_err(InternalError::from)?;
    let record = stored.ok_or(ImportConnectionError::UnknownIntegration)?;
    Ok(Connection {
        record,
        provider_config_key: integration.unique_key.clone(),
        provider: integration.provider.clone(),
        connection_config: request.connection_config,
        credentials: Some(request.credentials),
    })
}
