//! Single connections: read, upsert, change, delete.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    database::{Parameter, Query},
    integrations::{IntegrationRecord, WITH_PROVIDER, integration_json},
    keys::{ENVIRONMENT_OF_KEY, KeyLookup},
};
use crate::{
    domain::{
        auth_mode::AuthMode, end_user::EndUser, refresh::History, refresh::Schedule, tags::Tags,
        timestamp::Timestamp,
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

/// The connection `connection_id` at the integration `unique_key` in the environment of a key.
#[must_use]
pub fn find(key: &KeyLookup, unique_key: &str, connection_id: &str) -> Query<FoundConnection> {
    let (integration, connection) = (integration_json(), connection_json());
    let mut parameters = key.parameters();
    parameters.extend([unique_key.into(), connection_id.into()]);
    Query::new(
        format!(
            "select json_object(
                'integration', {integration},
                'connection', json(iif(connection.id is null, null, {connection}))) as row
            from {WITH_PROVIDER}
            left join connection
                on connection.integration_id = integration.id and connection.connection_id = ?5
            where integration.environment_id = {ENVIRONMENT_OF_KEY}
                and integration.unique_key = ?4"
        ),
        parameters,
    )
}

/// A value that an upsert replaces, or leaves as it is if the connection exists.
#[derive(Clone, Debug)]
pub enum OnUpdate<T> {
    /// Leave the stored value; a new connection gets the default.
    Keep,
    /// Replace the stored value.
    Replace(T),
}

impl<T> OnUpdate<T> {
    fn replaces(&self) -> i64 {
        i64::from(matches!(self, Self::Replace(_)))
    }

    fn value(&self) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::Replace(value) => Some(value),
        }
    }
}

/// A connection to create, or to put in place of the one with the same name.
#[derive(Debug)]
pub struct UpsertConnection {
    /// The name inside the system, used if the connection is new.
    pub uid: String,
    /// The integration that it belongs to.
    pub integration_id: i64,
    /// The caller's name for it.
    pub connection_id: String,
    /// The kind of credentials.
    pub auth_mode: AuthMode,
    /// The sealed credentials.
    pub credentials: Sealed,
    /// The sealed connection configuration.
    pub connection_config: Sealed,
    /// Stands for the refresh token, if there is one.
    pub grant_fingerprint: Option<String>,
    /// The caller's own data, as JSON text of an object.
    pub metadata: OnUpdate<Option<String>>,
    /// The caller's labels.
    pub tags: OnUpdate<Tags>,
    /// The caller's end user; a stored one is kept if there is none here.
    pub end_user: Option<EndUser>,
    /// Where webhooks about this connection go.
    pub webhook_url_override: Option<String>,
    /// When the credentials are due for refresh, and end.
    pub schedule: Schedule,
    /// `last_fetched_at` of a new connection.
    pub first_fetched_at: Option<Timestamp>,
}

/// Creates or replaces a connection in one statement, so concurrent upserts of one name all
/// succeed and leave one row. Gives nothing if the integration is gone.
#[must_use]
pub fn upsert(connection: &UpsertConnection, now: Timestamp) -> Query<ConnectionRecord> {
    let returning = connection_json();
    let metadata = connection.metadata.value().cloned().flatten();
    let no_tags = Tags::new();
    let tags = connection.tags.value().unwrap_or(&no_tags);
    let mut parameters: Vec<Parameter> = vec![
        connection.integration_id.into(),
        connection.uid.as_str().into(),
        connection.connection_id.as_str().into(),
        connection.auth_mode.as_str().into(),
        connection.credentials.as_str().into(),
        key_number(&connection.credentials).into(),
        connection.connection_config.as_str().into(),
        key_number(&connection.connection_config).into(),
        metadata.into(),
        connection.metadata.replaces().into(),
        tags_json(tags).into(),
        connection.tags.replaces().into(),
        connection.webhook_url_override.as_deref().into(),
        connection.first_fetched_at.map(Timestamp::millis).into(),
        connection.schedule.expires_at.map(Timestamp::millis).into(),
        connection.schedule.due_at.map(Timestamp::millis).into(),
        now.millis().into(),
    ];
    parameters.extend(end_user_parameters(connection.end_user.as_ref()));
    parameters.push(connection.grant_fingerprint.as_deref().into());
    Query::new(
        format!(
            "insert into connection (
                environment_id, integration_id, uid, connection_id, auth_mode, credentials,
                credentials_key_id, connection_config, connection_config_key_id, metadata, tags,
                webhook_url_override, last_fetched_at, expires_at, refresh_due_at,
                last_refresh_success_at, created_at, updated_at, end_user_id, end_user_email,
                end_user_display_name, end_user_tags, organization_id, organization_display_name,
                grant_fingerprint)
            select
                environment_id, id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11, ?13, ?14, ?15, ?16, ?17,
                ?17, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24
            from integration where id = ?1
            on conflict (integration_id, connection_id) do update set
                auth_mode = excluded.auth_mode,
                credentials = excluded.credentials,
                credentials_key_id = excluded.credentials_key_id,
                credentials_version = credentials_version + 1,
                connection_config = excluded.connection_config,
                connection_config_key_id = excluded.connection_config_key_id,
                metadata = iif(?10, excluded.metadata, metadata),
                tags = iif(?12, excluded.tags, tags),
                webhook_url_override = excluded.webhook_url_override,
                expires_at = excluded.expires_at,
                refresh_due_at = excluded.refresh_due_at,
                last_refresh_success_at = excluded.last_refresh_success_at,
                last_refresh_failure_at = null,
                refresh_failures = 0,
                refresh_failure_days = 0,
                refresh_retry_at = null,
                refresh_exhausted_at = null,
                refresh_failure_log = null,
                grant_fingerprint = excluded.grant_fingerprint,
                updated_at = excluded.updated_at,
                end_user_email = iif(?18 is null, end_user_email, excluded.end_user_email),
                end_user_display_name =
                    iif(?18 is null, end_user_display_name, excluded.end_user_display_name),
                end_user_tags = iif(?18 is null, end_user_tags, excluded.end_user_tags),
                organization_id = iif(?18 is null, organization_id, excluded.organization_id),
                organization_display_name =
                    iif(?18 is null, organization_display_name, excluded.organization_display_name),
                end_user_id = iif(?18 is null, end_user_id, excluded.end_user_id)
            returning {returning} as row"
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
    fn parameters(&self) -> Vec<Parameter> {
        vec![
            self.environment_id.into(),
            self.unique_key.as_str().into(),
            self.connection_id.as_str().into(),
        ]
    }
}

/// The condition that holds for the connection in [`ConnectionAddress::parameters`].
const IS_ADDRESSED: &str = "connection_id = ?3 and integration_id = (
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

fn tags_json(tags: &Tags) -> String {
    let tags = tags
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().into()));
    Value::Object(tags.collect()).to_string()
}

/// `end_user_id`, `_email`, `_display_name`, `_tags`, `organization_id`, `_display_name`.
fn end_user_parameters(end_user: Option<&EndUser>) -> [Parameter; 6] {
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
