//! Integrations.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    database::{Parameter, Query},
    keys::{ENVIRONMENT_OF_KEY, KeyLookup},
};
use crate::{domain::timestamp::Timestamp, vault::envelope::Sealed};

/// An integration as it is stored, with the custom entry of its provider where there is one.
#[derive(Clone, Debug, Deserialize)]
pub struct IntegrationRecord {
    /// Its number.
    pub id: i64,
    /// Its name inside sealed values, never changed.
    pub uid: String,
    /// The environment that it belongs to.
    pub environment_id: i64,
    /// Its name on the wire, unique in the environment.
    pub unique_key: String,
    /// The name of its provider.
    pub provider: String,
    /// A name to show; none means the provider's.
    pub display_name: Option<String>,
    /// Whether webhooks of the provider are passed on.
    pub forward_webhooks: u8,
    /// The client that it is to the provider.
    pub client_id: Option<String>,
    /// The scopes to ask users for, separated by commas.
    pub scopes: Option<String>,
    /// Where users install the app.
    pub app_link: Option<String>,
    /// The sealed [`crate::domain::integration::IntegrationSecrets`].
    pub secrets: Sealed,
    /// Until when no unforced refresh of its connections is attempted, after its provider failed
    /// for many of them in a row.
    pub refreshes_paused_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The JSON text of the provider's custom entry, which shadows the catalogue.
    pub custom_provider: Option<String>,
}

/// The columns of [`IntegrationRecord`] but the custom provider.
const COLUMNS: &str = "'id', integration.id, 'uid', integration.uid,
    'environment_id', integration.environment_id, 'unique_key', integration.unique_key,
    'provider', integration.provider, 'display_name', integration.display_name,
    'forward_webhooks', integration.forward_webhooks, 'client_id', integration.client_id,
    'scopes', integration.scopes, 'app_link', integration.app_link,
    'secrets', integration.secrets,
    'refreshes_paused_until', integration.refreshes_paused_until,
    'created_at', integration.created_at,
    'updated_at', integration.updated_at";

/// [`IntegrationRecord`] as an expression over `integration left join provider`.
pub(super) fn integration_json() -> String {
    format!("json_object({COLUMNS}, 'custom_provider', provider.entry)")
}

/// How `integration` is joined with its custom provider.
pub(super) const WITH_PROVIDER: &str =
    "integration left join provider on provider.name = integration.provider";

/// All integrations of the environment of a key, by provider and then by age.
#[must_use]
pub fn list(key: &KeyLookup) -> Query<IntegrationRecord> {
    let integration = integration_json();
    Query::new(
        format!(
            "select {integration} as row from {WITH_PROVIDER}
            where integration.environment_id = {ENVIRONMENT_OF_KEY}
            order by integration.provider, integration.created_at, integration.id"
        ),
        key.parameters(),
    )
}

/// The integration `unique_key` in the environment of a key.
#[must_use]
pub fn find(key: &KeyLookup, unique_key: &str) -> Query<IntegrationRecord> {
    let integration = integration_json();
    let mut parameters = key.parameters();
    parameters.push(unique_key.into());
    Query::new(
        format!(
            "select {integration} as row from {WITH_PROVIDER}
            where integration.environment_id = {ENVIRONMENT_OF_KEY}
                and integration.unique_key = ?4"
        ),
        parameters,
    )
}

/// The number of the integration `unique_key`, if it exists.
#[must_use]
pub fn id_of(environment_id: i64, unique_key: &str) -> Query<i64> {
    Query::new(
        "select cast(id as text) as row from integration
        where environment_id = ?1 and unique_key = ?2",
        vec![environment_id.into(), unique_key.into()],
    )
}

/// What may be changed about an integration.
#[derive(Clone, Debug)]
pub struct IntegrationValues {
    /// See [`IntegrationRecord::unique_key`].
    pub unique_key: String,
    /// See [`IntegrationRecord::display_name`].
    pub display_name: Option<String>,
    /// See [`IntegrationRecord::forward_webhooks`].
    pub forward_webhooks: bool,
    /// See [`IntegrationRecord::client_id`].
    pub client_id: Option<String>,
    /// See [`IntegrationRecord::scopes`].
    pub scopes: Option<String>,
    /// See [`IntegrationRecord::app_link`].
    pub app_link: Option<String>,
}

