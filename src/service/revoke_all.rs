//! The kill switch after a leak: every connection of an integration revoked and deleted, batch by
//! batch.

use futures_util::{StreamExt, stream};

use super::{
    error::InternalError,
    ports::Ports,
    revocation::{Revocation, revoke_stored},
};
use crate::storage::{
    connections::ConnectionRecord,
    database::fetch_both,
    integrations::IntegrationRecord,
    revocations::{delete_unchanged, remaining},
};

/// How many connections a batch has. Each costs a request to the provider and a message to its
/// object, and the free plan of the runtime allows an invocation 50 requests.
pub const BATCH: i64 = 20;

/// What became of a batch.
#[derive(Debug)]
pub struct RevokedBatch {
    /// The connections that were deleted, by the caller's names for them.
    pub deleted: Vec<(String, Revocation)>,
    /// How many connections are left.
    pub remaining: i64,
}

/// Revokes `connections`, which are of `integration`, and then deletes them. So one that this did
/// not get to, because it was cut short, is met again by the next call; and so is one whose
/// credentials changed while the provider was asked.
pub async fn revoke_all(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    connections: Vec<ConnectionRecord>,
) -> Result<RevokedBatch, InternalError> {
    let revocations: Vec<_> = stream::iter(&connections)
        .map(|record| revoke_stored(ports, integration, record))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let delete = delete_unchanged(&connections);
    let (deleted, left) = fetch_both(ports, delete, remaining(integration.id)).await?;
    stream::iter(&deleted)
        .for_each_concurrent(AT_ONCE, |uid| ports.forget(uid))
        .await;
    let deleted = connections
        .into_iter()
        .zip(revocations)
        .filter(|(record, _)| deleted.contains(&record.uid))
        .map(|(record, revocation)| (record.connection_id, revocation))
        .collect();
    Ok(RevokedBatch {
        deleted,
        remaining: left.first().copied().unwrap_or_default(),
    })
}

/// The runtime opens six connections at a time; a request that waited for one would wait within
/// its own time limit.
const AT_ONCE: usize = 6;
