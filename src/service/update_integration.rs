//! Changing an integration.

use super::{
    create_integration::{ClientSettings, IntegrationError, apply_client, seal_settings},
    error::InternalError,
    integration::{open_secrets, provider_of},
    ports::Ports,
};
use crate::{
    domain::{integration::IntegrationKey, secret::SecretMap},
    providers::integration_config,
    storage::{
        database::fetch_both,
        integrations::{IntegrationRecord, IntegrationValues, rename_obstacles, update},
    },
};

/// What to change about an integration; what is absent stays.
#[derive(Debug)]
pub struct UpdateIntegration {
    /// A new name.
    pub unique_key: Option<IntegrationKey>,
    /// A new name to show.
    pub display_name: Option<String>,
    /// Whether webhooks of the provider are passed on.
    pub forward_webhooks: Option<bool>,
    /// A new client.
    pub client: Option<ClientSettings>,
    /// New values of fields that the provider declares.
    pub integration_config: Option<SecretMap>,
    /// New free settings, put over the stored ones.
    pub custom: Option<SecretMap>,
}

/// Changes `integration`.
pub async fn update_integration(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    request: UpdateIntegration,
) -> Result<IntegrationRecord, IntegrationError> {
    let provider = provider_of(integration)?.ok_or(IntegrationError::UnknownProvider)?;
    let client = request.client;
    if client
        .as_ref()
        .is_some_and(|client| client.auth_mode != provider.entry.auth_mode)
    {
        return Err(IntegrationError::WrongAuthMode);
    }
    let mut secrets = open_secrets(ports, integration)?;
    if let Some(config) = &request.integration_config {
        secrets.integration_config = integration_config::patched(
            &provider.entry.integration_config,
            &secrets.integration_config,
            config,
        )
        .map_err(IntegrationError::Config)?;
    }
    if let Some(custom) = request.custom {
        if !provider.entry.integration_config.is_empty() {
            return Err(IntegrationError::CustomNotAccepted);
        }
        secrets.custom = secrets.custom.merged(&custom);
    }
    let unique_key = request.unique_key.as_ref().map(IntegrationKey::as_str);
    let mut values = IntegrationValues {
        unique_key: unique_key.unwrap_or(&integration.unique_key).to_owned(),
        display_name: request
            .display_name
            .or_else(|| integration.display_name.clone()),
        forward_webhooks: request
            .forward_webhooks
            .unwrap_or(integration.forward_webhooks != 0),
        client_id: integration.client_id.clone(),
        scopes: integration.scopes.clone(),
        app_link: integration.app_link.clone(),
    };
    if let Some(client) = client {
        apply_client(&provider.entry, &mut values, &mut secrets, client)?;
    }
    let sealed = seal_settings(
        ports,
        integration.environment_id,
        &integration.uid,
        &secrets,
    )?;

    let change = update(
        integration.id,
        integration.updated_at,
        &values,
        &sealed,
        ports.now(),
    );
    let obstacles = rename_obstacles(integration, &values.unique_key);
    let (changed, obstacles) = fetch_both(ports, change, obstacles)
        .await
        .map_err(InternalError::from)?;
    if let Some(changed) = changed.into_iter().next() {
        let custom_provider = integration.custom_provider.clone();
        return Ok(IntegrationRecord {
            custom_provider,
            ..changed
        });
    }
    Err(match obstacles.first() {
        Some(obstacles) if obstacles.key_is_taken != 0 => IntegrationError::KeyIsTaken,
        Some(obstacles)
            if obstacles.has_connections != 0 && values.unique_key != integration.unique_key =>
        {
            IntegrationError::HasConnections
        }
        Some(_) | None => IntegrationError::ChangedMeanwhile,
    })
}
