//! Revocations as answers show them.

use serde::Serialize;

use crate::service::{revocation::Revocation, revoke_all::RevokedBatch};

/// What became of the tokens of a connection.
#[derive(Debug, Serialize)]
pub(in crate::api) struct RevocationJson {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

impl From<Revocation> for RevocationJson {
    fn from(revocation: Revocation) -> Self {
        let (outcome, status) = match revocation {
            Revocation::Failed { status } => ("failed", status),
            Revocation::NotSupported => ("not_supported", None),
            Revocation::Revoked => ("revoked", None),
        };
        Self { outcome, status }
    }
}

/// What became of a batch.
#[derive(Debug, Serialize)]
pub(in crate::api) struct RevokedBatchJson {
    deleted: usize,
    revoked: usize,
    failed: usize,
    not_supported: usize,
    remaining: i64,
    failures: Vec<FailureJson>,
}

/// A connection that is deleted, and whose tokens may still work.
#[derive(Debug, Serialize)]
struct FailureJson {
    connection_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

impl From<RevokedBatch> for RevokedBatchJson {
    fn from(batch: RevokedBatch) -> Self {
        let count = |outcome| {
            let outcomes = batch.deleted.iter().map(|(_, revocation)| *revocation);
            outcomes.filter(|other| *other == outcome).count()
        };
        let (deleted, revoked) = (batch.deleted.len(), count(Revocation::Revoked));
        let not_supported = count(Revocation::NotSupported);
        let failures: Vec<_> = batch
            .deleted
            .into_iter()
            .filter_map(|(connection_id, revocation)| match revocation {
                Revocation::Failed { status } => Some(FailureJson {
                    connection_id,
                    status,
                }),
                Revocation::NotSupported | Revocation::Revoked => None,
            })
            .collect();
        Self {
            deleted,
            revoked,
            failed: failures.len(),
            not_supported,
            remaining: batch.remaining,
            failures,
        }
    }
}
