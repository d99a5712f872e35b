//! The caller's own data on connections, changed on many at once.

use super::database::{Parameter, Query};
use crate::domain::timestamp::Timestamp;

/// Connections of one integration.
#[derive(Clone, Debug)]
pub struct ConnectionSet {
    /// The environment.
    pub environment_id: i64,
    /// The name of the integration.
    pub unique_key: String,
    /// The names of the connections, each once.
    pub connection_ids: Vec<String>,
}

impl ConnectionSet {
    fn parameters(&self) -> Vec<Parameter> {
        let connection_ids = serde_json::Value::from(self.connection_ids.as_slice());
        vec![
            self.environment_id.into(),
            self.unique_key.as_str().into(),
            connection_ids.to_string().into(),
        ]
    }
}

/// The condition that holds for the connections in [`ConnectionSet::parameters`].
const IS_IN_SET: &str = "integration_id = (
        select id from integration where environment_id = ?1 and unique_key = ?2)
    and connection_id in (select value from json_each(?3))";

/// The names of those connections that exist.
#[must_use]
pub fn existing(set: &ConnectionSet) -> Query<String> {
    Query::new(
        format!("select json_quote(connection_id) as row from connection where {IS_IN_SET}"),
        set.parameters(),
    )
}

/// Replaces the metadata of all connections of the set, or of none if one of them is missing.
/// Gives the names of those that were changed.
#[must_use]
pub fn replace(set: &ConnectionSet, metadata: &str, now: Timestamp) -> Query<String> {
    let mut parameters = set.parameters();
    parameters.extend([metadata.into(), now.millis().into()]);
    Query::new(
        format!(
            "update connection set metadata = ?4, updated_at = ?5
            where {IS_IN_SET}
                and (select count(*) from connection where {IS_IN_SET}) = json_array_length(?3)
            returning json_quote(connection_id) as row"
        ),
        parameters,
    )
}

/// The most bytes that the metadata of a connection may have.
pub const MAX_METADATA_BYTES: usize = 262_144;

/// Puts the keys of `metadata` over the stored ones of all connections of the set, or of none if
/// one is missing or would grow beyond [`MAX_METADATA_BYTES`]. One statement, so concurrent
/// merges of different keys lose none. Gives the names of those that were changed.
#[must_use]
pub fn merge(set: &ConnectionSet, metadata: &str, now: Timestamp) -> Query<String> {
    let mut parameters = set.parameters();
    parameters.extend([metadata.into(), now.millis().into()]);
    // `json_patch` would merge nested objects and drop nulls; this is one level, nulls kept.
    Query::new(
        format!(
            "with merged (id, metadata) as materialized (
                select connection.id, (
                    select json_group_object(key, json(value)) from (
                        select key, {MEMBER_JSON} as value
                        from json_each(coalesce(connection.metadata, '{{}}'))
                        where key not in (select key from json_each(?4))
                        union all
                        select key, {MEMBER_JSON} as value from json_each(?4)))
                from connection where {IS_IN_SET})
            update connection set
                metadata = (select metadata from merged where merged.id = connection.id),
                updated_at = ?5
            where id in (select id from merged)
                and (select count(*) from merged) = json_array_length(?3)
                and (select max(octet_length(metadata)) from merged) <= {MAX_METADATA_BYTES}
            returning json_quote(connection_id) as row"
        ),
        parameters,
    )
}

/// The JSON text of a member that `json_each` gives.
const MEMBER_JSON: &str = "case type
    when 'true' then 'true' when 'false' then 'false' when 'null' then 'null'
    when 'array' then value when 'object' then value
    else json_quote(value) end";
