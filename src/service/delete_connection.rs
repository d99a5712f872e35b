//! Deleting a connection for good.

use super::{error::InternalError, patch_connection::AddressError, ports::Ports};
use crate::storage::{
    connections::{ConnectionAddress, delete},
    database::fetch_one,
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
