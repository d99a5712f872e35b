//! What a refresh reads and writes: the credentials of one connection and their history, and
//! never another column, so that a change made meanwhile survives.

use serde::Deserialize;

use super::{
    connections::{ConnectionRecord, connection_json, key_number},
    database::{Parameter, Query},
    integrations::{IntegrationRecord, WITH_PROVIDER, integration_json},
};
use crate::{
    domain::{
        attempt::Attempt,
        refresh::{
            FAILURES_IN_A_ROW_MILLIS, History, MAX_FAILURES_IN_A_ROW, PAUSE_MILLIS, Schedule,
        },
        timestamp::Timestamp,
    },
    vault::envelope::Sealed,
};

/// A connection with all that its refresh needs.
#[derive(Clone, Debug, Deserialize)]
pub struct RefreshSubject {
    /// The integration.
    pub integration: IntegrationRecord,
    /// The connection.
    pub connection: ConnectionRecord,
}

/// The connection that is called `uid` inside the system.
#[must_use]
pub fn subject(uid: &str) -> Query<RefreshSubject> {
    let (integration, connection) = (integration_json(), connection_json());
    Query::new(
        format!(
            "select json_object('integration', {integration}, 'connection', {connection}) as row
            from connection join {WITH_PROVIDER}
            where connection.uid = ?1 and integration.id = connection.integration_id"
        ),
        vec![uid.into()],
    )
}

/// Fresh credentials.
#[derive(Debug)]
pub struct Refreshed {
    /// The connection.
    pub uid: String,
    /// The version of the credentials that they replace.
    pub credentials_version: i64,
    /// The new credentials.
    pub credentials: Sealed,
    /// Stands for their refresh token, if there is one.
    pub grant_fingerprint: Option<String>,
    /// When they are due for refresh, and end.
    pub schedule: Schedule,
    /// When they were issued.
    pub issued_at: Timestamp,
}

/// Stores fresh credentials, unless others were stored since; gives the new record if it did.
#[must_use]
pub fn store(refreshed: &Refreshed) -> Query<ConnectionRecord> {
    let returning = connection_json();
    Query::new(
        format!(
            "update connection set
                credentials = ?3, credentials_key_id = ?4,
                credentials_version = credentials_version + 1,
                expires_at = ?5, refresh_due_at = ?6, grant_fingerprint = ?8,
                last_refresh_success_at = ?7, last_refresh_failure_at = null,
                refresh_failures = 0, refresh_failure_days = 0, refresh_retry_at = null,
                refresh_exhausted_at = null, refresh_failure_log = null, 
                updated_at = max(updated_at, ?7)
            where uid = ?1 and credentials_version = ?2
            returning {returning} as row"
        ),
        vec![
            refreshed.uid.as_str().into(),
            refreshed.credentials_version.into(),
            refreshed.credentials.as_str().into(),
            key_number(&refreshed.credentials).into(),
            refreshed.schedule.expires_at.map(Timestamp::millis).into(),
            refreshed.schedule.due_at.map(Timestamp::millis).into(),
            refreshed.issued_at.millis().into(),
            refreshed.grant_fingerprint.as_deref().into(),
        ],
    )
}

/// Records a failed attempt, unless other credentials were stored since; gives the record if it
/// did. `due_at` is when the credentials are due from now on.
#[must_use]
pub fn store_failure(
    uid: &str,
    credentials_version: i64,
    history: &History,
    due_at: Option<Timestamp>,
) -> Query<ConnectionRecord> {
    let returning = connection_json();
    let instant = |instant: Option<Timestamp>| Parameter::from(instant.map(Timestamp::millis));
    Query::new(
        format!(
            "update connection set
                last_refresh_success_at = ?3, last_refresh_failure_at = ?4, refresh_failures = ?5,
                refresh_failure_days = ?6, refresh_retry_at = ?7, refresh_exhausted_at = ?8,
                refresh_failure_log = ?9, refresh_due_at = ?10
            where uid = ?1 and credentials_version = ?2
            returning {returning} as row"
        ),
        vec![
            uid.into(),
            credentials_version.into(),
            instant(history.last_success_at),
            instant(history.last_failure_at),
            i64::from(history.failures).into(),
            i64::from(history.failure_days).into(),
            instant(history.retry_at),
            instant(history.exhausted_at),
            history.failure_log.as_deref().into(),
            instant(due_at),
        ],
    )
}

/// Keeps the log of an attempt, unless the connection is gone or it is kept already.
#[must_use]
pub fn log(uid: &str, attempt: &Attempt) -> Query<()> {
    log_where(attempt, "uid = ?10", [uid.into()])
}

/// Keeps the log of an attempt for the connection of which `condition` holds, whose parameters
/// `of` begin with `?10`.
pub(super) fn log_where(
    attempt: &Attempt,
    condition: &str,
    of: impl IntoIterator<Item = Parameter>,
) -> Query<()> {
    let mut parameters = vec![
        attempt.id.as_str().into(),
        attempt.trigger.as_str().into(),
        attempt.outcome.as_str().into(),
        attempt.status.map(i64::from).into(),
        attempt.error.as_deref().into(),
        i64::from(attempt.attempt).into(),
        attempt.started_at.millis().into(),
        attempt.duration.into(),
        attempt.retry_at.map(Timestamp::millis).into(),
    ];
    parameters.extend(of);
    Query::new(
        format!(
            "insert or ignore into refresh_log (
                id, connection, trigger, outcome, status, error, attempt, started_at, duration,
                retry_at)
            select ?1, id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 from connection where {condition}"
        ),
        parameters,
    )
}

/// Counts a transient failure against the integration of a connection, and pauses its refreshes
/// if it has had too many in a row within a minute.
#[must_use]
pub fn count_failure(uid: &str, now: Timestamp) -> Query<()> {
    let is_in_row = "refresh_failures > 0 and refresh_failures_since > ?2 - ?3";
    let failures = format!("iif({is_in_row}, refresh_failures + 1, 1)");
    Query::new(
        format!(
            "update integration set
                refresh_failures = {failures},
                refresh_failures_since = iif({is_in_row}, refresh_failures_since, ?2),
                refreshes_paused_until =
                    iif({failures} >= ?4, ?2 + ?5, refreshes_paused_until)
            where {IS_OF_CONNECTION}"
        ),
        vec![
            uid.into(),
            now.millis().into(),
            FAILURES_IN_A_ROW_MILLIS.into(),
            MAX_FAILURES_IN_A_ROW.into(),
            PAUSE_MILLIS.into(),
        ],
    )
}

/// Records that the provider of a connection answers, so that the failures of its integration are
/// no longer in a row. Writes nothing where there were none.
#[must_use]
pub fn count_answer(uid: &str) -> Query<()> {
    Query::new(
        format!(
            "update integration set refresh_failures = 0, refresh_failures_since = null,
                refreshes_paused_until = null
            where {IS_OF_CONNECTION} and refresh_failures > 0"
        ),
        vec![uid.into()],
    )
}

const IS_OF_CONNECTION: &str = "id = (select integration_id from connection where uid = ?1)";
