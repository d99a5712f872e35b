//! Testing credentials at their provider before they are stored: calls of which one must succeed.
//!
//! Not here: proving a grant by a refresh, which is [`super::verify_import`].

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{
    ask::{AskError, ask},
    error::InternalError,
    integration::open_secrets,
    ports::{Ports, random_uuid},
};
use crate::{
    domain::{
        attempt::AttemptOutcome,
        credentials::{Credentials, Tba},
        integration::IntegrationSecrets,
        mask::Mask,
        secret::{Secret, SecretMap},
    },
    oauth2::{error_text::error_text, http::HttpRequest, token_error::Unreachable},
    providers::{entry::Entry, template::Values},
    signing::oauth1::{self, Authorization, SignatureMethod},
    storage::integrations::IntegrationRecord,
};

/// A test that did not succeed.
#[derive(Clone, Debug)]
pub struct FailedTest {
    /// [`AttemptOutcome::Rejected`] if the provider said no to every call, else what kept it from
    /// saying anything.
    pub outcome: AttemptOutcome,
    /// The status of the provider's answer, if there was one.
    pub status: Option<u16>,
    /// What the provider said, with every known secret masked, or why it was not asked.
    pub error: Option<String>,
}

/// Why credentials are not known to work.
#[derive(Debug, thiserror::Error)]
pub enum CredentialTestError {
    /// The test did not succeed.
    #[error("the test of the credentials failed")]
    Failed(FailedTest),
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// Tests `credentials`, if the provider has a test for them.
pub async fn test_credentials(
    ports: &impl Ports,
    entry: &Entry,
    integration: &IntegrationRecord,
    connection_config: &SecretMap,
    credentials: &Credentials,
) -> Result<(), CredentialTestError> {
    let (Some(test), Some(verification)) = (Test::of(credentials), &entry.verification) else {
        return Ok(());
    };
    let secrets = open_secrets(ports, integration)?;
    let client = test
        .token
        .and_then(|token| client_of(token, integration, &secrets));
    if test.token.is_some() && client.is_none() {
        let failure = FailedTest::not_possible(&"the integration has no client");
        return Err(CredentialTestError::Failed(failure));
    }
    let mask = Mask::new(credentials, connection_config, &secrets);
    let mut failures = Vec::new();
    for endpoint in verification.endpoints.iter().take(MAX_CALLS) {
        let random = random_uuid(ports);
        let values = Values {
            credentials: Some(&test.fields),
            ..Values::new(connection_config, ports.now(), &random)
        };
        let authorization = test.authorization.clone();
        let outcome = match verification.request(endpoint, entry, authorization, &values) {
            Ok(mut request) => {
                if let (Some(token), Some(client)) = (test.token, &client) {
                    let account = account_of(connection_config).unwrap_or_default();
                    sign(ports, &mut request, client, token, &account);
                }
                call(ports, request, &mask).await
            }
            Err(error) => Err(FailedTest::not_possible(&error)),
        };
        match outcome {
            Ok(()) => return Ok(()),
            Err(failure) => failures.push(failure),
        }
    }
    // Where one call brought no answer, nobody knows whether it would have succeeded.
    let is_open = |failure: &&FailedTest| failure.outcome != AttemptOutcome::Rejected;
    let failure = failures.iter().find(is_open).or(failures.first()).cloned();
    failure.map_or(Ok(()), |failure| Err(CredentialTestError::Failed(failure)))
}

/// What a call shows of credentials.
struct Test<'a> {
    /// For templates.
    fields: SecretMap,
    /// The header of their kind, which the entry's own goes before.
    authorization: Option<Secret>,
    /// The token that signs the call, where the kind has one.
    token: Option<&'a Tba>,
}

impl<'a> Test<'a> {
    /// None for credentials of a kind that is not tested: what can be refreshed is proved by a
    /// refresh instead.
    fn of(credentials: &'a Credentials) -> Option<Self> {
        match credentials {
            Credentials::ApiKey { api_key } => Some(Self {
                fields: fields(&[("apiKey", api_key)]),
                authorization: None,
                token: None,
            }),
            Credentials::Basic { username, password } => {
                let pair = format!("{}:{}", username.expose(), password.expose());
                Some(Self {
                    fields: fields(&[("username", username), ("password", password)]),
                    // RFC 7617 §2
                    authorization: Some(Secret::new(format!("Basic {}", STANDARD.encode(pair)))),
                    token: None,
                })
            }
            Credentials::Tba(token) => Some(Self {
                fields: SecretMap::default(),
                authorization: None,
                token: Some(token),
            }),
            Credentials::Exchanged(_)
            | Credentials::None
            | Credentials::OAuth1(_)
            | Credentials::OAuth2(_)
            | Credentials::OAuth2ClientCredentials(_) => None,
        }
    }
}

