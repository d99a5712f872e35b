//! Providers: the catalogue and the deployment's own, listed, read, written, drawn.

use serde_json::{Value, json};

use super::{
    call::{Call, path_parameter},
    error::ApiError,
    reply::Reply,
    rules::{INTEGRATION_KEY, PROVIDER},
};
use crate::{
    domain::scope::Scope,
    providers::{
        catalogue,
        entry::Entry,
        logo,
        provider::{matches, public_json},
    },
    service::{
        custom_providers::{DeleteProviderError, delete_provider, find_provider, put_provider},
        error::InternalError,
        ports::Ports,
    },
    storage::{database::fetch, providers as custom_providers},
    validation::{input::Input, wording::too_big},
};

/// `GET /providers?search=`
pub(super) async fn list<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    call.authorize_any_environment().await?;
    let search = call.query(|input| {
        let query = input.object()?;
        let search = query.optional("search").map_or_else(
            || Some(String::new()),
            |search| search.text(INTEGRATION_KEY),
        );
        query.finish();
        search
    })?;
    let custom = fetch(call.ports, custom_providers::list())
        .await
        .map_err(InternalError::from)?;
    let mut shown: Vec<(&str, &str)> = custom
        .iter()
        .map(|provider| (provider.name.as_str(), provider.entry.as_str()))
        .collect();
    for (name, entry) in catalogue::all() {
        if custom.iter().all(|provider| provider.name != name) {
            shown.push((name, entry));
        }
    }
    shown.retain(|(name, _)| matches(name, &search));
    shown.sort_unstable_by_key(|(name, _)| *name);
    let entries: Vec<_> = shown
        .into_iter()
        .map(|(name, entry)| public_json(name, entry, &call.request.origin))
        .collect();
    Ok(Reply::json_text(format!(
        "{{\"data\":[{}]}}",
        entries.join(",")
    )))
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

/// `PUT /providers/:provider`
pub(super) async fn put<P: Ports>(call: &Call<'_, P>, name: &str) -> Result<Reply, ApiError> {
    call.authorize_account(Scope::ProvidersWrite).await?;
    call.no_query()?;
    let entry = call.body(entry_body)?;
    let name = path_parameter("provider", name, |name| name.text(PROVIDER))?;
    put_provider(call.ports, &name, &entry).await?;
    let entry = public_json(&name, &entry, &call.request.origin);
    Ok(Reply::json_text(format!("{{\"data\":{entry}}}")))
}

/// Checks an entry and keeps it as it was sent.
fn entry_body(input: &Input<'_>) -> Option<String> {
    Entry::parse(input)?;
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
    let entry = catalogue::find(&name).and_then(|entry| serde_json::from_str::<Value>(entry).ok());
    let display_name = entry
        .as_ref()
        .and_then(|entry| entry.get("display_name")?.as_str());
    Ok(Reply::svg(logo::svg(display_name.unwrap_or(&name))))
}

/// The largest entry of a custom provider.
const MAX_ENTRY_BYTES: usize = 65_536;
