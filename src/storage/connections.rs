//! Single connections: read, change, delete. Not here: how they come in, which is `imports`'.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    database::{Parameter, Query},
    integrations::{IntegrationRecord, WITH_PROVIDER, integration_json},
    keys::{ENVIRONMENT_OF_KEY, KeyLookup},
};
use crate::{
    domain::{
        end_user::EndUser, refresh::History, refresh::Schedule, tags::Tags, timestamp::Timestamp,
    },
    vault::envelope::Sealed,
};

/// A connection as it is stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ConnectionRecord {
    /// Its number on the wire.
    pub id: i64,
    /// Its name inside the system: one life of one connection, never used twice.
    pub uid: String,
    /// The caller's name for it.
    pub connection_id: String,
    /// The sealed credentials.
    pub credentials: Sealed,
    /// Counts the writes of `credentials`, so that a write can be refused if another was faster.
    pub credentials_version: i64,
    /// The sealed connection configuration.
    pub connection_config: Sealed,
    /// The caller's own data, as JSON text of an object.
    pub metadata: Option<Box<RawValue>>,
    /// The caller's labels.
    pub tags: Tags,
    /// The caller's end user.
    pub end_user: Option<EndUser>,
    /// Where webhooks about this connection go instead of the environment's address.
    pub webhook_url_override: Option<String>,
    /// When its credentials were last handed out, to the minute.
    pub last_fetched_at: Option<Timestamp>,
    /// When its credentials are due for refresh, and end.
    pub schedule: Schedule,
    /// How its refreshes went.
    pub history: History,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// `end_user` as an expression.
pub(super) const END_USER_JSON: &str = "json(iif(connection.end_user_id is null, null, json_object(
    'id', connection.end_user_id, 'email', connection.end_user_email,
    'display_name', connection.end_user_display_name, 'tags', json(connection.end_user_tags),
    'organization', json(iif(connection.organization_id is null, null, json_object(
        'id', connection.organization_id,
        'display_name', connection.organization_display_name))))))";

/// [`ConnectionRecord`] as an expression over `connection`.
pub(super) fn connection_json() -> String {
    format!(
        "json_object('id', connection.id, 'uid', connection.uid,
        'connection_id', connection.connection_id, 'credentials', connection.credentials,
        'credentials_version', connection.credentials_version,
        'connection_config', connection.connection_config,
        'metadata', json(connection.metadata), 'tags', json(connection.tags),
        'end_user', {END_USER_JSON},
        'webhook_url_override', connection.webhook_url_override,
        'last_fetched_at', connection.last_fetched_at,
        'schedule', json_object(
            'due_at', connection.refresh_due_at, 'expires_at', connection.expires_at),
        'history', json_object(
            'last_success_at', connection.last_refresh_success_at,
            'last_failure_at', connection.last_refresh_failure_at,
            'failures', connection.refresh_failures,
            'failure_days', connection.refresh_failure_days,
            'retry_at', connection.refresh_retry_at,
            'exhausted_at', connection.refresh_exhausted_at,
            'failure_log', connection.refresh_failure_log),
        'created_at', connection.created_at, 'updated_at', connection.updated_at)"
    )
}

/// An integration, and the connection asked for if it exists.
#[derive(Clone, Debug, Deserialize)]
pub struct FoundConnection {
    /// The integration.
    pub integration: IntegrationRecord,
    /// The connection.
    pub connection: Option<ConnectionRecord>,
}

/// [`FoundConnection`] as an expression over `integration left join connection`.
pub(super) fn found_json() -> String {
    let (integration, connection) = (integration_json(), connection_json());
    format!(
        "json_object('integration', {integration},
            'connection', json(iif(connection.id is null, null, {connection})))"
    )
}

/// The connection `connection_id` at the integration `unique_key` in the environment of a key.
#[must_use]
pub fn find(key: &KeyLookup, unique_key: &str, connection_id: &str) -> Query<FoundConnection> {
    let found = found_json();
    let mut parameters = key.parameters();
    parameters.extend([unique_key.into(), connection_id.into()]);
    Query::new(
        format!(
            "select {found} as row
            from {WITH_PROVIDER}
            left join connection
                on connection.integration_id = integration.id and connection.connection_id = ?5
            where integration.environment_id = {ENVIRONMENT_OF_KEY}
                and integration.unique_key = ?4"
        ),
        parameters,
    )
}

