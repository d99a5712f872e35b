//! Asking a provider for new credentials.

use super::{
    error::InternalError,
    integration::open_secrets,
    ports::{Ports, RefreshFailure},
};
use crate::{
    domain::{
        credentials::{Credentials, OAuth2, OAuth2ClientCredentials},
        egress::permitted,
        refresh::Failure,
        secret::{MAX_RAW_BYTES, Secret, SecretMap},
    },
    oauth2::{
        client_authentication::{Client, ClientAuthentication},
        token_error::{ErrorCode, TokenError},
        token_request::{Grant, TokenRequest},
        token_response::{
            CLIENT_CREDENTIALS_TOKEN_PATHS, ResponseRules, TokenResponse, read_token_response,
        },
    },
    providers::{
        entry::{ClientAuthenticationMethod, Entry},
        refresh_rule::TokenRequestRules,
    },
    storage::integrations::IntegrationRecord,
};

/// Why there are no new credentials.
#[derive(Debug, thiserror::Error)]
pub enum TokenExchangeError {
    /// There is nothing to ask with, or nobody to ask.
    #[error("the token request cannot be made")]
    Unaskable(RefreshFailure),
    /// The provider was asked and gave no token.
    #[error(transparent)]
    Refused(#[from] TokenError),
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl TokenExchangeError {
    /// How the failed attempt counts.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused(TokenError::Rejected {
                code: ErrorCode::InvalidGrant,
                ..
            }) => Failure::Final,
            Self::Refused(TokenError::Rejected {
                retry_after_seconds,
                ..
            }) => Failure::Transient {
                retry_after_seconds: *retry_after_seconds,
            },
            Self::Refused(TokenError::Malformed { .. } | TokenError::Unreachable(_))
            | Self::Unaskable(_)
            | Self::Internal(_) => Failure::Transient {
                retry_after_seconds: None,
            },
        }
    }
}

/// Gets new credentials in place of `credentials`, which can be refreshed.
pub async fn exchange(
    ports: &impl Ports,
    entry: &Entry,
    integration: &IntegrationRecord,
    connection_config: &SecretMap,
    credentials: &Credentials,
) -> Result<Credentials, TokenExchangeError> {
    match credentials {
        Credentials::OAuth2(old) => {
            let rules = TokenRequestRules::for_refresh(entry, connection_config)
                .map_err(|_| TokenExchangeError::Unaskable(RefreshFailure::TokenUrl))?;
            let refresh_token = old
                .refresh_token
                .clone()
                .ok_or(TokenExchangeError::Unaskable(RefreshFailure::External))?;
            let (client_id, client_secret) = client_of(ports, integration, old)?;
            let client = client(rules.client_authentication, client_id, client_secret)?;
            let grant = Grant::RefreshToken(refresh_token);
            let paths = entry
                .alternate_access_token_response_path
                .iter()
                .cloned()
                .collect();
            let token = ask(ports, entry, rules, grant, client, paths).await?;
            Ok(Credentials::OAuth2(OAuth2 {
                access_token: token.access_token,
                // RFC 6749 §6: without a new refresh token the old one stays good.
                refresh_token: token.refresh_token.or_else(|| old.refresh_token.clone()),
                expires_at: token.expires_at,
                config_override: old.config_override.clone(),
                raw: token.raw,
            }))
        }
        Credentials::OAuth2ClientCredentials(old) => {
            let rules = TokenRequestRules::for_client_credentials(entry, connection_config)
                .map_err(|_| TokenExchangeError::Unaskable(RefreshFailure::TokenUrl))?;
            let client = client(
                rules.client_authentication,
                old.client_id.clone(),
                Some(old.client_secret.clone()),
            )?;
            let grant = Grant::ClientCredentials;
            let paths = CLIENT_CREDENTIALS_TOKEN_PATHS.map(str::to_owned).to_vec();
            let token = ask(ports, entry, rules, grant, client, paths).await?;
            Ok(Credentials::OAuth2ClientCredentials(
                OAuth2ClientCredentials {
                    token: token.access_token,
                    expires_at: token.expires_at,
                    raw: token.raw,
                    ..old.clone()
                },
            ))
        }
        Credentials::ApiKey { .. }
        | Credentials::Basic { .. }
        | Credentials::None
        | Credentials::OAuth1(_)
        | Credentials::Tba(_) => Err(TokenExchangeError::Unaskable(RefreshFailure::External)),
    }
}

