//! Integrations in the clear, and their providers.

use super::{connection::randomness, error::InternalError, ports::Ports};
use crate::{
    domain::integration::IntegrationSecrets,
    providers::provider::Provider,
    storage::integrations::IntegrationRecord,
    vault::{
        documents::{integration_secrets_from_bytes, integration_secrets_to_bytes},
        envelope::{Field, Place, Sealed, open, seal},
    },
};

/// The provider of an integration: its custom entry, else the catalogue's; none if neither has
/// one (any more).
pub fn provider_of(integration: &IntegrationRecord) -> Result<Option<Provider>, InternalError> {
    provider_named(
        &integration.provider,
        integration.custom_provider.as_deref(),
    )
}

/// The provider `name`: its custom entry if there is one, else the catalogue's.
pub fn provider_named(
    name: &str,
    custom_entry: Option<&str>,
) -> Result<Option<Provider>, InternalError> {
    let Some(entry) = custom_entry else {
        return Ok(Provider::from_catalogue(name));
    };
    let provider = Provider::from_stored(name, entry.to_owned());
    provider
        .map(Some)
        .map_err(|_| InternalError::StoredProvider(name.to_owned()))
}

/// Opens the secrets of an integration.
pub fn open_secrets(
    ports: &impl Ports,
    integration: &IntegrationRecord,
) -> Result<IntegrationSecrets, InternalError> {
    let place = place(integration.environment_id, &integration.uid);
    let bytes = open(&ports.settings().key_ring, &place, &integration.secrets)?;
    Ok(integration_secrets_from_bytes(&bytes)?)
}

/// Seals the secrets of an integration.
pub(super) fn seal_secrets(
    ports: &impl Ports,
    environment_id: i64,
    uid: &str,
    secrets: &IntegrationSecrets,
) -> Sealed {
    let bytes = integration_secrets_to_bytes(secrets);
    seal(
        &ports.settings().key_ring,
        &place(environment_id, uid),
        &bytes,
        randomness(ports),
    )
}

fn place(environment_id: i64, uid: &str) -> Place<'_> {
    Place {
        environment: environment_id,
        integration: uid,
        connection: "",
        field: Field::IntegrationSecrets,
    }
}