/// Which connection of an environment is meant.
#[derive(Clone, Debug)]
pub struct ConnectionAddress {
    /// The environment.
    pub environment_id: i64,
    /// The name of the integration.
    pub unique_key: String,
    /// The name of the connection.
    pub connection_id: String,
}

impl ConnectionAddress {
    pub(super) fn parameters(&self) -> Vec<Parameter> {
        vec![
            self.environment_id.into(),
            self.unique_key.as_str().into(),
            self.connection_id.as_str().into(),
        ]
    }
}

/// The condition that holds for the connection in [`ConnectionAddress::parameters`].
pub(super) const IS_ADDRESSED: &str = "connection_id = ?3 and integration_id = (
    select id from integration where environment_id = ?1 and unique_key = ?2)";

/// What to change about a connection.
#[derive(Clone, Debug)]
pub struct PatchConnection {
    /// A new end user.
    pub end_user: Option<EndUser>,
    /// New labels, in place of all stored ones.
    pub tags: Option<Tags>,
    /// A new address for webhooks; the inner `None` removes it.
    pub webhook_url_override: Option<Option<String>>,
}

/// Changes a connection, all or nothing; gives its uid if it exists.
#[must_use]
pub fn patch(
    address: &ConnectionAddress,
    patch: &PatchConnection,
    now: Timestamp,
) -> Query<String> {
    let mut parameters = address.parameters();
    parameters.extend([
        now.millis().into(),
        patch.tags.as_ref().map(tags_json).into(),
        i64::from(patch.webhook_url_override.is_some()).into(),
        patch.webhook_url_override.clone().flatten().into(),
    ]);
    parameters.extend(end_user_parameters(patch.end_user.as_ref()));
    Query::new(
        format!(
            "update connection set
                tags = coalesce(?5, tags),
                webhook_url_override = iif(?6, ?7, webhook_url_override),
                end_user_email = iif(?8 is null, end_user_email, ?9),
                end_user_display_name = iif(?8 is null, end_user_display_name, ?10),
                end_user_tags = iif(?8 is null, end_user_tags, ?11),
                organization_id = iif(?8 is null, organization_id, ?12),
                organization_display_name = iif(?8 is null, organization_display_name, ?13),
                end_user_id = coalesce(?8, end_user_id),
                updated_at = ?4
            where {IS_ADDRESSED}
            returning json_quote(uid) as row"
        ),
        parameters,
    )
}

/// Deletes a connection for good; gives its uid if it existed.
#[must_use]
pub fn delete(address: &ConnectionAddress) -> Query<String> {
    Query::new(
        format!("delete from connection where {IS_ADDRESSED} returning json_quote(uid) as row"),
        address.parameters(),
    )
}

/// Records that credentials were handed out.
#[must_use]
pub fn touch(uid: &str, now: Timestamp) -> Query<()> {
    Query::new(
        "update connection set last_fetched_at = ?2 where uid = ?1",
        vec![uid.into(), now.millis().into()],
    )
}

/// The number of the key that sealed a value.
pub(super) fn key_number(sealed: &Sealed) -> Option<i64> {
    sealed.key_id().map(|id| i64::from(id.number()))
}

pub(super) fn tags_json(tags: &Tags) -> String {
    let tags = tags
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().into()));
    Value::Object(tags.collect()).to_string()
}

/// `end_user_id`, `_email`, `_display_name`, `_tags`, `organization_id`, `_display_name`.
pub(super) fn end_user_parameters(end_user: Option<&EndUser>) -> [Parameter; 6] {
    let organization = end_user.and_then(|end_user| end_user.organization.as_ref());
    [
        end_user.map(|end_user| end_user.id.as_str()).into(),
        end_user
            .and_then(|end_user| end_user.email.as_deref())
            .into(),
        end_user
            .and_then(|end_user| end_user.display_name.as_deref())
            .into(),
        end_user
            .and_then(|end_user| end_user.tags.as_ref())
            .map(tags_json)
            .into(),
        organization
            .map(|organization| organization.id.as_str())
            .into(),
        organization
            .and_then(|organization| organization.display_name.as_deref())
            .into(),
    ]
}
