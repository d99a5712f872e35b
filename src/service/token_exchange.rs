//! Asking a provider for new credentials.

use super::{
    error::InternalError,
    integration::open_secrets,
    journal::Intent,
    ports::{Ports, RefreshFailure, random_uuid},
};
use crate::{
    domain::{
        attempt::{Attempt, AttemptOutcome},
        credentials::{Credentials, OAuth2, OAuth2ClientCredentials},
        egress::permitted,
        integration::IntegrationSecrets,
        mask::Mask,
        refresh::Failure,
        secret::{MAX_RAW_BYTES, Secret, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::{
        client_authentication::{Client, ClientAuthentication},
        error_text::error_text,
        token_error::{ErrorCode, TokenError, Unreachable},
        token_request::{Grant, TokenRequest},
        token_response::{
            CLIENT_CREDENTIALS_TOKEN_PATHS, ResponseRules, TokenResponse, read_token_response,
        },
    },
    providers::{
        entry::{ClientAuthenticationMethod, Entry},
        refresh_rule::TokenRequestRules,
        template::Values,
    },
    storage::integrations::IntegrationRecord,
};

/// New credentials.
#[derive(Debug)]
pub struct Issued {
    /// The credentials.
    pub credentials: Credentials,
    /// The status code of the provider's answer.
    pub status: u16,
}

/// Why there are no new credentials.
#[derive(Debug, thiserror::Error)]
pub enum TokenExchangeError {
    /// There is nothing to ask with, or nobody to ask.
    #[error("the token request cannot be made: {reason}")]
    Unaskable {
        /// How a caller is told.
        failure: RefreshFailure,
        /// What is lacking. No part of it is a secret.
        reason: String,
    },
    /// The provider was asked and gave no token.
    #[error("{error}")]
    Refused {
        /// Why.
        error: TokenError,
        /// What the provider said, with every known secret masked.
        said: Option<String>,
    },
    /// Something of ours broke before the provider was asked.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl TokenExchangeError {
    fn unaskable(failure: RefreshFailure, reason: &impl ToString) -> Self {
        Self::Unaskable {
            failure,
            reason: reason.to_string(),
        }
    }

    /// The provider's entry is gone.
    pub(super) fn unknown_provider() -> Self {
        Self::unaskable(RefreshFailure::TokenUrl, &"the provider is unknown")
    }

    /// How the failed attempt counts.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused {
                error:
                    TokenError::Rejected {
                        code: ErrorCode::InvalidGrant,
                        ..
                    },
                ..
            } => Failure::Final,
            Self::Refused {
                error:
                    TokenError::Rejected {
                        retry_after_seconds,
                        ..
                    },
                ..
            } => Failure::Transient {
                retry_after_seconds: *retry_after_seconds,
            },
            Self::Refused { .. } | Self::Unaskable { .. } | Self::Internal(_) => {
                Failure::Transient {
                    retry_after_seconds: None,
                }
            }
        }
    }

    /// Whether the provider may have given new credentials that were lost on the way.
    #[must_use]
    pub fn may_have_rotated(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                error: TokenError::Unreachable(_) | TokenError::Malformed { status: 200..=299 },
                ..
            }
        )
    }

    /// How the attempt ended.
    fn outcome(&self) -> AttemptOutcome {
        let Self::Refused { error, .. } = self else {
            return AttemptOutcome::NotPossible;
        };
        match error {
            TokenError::Malformed { .. } => AttemptOutcome::Malformed,
            TokenError::Rejected {
                code: ErrorCode::InvalidGrant,
                ..
            } => AttemptOutcome::InvalidGrant,
            TokenError::Rejected { status: 429, .. } => AttemptOutcome::RateLimited,
            TokenError::Rejected {
                status: 500..=599, ..
            } => AttemptOutcome::ProviderError,
            TokenError::Rejected { .. } => AttemptOutcome::Rejected,
            TokenError::Unreachable(Unreachable::Failed) => AttemptOutcome::Unreachable,
            TokenError::Unreachable(Unreachable::TimedOut) => AttemptOutcome::TimedOut,
            TokenError::Unreachable(Unreachable::TooLarge) => AttemptOutcome::TooLarge,
        }
    }

    /// The attempt that `intent` announced, which failed in this way.
    #[must_use]
    pub fn attempt(&self, intent: &Intent, now: Timestamp) -> Attempt {
        Attempt {
            status: self.status(),
            error: Some(self.text()),
            ..intent.ended(self.outcome(), now)
        }
    }

    /// The status code of the provider's answer, if there was one.
    fn status(&self) -> Option<u16> {
        match self {
            Self::Refused {
                error: TokenError::Malformed { status } | TokenError::Rejected { status, .. },
                ..
            } => Some(*status),
            Self::Refused { .. } | Self::Unaskable { .. } | Self::Internal(_) => None,
        }
    }

    /// What the log says: the provider's own words, else ours.
    fn text(&self) -> String {
        match self {
            Self::Refused {
                said: Some(said), ..
            } => said.clone(),
            Self::Refused { .. } | Self::Unaskable { .. } | Self::Internal(_) => self.to_string(),
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
) -> Result<Issued, TokenExchangeError> {
    let secrets = open_secrets(ports, integration)?;
    let mask = || Mask::new(credentials, connection_config, &secrets);
    let random = random_uuid(ports);
    let values = Values::new(connection_config, ports.now(), &random);
    let no_url = |error| TokenExchangeError::unaskable(RefreshFailure::TokenUrl, &error);
    match credentials {
        Credentials::OAuth2(old) => {
            let rules = TokenRequestRules::for_refresh(entry, &values).map_err(no_url)?;
            let refresh_token = old.refresh_token.clone().ok_or_else(nothing_to_refresh)?;
            let (client_id, client_secret) = client_of(integration, &secrets, old)?;
            let client = client(rules.client_authentication, client_id, client_secret)?;
            let grant = Grant::RefreshToken(refresh_token);
            let paths = entry
                .alternate_access_token_response_path
                .iter()
                .cloned()
                .collect();
            let (token, status) = ask(ports, entry, rules, grant, client, paths, mask).await?;
            let credentials = Credentials::OAuth2(OAuth2 {
                access_token: token.access_token,
                // RFC 6749 §6: without a new refresh token the old one stays good.
                refresh_token: token.refresh_token.or_else(|| old.refresh_token.clone()),
                expires_at: token.expires_at,
                config_override: old.config_override.clone(),
                raw: token.raw,
            });
            Ok(Issued {
                credentials,
                status,
            })
        }
        Credentials::OAuth2ClientCredentials(old) => {
            let rules =
                TokenRequestRules::for_client_credentials(entry, &values).map_err(no_url)?;
            let client = client(
                rules.client_authentication,
                old.client_id.clone(),
                Some(old.client_secret.clone()),
            )?;
            let grant = Grant::ClientCredentials;
            let paths = CLIENT_CREDENTIALS_TOKEN_PATHS.map(str::to_owned).to_vec();
            let (token, status) = ask(ports, entry, rules, grant, client, paths, mask).await?;
            let credentials = Credentials::OAuth2ClientCredentials(OAuth2ClientCredentials {
                token: token.access_token,
                expires_at: token.expires_at,
                raw: token.raw,
                ..old.clone()
            });
            Ok(Issued {
                credentials,
                status,
            })
        }
        Credentials::ApiKey { .. }
        | Credentials::Basic { .. }
        | Credentials::None
        | Credentials::OAuth1(_)
        | Credentials::Tba(_) => Err(nothing_to_refresh()),
    }
}

fn nothing_to_refresh() -> TokenExchangeError {
    TokenExchangeError::unaskable(RefreshFailure::External, &"there is no refresh token")
}

/// The client to refresh as: the connection's own if it is whole, else the integration's.
pub(super) fn client_of(
    integration: &IntegrationRecord,
    secrets: &IntegrationSecrets,
    credentials: &OAuth2,
) -> Result<(String, Option<Secret>), TokenExchangeError> {
    if let Some(own) = &credentials.config_override
        && let (Some(client_id), Some(client_secret)) = (&own.client_id, &own.client_secret)
    {
        return Ok((client_id.clone(), Some(client_secret.clone())));
    }
    let client_id = integration.client_id.clone();
    let client_id = client_id.ok_or_else(|| {
        let reason = "the integration has no client";
        TokenExchangeError::unaskable(RefreshFailure::Client, &reason)
    })?;
    Ok((client_id, secrets.client_secret.clone()))
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
            return Err(TokenExchangeError::unaskable(
                RefreshFailure::Client,
                &"the provider's kind of client authentication is not supported",
            ));
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
    mask: impl FnOnce() -> Mask,
) -> Result<(TokenResponse, u16), TokenExchangeError> {
    permitted(&rules.url, ports.settings().egress)
        .map_err(|error| TokenExchangeError::unaskable(RefreshFailure::TokenUrl, &error))?;
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
        .map_err(|error| TokenExchangeError::Refused {
            error: error.into(),
            said: None,
        })?;
    let rules = ResponseRules {
        token_paths,
        expires_in_unit: entry.expires_in_unit,
    };
    let now = ports.now();
    let status = response.status;
    let token = read_token_response(&response, &rules, now).map_err(|error| {
        let said = error_text(&response);
        let said = said.map(|said| mask().apply(&said, MAX_ERROR_BYTES));
        TokenExchangeError::Refused { error, said }
    })?;
    let refresh_token_bytes = token.refresh_token.as_ref().map_or(0, Secret::len);
    if token.access_token.len().max(refresh_token_bytes) > MAX_TOKEN_BYTES {
        let error = TokenError::Malformed { status };
        return Err(TokenExchangeError::Refused { error, said: None });
    }
    let raw = Some(token.raw).filter(|raw| raw.json_len() <= MAX_RAW_BYTES);
    let token = TokenResponse {
        // What was issued just now has not ended, whatever its clock or its answer says.
        expires_at: token.expires_at.filter(|expires_at| *expires_at > now),
        // The answer is a convenience; the tokens in it are kept in any case.
        raw: raw.unwrap_or_default(),
        ..token
    };
    Ok((token, status))
}

/// The largest token that is kept, so that a row stays far below the 2 MB that D1 takes.
const MAX_TOKEN_BYTES: usize = 65_536;
/// The most bytes that are kept of what a provider says.
const MAX_ERROR_BYTES: usize = 1024;
