//! Lists of connections: filtered, searched, newest first.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    connections::END_USER_JSON,
    database::{Parameter, Query},
    keys::{ENVIRONMENT_OF_KEY, KeyLookup},
};
use crate::domain::{end_user::EndUser, tags::Tags, timestamp::Timestamp};

/// What to list. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct ListConnections {
    /// Only connections of this name.
    pub connection_id: Option<String>,
    /// Only connections whose name, or whose end user's name or email, contains this.
    pub search: Option<String>,
    /// Only connections of these integrations.
    pub integrations: Option<Vec<String>>,
    /// Only connections of this end user.
    pub end_user_id: Option<String>,
    /// Only connections of end users of this organization.
    pub organization_id: Option<String>,
    /// Only connections with all these labels.
    pub tags: Tags,
    /// Only connections that are older than the one with this number.
    pub before: Option<i64>,
    /// Leave out so many.
    pub offset: i64,
    /// List so many at most.
    pub limit: i64,
}

/// A connection in a list, without anything sealed.
#[derive(Clone, Debug, Deserialize)]
pub struct ListedConnection {
    /// Its number on the wire.
    pub id: i64,
    /// The caller's name for it.
    pub connection_id: String,
    /// The name of its integration.
    pub provider_config_key: String,
    /// The name of its provider.
    pub provider: String,
    /// The caller's own data.
    pub metadata: Option<Box<RawValue>>,
    /// The caller's labels.
    pub tags: Box<RawValue>,
    /// The caller's end user.
    pub end_user: Option<EndUser>,
    /// The log of the last attempt to refresh it, where that failed.
    pub failure_log: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many connections the page would have if bytes did not matter.
    pub candidates: usize,
}

/// A text of fewer characters has no trigram to look up, so it is searched among this many of
/// the newest connections.
const SHORT_SEARCH_WINDOW: usize = 10_000;

/// The most bytes of metadata and labels in one page: more would not fit into the memory of an
/// isolate.
const MAX_PAGE_BYTES: usize = 8_388_608;

/// Lists connections in the environment of a key.
#[must_use]
pub fn list(key: &KeyLookup, request: &ListConnections) -> Query<ListedConnection> {
    let mut conditions = Conditions {
        parameters: key.parameters(),
        sql: Vec::new(),
        source: "connection",
        id: "connection.id",
    };
    conditions.with_tags(&request.tags);
    conditions.matching(request.search.as_deref());
    conditions.of_integrations(request.integrations.as_deref());
    conditions.equal("connection_id", request.connection_id.as_deref());
    conditions.equal("end_user_id", request.end_user_id.as_deref());
    conditions.equal("organization_id", request.organization_id.as_deref());
    conditions.of_environment(request);
    let Conditions { source, id, .. } = conditions;
    if let Some(before) = request.before {
        let before = conditions.bind(before);
        conditions.sql.push(format!("{id} < {before}"));
    }
    let limit = conditions.bind(request.limit);
    let offset = conditions.bind(request.offset);
    let conditions_sql = conditions.sql.join(" and ");
    Query::new(
        format!(
            "with candidate (id, bytes) as (
                select
                    {id},
                    octet_length(connection.tags)
                        + octet_length(coalesce(connection.metadata, ''))
                        + octet_length(coalesce(connection.end_user_tags, ''))
                from {source}
                where {conditions_sql}
                order by {id} desc limit {limit} offset {offset}),
            page (id, bytes_before, candidates) as materialized (
                select
                    id,
                    sum(bytes) over (
                        order by id desc rows between unbounded preceding and 1 preceding),
                    count(*) over ()
                from candidate)
            select json_object('id', connection.id, 'connection_id', connection.connection_id,
                'provider_config_key', integration.unique_key, 'provider', integration.provider,
                'metadata', json(connection.metadata), 'tags', json(connection.tags),
                'end_user', {END_USER_JSON}, 'failure_log', connection.refresh_failure_log,
                'created_at', connection.created_at,
                'candidates', page.candidates) as row
            from page
            cross join connection on connection.id = page.id
            cross join integration on integration.id = connection.integration_id
            where coalesce(page.bytes_before, 0) <= {MAX_PAGE_BYTES}
            order by page.id desc"
        ),
        conditions.parameters,
    )
}

