//! What a revocation reads, and the deletions that follow it. They tell whether the credentials
//! that were revoked are those that are deleted.

use serde_json::json;

use super::{
    connections::{
        ConnectionAddress, ConnectionRecord, FoundConnection, IS_ADDRESSED, connection_json,
        found_json,
    },
    database::Query,
    integrations::{WITH_PROVIDER, integration_json},
    keys::{ENVIRONMENT_OF_KEY, KeyLookup},
    refreshes::RefreshSubject,
};

/// The connection at `address`, with all that its revocation needs.
#[must_use]
pub fn subject(address: &ConnectionAddress) -> Query<RefreshSubject> {
    let (integration, connection) = (integration_json(), connection_json());
    Query::new(
        format!(
            "select json_object('integration', {integration}, 'connection', {connection}) as row
            from {WITH_PROVIDER} join connection on connection.integration_id = integration.id
            where integration.environment_id = ?1 and integration.unique_key = ?2
                and connection.connection_id = ?3"
        ),
        address.parameters(),
    )
}

/// Deletes a connection for good; gives it as it was if it existed.
#[must_use]
pub fn delete(address: &ConnectionAddress) -> Query<ConnectionRecord> {
    let connection = connection_json();
    Query::new(
        format!("delete from connection where {IS_ADDRESSED} returning {connection} as row"),
        address.parameters(),
    )
}

/// The integration `unique_key` in the environment of a key, with the oldest of its connections:
/// a row for each, or one without a connection if it has none.
#[must_use]
pub fn oldest(key: &KeyLookup, unique_key: &str, limit: i64) -> Query<FoundConnection> {
    let found = found_json();
    let mut parameters = key.parameters();
    parameters.extend([unique_key.into(), limit.into()]);
    Query::new(
        format!(
            "select {found} as row
            from {WITH_PROVIDER}
            left join connection on connection.id in (
                select oldest.id from connection as oldest
                where oldest.integration_id = integration.id order by oldest.id limit ?5)
            where integration.environment_id = {ENVIRONMENT_OF_KEY}
                and integration.unique_key = ?4
            order by connection.id"
        ),
        parameters,
    )
}

/// Deletes those of `connections` whose credentials are still the same; gives their uids.
#[must_use]
pub fn delete_unchanged(connections: &[ConnectionRecord]) -> Query<String> {
    let seen: Vec<_> = connections
        .iter()
        .map(|record| json!([record.id, record.credentials_version]))
        .collect();
    Query::new(
        "delete from connection
        where id in (select value ->> 0 from json_each(?1))
            and credentials_version = (
                select value ->> 1 from json_each(?1) where value ->> 0 = connection.id)
        returning json_quote(uid) as row",
        vec![serde_json::Value::from(seen).to_string().into()],
    )
}

/// How many connections an integration has.
#[must_use]
pub fn remaining(integration_id: i64) -> Query<i64> {
    Query::new(
        "select cast(count(*) as text) as row from connection where integration_id = ?1",
        vec![integration_id.into()],
    )
}
