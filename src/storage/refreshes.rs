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
        refresh::{History, Schedule},
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
    /// The version of the credentials that the refresh began with.
    pub credentials_version: i64,
    /// The new credentials.
    pub credentials: Sealed,
    /// When they are due for refresh, and end.
    pub schedule: Schedule,
}

/// Stores fresh credentials, unless others were stored since; gives the new record if it did.
#[must_use]
pub fn store(refreshed: &Refreshed, now: Timestamp) -> Query<ConnectionRecord> {
    let returning = connection_json();
    Query::new(
        format!(
            "update connection set
                credentials = ?3, credentials_key_id = ?4,
                credentials_version = credentials_version + 1,
                expires_at = ?5, refresh_due_at = ?6,
                last_refresh_success_at = ?7, last_refresh_failure_at = null,
                refresh_failures = 0, refresh_failure_days = 0, refresh_retry_at = null,
                refresh_exhausted_at = null, updated_at = ?7
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
            now.millis().into(),
        ],
    )
}

/// Records a failed attempt, unless other credentials were stored since; gives the record if it
/// did.
#[must_use]
pub fn store_failure(
    uid: &str,
    credentials_version: i64,
    history: &History,
) -> Query<ConnectionRecord> {
    let returning = connection_json();
    let instant = |instant: Option<Timestamp>| Parameter::from(instant.map(Timestamp::millis));
    Query::new(
        format!(
            "update connection set
                last_refresh_success_at = ?3, last_refresh_failure_at = ?4, refresh_failures = ?5,
                refresh_failure_days = ?6, refresh_retry_at = ?7, refresh_exhausted_at = ?8
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
        ],
    )
}
