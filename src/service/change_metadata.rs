//! Replacing or merging the caller's own data on many connections, all or none.

use super::{error::InternalError, ports::Ports};
use crate::storage::{
    database::fetch_both,
    metadata::{ConnectionSet, existing, merge, replace},
};

/// What to do with stored metadata.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MetadataChange {
    /// Put the given keys over the stored ones.
    Merge,
    /// Store the given object instead.
    Replace,
}

/// Why no metadata was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeMetadataError {
    /// The merged object would be too large.
    #[error("the merged metadata is too large")]
    TooLarge,
    /// This connection does not exist.
    #[error("unknown connection")]
    UnknownConnection(String),
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// Changes the metadata of every connection of `set`. `metadata` is JSON text of an object.
pub async fn change_metadata(
    ports: &impl Ports,
    set: &ConnectionSet,
    metadata: &str,
    change: MetadataChange,
) -> Result<(), ChangeMetadataError> {
    let write = match change {
        MetadataChange::Merge => merge(set, metadata, ports.now()),
        MetadataChange::Replace => replace(set, metadata, ports.now()),
    };
    let (changed, existing) = fetch_both(ports, write, existing(set))
        .await
        .map_err(InternalError::from)?;
    if let Some(missing) = set.connection_ids.iter().find(|id| !existing.contains(id)) {
        return Err(ChangeMetadataError::UnknownConnection(missing.clone()));
    }
    if changed.len() < set.connection_ids.len() {
        return Err(ChangeMetadataError::TooLarge);
    }
    Ok(())
}