/// What a list is filtered by. Where a filter has an index that comes out newest first, the list
/// is read from there, so that a page is found without a look at all that matches.
struct Conditions {
    parameters: Vec<Parameter>,
    sql: Vec<String>,
    source: &'static str,
    id: &'static str,
}

impl Conditions {
    fn bind(&mut self, value: impl Into<Parameter>) -> String {
        self.parameters.push(value.into());
        format!("?{}", self.parameters.len())
    }

    /// Without statistics the planner would take the environment's index, which is all of the
    /// environment, before a far smaller one. The plus says no, where no index of the environment
    /// is the smaller one.
    fn of_environment(&mut self, request: &ListConnections) {
        let by_person = request.end_user_id.is_some() || request.organization_id.is_some();
        let is_narrowed = request.integrations.is_some() && !by_person;
        let plus = if is_narrowed || self.source != "connection" {
            "+"
        } else {
            ""
        };
        let of_environment = format!("{plus}connection.environment_id = {ENVIRONMENT_OF_KEY}");
        self.sql.push(of_environment);
    }

    fn equal(&mut self, column: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        let value = self.bind(value);
        self.sql.push(format!("connection.{column} = {value}"));
    }

    fn of_integrations(&mut self, unique_keys: Option<&[String]>) {
        let condition = match unique_keys {
            None => return,
            Some([unique_key]) => {
                let unique_key = self.bind(unique_key.as_str());
                format!(
                    "= (select id from integration where environment_id = {ENVIRONMENT_OF_KEY}
                    and unique_key = {unique_key})"
                )
            }
            Some(unique_keys) => {
                let unique_keys = self.bind(serde_json::Value::from(unique_keys).to_string());
                format!(
                    "in (select id from integration where environment_id = {ENVIRONMENT_OF_KEY}
                    and unique_key in (select value from json_each({unique_keys})))"
                )
            }
        };
        self.sql
            .push(format!("connection.integration_id {condition}"));
    }

    fn with_tags(&mut self, tags: &Tags) {
        for (at, (key, value)) in tags.iter().enumerate() {
            let (key, value) = (self.bind(key.as_str()), self.bind(value.as_str()));
            let is_label = format!(
                "label.environment_id = {ENVIRONMENT_OF_KEY}
                and label.key = {key} and label.value = {value}"
            );
            if at == 0 {
                self.source = "connection_tag as label
                    cross join connection on connection.id = label.connection";
                self.id = "label.connection";
                self.sql.push(is_label);
                continue;
            }
            self.sql.push(format!(
                "connection.id in (
                    select label.connection from connection_tag as label where {is_label})"
            ));
        }
    }

    fn matching(&mut self, search: Option<&str>) {
        let Some(search) = search else { return };
        if has_trigram(search) {
            // FTS5: a string in double quotes is a phrase, and a double quote in it is doubled.
            let phrase = self.bind(format!("\"{}\"", search.replace('"', "\"\"")));
            let matches = format!("connection_search match {phrase}");
            if self.source == "connection" {
                self.source = "connection_search
                    cross join connection on connection.id = connection_search.rowid";
                self.id = "connection_search.rowid";
                self.sql.push(matches);
                return;
            }
            self.sql.push(format!(
                "connection.id in (select rowid from connection_search where {matches})"
            ));
            return;
        }
        let pattern = self.bind(format!("%{}%", like_literal(search)));
        self.sql.push(format!(
            "connection.id >= coalesce((select id from connection
                where environment_id = {ENVIRONMENT_OF_KEY}
                order by id desc limit 1 offset {SHORT_SEARCH_WINDOW}), 0)
            and (connection.connection_id like {pattern} escape '\\'
                or connection.end_user_display_name like {pattern} escape '\\'
                or connection.end_user_email like {pattern} escape '\\')"
        ));
    }
}

fn has_trigram(search: &str) -> bool {
    search.chars().count() >= 3
}

fn like_literal(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}
