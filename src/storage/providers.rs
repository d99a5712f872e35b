//! Providers that the deployment defined itself.

use serde::Deserialize;

use super::database::Query;
use crate::domain::timestamp::Timestamp;

/// A custom provider.
#[derive(Clone, Debug, Deserialize)]
pub struct CustomProvider {
    /// Its name.
    pub name: String,
    /// Its entry, as JSON text.
    pub entry: String,
}

/// Stores an entry under `name`, in place of an earlier one.
#[must_use]
pub fn put(name: &str, entry: &str, now: Timestamp) -> Query<()> {
    Query::new(
        "insert into provider (name, entry, created_at, updated_at) values (?1, ?2, ?3, ?3)
        on conflict (name) do update set entry = excluded.entry, updated_at = excluded.updated_at",
        vec![name.into(), entry.into(), now.millis().into()],
    )
}

/// Whether integrations may be left without the entry of their provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IfUsed {
    /// They may: the catalogue has an entry of the same name.
    Delete,
    /// They may not.
    Keep,
}

/// Deletes the entry under `name`; gives its name if it was deleted.
#[must_use]
pub fn delete(name: &str, if_used: IfUsed) -> Query<String> {
    Query::new(
        "delete from provider
        where name = ?1 and (?2 or not exists (select 1 from integration where provider = ?1))
        returning json_quote(name) as row",
        vec![name.into(), i64::from(if_used == IfUsed::Delete).into()],
    )
}

/// The entry under `name`.
#[must_use]
pub fn find(name: &str) -> Query<CustomProvider> {
    Query::new(
        "select json_object('name', name, 'entry', entry) as row from provider where name = ?1",
        vec![name.into()],
    )
}

/// All custom providers, by name.
#[must_use]
pub fn list() -> Query<CustomProvider> {
    Query::new(
        "select json_object('name', name, 'entry', entry) as row from provider order by name",
        vec![],
    )
}
