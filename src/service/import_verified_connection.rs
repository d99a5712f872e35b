//! Importing credentials that the provider confirms by refreshing them. Not here: the
//! verification itself, which runs where refreshes are serialised.

use super::{
    connection::{Connection, grant_fingerprints, open_connection},
    error::InternalError,
    import_connection::{ImportConnection, ImportConnectionError, Prepared, prepared},
    ports::{Ports, VerifyReply, VerifyRequest},
};
use crate::{
    domain::attempt::Attempt,
    storage::{
        database::fetch_one,
        imports::{Holder, subject},
        integrations::IntegrationRecord,
    },
};

/// Why a connection is not imported, or not yet.
#[derive(Debug, thiserror::Error)]
pub enum VerifiedImportError {
    /// Another connection holds the grant.
    #[error("another connection holds the grant")]
    DuplicateGrant {
        /// The caller's name for it.
        connection_id: String,
    },
    /// The provider gave no new credentials.
    #[error("the refresh failed")]
    Failed(Attempt),
    /// These credentials cannot be refreshed.
    #[error("the credentials cannot be refreshed")]
    NotVerifiable,
    /// The credentials are verified and durable, but not in the database yet.
    #[error("the database does not take the connection yet")]
    Pending {
        /// The name of the connection.
        connection_id: String,
    },
    /// What any import can run into.
    #[error(transparent)]
    Refused(#[from] ImportConnectionError),
}

impl From<InternalError> for VerifiedImportError {
    fn from(error: InternalError) -> Self {
        Self::Refused(error.into())
    }
}

/// Stores a connection at `integration` with the credentials that its provider gives in place of
/// those in `request`, or nothing.
pub async fn import_verified_connection(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    request: &ImportConnection,
) -> Result<Connection, VerifiedImportError> {
    let Prepared {
        connection,
        credentials,
        ..
    } = prepared(ports, integration, request, ports.now())?;
    if !credentials.can_be_refreshed() {
        return Err(VerifiedImportError::NotVerifiable);
    }
    let connection_id = connection.connection_id.clone();
    let grants = grant_fingerprints(ports, integration, &request.credentials);
    let subject = fetch_one(ports, subject(integration.id, &connection_id, &grants)).await;
    let subject = subject.map_err(InternalError::from)?;
    let subject = subject.ok_or(ImportConnectionError::UnknownIntegration)?;
    if let Some(Holder { connection_id, .. }) = subject.holder {
        return Err(VerifiedImportError::DuplicateGrant { connection_id });
    }
    let existing = subject.replaced.map(|replaced| replaced.uid);
    let object = existing.or_else(|| grants.first().cloned());
    let request = VerifyRequest {
        object: object.unwrap_or_else(|| connection.uid.clone()),
        connection,
        grants,
    };
    match ports.verify_import(request).await? {
        VerifyReply::Duplicate { connection_id } => {
            Err(VerifiedImportError::DuplicateGrant { connection_id })
        }
        VerifyReply::Failed { attempt } => Err(VerifiedImportError::Failed(attempt)),
        VerifyReply::Gone => Err(ImportConnectionError::UnknownIntegration.into()),
        VerifyReply::Pending => Err(VerifiedImportError::Pending { connection_id }),
        VerifyReply::Stored { connection } => Ok(open_connection(ports, integration, *connection)?),
    }
}