fn fields(fields: &[(&str, &Secret)]) -> SecretMap {
    let fields = fields.iter();
    let fields = fields.map(|(name, secret)| ((*name).to_owned(), secret.expose().into()));
    SecretMap::new(fields.collect::<Map<_, _>>())
}

/// The client that a token was issued to: its own if that is whole, else the integration's.
fn client_of(
    token: &Tba,
    integration: &IntegrationRecord,
    secrets: &IntegrationSecrets,
) -> Option<oauth1::Credentials> {
    let own = &token.config_override;
    let own = own.client_id.clone().zip(own.client_secret.clone());
    let integrations = || {
        integration
            .client_id
            .clone()
            .zip(secrets.client_secret.clone())
    };
    let (identifier, secret) = own.or_else(integrations)?;
    Some(oauth1::Credentials { identifier, secret })
}

/// The account of token-based authentication, which may be given as a number.
pub(super) fn account_of(connection_config: &SecretMap) -> Option<String> {
    match connection_config.expose().get("accountId")? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// Signs a call as token-based authentication asks for it: OAuth 1.0a (RFC 5849) with SHA-256, for
/// the account as the realm.
fn sign(
    ports: &impl Ports,
    request: &mut HttpRequest,
    client: &oauth1::Credentials,
    token: &Tba,
    account: &str,
) {
    let token = oauth1::Credentials {
        identifier: token.token_id.expose().to_owned(),
        secret: token.token_secret.clone(),
    };
    let authorization = Authorization {
        method: request.method.name(),
        url: &request.url,
        form: &[],
        client,
        token: Some(&token),
        signature_method: SignatureMethod::HmacSha256,
        nonce: &random_uuid(ports),
        timestamp: ports.now(),
        realm: Some(&account.to_uppercase().replacen('-', "_", 1)),
    };
    let header = ("authorization".to_owned(), authorization.header());
    request.headers.retain(|(name, _)| *name != header.0);
    request.headers.push(header);
}

async fn call(ports: &impl Ports, request: HttpRequest, mask: &Mask) -> Result<(), FailedTest> {
    match ask(ports, request, TIMEOUT_MILLIS).await {
        Ok(response) => {
            let said = || error_text(&response).map(|said| mask.apply(&said, MAX_ERROR_BYTES));
            judged(response.status, said)
        }
        Err(AskError::Forbidden(error)) => Err(FailedTest::not_possible(&error)),
        Err(AskError::Unreachable(error)) => match error {
            Unreachable::Failed => Err(FailedTest::unanswered(AttemptOutcome::Unreachable)),
            Unreachable::TimedOut => Err(FailedTest::unanswered(AttemptOutcome::TimedOut)),
            // What it says is of no interest: the status alone tells whether they work.
            Unreachable::TooLarge { status } => judged(status, || None),
        },
    }
}

fn judged(status: u16, said: impl FnOnce() -> Option<String>) -> Result<(), FailedTest> {
    let outcome = match status {
        200..=299 => return Ok(()),
        408 | 500..=599 => AttemptOutcome::ProviderError,
        429 => AttemptOutcome::RateLimited,
        400..=499 => AttemptOutcome::Rejected,
        // A redirect, which is not followed, says neither yes nor no.
        _ => AttemptOutcome::Malformed,
    };
    Err(FailedTest {
        outcome,
        status: Some(status),
        error: said(),
    })
}

impl FailedTest {
    fn unanswered(outcome: AttemptOutcome) -> Self {
        Self {
            outcome,
            status: None,
            error: None,
        }
    }

    /// The provider was not asked. `reason` has no secret in it.
    fn not_possible(reason: &impl ToString) -> Self {
        Self {
            outcome: AttemptOutcome::NotPossible,
            status: None,
            error: Some(reason.to_string()),
        }
    }
}

/// Callers wait for the calls, one after the other.
const MAX_CALLS: usize = 3;
const TIMEOUT_MILLIS: u32 = 10_000;
/// The most bytes that are told of what a provider says.
const MAX_ERROR_BYTES: usize = 1024;
