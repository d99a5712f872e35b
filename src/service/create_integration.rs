//! Setting up a provider in an environment.

use super::{
    error::InternalError,
    integration::{provider_named, seal_secrets},
    ports::{Ports, random_uuid},
};
use crate::{
    domain::{
        auth_mode::AuthMode,
        integration::{IntegrationKey, IntegrationSecrets, needs_client},
        secret::{MAX_RAW_BYTES, Secret, SecretMap},
    },
    oauth2::client_authentication::ClientAuthentication,
    providers::{entry::Entry, integration_config},
    signing::private_key::{Algorithm, PrivateKey, PrivateKeyError},
    storage::{
        database::{fetch_both, fetch_one},
        integrations::{IntegrationRecord, IntegrationValues, id_of, insert},
        providers,
    },
    vault::envelope::Sealed,
};

/// An integration to create.
#[derive(Debug)]
pub struct CreateIntegration {
    /// The name of its provider.
    pub provider: String,
    /// Its name.
    pub unique_key: IntegrationKey,
    /// A name to show.
    pub display_name: Option<String>,
    /// Whether webhooks of the provider are passed on.
    pub forward_webhooks: bool,
    /// The client that it is to the provider.
    pub client: Option<ClientSettings>,
    /// Values of the fields that the provider declares.
    pub integration_config: Option<SecretMap>,
    /// Free settings, for providers that declare none.
    pub custom: Option<SecretMap>,
}

/// The client that an integration is to its provider, for one kind of credentials.
#[derive(Debug)]
pub struct ClientSettings {
    /// The kind of credentials that it is for.
    pub auth_mode: AuthMode,
    /// `client_id`; the identifier of the app for apps.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: Option<Secret>,
    /// The scopes to ask users for, separated by commas.
    pub scopes: Option<String>,
    /// The secret that signs the provider's webhooks: absent, or given and maybe empty.
    pub webhook_secret: Option<Secret>,
    /// The identifier of the app, where there is a client beside it.
    pub app_id: Option<String>,
    /// Where users install the app.
    pub app_link: Option<String>,
    /// The private key of the app, in PEM.
    pub private_key: Option<Secret>,
}

