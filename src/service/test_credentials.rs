//! Testing credentials at their provider before they are stored: calls of which one must succeed.
//!
//! Not here: proving a grant by a refresh, which is [`super::verify_import`].

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Map;

use super::{
    error::InternalError,
    integration::open_secrets,
    ports::{Ports, random_uuid},
};
use crate::{
    domain::{
        attempt::AttemptOutcome,
        credentials::Credentials,
        egress::permitted,
        mask::Mask,
        secret::{Secret, SecretMap},
    },
    oauth2::{
        error_text::error_text,
        http::{HttpRequest, HttpResponse},
        token_error::Unreachable,
    },
    providers::{entry::Entry, template::Values},
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
    let Some(test) = Test::of(credentials) else {
        return Ok(());
    };
    let Some(verification) = &entry.verification else {
        return Ok(());
    };
    let secrets = open_secrets(ports, integration)?;
    let mask = Mask::new(credentials, connection_config, &secrets);
    let mut failures = Vec::new();
    for endpoint in verification.endpoints.iter().take(MAX_CALLS) {
        let random = random_uuid(ports);
        let values = Values {
            credentials: Some(&test.fields),
            ..Values::new(connection_config, ports.now(), &random)
        };
        let inputs = &entry.connection_config;
        let authorization = test.authorization.clone();
        let outcome = match verification.request(endpoint, inputs, authorization, &values) {
            Ok(request) => call(ports, request, &mask).await,
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
struct Test {
    /// For templates.
    fields: SecretMap,
    /// The header of their kind, which the entry's own goes before.
    authorization: Option<Secret>,
}

impl Test {
    /// None for credentials of a kind that is not tested.
    fn of(credentials: &Credentials) -> Option<Self> {
        match credentials {
            Credentials::ApiKey { api_key } => Some(Self {
                fields: fields(&[("apiKey", api_key)]),
                authorization: None,
            }),
            Credentials::Basic { username, password } => {
                let pair = format!("{}:{}", username.expose(), password.expose());
                Some(Self {
                    fields: fields(&[("username", username), ("password", password)]),
                    // RFC 7617 §2
                    authorization: Some(Secret::new(format!("Basic {}", STANDARD.encode(pair)))),
                })
            }
            // Calls with a TBA token are signed by OAuth 1.0a (RFC 5849), which is not made here
            // yet: this is the one place that keeps such tokens from being tested. What can be
            // refreshed is proved by a refresh instead.
            Credentials::Exchanged(_)
            | Credentials::Tba(_)
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

async fn call(ports: &impl Ports, request: HttpRequest, mask: &Mask) -> Result<(), FailedTest> {
    permitted(&request.url, ports.settings().egress)
        .map_err(|error| FailedTest::not_possible(&error))?;
    match ports.send(request, TIMEOUT_MILLIS).await {
        Ok(response) => judged(&response, mask),
        Err(error) => Err(FailedTest {
            outcome: match error {
                Unreachable::Failed => AttemptOutcome::Unreachable,
                Unreachable::TimedOut => AttemptOutcome::TimedOut,
                Unreachable::TooLarge => AttemptOutcome::TooLarge,
            },
            status: None,
            error: None,
        }),
    }
}

fn judged(response: &HttpResponse, mask: &Mask) -> Result<(), FailedTest> {
    let outcome = match response.status {
        200..=299 => return Ok(()),
        408 | 500..=599 => AttemptOutcome::ProviderError,
        429 => AttemptOutcome::RateLimited,
        400..=499 => AttemptOutcome::Rejected,
        // A redirect, which is not followed, says neither yes nor no.
        _ => AttemptOutcome::Malformed,
    };
    let said = error_text(response);
    Err(FailedTest {
        outcome,
        status: Some(response.status),
        error: said.map(|said| mask.apply(&said, MAX_ERROR_BYTES)),
    })
}

impl FailedTest {
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
