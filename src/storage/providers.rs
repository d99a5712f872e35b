//! Providers that the deployment defined itself.

use serde::Deserialize;

use super::database::Query;
use crate::{
    domain::{auth_mode::AuthMode, timestamp::Timestamp},
    providers::filter::{MAX_PATTERN_BYTES, ProviderFilter},
};

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
        "insert into provider
            (name, entry, display_name, auth_mode, categories, created_at, updated_at)
        values (?1, ?2, json_extract(?2, '$.display_name'), json_extract(?2, '$.auth_mode'),
            json_extract(?2, '$.categories'), ?3, ?3)
        on conflict (name) do update set entry = excluded.entry,
            display_name = excluded.display_name, auth_mode = excluded.auth_mode,
            categories = excluded.categories, updated_at = excluded.updated_at",
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

/// Which part of the list of all providers to give.
#[derive(Clone, Debug)]
pub struct ListProviders {
    /// Only these.
    pub filter: ProviderFilter,
    /// Only those whose names come after this one.
    pub after: String,
    /// Leave out so many.
    pub offset: i64,
    /// Give so many at most; without it, all.
    pub limit: Option<i64>,
}

/// A provider in a list.
#[derive(Clone, Debug, Deserialize)]
pub struct ListedProvider {
    /// Its name.
    pub name: String,
    /// Its entry, as JSON text; none if it is one of the catalogue.
    pub entry: Option<String>,
}

/// Providers by name, custom ones and those `in_catalogue` that none of them shadows. Names are
/// picked first, from the index alone, so that the entries of no others are read.
#[must_use]
pub fn list(request: &ListProviders, in_catalogue: &[&str]) -> Query<ListedProvider> {
    let ProviderFilter {
        search,
        auth_mode,
        category,
    } = &request.filter;
    let search = search.as_deref().map(str::to_ascii_lowercase);
    let is_pattern = |search: &String| search.len() <= MAX_PATTERN_BYTES;
    let (pattern, text) = match search {
        Some(search) if is_pattern(&search) => (Some(pattern(&search)), None),
        search => (None, search),
    };
    Query::new(
        "with page (name) as materialized (
            select name from provider
            where name > ?1
                and (?2 is null or lower(name) glob ?2 or lower(display_name) glob ?2)
                and (?3 is null or instr(lower(name), ?3) or instr(lower(display_name), ?3))
                and (?4 is null or auth_mode = ?4)
                and (?5 is null
                    or exists (select 1 from json_each(categories) where value = ?5))
            union all
            select value from json_each(?6) as listed
            where not exists (select 1 from provider where provider.name = listed.value)
            order by 1 limit ?7 offset ?8)
        select json_object('name', page.name, 'entry', provider.entry) as row
        from page left join provider on provider.name = page.name
        order by page.name",
        vec![
            request.after.as_str().into(),
            pattern.into(),
            text.into(),
            auth_mode.map(AuthMode::as_str).into(),
            category.as_deref().into(),
            serde_json::Value::from(in_catalogue).to_string().into(),
            request.limit.unwrap_or(-1).into(),
            request.offset.into(),
        ],
    )
}

/// A pattern for `glob`. A search has none of its special characters but those that the dots
/// become.
fn pattern(search: &str) -> String {
    format!("*{}*", search.replace('.', "?"))
}
