//! A verified import that the database may not have yet.
//!
//! It is stored once: a later turn leaves alone what was imported or deleted since the first.

use super::{
    error::InternalError,
    journal::{Import, Journal},
    ports::Ports,
};
use crate::{
    domain::{
        attempt::{Attempt, AttemptOutcome},
        timestamp::Timestamp,
    },
    storage::{
        connections::ConnectionRecord,
        database::{DatabaseError, fetch_one, fetch_one_and},
        imports::{Holder, Turn, log_import, subject, upsert_issued},
    },
};

/// Why a verified import is not stored any more. For the log: its caller was answered.
#[derive(Debug, thiserror::Error)]
pub enum ImportGivenUp {
    /// It was cut off.
    #[error("an import was cut off: whether the provider rotated its refresh token is unknown")]
    CutOff,
    /// Another connection holds the same grant.
    #[error("a verified import was given up: connection {0} holds the same grant")]
    Duplicate(i64),
    /// The integration was deleted.
    #[error("a verified import was given up: its integration is gone")]
    IntegrationGone,
    /// The name was imported again, or deleted.
    #[error("a verified import was given up: its connection was imported again or deleted")]
    Overtaken,
}

/// Stores an import; gives nothing if something stands in its way.
pub(super) async fn store(
    ports: &impl Ports,
    import: &Import,
    turn: Turn<'_>,
) -> Result<Option<ConnectionRecord>, DatabaseError> {
    let connection = &import.connection;
    let issued_at = import.issued_at;
    let log = log_import(connection, issued_at, &import.attempt());
    fetch_one_and(ports, upsert_issued(connection, issued_at, turn), [log]).await
}

/// Stores an import that the database did not take at first, or may have taken, unless something
/// stands in its way by now.
pub(super) async fn finish_import(
    ports: &impl Ports,
    journal: &impl Journal,
    import: &Import,
) -> Result<(), InternalError> {
    let replaced = import.replaced.as_deref();
    let stored = store(ports, import, Turn::Later { replaced }).await?;
    if stored.is_none()
        && let Some(obstacle) = obstacle(ports, import).await?
    {
        ports.report(&obstacle.into());
    }
    journal.clear(&import.intent.attempt);
    Ok(())
}

/// What stands in the way of an import; nothing if it is stored.
async fn obstacle(
    ports: &impl Ports,
    import: &Import,
) -> Result<Option<ImportGivenUp>, InternalError> {
    let connection = &import.connection;
    let grants = connection.grant_fingerprint.as_slice();
    let subject = subject(connection.integration_id, &connection.connection_id, grants);
    let Some(subject) = fetch_one(ports, subject).await? else {
        return Ok(Some(ImportGivenUp::IntegrationGone));
    };
    let imported_at = subject.replaced.and_then(|replaced| replaced.imported_at);
    Ok(if imported_at == Some(import.issued_at) {
        None
    } else {
        let duplicate = |holder: Holder| ImportGivenUp::Duplicate(holder.id);
        Some(subject.holder.map_or(ImportGivenUp::Overtaken, duplicate))
    })
}

impl Import {
    /// The attempt that verified it.
    #[must_use]
    pub fn attempt(&self) -> Attempt {
        Attempt {
            status: self.status,
            ..self.intent.ended(AttemptOutcome::Refreshed, self.issued_at)
        }
    }

    /// When the database is asked again to take it.
    pub(super) fn retry_at(&self) -> Timestamp {
        self.issued_at.plus_millis(FIRST_RETRY_MILLIS)
    }
}

const FIRST_RETRY_MILLIS: i64 = 5_000;
