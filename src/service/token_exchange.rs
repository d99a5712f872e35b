//! Getting new credentials: by asking the provider, or by signing something. Not here: when, and
//! what becomes of them.

pub(super) mod oauth2;
mod two_step;

use super::{
    error::InternalError,
    integration::open_secrets,
    journal::Intent,
    ports::{Ports, RefreshFailure, random_uuid},
};
use crate::{
    domain::{
        attempt::{Attempt, AttemptOutcome},
        credentials::{Credentials, ExchangeMode},
        egress::permitted,
        integration::IntegrationSecrets,
        mask::Mask,
        refresh::Failure,
        secret::{MAX_RAW_BYTES, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::{
        error_text::error_text,
        http::{HttpRequest, HttpResponse},
        token_error::{ErrorCode, TokenError, Unreachable},
    },
    providers::{entry::Entry, template::Values},
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
    let exchange = Exchange {
        ports,
        entry,
        integration,
        secrets: open_secrets(ports, integration)?,
        connection_config,
        credentials,
        now: ports.now(),
        random: random_uuid(ports),
    };
    match credentials {
        Credentials::Exchanged(old) => match old.mode {
            ExchangeMode::App
            | ExchangeMode::AppStore
            | ExchangeMode::AwsSigV4
            | ExchangeMode::Bill
            | ExchangeMode::Jwt
            | ExchangeMode::Signature => Err(nothing_to_refresh()),
            ExchangeMode::TwoStep => exchange.two_step(old).await,
        },
        Credentials::OAuth2(old) => exchange.refresh_token(old).await,
        Credentials::OAuth2ClientCredentials(old) => exchange.client_credentials(old).await,
        Credentials::ApiKey { .. }
        | Credentials::Basic { .. }
        | Credentials::None
        | Credentials::OAuth1(_)
        | Credentials::Tba(_) => Err(nothing_to_refresh()),
    }
}

/// What every exchange has at hand.
struct Exchange<'a, P> {
    ports: &'a P,
    entry: &'a Entry,
    integration: &'a IntegrationRecord,
    secrets: IntegrationSecrets,
    /// The configuration with what earlier answers told.
    connection_config: &'a SecretMap,
    credentials: &'a Credentials,
    now: Timestamp,
    /// What `${random}` stands for.
    random: String,
}

impl<P: Ports> Exchange<'_, P> {
    /// What templates of the entry are filled with.
    fn values(&self) -> Values<'_> {
        Values::new(self.connection_config, self.now, &self.random)
    }

    /// Sends a request, if it may go where it goes, within the time that the entry gives it.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TokenExchangeError> {
        permitted(&request.url, self.ports.settings().egress).map_err(|error| no_url(&error))?;
        let timeout = self.entry.token_request_timeout_millis();
        let response = self.ports.send(request, timeout).await;
        response.map_err(|error| TokenExchangeError::Refused {
            error: error.into(),
            said: None,
        })
    }

    /// The failure of an exchange that the provider answered.
    fn refused(&self, error: TokenError, response: &HttpResponse) -> TokenExchangeError {
        self.refused_after(error, response, &SecretMap::default())
    }

    /// The same where more secrets were `sent` than the connection has.
    fn refused_after(
        &self,
        error: TokenError,
        response: &HttpResponse,
        sent: &SecretMap,
    ) -> TokenExchangeError {
        let said = error_text(response).map(|said| {
            Mask::new(self.credentials, self.connection_config, &self.secrets)
                .and(sent)
                .apply(&said, MAX_ERROR_BYTES)
        });
        TokenExchangeError::Refused { error, said }
    }
}

fn no_url(error: &impl ToString) -> TokenExchangeError {
    TokenExchangeError::unaskable(RefreshFailure::TokenUrl, error)
}

fn nothing_to_refresh() -> TokenExchangeError {
    TokenExchangeError::unaskable(RefreshFailure::External, &"there is no refresh token")
}

/// A provider's answer as it is kept: it is a convenience, so one that is too large is left out.
fn kept(raw: SecretMap) -> SecretMap {
    if raw.json_len() > MAX_RAW_BYTES {
        return SecretMap::default();
    }
    raw
}

/// The largest token that is kept, so that a row stays far below the 2 MB that D1 takes.
const MAX_TOKEN_BYTES: usize = 65_536;
/// The most bytes that are kept of what a provider says.
const MAX_ERROR_BYTES: usize = 1024;
