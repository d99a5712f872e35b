//! Connections as answers show them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use super::credentials::{Reveal, credentials_json};
use crate::{
    domain::{end_user::EndUser, tags::Tags, timestamp::Timestamp},
    service::connection::Connection,
    storage::connection_list::ListedConnection,
};

/// A connection by itself.
#[derive(Serialize)]
pub(in crate::api) struct ConnectionJson<'a> {
    id: i64,
    connection_id: &'a str,
    provider_config_key: &'a str,
    provider: &'a str,
    errors: Vec<ErrorJson<'a>>,
    end_user: Option<EndUserJson<'a>>,
    tags: &'a Tags,
    metadata: Option<&'a RawValue>,
    connection_config: Map<String, Value>,
    webhook_url_override: Option<&'a str>,
    created_at: String,
    updated_at: String,
    last_fetched_at: Option<String>,
    credentials: Map<String, Value>,
}

impl<'a> ConnectionJson<'a> {
    pub(in crate::api) fn new(connection: &'a Connection, reveal: Reveal) -> Self {
        let record = &connection.record;
        let mut connection_config = connection.connection_config.expose().clone();
        reveal.hide(&mut connection_config);
        let credentials = connection.credentials.as_ref();
        Self {
            id: record.id,
            connection_id: &record.connection_id,
            provider_config_key: &connection.provider_config_key,
            provider: &connection.provider,
            errors: errors(record.history.failure_log.as_deref()),
            end_user: record.end_user.as_ref().map(EndUserJson::new),
            tags: &record.tags,
            metadata: record.metadata.as_deref(),
            connection_config,
            webhook_url_override: record.webhook_url_override.as_deref(),
            created_at: record.created_at.to_iso(),
            updated_at: record.updated_at.to_iso(),
            last_fetched_at: record.last_fetched_at.map(Timestamp::to_iso),
            credentials: credentials
                .map(|credentials| credentials_json(credentials, reveal))
                .unwrap_or_default(),
        }
    }
}

/// A connection in a list.
#[derive(Serialize)]
pub(in crate::api) struct ListedConnectionJson<'a> {
    id: i64,
    connection_id: &'a str,
    provider_config_key: &'a str,
    provider: &'a str,
    errors: Vec<ErrorJson<'a>>,
    end_user: Option<EndUserJson<'a>>,
    tags: &'a RawValue,
    metadata: Option<&'a RawValue>,
    created: String,
}

impl<'a> ListedConnectionJson<'a> {
    pub(in crate::api) fn new(connection: &'a ListedConnection) -> Self {
        Self {
            id: connection.id,
            connection_id: &connection.connection_id,
            provider_config_key: &connection.provider_config_key,
            provider: &connection.provider,
            errors: errors(connection.failure_log.as_deref()),
            end_user: connection.end_user.as_ref().map(EndUserJson::new),
            tags: &connection.tags,
            metadata: connection.metadata.as_deref(),
            created: connection.created_at.to_iso(),
        }
    }
}

/// What is wrong with a connection: that its last refresh failed.
#[derive(Serialize)]
struct ErrorJson<'a> {
    r#type: &'static str,
    log_id: &'a str,
}

fn errors(failure_log: Option<&str>) -> Vec<ErrorJson<'_>> {
    let error = failure_log.map(|log_id| ErrorJson {
        r#type: "auth",
        log_id,
    });
    error.into_iter().collect()
}

#[derive(Serialize)]
struct EndUserJson<'a> {
    id: &'a str,
    display_name: Option<&'a str>,
    email: Option<&'a str>,
    tags: Option<&'a BTreeMap<String, String>>,
    organization: Option<OrganizationJson<'a>>,
}

#[derive(Serialize)]
struct OrganizationJson<'a> {
    id: &'a str,
    display_name: Option<&'a str>,
}

impl<'a> EndUserJson<'a> {
    fn new(end_user: &'a EndUser) -> Self {
        Self {
            id: &end_user.id,
            display_name: end_user.display_name.as_deref(),
            email: end_user.email.as_deref(),
            tags: end_user.tags.as_ref(),
            organization: end_user
                .organization
                .as_ref()
                .map(|organization| OrganizationJson {
                    id: &organization.id,
                    display_name: organization.display_name.as_deref(),
                }),
        }
    }
}
