//! What is kept of an attempt to refresh: when, why, how it ended, what the provider said.

use serde::{Deserialize, Serialize};

use super::{refresh::Trigger, timestamp::Timestamp};

/// An attempt to refresh the credentials of one connection.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Attempt {
    /// Its name, a random UUID.
    pub id: String,
    /// Why it was made.
    pub trigger: Trigger,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The status code of the provider's answer, if there was one.
    pub status: Option<u16>,
    /// What the provider said, or what kept it from being asked: at most 1 KiB, without control
    /// characters, with every stored secret masked.
    pub error: Option<String>,
    /// Counts the attempts since the last success, from 1.
    pub attempt: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration: i64,
    /// No unforced attempt before this; none where there need be no wait, and where there will be
    /// no attempt.
    pub retry_at: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The provider said that the grant is dead.
    InvalidGrant,
    /// The provider's answer was no token response.
    Malformed,
    /// The provider could not be asked: the integration or the provider's entry lacks something.
    NotPossible,
    /// The provider failed (status 5xx).
    ProviderError,
    /// The provider asked to be left alone (status 429).
    RateLimited,
    /// The provider gave new credentials.
    Refreshed,
    /// The provider refused, for a reason that does not mean that the grant is dead.
    Rejected,
    /// The provider did not answer in time.
    TimedOut,
    /// The provider's answer was too large.
    TooLarge,
    /// The attempt was cut off after the provider may have been asked: whether it rotated the
    /// refresh token, nobody here knows.
    Unknown,
    /// The provider could not be reached.
    Unreachable,
}

impl AttemptOutcome {
    /// Its name in storage and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidGrant => "invalid_grant",
            Self::Malformed => "malformed",
            Self::NotPossible => "not_possible",
            Self::ProviderError => "provider_error",
            Self::RateLimited => "rate_limited",
            Self::Refreshed => "refreshed",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::TooLarge => "too_large",
            Self::Unknown => "unknown",
            Self::Unreachable => "unreachable",
        }
    }
}
