//! Making a provider end the tokens of a connection (RFC 7009), as well as that goes: what calls
//! this deletes the connection, and nothing that happens here may stand in the way.

use super::{
    ask::ask,
    connection::{open_connection_config, open_credentials, with_told},
    error::InternalError,
    integration::{open_secrets, provider_of},
    ports::{Ports, random_uuid},
    token_exchange::{
        TokenExchangeError,
        client::{client_of, own_client, shown},
    },
};
use crate::{
    domain::{credentials::Credentials, secret::SecretMap},
    oauth2::{
        http::HttpRequest,
        revocation::{Token, is_revoked, revocation_request},
    },
    providers::{revocation_rule::revocation_url, template::Values},
    storage::{connections::ConnectionRecord, integrations::IntegrationRecord},
};

/// What became of the tokens of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Revocation {
    /// They may still work.
    Failed {
        /// The status of the provider's answer; none if there was none, or nobody was asked.
        status: Option<u16>,
    },
    /// The provider has no way to revoke them, or they are none of OAuth 2.
    NotSupported,
    /// The provider ended the token that it was given, and with a refresh token, as RFC 7009 §2.1
    /// wants it, the access tokens of the same grant.
    Revoked,
}

impl Revocation {
    /// The outcome for tokens that were revoked one after the other: a failure is never hidden by
    /// what came after it.
    #[must_use]
    pub fn and(self, next: Self) -> Self {
        match self {
            Self::Failed { .. } => self,
            Self::NotSupported | Self::Revoked => next,
        }
    }
}

/// Revokes `credentials`: the refresh token, or the access token where there is no other.
pub async fn revoke(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    connection_config: &SecretMap,
    credentials: &Credentials,
) -> Revocation {
    let (request, timeout_millis) =
        match Box::pin(request(ports, integration, connection_config, credentials)).await {
            Ok(Some(request)) => request,
            Ok(None) => return Revocation::NotSupported,
            Err(Unaskable) => return Revocation::Failed { status: None },
        };
    match ask(ports, request, timeout_millis).await {
        Ok(response) if is_revoked(&response) => Revocation::Revoked,
        Ok(response) => Revocation::Failed {
            status: Some(response.status),
        },
        Err(_) => Revocation::Failed { status: None },
    }
}

/// Revokes the credentials of a connection as it is stored.
pub async fn revoke_stored(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    record: &ConnectionRecord,
) -> Revocation {
    let name = &record.connection_id;
    let config = open_connection_config(ports, integration, name, &record.connection_config);
    let credentials = open_credentials(ports, integration, name, &record.credentials);
    let (Ok(config), Ok(credentials)) = (config, credentials) else {
        return Revocation::Failed { status: None };
    };
    revoke(ports, integration, &config, &credentials).await
}

/// There is a way to revoke, and the request cannot be made. Why is for nobody: the connection
/// goes, and what the provider's entry or the client lack shows in its refreshes.
struct Unaskable;

/// The request and how long it may take; none if there is nobody to ask.
async fn request(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    connection_config: &SecretMap,
    credentials: &Credentials,
) -> Result<Option<(HttpRequest, u32)>, Unaskable> {
    let Some(provider) = provider_of(integration)? else {
        return Ok(None);
    };
    let entry = provider.entry;
    let random = random_uuid(ports);
    let config = with_told(connection_config.clone(), credentials);
    let values = Values::new(&config, ports.now(), &random);
    let url = revocation_url(&entry, &values).map_err(|_| Unaskable)?;
    let Some(url) = url else { return Ok(None) };
    let (token, client) = match credentials {
        Credentials::OAuth2(own) => {
            let token = match &own.refresh_token {
                Some(token) => Token::Refresh(token.clone()),
                None => Token::Access(own.access_token.clone()),
            };
            let secrets = open_secrets(ports, integration)?;
            (token, client_of(&entry, integration, &secrets, own)?)
        }
        Credentials::OAuth2ClientCredentials(own) => {
            (Token::Access(own.token.clone()), own_client(own))
        }
        Credentials::ApiKey { .. }
        | Credentials::Basic { .. }
        | Credentials::Exchanged(_)
        | Credentials::None
        | Credentials::OAuth1(_)
        | Credentials::Tba(_) => return Ok(None),
    };
    let client = shown(ports, &entry, client, &url, &values).await?;
    let request = revocation_request(url, token, client);
    Ok(Some((request, entry.token_request_timeout_millis())))
}

impl From<InternalError> for Unaskable {
    fn from(_: InternalError) -> Self {
        Self
    }
}

impl From<TokenExchangeError> for Unaskable {
    fn from(_: TokenExchangeError) -> Self {
        Self
    }
}
