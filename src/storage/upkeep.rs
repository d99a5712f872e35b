//! What is read and removed while nobody asks: connections that are due for refresh, and old logs.

use serde::Deserialize;

use super::database::Query;
use crate::domain::timestamp::Timestamp;

/// A connection that is due for refresh.
#[derive(Clone, Debug, Deserialize)]
pub struct DueConnection {
    /// Its number.
    pub id: i64,
    /// Its name inside the system.
    pub uid: String,
    /// Since when it is due.
    pub due_at: Timestamp,
}

/// Whether the last attempt to refresh a connection failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It did, or its outcome is unknown.
    Failing,
    /// It did not, or there was none.
    Good,
}

/// A page of connections of one standing that are due and may be refreshed unasked, the longest
/// due first: [`DUE_PAGE`] of those that come after `last`. What has no refresh token that could die of disuse
/// waits for a reader.
#[must_use]
pub fn due(
    now: Timestamp,
    standing: Standing,
    last: Option<&DueConnection>,
) -> Query<DueConnection> {
    let (due_at, id) = last.map_or((Timestamp::MIN, 0), |last| (last.due_at, last.id));
    Query::new(
        // `cross join`, so that the planner begins with the connections.
        format!(
            "select json_object('id', connection.id, 'uid', connection.uid,
                'due_at', connection.refresh_due_at) as row
            from connection cross join integration on integration.id = connection.integration_id
            where connection.refresh_exhausted_at is null
                and (connection.grant_fingerprint is not null or connection.auth_mode = 'APP')
                and (connection.refresh_failures > 0) = ?4
                and connection.refresh_due_at <= ?1
                and (connection.refresh_due_at, connection.id) > (?2, ?3)
                and ifnull(connection.refresh_retry_at <= ?1, 1)
                and ifnull(integration.refreshes_paused_until <= ?1, 1)
            order by connection.refresh_due_at, connection.id
        limit {DUE_PAGE}"
        ),
        vec![
            now.millis().into(),
            due_at.millis().into(),
            id.into(),
            i64::from(standing == Standing::Failing).into(),
        ],
    )
}

/// The most connections in a page of [`due`].
pub const DUE_PAGE: usize = 50;

/// Deletes [`LOG_BATCH`] logs of attempts that began before `before`, the oldest first; gives a 1
/// for each. A log that a connection points to stays.
#[must_use]
pub fn delete_logs(before: Timestamp) -> Query<u8> {
    Query::new(
        format!(
            "delete from refresh_log where rowid in (
                select rowid from refresh_log where started_at < ?1
                    and id is not (
                        select refresh_failure_log from connection where id = refresh_log.connection)
                order by started_at limit {LOG_BATCH})
            returning '1' as row"
        ),
        vec![before.millis().into()],
    )
}

/// The most logs that one statement deletes.
pub const LOG_BATCH: usize = 1000;
