//! The client that a token is asked for as, and how it shows who it is.

use serde_json::{Map, Value};
use url::Url;

use super::{TokenExchangeError, no_key, signed};
use crate::{
    domain::{
        auth_mode::AuthMode,
        credentials::{OAuth2, OAuth2ClientCredentials},
        integration::IntegrationSecrets,
        secret::{Secret, SecretMap},
    },
    oauth2::client_authentication::{Client, ClientAuthentication},
    providers::{
        entry::Entry,
        filled_request::FillError,
        template::{self, Values},
    },
    service::ports::{Ports, RefreshFailure, random_uuid},
    signing::{jws::JwtKey, private_key::PrivateKey},
    storage::integrations::IntegrationRecord,
};

/// A client.
pub(in crate::service) struct KnownClient {
    pub(in crate::service) id: String,
    pub(in crate::service) secret: Option<Secret>,
    /// What assertions are signed with, if not with the secret.
    pub(in crate::service) private_key: Option<Secret>,
}

/// The client to refresh as: the connection's own if it is whole, else the integration's. At a
/// server that was discovered the integration need not have any: then the parameters of `entry`
/// bring the one that was registered for the connection.
pub(in crate::service) fn client_of(
    entry: &Entry,
    integration: &IntegrationRecord,
    secrets: &IntegrationSecrets,
    credentials: &OAuth2,
) -> Result<KnownClient, TokenExchangeError> {
    if let Some(own) = &credentials.config_override
        && let (Some(client_id), Some(client_secret)) = (&own.client_id, &own.client_secret)
    {
        return Ok(KnownClient {
            id: client_id.clone(),
            secret: Some(client_secret.clone()),
            private_key: None,
        });
    }
    let none = (entry.auth_mode == AuthMode::McpOAuth2Generic).then(String::new);
    let client_id = integration.client_id.clone().or(none);
    let client_id = client_id.ok_or_else(|| {
        let reason = "the integration has no client";
        TokenExchangeError::unaskable(RefreshFailure::Client, &reason)
    })?;
    Ok(KnownClient {
        id: client_id,
        secret: secrets.client_secret.clone(),
        private_key: secrets.private_key.clone(),
    })
}

/// The client that a connection is.
pub(in crate::service) fn own_client(credentials: &OAuth2ClientCredentials) -> KnownClient {
    KnownClient {
        id: credentials.client_id.clone(),
        secret: Some(credentials.client_secret.clone()),
        private_key: credentials.client_private_key.clone(),
    }
}

/// The client, as it shows itself at `url` to the provider of `entry`.
pub(in crate::service) async fn shown(
    ports: &impl Ports,
    entry: &Entry,
    client: KnownClient,
    url: &Url,
    values: &Values<'_>,
) -> Result<Client, TokenExchangeError> {
    let authentication = entry.client_authentication;
    let client_secret = if authentication == ClientAuthentication::PrivateKeyJwt {
        Some(assertion(ports, entry, &client, url, values).await?)
    } else {
        client.secret
    };
    Ok(Client {
        client_id: client.id,
        client_secret,
        authentication,
    })
}

/// An assertion that this is the client (RFC 7523 §3).
async fn assertion(
    ports: &impl Ports,
    entry: &Entry,
    client: &KnownClient,
    url: &Url,
    values: &Values<'_>,
) -> Result<Secret, TokenExchangeError> {
    let key = client.private_key.as_ref().or(client.secret.as_ref());
    let key = key.ok_or_else(|| no_key(&"the client has no private key"))?;
    let key = PrivateKey::from_text(key)?;
    let mut token_url = url.clone();
    token_url.set_query(None);
    let said = &entry.client_assertion;
    let claim = |template: &Option<String>, usual: &str| match template {
        Some(template) => template::text(template, values).map_err(|source| {
            let field = "client_assertion";
            FillError::Template { field, source }
        }),
        None => Ok(usual.to_owned()),
    };
    let issuer = claim(&said.issuer, &client.id)?;
    let audience = claim(&said.audience, token_url.as_str())?;
    let now = ports.now().millis().div_euclid(1000);
    let claims = [
        ("iss", Value::from(issuer)),
        ("sub", client.id.as_str().into()),
        ("aud", audience.into()),
        ("iat", now.into()),
        ("exp", (now + LIFETIME_SECONDS).into()),
        ("jti", random_uuid(ports).into()),
    ];
    let mut header = Map::from_iter([("typ".to_owned(), Value::from("JWT"))]);
    // A key that names itself is one of several.
    header.extend(key.kid().map(|kid| ("kid".to_owned(), kid.into())));
    let claims = claims.map(|(name, value)| (name.to_owned(), value));
    let (header, claims) = (
        SecretMap::new(header),
        SecretMap::new(claims.into_iter().collect()),
    );
    signed(ports, &JwtKey::Private(key), &header, &claims).await
}

/// Long enough for clocks that differ, and for nothing else.
const LIFETIME_SECONDS: i64 = 300;
