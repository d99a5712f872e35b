//! Getting new credentials: by asking the provider, or by signing something. Not here: when, and
//! what becomes of them.

mod app_store;
mod aws;
mod bill;
pub(super) mod client;
pub(super) mod installation;
pub mod issued;
mod jwt;
mod oauth2;
mod signature;
mod steps;
mod two_step;

use url::Url;

use self::issued::{Checkpoint, Issued};
use super::{
    ask::{AskError, ask},
    error::InternalError,
    integration::open_secrets,
    journal::Intent,
    ports::{Ports, RefreshFailure, Signer, SigningError, random_uuid},
    sign_jwt::sign_jwt,
};
use crate::{
    domain::{
        attempt::{Attempt, AttemptOutcome},
        credentials::{Credentials, ExchangeMode, Exchanged},
        integration::IntegrationSecrets,
        mask::Mask,
        refresh::Failure,
        secret::{MAX_RAW_BYTES, Secret, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::{
        error_text::error_text,
        http::{HttpRequest, HttpResponse},
        token_error::{ErrorCode, TokenError, Unreachable},
        token_response::read_answer,
    },
    providers::{
        entry::{Entry, TokenUrl},
        filled_request::{self, FillError},
        template::Values,
    },
    signing::{jws::JwtKey, private_key::PrivateKeyError},
    storage::integrations::IntegrationRecord,
};

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
            Self::Refused { .. } => Failure::Transient {
                retry_after_seconds: None,
            },
            Self::Unaskable { .. } | Self::Internal(_) => Failure::NotAsked,
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
            TokenError::Unreachable(Unreachable::TooLarge { .. }) => AttemptOutcome::TooLarge,
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

impl From<PrivateKeyError> for TokenExchangeError {
    fn from(error: PrivateKeyError) -> Self {
        no_key(&error)
    }
}

impl From<FillError> for TokenExchangeError {
    fn from(error: FillError) -> Self {
        no_url(&error)
    }
}

impl From<SigningError> for TokenExchangeError {
    fn from(error: SigningError) -> Self {
        no_key(&error)
    }
}

/// Gets new credentials in place of `credentials`, which can be refreshed. What an answer gave is
/// handed to `checkpoint` before another request is sent.
pub async fn exchange(
    ports: &impl Ports,
    entry: &Entry,
    integration: &IntegrationRecord,
    connection_config: &SecretMap,
    credentials: &Credentials,
    checkpoint: &impl Checkpoint,
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
            ExchangeMode::App => exchange.installation_token(old).await,
            ExchangeMode::AppStore => exchange.app_store_token(old).await,
            ExchangeMode::AwsSigV4 => exchange.role_credentials(old).await,
            ExchangeMode::Bill => exchange.session(old).await,
            ExchangeMode::Jwt => exchange.signed_token(old).await,
            ExchangeMode::Signature => exchange.username_token(old),
            ExchangeMode::TwoStep => exchange.two_step(old).await,
        },
        Credentials::OAuth2(old) => Box::pin(exchange.refresh_token(old, checkpoint)).await,
        Credentials::OAuth2ClientCredentials(old) => {
            Box::pin(exchange.client_credentials(old)).await
        }
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

    /// The same, with `credentials`.
    fn values_of<'v>(&'v self, credentials: &'v SecretMap) -> Values<'v> {
        Values {
            credentials: Some(credentials),
            ..self.values()
        }
    }

    /// The URL of the entry's token endpoint; `default` where it names none.
    fn token_url(
        &self,
        default: Option<&str>,
        values: &Values<'_>,
    ) -> Result<Url, TokenExchangeError> {
        let template = self.entry.token_url.as_ref().map(TokenUrl::app);
        let template = template.or(default);
        let template = template.ok_or(FillError::NoTokenUrl)?;
        Ok(filled_request::url(
            self.entry,
            "token_url",
            template,
            values,
        )?)
    }

    /// Asks with a request of the provider's own shape, and gives the object that is answered.
    /// `made` are secrets in the request that were made for it.
    async fn ask_for_object(
        &self,
        request: HttpRequest,
        made: &SecretMap,
    ) -> Result<(SecretMap, u16), TokenExchangeError> {
        let response = self.answer_to(request).await?;
        let answer = read_answer(&response, self.ports.now())
            .map_err(|error| refused(&self.mask().and_map(made), error, &response))?;
        Ok((answer, response.status))
    }

    /// Sends a request, if it may go where it goes, within the time that the entry gives it.
    async fn answer_to(&self, request: HttpRequest) -> Result<HttpResponse, TokenExchangeError> {
        let timeout = self.entry.token_request_timeout_millis();
        let response = ask(self.ports, request, timeout).await;
        response.map_err(|error| match error {
            AskError::Forbidden(error) => no_url(&error),
            AskError::Unreachable(error) => TokenExchangeError::Refused {
                error: error.into(),
                said: None,
            },
        })
    }

    /// What `old` was exchanged for, unless a row would have no room for it.
    fn issued(
        &self,
        old: &Exchanged,
        issued: SecretMap,
        expires_at: Option<Timestamp>,
        answer: Option<(SecretMap, u16)>,
    ) -> Result<Issued, TokenExchangeError> {
        let (raw, status) = answer.unzip();
        if issued.json_len() > MAX_RAW_BYTES {
            return Err(malformed(status.unwrap_or_default()));
        }
        let now = self.ports.now();
        let credentials = Credentials::Exchanged(Exchanged {
            issued,
            // What was issued just now has not ended, whatever its clock or its answer says.
            expires_at: expires_at.filter(|expires_at| *expires_at > now),
            raw: kept(raw.unwrap_or_default()),
            ..old.clone()
        });
        Ok(Issued::whole(credentials, status))
    }

    fn mask(&self) -> Mask {
        Mask::new(self.credentials, self.connection_config, &self.secrets)
    }
}

/// The failure of an exchange that the provider answered, of which `mask` has the secrets.
fn refused(mask: &Mask, error: TokenError, response: &HttpResponse) -> TokenExchangeError {
    let said = error_text(response).map(|said| mask.apply(&said, MAX_ERROR_BYTES));
    TokenExchangeError::Refused { error, said }
}

/// Signs a token.
async fn signed(
    ports: &impl Signer,
    key: &JwtKey,
    header: &SecretMap,
    claims: &SecretMap,
) -> Result<Secret, TokenExchangeError> {
    Ok(sign_jwt(ports, key, header.expose(), claims.expose()).await?)
}

/// What the answer lacks.
fn malformed(status: u16) -> TokenExchangeError {
    let error = TokenError::Malformed { status };
    TokenExchangeError::Refused { error, said: None }
}

fn no_key(error: &impl ToString) -> TokenExchangeError {
    TokenExchangeError::unaskable(RefreshFailure::Client, error)
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

/// `grown`, which an answer made of `earlier`, unless a row would have no room for it.
fn bounded(earlier: &SecretMap, grown: SecretMap) -> SecretMap {
    if grown.json_len() > MAX_RAW_BYTES {
        return earlier.clone();
    }
    grown
}

/// The largest token that is kept, so that a row stays far below the 2 MB that D1 takes.
const MAX_TOKEN_BYTES: usize = 65_536;
/// The most bytes that are kept of what a provider says.
const MAX_ERROR_BYTES: usize = 1024;
