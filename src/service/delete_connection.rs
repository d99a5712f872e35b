//! Deleting a connection for good.

use super::{
    error::InternalError,
    patch_connection::AddressError,
    ports::Ports,
    revocation::{Revocation, revoke_stored},
};
use crate::storage::{
    connections::{ConnectionAddress, ConnectionRecord, delete},
    database::fetch_one,
    revocations,
};

/// Deletes the connection at `address`: its row with labels and search entry, and what its
/// refresh object holds.
pub async fn delete_connection(
    ports: &impl Ports,
    address: &ConnectionAddress,
) -> Result<(), AddressError> {
    let deleted = fetch_one(ports, delete(address))
        .await
        .map_err(InternalError::from)?;
    let uid = deleted.ok_or(AddressError::UnknownConnection)?;
    ports.forget(&uid).await;
    Ok(())
}

/// Deletes the connection at `address` after its tokens were revoked at the provider. Whatever
/// becomes of that, the connection is deleted.
pub async fn revoke_and_delete(
    ports: &impl Ports,
    address: &ConnectionAddress,
) -> Result<Revocation, AddressError> {
    let subject = fetch_one(ports, revocations::subject(address))
        .await
        .map_err(InternalError::from)?
        .ok_or(AddressError::UnknownConnection)?;
    let (integration, revoked) = (subject.integration, subject.connection);
    let outcome = revoke_stored(ports, &integration, &revoked).await;

    let deleted = fetch_one(ports, revocations::delete(address))
        .await
        .map_err(InternalError::from)?
        .ok_or(AddressError::UnknownConnection)?;
    ports.forget(&deleted.uid).await;
    let version = |record: &ConnectionRecord| (record.id, record.credentials_version);
    if version(&deleted) == version(&revoked) {
        return Ok(outcome);
    }
    // A refresh or an import stored other credentials while the provider was asked.
    let newer = revoke_stored(ports, &integration, &deleted).await;
    Ok(outcome.and(newer))
}
