//! What a deployment must have before it serves: its schema, and every key that rows use.

use super::database::Query;

/// The table where wrangler records migrations; nothing before it has applied any.
#[must_use]
pub fn migrations_table() -> Query<String> {
    Query::new(
        "select json_quote(name) as row from sqlite_master where name = 'd1_migrations'",
        vec![],
    )
}

/// The file name of the last migration that was applied.
#[must_use]
pub fn last_migration() -> Query<String> {
    Query::new(
        "select json_quote(name) as row from d1_migrations order by id desc limit 1",
        vec![],
    )
}

/// The numbers of the keys that some row is sealed, or some API key digested, with. Each step
/// seeks the next number in an index, so this takes as many steps as there are keys.
#[must_use]
pub fn key_ids_in_use() -> Query<i64> {
    let columns = [
        ("api_key", "digest_key_id"),
        ("connection", "connection_config_key_id"),
        ("connection", "credentials_key_id"),
        ("integration", "secrets_key_id"),
    ];
    let steps = columns.map(|(table, column)| {
        format!(
            "select * from (with recursive used (id) as (
                select min({column}) from {table}
                union all
                select (select min({column}) from {table} where {column} > used.id)
                from used where used.id is not null)
            select cast(id as text) as row from used where id is not null)"
        )
    });
    Query::new(steps.join(" union "), vec![])
}
