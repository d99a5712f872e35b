//! What a use case needs from outside: the database, the network, time, chance, and the one
//! place where refreshes of a connection are serialised.

use serde::{Deserialize, Serialize};

use super::{error::InternalError, settings::Settings};
use crate::{
    domain::{
        attempt::Attempt,
        refresh::{Schedule, Trigger},
        timestamp::Timestamp,
    },
    oauth2::{
        http::{HttpRequest, HttpResponse},
        token_error::Unreachable,
    },
    signing::private_key::PrivateKey,
    storage::{
        connections::ConnectionRecord,
        database::{Database, Query},
        imports::UpsertConnection,
    },
    vault::envelope::Sealed,
};

/// All ports. Production has one implementor, tests have one.
pub trait Ports:
    Background + Clock + Database + Entropy + HttpClient + Refresher + Signer + Timer
{
    /// The configuration of the deployment.
    fn settings(&self) -> &Settings;

    /// The round trips to the database so far.
    fn round_trips(&self) -> RoundTrips;
}

/// Round trips to the database, a batch being one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RoundTrips {
    /// Made while the request was answered.
    pub own: u32,
    /// Made in the object that serialises refreshes, on behalf of the request.
    pub in_refresh: u32,
}

/// Work that the caller does not wait for.
pub trait Background {
    /// Runs a write after the answer is sent. Its failure is logged and changes nothing.
    fn after_response(&self, write: Query<()>);

    /// Puts into the log what broke without harm to the answer.
    fn report(&self, trouble: &InternalError);
}

/// The time.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The passing of time.
#[expect(
    async_fn_in_trait,
    reason = "an isolate has one thread, so no future needs to be `Send`"
)]
pub trait Timer {
    /// Ends after so many milliseconds.
    async fn wait(&self, millis: u32);
}

/// Chance.
pub trait Entropy {
    /// Fills `bytes` from a cryptographic source.
    fn fill(&self, bytes: &mut [u8]);
}

/// Random bytes for a key, a salt, a nonce or a name.
#[must_use]
pub fn random<const N: usize>(entropy: &impl Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// A random name (UUID version 4).
#[must_use]
pub fn random_uuid(entropy: &impl Entropy) -> String {
    uuid::Builder::from_random_bytes(random(entropy))
        .into_uuid()
        .to_string()
}

/// The network.
#[expect(
    async_fn_in_trait,
    reason = "an isolate has one thread, so no future needs to be `Send`"
)]
pub trait HttpClient {
    /// Sends a request and reads its whole answer, of at most [`MAX_RESPONSE_BYTES`], within
    /// `timeout_millis`. Redirects are not followed.
    async fn send(
        &self,
        request: HttpRequest,
        timeout_millis: u32,
    ) -> Result<HttpResponse, Unreachable>;
}

/// The largest answer that is read from a provider.
pub const MAX_RESPONSE_BYTES: usize = 1_048_576;

/// What private keys sign with.
#[expect(
    async_fn_in_trait,
    reason = "an isolate has one thread, so no future needs to be `Send`"
)]
pub trait Signer {
    /// The signature of `message` by `key`, in the form of RFC 7518 §3.3 and §3.4: of ES256 the
    /// two numbers one after the other.
    async fn sign(&self, key: &PrivateKey, message: &[u8]) -> Result<Vec<u8>, SigningError>;
}

/// Why there is no signature. No variant holds any part of the key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SigningError {
    /// The key was taken, and did not sign.
    #[error("the private key did not sign")]
    Failed,
    /// The numbers of the key are not those of a key.
    #[error("the numbers of the private key do not belong together")]
    ImpossibleKey,
}

/// The place where the refreshes of a connection happen one at a time.
#[expect(
    async_fn_in_trait,
    reason = "an isolate has one thread, so no future needs to be `Send`"
)]
pub trait Refresher {
    /// Runs [`super::refresh_connection::refresh_connection`] there.
    async fn refresh(&self, uid: &str, trigger: Trigger) -> Result<RefreshReply, InternalError>;

    /// Runs [`super::verify_import::verify_import`] there.
    async fn verify_import(&self, request: VerifyRequest) -> Result<VerifyReply, InternalError>;

    /// Wipes all that is kept there for a connection that was deleted. A failure is logged: the
    /// connection is gone whatever becomes of this.
    async fn forget(&self, uid: &str);
}

/// A refresh to run there.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RefreshRequest {
    /// The connection.
    pub uid: String,
    /// Why.
    pub trigger: Trigger,
}

/// An import to verify there.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct VerifyRequest {
    /// The object where it happens: that of the connection whose place the import takes, else one
    /// for the grant, so that nothing sends a refresh token while another does.
    pub object: String,
    /// The connection, with the credentials that are to be verified.
    pub connection: UpsertConnection,
    /// The fingerprints that their refresh token may have in storage, if they have one.
    pub grants: Vec<String>,
}

/// How the verification of an import went. Nothing in it is in the clear.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyReply {
    /// Another connection holds the grant. Nothing is stored.
    Duplicate {
        /// The caller's name for it.
        connection_id: String,
    },
    /// The provider gave no new credentials. Nothing is stored.
    Failed {
        /// The attempt.
        attempt: Attempt,
    },
    /// The integration was deleted. Nothing is stored.
    Gone,
    /// The provider gave new credentials, which the database does not have yet.
    Pending,
    /// The provider gave new credentials, which are stored.
    Stored {
        /// The connection.
        connection: Box<ConnectionRecord>,
    },
}

impl VerifyReply {
    /// The outcome in one word, for the log.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "duplicate",
            Self::Failed { .. } => "failed",
            Self::Gone => "gone",
            Self::Pending => "pending",
            Self::Stored { .. } => "stored",
        }
    }
}

/// How a refresh went. Nothing in it is in the clear.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshReply {
    /// The provider was asked and gave nothing to use.
    Failed {
        /// Why.
        failure: RefreshFailure,
        /// The connection as it is now.
        connection: Box<ConnectionRecord>,
    },
    /// The connection was deleted.
    Gone,
    /// The provider gave new credentials, which the database does not have yet: they go over
    /// those in the row that the caller read.
    Pending {
        /// The credentials.
        credentials: Sealed,
        /// When they are due for refresh, and end.
        schedule: Schedule,
        /// When the provider issued them.
        issued_at: Timestamp,
    },
    /// The provider was asked and gave new credentials.
    Refreshed {
        /// The connection as it is now.
        connection: Box<ConnectionRecord>,
    },
    /// The provider was not asked: another refresh, or an import, was faster, or the connection
    /// is backing off.
    Unchanged {
        /// The connection as it is now.
        connection: Box<ConnectionRecord>,
    },
}

impl RefreshReply {
    /// The outcome in one word, for the log.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "failed",
            Self::Gone => "gone",
            Self::Pending { .. } => "pending",
            Self::Refreshed { .. } => "refreshed",
            Self::Unchanged { .. } => "unchanged",
        }
    }
}

/// Why there are no new credentials.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshFailure {
    /// A recent attempt failed, and the wait after it is not over.
    BackingOff,
    /// The provider rejected the client's credentials, or did not answer with a token.
    ClientCredentials,
    /// The refresh was given up.
    Exhausted,
    /// The provider rejected the refresh token, or did not answer with a token.
    External,
    /// The integration has no client, or the provider asks for a kind of client authentication
    /// that is not supported.
    Client,
    /// The security token service of AWS gave no credentials.
    Sts,
    /// The provider has no token URL, or one that may not be called.
    TokenUrl,
    /// The provider rejected the inputs, or did not answer with a token.
    TwoStep,
}
