//! Whether a deployment can serve: its database answers, its schema is the one that this version
//! was built for, and the key ring has every key that rows use.

use super::ports::Ports;
use crate::storage::{
    database::{DatabaseError, fetch, fetch_one},
    readiness::{key_ids_in_use, last_migration, migrations_table},
};

/// The last migration that this version needs.
const LATEST_MIGRATION: &str = env!("HOLDFAST_LATEST_MIGRATION");

/// Why a deployment is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The database does not answer.
    #[error("the database does not answer")]
    Database(#[from] DatabaseError),
    /// Migrations have not been applied.
    #[error("the database lacks the migration {LATEST_MIGRATION}; apply the migrations")]
    Schema,
    /// Rows are sealed, or keys digested, with keys that the ring does not have.
    #[error("HOLDFAST_ENCRYPTION_KEYS lacks the key ids {}", listed(.0))]
    MissingKeys(Vec<i64>),
}

/// Checks the deployment.
pub async fn readiness(ports: &impl Ports) -> Result<(), NotReady> {
    // One after the other: a statement fails where a table that it names does not exist yet.
    if fetch_one(ports, migrations_table()).await?.is_none() {
        return Err(NotReady::Schema);
    }
    let applied = fetch_one(ports, last_migration()).await?;
    if applied.is_none_or(|applied| applied.as_str() < LATEST_MIGRATION) {
        return Err(NotReady::Schema);
    }
    let used = fetch(ports, key_ids_in_use()).await?;
    let ring = &ports.settings().key_ring;
    let has = |id: &i64| ring.ids().any(|known| i64::from(known.number()) == *id);
    let missing: Vec<i64> = used.into_iter().filter(|id| !has(id)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(NotReady::MissingKeys(missing))
    }
}

fn listed(ids: &[i64]) -> String {
    ids.iter()
        .map(i64::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
