//! Changing the end user, labels or webhook address of a connection.

use super::{error::InternalError, ports::Ports};
use crate::storage::{
    connections::{ConnectionAddress, PatchConnection, patch},
    database::fetch_both,
    integrations::id_of,
};

/// Which part of an address leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// There is no such connection.
    #[error("unknown connection")]
    UnknownConnection,
    /// There is no such integration.
    #[error("unknown integration")]
    UnknownIntegration,
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// Changes the connection at `address`, all or nothing.
pub async fn patch_connection(
    ports: &impl Ports,
    address: &ConnectionAddress,
    change: &PatchConnection,
) -> Result<(), AddressError> {
    let change = patch(address, change, ports.now());
    let integration = id_of(address.environment_id, &address.unique_key);
    let (changed, integration) = fetch_both(ports, change, integration)
        .await
        .map_err(InternalError::from)?;
    match (changed.first(), integration.first()) {
        (Some(_), _) => Ok(()),
        (None, Some(_)) => Err(AddressError::UnknownConnection),
        (None, None) => Err(AddressError::UnknownIntegration),
    }
}
