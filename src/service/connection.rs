//! Connections in the clear: opening what is stored, sealing what is to be stored.

use super::{
    error::InternalError,
    ports::{Ports, random},
};
use crate::{
    domain::{credentials::Credentials, secret::SecretMap},
    storage::{connections::ConnectionRecord, integrations::IntegrationRecord},
    vault::{
        documents::{credentials_from_bytes, credentials_to_bytes, map_from_bytes, map_to_bytes},
        envelope::{Field, Place, Randomness, Sealed, open, seal},
        fingerprint::{active_fingerprint, fingerprints},
    },
};

/// A connection as its owner may see it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// What is stored in the clear.
    pub record: ConnectionRecord,
    /// The name of its integration.
    pub provider_config_key: String,
    /// The name of its provider.
    pub provider: String,
    /// Its configuration.
    pub connection_config: SecretMap,
    /// Its credentials; none where they are withheld.
    pub credentials: Option<Credentials>,
}

/// Opens a connection with its credentials.
pub fn open_connection(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    record: ConnectionRecord,
) -> Result<Connection, InternalError> {
    let credentials = open_credentials(
        ports,
        integration,
        &record.connection_id,
        &record.credentials,
    )?;
    let connection = open_without_credentials(ports, integration, record)?;
    let configured = connection.connection_config;
    Ok(Connection {
        connection_config: with_told(configured, &credentials),
        credentials: Some(credentials),
        ..connection
    })
}

/// The configuration with what providers told of the connection over it.
#[must_use]
pub fn with_told(configured: SecretMap, credentials: &Credentials) -> SecretMap {
    match credentials.derived_config() {
        Some(told) if !told.is_empty() => configured.merged(told),
        Some(_) | None => configured,
    }
}

/// Opens a connection and leaves its credentials sealed.
pub fn open_without_credentials(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    record: ConnectionRecord,
) -> Result<Connection, InternalError> {
    Ok(Connection {
        provider_config_key: integration.unique_key.clone(),
        provider: integration.provider.clone(),
        connection_config: open_connection_config(
            ports,
            integration,
            &record.connection_id,
            &record.connection_config,
        )?,
        credentials: None,
        record,
    })
}

/// Opens the configuration of the connection of this name.
pub fn open_connection_config(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    connection_id: &str,
    sealed: &Sealed,
) -> Result<SecretMap, InternalError> {
    let place = place(integration, connection_id, Field::ConnectionConfig);
    let bytes = open(&ports.settings().key_ring, &place, sealed)?;
    Ok(map_from_bytes(&bytes)?)
}

/// Opens the credentials of the connection of this name.
pub fn open_credentials(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    connection_id: &str,
    sealed: &Sealed,
) -> Result<Credentials, InternalError> {
    let place = place(integration, connection_id, Field::Credentials);
    let bytes = open(&ports.settings().key_ring, &place, sealed)?;
    Ok(credentials_from_bytes(&bytes)?)
}

/// Seals credentials for the connection of this name.
pub fn seal_credentials(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    connection_id: &str,
    credentials: &Credentials,
) -> Sealed {
    let place = place(integration, connection_id, Field::Credentials);
    let bytes = credentials_to_bytes(credentials);
    seal(
        &ports.settings().key_ring,
        &place,
        &bytes,
        randomness(ports),
    )
}

/// What stands for the refresh token of `credentials`; none if they have none.
pub fn grant_fingerprint(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    credentials: &Credentials,
) -> Option<String> {
    let refresh_token = credentials.refresh_token()?;
    let ring = &ports.settings().key_ring;
    Some(active_fingerprint(ring, &integration.uid, refresh_token))
}

/// Whether the refresh token of `credentials` is the one that `fingerprint` stands for.
pub fn has_grant(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    credentials: &Credentials,
    fingerprint: &str,
) -> bool {
    grant_fingerprints(ports, integration, credentials)
        .iter()
        .any(|known| known == fingerprint)
}

/// All that may stand for the refresh token of `credentials` in storage; nothing if they have
/// none.
pub fn grant_fingerprints(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    credentials: &Credentials,
) -> Vec<String> {
    let ring = &ports.settings().key_ring;
    let refresh_token = credentials.refresh_token();
    refresh_token.map_or_else(Vec::new, |refresh_token| {
        fingerprints(ring, &integration.uid, refresh_token)
    })
}

/// Seals the configuration of the connection of this name.
pub fn seal_connection_config(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    connection_id: &str,
    connection_config: &SecretMap,
) -> Sealed {
    let place = place(integration, connection_id, Field::ConnectionConfig);
    let bytes = map_to_bytes(connection_config);
    seal(
        &ports.settings().key_ring,
        &place,
        &bytes,
        randomness(ports),
    )
}

/// A fresh salt and nonce.
pub(super) fn randomness(ports: &impl Ports) -> Randomness {
    Randomness {
        salt: random(ports),
        nonce: random(ports),
    }
}

fn place<'a>(
    integration: &'a IntegrationRecord,
    connection_id: &'a str,
    field: Field,
) -> Place<'a> {
    Place {
        environment: integration.environment_id,
        integration: &integration.uid,
        connection: connection_id,
        field,
    }
}
