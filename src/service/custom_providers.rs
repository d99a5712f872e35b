//! Providers that a deployment defines itself, and the catalogue that they shadow.

use std::borrow::Cow;

use super::{error::InternalError, integration::provider_named, ports::Ports};
use crate::{
    providers::{catalogue, provider::Provider},
    storage::{
        database::{fetch, fetch_both, fetch_one},
        providers::{self, IfUsed, ListProviders, ListedProvider},
    },
};

/// Why a custom provider is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteProviderError {
    /// There is no custom provider of this name.
    #[error("unknown custom provider")]
    UnknownProvider,
    /// Integrations use it and the catalogue has no entry in its place.
    #[error("integrations use the provider")]
    InUse,
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// The provider `name`.
pub async fn find_provider(
    ports: &impl Ports,
    name: &str,
) -> Result<Option<Provider>, InternalError> {
    let custom = fetch_one(ports, providers::find(name)).await?;
    provider_named(name, custom.as_ref().map(|custom| custom.entry.as_str()))
}

/// The providers of a list, each with its entry as JSON text.
pub async fn list_providers(
    ports: &impl Ports,
    request: &ListProviders,
) -> Result<Vec<(String, Cow<'static, str>)>, InternalError> {
    let in_catalogue: Vec<_> = catalogue::names(&request.filter)
        .filter(|name| *name > request.after.as_str())
        .collect();
    let listed = fetch(ports, providers::list(request, &in_catalogue)).await?;
    let with_entry = listed
        .into_iter()
        .filter_map(|ListedProvider { name, entry }| {
            let entry = entry.map(Cow::from);
            let entry = entry.or_else(|| catalogue::find(&name).map(Cow::from))?;
            Some((name, entry))
        });
    Ok(with_entry.collect())
}

/// Stores a checked entry under `name`, in place of an earlier one, in front of the catalogue's.
pub async fn put_provider(
    ports: &impl Ports,
    name: &str,
    entry: &str,
) -> Result<(), InternalError> {
    fetch_one(ports, providers::put(name, entry, ports.now())).await?;
    Ok(())
}

/// Deletes the custom provider `name`; a catalogue entry of that name shows again.
pub async fn delete_provider(ports: &impl Ports, name: &str) -> Result<(), DeleteProviderError> {
    let in_catalogue = catalogue::find(name).is_some();
    let if_used = if in_catalogue {
        IfUsed::Delete
    } else {
        IfUsed::Keep
    };
    let (deleted, left) = fetch_both(
        ports,
        providers::delete(name, if_used),
        providers::find(name),
    )
    .await
    .map_err(InternalError::from)?;
    match (deleted.first(), left.first()) {
        (Some(_), _) => Ok(()),
        (None, Some(_)) => Err(DeleteProviderError::InUse),
        (None, None) => Err(DeleteProviderError::UnknownProvider),
    }
}