impl IntegrationValues {
    fn parameters(&self, secrets: &Sealed) -> [Parameter; 8] {
        [
            self.unique_key.as_str().into(),
            self.display_name.as_deref().into(),
            i64::from(self.forward_webhooks).into(),
            self.client_id.as_deref().into(),
            self.scopes.as_deref().into(),
            self.app_link.as_deref().into(),
            secrets.as_str().into(),
            secrets.key_id().map(|id| i64::from(id.number())).into(),
        ]
    }
}

/// Creates an integration; gives nothing if its key is taken.
#[must_use]
pub fn insert(
    environment_id: i64,
    uid: &str,
    provider: &str,
    values: &IntegrationValues,
    secrets: &Sealed,
    now: Timestamp,
) -> Query<IntegrationRecord> {
    let mut parameters: Vec<Parameter> = values.parameters(secrets).into();
    parameters.extend([
        environment_id.into(),
        uid.into(),
        provider.into(),
        now.millis().into(),
    ]);
    Query::new(
        format!(
            "insert into integration (
                unique_key, display_name, forward_webhooks, client_id, scopes, app_link, secrets,
                secrets_key_id, environment_id, uid, provider, created_at, updated_at)
            values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)
            on conflict (environment_id, unique_key) do nothing
            returning json_object({COLUMNS}) as row"
        ),
        parameters,
    )
}

/// Changes an integration that was last changed at `as_of`; gives nothing if it was changed
/// since, if its new key is taken, or if it is renamed while it has connections.
#[must_use]
pub fn update(
    id: i64,
    as_of: Timestamp,
    values: &IntegrationValues,
    secrets: &Sealed,
    now: Timestamp,
) -> Query<IntegrationRecord> {
    let mut parameters: Vec<Parameter> = values.parameters(secrets).into();
    parameters.extend([id.into(), as_of.millis().into(), now.millis().into()]);
    Query::new(
        format!(
            "update or ignore integration set
                unique_key = ?1, display_name = ?2, forward_webhooks = ?3, client_id = ?4,
                scopes = ?5, app_link = ?6, secrets = ?7, secrets_key_id = ?8, updated_at = max(?11, ?10 + 1)
            where id = ?9 and updated_at = ?10
                and (unique_key = ?1
                    or not exists (select 1 from connection where integration_id = ?9))
            returning json_object({COLUMNS}) as row"
        ),
        parameters,
    )
}

/// What stands in the way of renaming an integration.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct RenameObstacles {
    /// Whether another integration has the new key.
    pub key_is_taken: u8,
    /// Whether the integration has connections.
    pub has_connections: u8,
}

/// What stands in the way of renaming `integration` to `unique_key`.
#[must_use]
pub fn rename_obstacles(
    integration: &IntegrationRecord,
    unique_key: &str,
) -> Query<RenameObstacles> {
    Query::new(
        "select json_object(
            'key_is_taken', exists (
                select 1 from integration
                where environment_id = ?1 and unique_key = ?2 and id <> ?3),
            'has_connections', exists (
                select 1 from connection where integration_id = ?3)) as row",
        vec![
            integration.environment_id.into(),
            unique_key.into(),
            integration.id.into(),
        ],
    )
}

/// Deletes an integration with its connections; gives its number if there was one.
#[must_use]
pub fn delete(environment_id: i64, unique_key: &str) -> Query<i64> {
    Query::new(
        "delete from integration where environment_id = ?1 and unique_key = ?2
        returning cast(id as text) as row",
        vec![environment_id.into(), unique_key.into()],
    )
}

/// The connections of an integration.
#[derive(Clone, Debug, Deserialize)]
pub struct IntegrationConnections {
    /// How many there are.
    pub count: i64,
    /// The newest of them: `id`, `connection_id`, `environment_id`, `provider_config_key`.
    pub newest: Box<RawValue>,
}

/// The number of connections of an integration, and the newest 100.
#[must_use]
pub fn connections_of(integration_id: i64) -> Query<IntegrationConnections> {
    Query::new(
        "select json_object(
            'count', (select count(*) from connection where integration_id = ?1),
            'newest', json((
                select json_group_array(json_object(
                    'id', connection.id, 'connection_id', connection.connection_id,
                    'environment_id', connection.environment_id,
                    'provider_config_key', integration.unique_key))
                from (
                    select * from connection where integration_id = ?1 order by id desc limit 100
                ) as connection
                cross join integration on integration.id = connection.integration_id))) as row",
        vec![integration_id.into()],
    )
}
