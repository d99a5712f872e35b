//! Environments.

use super::database::Query;
use crate::domain::{environment::Environment, timestamp::Timestamp};

/// Creates an environment; gives nothing if the name, or the name of its secret, is taken, or if
/// there are already [`MAX_ENVIRONMENTS`].
#[must_use]
pub fn insert(name: &str, now: Timestamp) -> Query<Environment> {
    Query::new(
        format!(
            "insert into environment (name, created_at, updated_at)
            select ?1, ?2, ?2 where (select count(*) from environment) < {MAX_ENVIRONMENTS}
            on conflict do nothing
            returning json_object('id', id, 'name', name) as row"
        ),
        vec![name.into(), now.millis().into()],
    )
}

/// The most environments of a deployment.
pub const MAX_ENVIRONMENTS: usize = 100;

/// All environments, in the order of their making.
#[must_use]
pub fn list() -> Query<Environment> {
    Query::new(
        "select json_object('id', id, 'name', name) as row from environment order by id",
        vec![],
    )
}

/// The environment with this number.
#[must_use]
pub fn find(id: i64) -> Query<Environment> {
    Query::new(
        "select json_object('id', id, 'name', name) as row from environment where id = ?1",
        vec![id.into()],
    )
}

/// Deletes an environment with everything in it, except `prod`.
#[must_use]
pub fn delete(id: i64) -> Query<()> {
    Query::new(
        "delete from environment where id = ?1 and name <> 'prod'",
        vec![id.into()],
    )
}
