//! Handing out a connection of an app with a token of the app itself that was signed just now.
//! Nobody is asked for it and nothing is stored: it lives for minutes.

use super::{
    get_connection::{GetConnectionError, get_connection},
    integration::{open_secrets, provider_of},
    ports::{Ports, RefreshFailure},
    token_exchange::{TokenExchangeError, installation::app_token},
};
use crate::{
    domain::{
        credentials::{Credentials, ExchangeMode},
        integration::IntegrationSecrets,
        refresh::Trigger,
        secret::{Secret, SecretMap},
    },
    service::connection::Connection,
    storage::{connections::FoundConnection, integrations::IntegrationRecord},
};

/// Hands out the connection that was found, refreshed first if it is due or if that is forced. If
/// it is one of an app, there is a fresh token of the app in it.
pub async fn get_connection_with_app_token(
    ports: &impl Ports,
    found: FoundConnection,
    trigger: Trigger,
) -> Result<Connection, GetConnectionError> {
    let integration = found.integration.clone();
    let mut connection = get_connection(ports, found, trigger).await?;
    let Some(Credentials::Exchanged(credentials)) = &mut connection.credentials else {
        return Ok(connection);
    };
    if credentials.mode != ExchangeMode::App {
        return Ok(connection);
    }
    let secrets = open_secrets(ports, &integration)?;
    match signed(ports, &integration, &secrets, &connection.connection_config).await {
        Ok(token) => {
            let token = SecretMap::of([("jwtToken", token)]);
            credentials.issued = credentials.issued.merged(&token);
            connection.connection_config = connection.connection_config.merged(&token);
            Ok(connection)
        }
        Err(TokenExchangeError::Internal(error)) => Err(error.into()),
        Err(_) => Err(GetConnectionError::InvalidCredentials {
            failure: RefreshFailure::Client,
            connection: Box::new(Connection {
                credentials: None,
                ..connection
            }),
        }),
    }
}

async fn signed(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    secrets: &IntegrationSecrets,
    connection_config: &SecretMap,
) -> Result<Secret, TokenExchangeError> {
    let provider = provider_of(integration)?;
    let provider = provider.ok_or_else(TokenExchangeError::unknown_provider)?;
    app_token(
        ports,
        &provider.entry,
        integration,
        secrets,
        connection_config,
    )
    .await
}
