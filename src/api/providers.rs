//! Providers: the catalogue and the deployment's own, listed, read, written, drawn.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    call::{Call, path_parameter},
    error::ApiError,
    reply::Reply,
    rules::{INTEGRATION_KEY, PROVIDER, SHORT, is_provider_name},
};
use crate::{
    domain::{auth_mode::AuthMode, scope::Scope},
    providers::{
        catalogue, entry::Entry, filter::ProviderFilter, logo, provider::public_json, rendering,
    },
    service::{
        custom_providers::{
            DeleteProviderError, delete_provider, find_provider, list_providers, put_provider,
        },
        ports::Ports,
    },
    storage::providers::ListProviders,
    validation::{input::Input, text::Text, wording::too_big},
};

/// `GET /providers`: all of them, or a page if the query asks for one.
pub(super) async fn list<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    call.authorize_any_environment().await?;
    let mut request = call.query(list_query)?;
    let limit = request.limit;
    // One more tells whether there is a next page.
    request.limit = limit.map(|limit| limit + 1);
    let mut listed = list_providers(call.ports, &request).await?;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let has_more = limit.is_some_and(|limit| listed.len() > limit);
    listed.truncate(limit.unwrap_or(usize::MAX));
    let shown: Vec<_> = listed
        .iter()
        .map(|(name, entry)| public_json(name, entry, &call.request.origin))
        .collect();
    let shown = shown.join(",");
    let Some(_) = limit else {
        return Ok(Reply::json_text(format!("{{\"data\":[{shown}]}}")));
    };
    let last = listed.last().filter(|_| has_more);
    let next_cursor = Value::from(last.map(|(name, _)| URL_SAFE_NO_PAD.encode(name)));
    Ok(Reply::json_text(format!(
        "{{\"data\":[{shown}],\"next_cursor\":{next_cursor}}}"
    )))
}

fn list_query(input: &Input<'_>) -> Option<ListProviders> {
    let query = input.object()?;
    let optional = |name| query.optional(name);
    let filter = ProviderFilter {
        search: optional("search").and_then(|it| it.text(INTEGRATION_KEY)),
        auth_mode: optional("auth_mode").and_then(|it| it.one_of(&AuthMode::ALL)),
        category: optional("category").and_then(|it| it.text(SHORT)),
    };
    let limit = optional("limit").and_then(|n| n.integer(1..=MAX_LIMIT));
    let page = optional("page").and_then(|n| n.integer(0..=MAX_PAGE));
    let after = optional("cursor").and_then(|it| read_cursor(&it));
    query.finish();
    let is_paged = limit.is_some() || page.is_some() || after.is_some();
    let limit = limit.unwrap_or(MAX_LIMIT);
    Some(ListProviders {
        filter,
        after: after.unwrap_or_default(),
        offset: page.unwrap_or_default() * limit,
        limit: is_paged.then_some(limit),
    })
}

/// The name of the last provider of the page before.
fn read_cursor(input: &Input<'_>) -> Option<String> {
    let text = input.text(Text::of(1, 512))?;
    let name = URL_SAFE_NO_PAD.decode(text).ok();
    let name = name.and_then(|name| String::from_utf8(name).ok());
    let name = name.filter(|name| is_provider_name(name));
    if name.is_none() {
        input.refuse("invalid_format", "Invalid cursor");
    }
    name
}

/// `GET /providers/:provider`
pub(super) async fn get<P: Ports>(call: &Call<'_, P>, name: &str) -> Result<Reply, ApiError> {
    call.authorize_any_environment().await?;
    call.no_query()?;
    let name = path_parameter("provider", name, |name| name.text(PROVIDER))?;
    let provider = find_provider(call.ports, &name).await?;
    let provider = provider.ok_or(ApiError::UnknownProvider(name))?;
    let entry = public_json(&provider.name, &provider.json, &call.request.origin);
    Ok(Reply::json_text(format!("{{\"data\":{entry}}}")))
}

/// `PUT /providers/:provider`; with `dry_run`, checks and stores nothing.
pub(super) async fn put<P: Ports>(call: &Call<'_, P>, name: &str) -> Result<Reply, ApiError> {
    call.authorize_account(Scope::ProvidersWrite).await?;
    let is_dry_run = call.query(|input| {
        let query = input.object()?;
        let is_dry_run = query.optional("dry_run").and_then(|it| it.flag());
        query.finish();
        Some(is_dry_run == Some(true))
    })?;
    let entry = call.body(entry_body)?;
    let name = path_parameter("provider", name, |name| name.text(PROVIDER))?;
    if !is_dry_run {
        put_provider(call.ports, &name, &entry).await?;
    }
    let entry = public_json(&name, &entry, &call.request.origin);
    Ok(Reply::json_text(format!("{{\"data\":{entry}}}")))
}

/// Checks an entry and keeps it as it was sent.
fn entry_body(input: &Input<'_>) -> Option<String> {
    let entry = Entry::parse(input)?;
    if input.is_sound() {
        rendering::check(&entry, input);
    }
    let entry = input.value()?.to_string();
    if entry.len() > MAX_ENTRY_BYTES {
        input.refuse("too_big", too_big("entry", MAX_ENTRY_BYTES, "bytes"));
    }
    Some(entry)
}

/// `DELETE /providers/:provider`
pub(super) async fn delete<P: Ports>(call: &Call<'_, P>, name: &str) -> Result<Reply, ApiError> {
    call.authorize_account(Scope::ProvidersWrite).await?;
    call.no_query()?;
    let name = path_parameter("provider", name, |name| name.text(PROVIDER))?;
    delete_provider(call.ports, &name)
        .await
        .map_err(|error| match error {
            DeleteProviderError::UnknownProvider => ApiError::UnknownCustomProvider(name),
            DeleteProviderError::InUse => ApiError::ProviderInUse,
            DeleteProviderError::Internal(error) => ApiError::Internal(error),
        })?;
    Ok(Reply::ok(&json!({ "success": true })))
}

/// `GET /images/template-logos/:provider.svg`, a monogram for any name: no one's trademark, and
/// nothing that tells which providers a deployment has.
pub(super) fn logo(file: &str) -> Result<Reply, ApiError> {
    let name = file.strip_suffix(".svg").ok_or(ApiError::NotFound)?;
    let name = path_parameter("provider", name, |name| name.text(PROVIDER))?;
    let display_name = catalogue::display_name(&name);
    Ok(Reply::svg(logo::svg(display_name.unwrap_or(&name))))
}

/// The most providers of a page: as many of the largest entries fit into the memory of an isolate.
const MAX_LIMIT: i64 = 100;
const MAX_PAGE: i64 = 1_000_000;
/// The largest entry of a custom provider.
const MAX_ENTRY_BYTES: usize = 65_536;
