//! Importing: one upsert, whoever else imports the same connection meanwhile, and what stands in
//! its way where credentials were verified first.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    connections::{ConnectionRecord, connection_json, end_user_parameters, key_number, tags_json},
    database::{Parameter, Query},
    integrations::{IntegrationRecord, WITH_PROVIDER, integration_json},
    refreshes::log_where,
};
use crate::{
    domain::{
        attempt::Attempt, auth_mode::AuthMode, end_user::EndUser, refresh::Schedule, tags::Tags,
        timestamp::Timestamp,
    },
    vault::envelope::Sealed,
};

/// A value that an upsert replaces, or leaves as it is if the connection exists.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    /// Stands for the refresh token that the importer gave, if there is one.
    pub imported_grant_fingerprint: Option<String>,
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
    upsert_if(connection, now, "", None)
}

/// Whether an import was tried before.
#[derive(Clone, Copy, Debug)]
pub enum Turn<'a> {
    /// Never.
    First,
    /// At least once, and it may have been stored.
    Later {
        /// The connection whose place it takes, if there was one.
        replaced: Option<&'a str>,
    },
}

/// Like [`upsert`], of credentials that were issued at `issued_at`. Gives nothing either if
/// another connection holds the same grant; and in a later turn, if the name was imported since,
/// be it by the first turn, or if the connection that it replaces was deleted.
#[must_use]
pub fn upsert_issued(
    connection: &UpsertConnection,
    issued_at: Timestamp,
    turn: Turn<'_>,
) -> Query<ConnectionRecord> {
    match turn {
        Turn::First => upsert_if(connection, issued_at, NOT_HELD, None),
        Turn::Later { replaced } => {
            let condition = format!("{NOT_HELD} {NOT_OVERTAKEN}");
            upsert_if(connection, issued_at, &condition, Some(replaced.into()))
        }
    }
}

const NOT_HELD: &str = "and not exists (
    select 1 from connection
    where integration_id = ?1 and grant_fingerprint = ?24 and connection_id <> ?3)";
const NOT_OVERTAKEN: &str = "and not exists (
    select 1 from connection
    where integration_id = ?1 and connection_id = ?3 and imported_at >= ?17)
    and (?26 is null or exists (select 1 from connection where uid = ?26))";

/// Upserts where `condition` holds too, whose own parameter is `?26`.
fn upsert_if(
    connection: &UpsertConnection,
    now: Timestamp,
    condition: &str,
    parameter: Option<Parameter>,
) -> Query<ConnectionRecord> {
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
    parameters.push(connection.imported_grant_fingerprint.as_deref().into());
    parameters.extend(parameter);
    Query::new(
        format!(
            "insert into connection (
                environment_id, integration_id, uid, connection_id, auth_mode, credentials,
                credentials_key_id, connection_config, connection_config_key_id, metadata, tags,
                webhook_url_override, last_fetched_at, expires_at, refresh_due_at,
                last_refresh_success_at, created_at, updated_at, end_user_id, end_user_email,
                end_user_display_name, end_user_tags, organization_id, organization_display_name,
                grant_fingerprint, imported_at, imported_grant_fingerprint)
            select
                environment_id, id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11, ?13, ?14, ?15, ?16, ?17,
                ?17, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?17, ?25
            from integration where id = ?1 {condition}
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
                imported_at = excluded.imported_at,
                imported_grant_fingerprint = excluded.imported_grant_fingerprint,
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

/// A connection that holds a grant.
#[derive(Clone, Debug, Deserialize)]
pub struct Holder {
    /// Its number on the wire.
    pub id: i64,
    /// The caller's name for it.
    pub connection_id: String,
}

/// The connection of an integration that stands in the way of an import of `connection_id`, with
/// the refresh token which any of `grants` stands for: another one that holds the token, or any
/// that was imported with it and holds a later one.
#[must_use]
pub fn holder(integration_id: i64, connection_id: &str, grants: &[String]) -> Query<Holder> {
    Query::new(HOLDER, of_grants(integration_id, connection_id, grants))
}

fn of_grants(integration_id: i64, connection_id: &str, grants: &[String]) -> Vec<Parameter> {
    let grants = Value::from(grants).to_string();
    vec![integration_id.into(), connection_id.into(), grants.into()]
}

const HOLDER: &str = "select json_object('id', id, 'connection_id', connection_id) as row
    from (
        select id, connection_id from connection
        where integration_id = ?1 and connection_id <> ?2
            and grant_fingerprint in (select value from json_each(?3))
        union all
        select id, connection_id from connection
        where integration_id = ?1
            and imported_grant_fingerprint in (select value from json_each(?3))
            and grant_fingerprint not in (select value from json_each(?3)))
    order by id limit 1";

/// What the verification of an import needs to know.
#[derive(Clone, Debug, Deserialize)]
pub struct ImportSubject {
    /// The integration.
    pub integration: IntegrationRecord,
    /// Another connection that holds the grant.
    pub holder: Option<Holder>,
    /// The connection whose place the import takes.
    pub replaced: Option<Replaced>,
}

/// A connection whose place an import takes.
#[derive(Clone, Debug, Deserialize)]
pub struct Replaced {
    /// Its name inside the system.
    pub uid: String,
    /// When its credentials were imported.
    pub imported_at: Option<Timestamp>,
}

/// What stands in the way of an import of a grant which any of `grants` stands for. Gives nothing
/// if the integration is gone.
#[must_use]
pub fn subject(
    integration_id: i64,
    connection_id: &str,
    grants: &[String],
) -> Query<ImportSubject> {
    let integration = integration_json();
    Query::new(
        format!(
            "select json_object(
                'integration', {integration},
                'holder', json(({HOLDER})),
                'replaced', json((
                    select json_object('uid', uid, 'imported_at', imported_at)
                    from connection where integration_id = ?1 and connection_id = ?2))) as row
            from {WITH_PROVIDER} where integration.id = ?1"
        ),
        of_grants(integration_id, connection_id, grants),
    )
}

/// Keeps the log of the attempt that verified an import, if it is stored.
#[must_use]
pub fn log_import(
    connection: &UpsertConnection,
    issued_at: Timestamp,
    attempt: &Attempt,
) -> Query<()> {
    let is_stored = "integration_id = ?10 and connection_id = ?11 and imported_at = ?12";
    let stored = [
        connection.integration_id.into(),
        connection.connection_id.as_str().into(),
        issued_at.millis().into(),
    ];
    log_where(attempt, is_stored, stored)
}