/// Why an integration is not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum IntegrationError {
    /// The provider is neither in the catalogue nor a custom one.
    #[error("unknown provider")]
    UnknownProvider,
    /// The client is for other credentials than the provider takes.
    #[error("the client is for other credentials")]
    WrongAuthMode,
    /// The provider's credentials need a client.
    #[error("missing client")]
    MissingClient,
    /// Another integration has this key.
    #[error("the key is taken")]
    KeyIsTaken,
    /// The provider declares its settings, so there are no free ones.
    #[error("the provider declares its settings")]
    CustomNotAccepted,
    /// Settings that the provider's declaration does not allow.
    #[error("invalid settings")]
    Config(Vec<String>),
    /// A private key of its client cannot sign.
    #[error("{error}")]
    PrivateKey {
        /// The setting that has it.
        setting: &'static str,
        /// Why.
        error: PrivateKeyError,
    },
    /// Its settings have too many bytes.
    #[error("the settings are too large")]
    TooLarge,
    /// It has connections, so its key stays.
    #[error("it has connections")]
    HasConnections,
    /// It was changed meanwhile.
    #[error("it was changed meanwhile")]
    ChangedMeanwhile,
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// Creates an integration.
pub async fn create_integration(
    ports: &impl Ports,
    environment_id: i64,
    request: CreateIntegration,
) -> Result<IntegrationRecord, IntegrationError> {
    let unique_key = request.unique_key.as_str();
    let (custom_provider, taken) = fetch_both(
        ports,
        providers::find(&request.provider),
        id_of(environment_id, unique_key),
    )
    .await
    .map_err(InternalError::from)?;
    let entry = custom_provider
        .first()
        .map(|provider| provider.entry.as_str());
    let provider =
        provider_named(&request.provider, entry)?.ok_or(IntegrationError::UnknownProvider)?;
    let provider_mode = provider.entry.auth_mode;
    match &request.client {
        Some(client) if client.auth_mode != provider_mode => {
            return Err(IntegrationError::WrongAuthMode);
        }
        None if needs_client(provider_mode) => return Err(IntegrationError::MissingClient),
        Some(_) | None => {}
    }
    if !taken.is_empty() {
        return Err(IntegrationError::KeyIsTaken);
    }

    let mut secrets = IntegrationSecrets {
        integration_config: integration_config::created(
            &provider.entry.integration_config,
            &request.integration_config.unwrap_or_default(),
        )
        .map_err(IntegrationError::Config)?,
        ..IntegrationSecrets::default()
    };
    if let Some(custom) = request.custom {
        if !provider.entry.integration_config.is_empty() {
            return Err(IntegrationError::CustomNotAccepted);
        }
        secrets.custom = custom;
    }
    let mut values = IntegrationValues {
        unique_key: unique_key.to_owned(),
        display_name: request.display_name,
        forward_webhooks: request.forward_webhooks,
        client_id: None,
        scopes: None,
        app_link: None,
    };
    if let Some(client) = request.client {
        apply_client(&provider.entry, &mut values, &mut secrets, client)?;
    }
    if values.scopes.as_deref().unwrap_or_default().is_empty() {
        let default_scopes = provider.entry.default_scopes.join(",");
        values.scopes = (!default_scopes.is_empty()).then_some(default_scopes);
    }
    let uid = random_uuid(ports);
    let sealed = seal_settings(ports, environment_id, &uid, &secrets)?;

    let now = ports.now();
    let created = insert(
        environment_id,
        &uid,
        &request.provider,
        &values,
        &sealed,
        now,
    );
    let created = fetch_one(ports, created)
        .await
        .map_err(InternalError::from)?;
    let created = created.ok_or(IntegrationError::KeyIsTaken)?;
    let custom_provider = custom_provider
        .into_iter()
        .next()
        .map(|provider| provider.entry);
    Ok(IntegrationRecord {
        custom_provider,
        ..created
    })
}

/// Seals the secrets of an integration, if they are not too many.
pub(super) fn seal_settings(
    ports: &impl Ports,
    environment_id: i64,
    uid: &str,
    secrets: &IntegrationSecrets,
) -> Result<Sealed, IntegrationError> {
    let bytes = secrets
        .custom
        .json_len()
        .max(secrets.integration_config.json_len());
    if bytes > MAX_RAW_BYTES {
        return Err(IntegrationError::TooLarge);
    }
    Ok(seal_secrets(ports, environment_id, uid, secrets))
}

/// Puts a client in place of the one that `values` and `secrets` hold. Empty scopes
/// and an empty webhook secret remove the stored ones, absent ones leave them.
pub(super) fn apply_client(
    entry: &Entry,
    values: &mut IntegrationValues,
    secrets: &mut IntegrationSecrets,
    client: ClientSettings,
) -> Result<(), IntegrationError> {
    check_key(entry, &client)?;
    values.client_id = Some(client.client_id);
    if let Some(scopes) = client.scopes {
        values.scopes = (!scopes.is_empty()).then_some(scopes);
    }
    values.app_link = client.app_link;
    secrets.client_secret = client.client_secret;
    secrets.private_key = client.private_key;
    secrets.app_id = client.app_id;
    if let Some(webhook_secret) = client.webhook_secret {
        secrets.webhook_secret = (!webhook_secret.is_empty()).then_some(webhook_secret);
    }
    Ok(())
}

/// Refuses a key that cannot sign. A client that has no other signs with its secret.
fn check_key(entry: &Entry, client: &ClientSettings) -> Result<(), IntegrationError> {
    let signs = entry.client_authentication == ClientAuthentication::PrivateKeyJwt;
    let (setting, key) = match (&client.private_key, &client.client_secret) {
        (Some(key), _) => ("private_key", PrivateKey::from_pem(key, Algorithm::Rs256)),
        (None, Some(secret)) if signs => ("client_secret", PrivateKey::from_text(secret)),
        (None, _) => return Ok(()),
    };
    key.map(drop)
        .map_err(|error| IntegrationError::PrivateKey { setting, error })
}
