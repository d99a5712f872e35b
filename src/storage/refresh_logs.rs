//! What was kept of attempts to refresh, read back. Not here: how they are kept, which is
//! `refreshes`'.

use serde::Deserialize;

use super::{
    database::Query,
    keys::{ENVIRONMENT_OF_KEY, KeyLookup},
};
use crate::domain::attempt::Attempt;

/// [`Attempt`] as an expression over `refresh_log`.
const ATTEMPT_JSON: &str = "json_object('id', refresh_log.id, 'trigger', refresh_log.trigger,
    'outcome', refresh_log.outcome, 'status', refresh_log.status, 'error', refresh_log.error,
    'attempt', refresh_log.attempt, 'started_at', refresh_log.started_at,
    'duration', refresh_log.duration, 'retry_at', refresh_log.retry_at)";

/// How many attempts are listed.
const NEWEST: u32 = 50;

/// An attempt, and whose it was.
#[derive(Clone, Debug, Deserialize)]
pub struct RefreshLog {
    /// The name of the connection.
    pub connection_id: String,
    /// The name of its integration.
    pub provider_config_key: String,
    /// The attempt.
    pub attempt: Attempt,
}

/// The log `id` in the environment of a key.
#[must_use]
pub fn find(key: &KeyLookup, id: &str) -> Query<RefreshLog> {
    let mut parameters = key.parameters();
    parameters.push(id.into());
    Query::new(
        format!(
            "select json_object(
                'connection_id', connection.connection_id,
                'provider_config_key', integration.unique_key, 'attempt', {ATTEMPT_JSON}) as row
            from refresh_log
            cross join connection on connection.id = refresh_log.connection
            cross join integration on integration.id = connection.integration_id
            where refresh_log.id = ?4 and connection.environment_id = {ENVIRONMENT_OF_KEY}"
        ),
        parameters,
    )
}

/// The attempts of one connection.
#[derive(Clone, Debug, Deserialize)]
pub struct ConnectionAttempts {
    /// The newest ones, the last one first; none if the integration has no such connection.
    pub newest: Option<Vec<Attempt>>,
}

/// The newest attempts of the connection `connection_id` at the integration `unique_key` in the
/// environment of a key. Gives nothing if there is no such integration.
#[must_use]
pub fn newest(key: &KeyLookup, unique_key: &str, connection_id: &str) -> Query<ConnectionAttempts> {
    let mut parameters = key.parameters();
    parameters.extend([unique_key.into(), connection_id.into()]);
    Query::new(
        format!(
            "select json_object('newest', json(iif(connection.id is null, null, (
                select json_group_array({ATTEMPT_JSON})
                from (
                    select * from refresh_log where refresh_log.connection = connection.id
                    order by started_at desc, rowid desc limit {NEWEST}
                ) as refresh_log)))) as row
            from integration
            left join connection
                on connection.integration_id = integration.id and connection.connection_id = ?5
            where integration.environment_id = {ENVIRONMENT_OF_KEY}
                and integration.unique_key = ?4"
        ),
        parameters,
    )
}