/// The client to refresh as: the connection's own if it is whole, else the integration's.
pub(super) fn client_of(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    credentials: &OAuth2,
) -> Result<(String, Option<Secret>), TokenExchangeError> {
    if let Some(own) = &credentials.config_override
        && let (Some(client_id), Some(client_secret)) = (&own.client_id, &own.client_secret)
    {
        return Ok((client_id.clone(), Some(client_secret.clone())));
    }
    let client_id = integration.client_id.clone();
    let client_id = client_id.ok_or(TokenExchangeError::Unaskable(RefreshFailure::Client))?;
    Ok((client_id, open_secrets(ports, integration)?.client_secret))
}

/// The client, as it shows itself by `method`.
pub(super) fn client(
    method: ClientAuthenticationMethod,
    client_id: String,
    client_secret: Option<Secret>,
) -> Result<Client, TokenExchangeError> {
    let authentication = match method {
        ClientAuthenticationMethod::ClientSecretBasic => ClientAuthentication::ClientSecretBasic,
        ClientAuthenticationMethod::ClientSecretPost => ClientAuthentication::ClientSecretPost,
        ClientAuthenticationMethod::Unsupported => {
            return Err(TokenExchangeError::Unaskable(RefreshFailure::Client));
        }
    };
    Ok(Client {
        client_id,
        client_secret,
        authentication,
    })
}

async fn ask(
    ports: &impl Ports,
    entry: &Entry,
    rules: TokenRequestRules,
    grant: Grant,
    client: Client,
    token_paths: Vec<String>,
) -> Result<TokenResponse, TokenExchangeError> {
    permitted(&rules.url, ports.settings().egress)
        .map_err(|_| TokenExchangeError::Unaskable(RefreshFailure::TokenUrl))?;
    let mut parameters = vec![("grant_type".to_owned(), Secret::new(rules.grant_type))];
    parameters.extend(
        rules
            .scope
            .map(|scope| ("scope".to_owned(), Secret::new(scope))),
    );
    parameters.extend(rules.parameters);
    let request = TokenRequest {
        url: rules.url,
        grant,
        parameters,
        body_format: rules.body_format,
        client,
    };
    let response = ports
        .send(request.into_http(), entry.token_request_timeout_millis())
        .await
        .map_err(TokenError::Unreachable)?;
    let rules = ResponseRules {
        token_paths,
        expires_in_unit: entry.expires_in_unit,
    };
    let now = ports.now();
    let token = read_token_response(&response, &rules, now)?;
    let refresh_token_bytes = token.refresh_token.as_ref().map_or(0, Secret::len);
    if token.access_token.len().max(refresh_token_bytes) > MAX_TOKEN_BYTES {
        let status = response.status;
        return Err(TokenError::Malformed { status }.into());
    }
    let raw = Some(token.raw).filter(|raw| raw.json_len() <= MAX_RAW_BYTES);
    Ok(TokenResponse {
        // What was issued just now has not ended, whatever its clock or its answer says.
        expires_at: token.expires_at.filter(|expires_at| *expires_at > now),
        // The answer is a convenience; the tokens in it are kept in any case.
        raw: raw.unwrap_or_default(),
        ..token
    })
}

/// The largest token that is kept, so that a row stays far below the 2 MB that D1 takes.
const MAX_TOKEN_BYTES: usize = 65_536;
