//! Importing credentials: one upsert, whoever else imports the same connection meanwhile.

use super::{
    connection::{
        Connection, grant_fingerprint, grant_fingerprints, seal_connection_config,
        seal_credentials, with_told,
    },
    error::InternalError,
    imported_credentials::taken,
    integration::provider_of,
    ports::{Ports, random_uuid},
    test_credentials::{CredentialTestError, FailedTest, test_credentials},
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
        timestamp::Timestamp,
    },
    providers::entry::Entry,
    storage::{
        database::fetch_both,
        imports::{OnUpdate, UpsertConnection, holder, upsert},
        integrations::IntegrationRecord,
    },
    validation::issue::Issue,
};

/// A connection to import.
#[derive(Debug)]
pub struct ImportConnection {
    /// The caller's name for it; none lets us choose one.
    pub connection_id: Option<ConnectionId>,
    /// The kind of credentials that the caller named.
    pub auth_mode: AuthMode,
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

/// Whether the provider is asked if credentials work before they are stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialTest {
    /// It is, where its entry says how.
    First,
    /// It is not.
    Never,
}

/// A connection that was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The connection.
    pub connection: Connection,
    /// The number of another connection that holds the same grant, so that a refresh of one may
    /// end the other.
    pub duplicate_of: Option<i64>,
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
    /// Tokens are asked for with a client certificate, which cannot be presented.
    #[error("client certificates cannot be presented")]
    ClientCertificate,
    /// The inputs of the credentials are not those that the provider asks for.
    #[error("the provider asks for other inputs")]
    InvalidCredentials(Vec<Issue>),
    /// The configuration lacks `accountId`, which these credentials need.
    #[error("the configuration lacks accountId")]
    MissingAccountId,
    /// Given labels and those that describe the end user are too many together.
    #[error("too many labels")]
    TooManyTags,
    /// The credentials are not known to work.
    #[error("the test of the credentials failed")]
    TestFailed(FailedTest),
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<CredentialTestError> for ImportConnectionError {
    fn from(error: CredentialTestError) -> Self {
        match error {
            CredentialTestError::Failed(test) => Self::TestFailed(test),
            CredentialTestError::Internal(error) => Self::Internal(error),
        }
    }
}

/// Stores a connection at `integration`, in place of an earlier one of its name.
pub async fn import_connection(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    request: ImportConnection,
    test: CredentialTest,
) -> Result<Imported, ImportConnectionError> {
    let now = ports.now();
    let Prepared {
        connection: upsert_connection,
        credentials,
        entry,
    } = prepared(ports, integration, &request, now)?;
    if test == CredentialTest::First {
        let config = &request.connection_config;
        test_credentials(ports, &entry, integration, config, &credentials).await?;
    }
    let grants = grant_fingerprints(ports, integration, &request.credentials);
    let holder = holder(integration.id, &upsert_connection.connection_id, &grants);
    let (stored, holders) = fetch_both(ports, upsert(&upsert_connection, now), holder)
        .await
        .map_err(InternalError::from)?;
    let record = stored.into_iter().next();
    Ok(Imported {
        connection: Connection {
            record: record.ok_or(ImportConnectionError::UnknownIntegration)?,
            provider_config_key: integration.unique_key.clone(),
            provider: integration.provider.clone(),
            connection_config: with_told(request.connection_config, &credentials),
            credentials: Some(credentials),
        },
        duplicate_of: holders.into_iter().next().map(|holder| holder.id),
    })
}

/// An import that can be stored.
pub(super) struct Prepared {
    /// As it is stored, with its secrets sealed.
    pub(super) connection: UpsertConnection,
    /// The credentials with what the provider's entry says of them.
    pub(super) credentials: Credentials,
    /// The provider's entry.
    pub(super) entry: Entry,
}

/// Gets an import ready to be stored, if it can be.
pub(super) fn prepared(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    request: &ImportConnection,
    now: Timestamp,
) -> Result<Prepared, ImportConnectionError> {
    let provider = provider_of(integration)?.ok_or(ImportConnectionError::UnknownProvider)?;
    let entry = provider.entry;
    if !entry.auth_mode.takes(request.auth_mode) {
        let provider = entry.auth_mode;
        return Err(ImportConnectionError::WrongAuthMode { provider });
    }
    let credentials = taken(ports, integration, &entry, request, now)?;
    let auth_mode = credentials.auth_mode();

    let connection_id = request.connection_id.as_ref();
    let connection_id =
        connection_id.map_or_else(|| random_uuid(ports), |id| id.as_str().to_owned());
    let tags = match &request.tags {
        OnUpdate::Replace(explicit) => {
            let tags = merged(request.end_user.as_ref(), explicit.clone());
            OnUpdate::Replace(tags.ok_or(ImportConnectionError::TooManyTags)?)
        }
        OnUpdate::Keep => OnUpdate::Keep,
    };
    let grant_fingerprint = grant_fingerprint(ports, integration, &request.credentials);
    let connection = UpsertConnection {
        uid: random_uuid(ports),
        integration_id: integration.id,
        credentials: seal_credentials(ports, integration, &connection_id, &credentials),
        connection_config: seal_connection_config(
            ports,
            integration,
            &connection_id,
            &request.connection_config,
        ),
        connection_id,
        auth_mode,
        imported_grant_fingerprint: grant_fingerprint.clone(),
        grant_fingerprint,
        metadata: request.metadata.clone(),
        tags,
        end_user: request.end_user.clone(),
        webhook_url_override: request.webhook_url_override.clone(),
        schedule: schedule(&credentials, entry.refresh_rule(), Origin::Imported, now),
        first_fetched_at: (auth_mode != AuthMode::None).then_some(now),
    };
    Ok(Prepared {
        connection,
        credentials,
        entry,
    })
}
