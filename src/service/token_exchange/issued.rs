//! What an exchange gives, and how it is kept before all of it is there.

use super::TokenExchangeError;
use crate::{
    domain::{
        attempt::{Attempt, AttemptOutcome},
        credentials::Credentials,
        refresh::{Origin, RefreshRule, Schedule, schedule},
        timestamp::Timestamp,
    },
    service::{error::InternalError, journal::Intent},
};

/// New credentials.
#[derive(Debug)]
pub struct Issued {
    /// The credentials.
    pub credentials: Credentials,
    /// The status code of the provider's answer, if it was asked.
    pub status: Option<u16>,
    /// Why a later request of the same attempt failed, so that these are not all that there
    /// should be.
    pub shortfall: Option<Box<TokenExchangeError>>,
    /// What the log tells though these are all that there should be.
    pub remark: Option<String>,
}

impl Issued {
    /// All that there should be.
    #[must_use]
    pub fn whole(credentials: Credentials, status: Option<u16>) -> Self {
        Self {
            credentials,
            status,
            shortfall: None,
            remark: None,
        }
    }

    /// How the attempt that `intent` announced ended, if there is more to tell than that it brought
    /// these.
    pub(in crate::service) fn remarked(&self, intent: &Intent, now: Timestamp) -> Option<Attempt> {
        Some(Attempt {
            status: self.status,
            error: Some(self.remark.clone()?),
            ..intent.ended(AttemptOutcome::Refreshed, now)
        })
    }

    /// When they are due for refresh, and end, from `now`. Where others were to come with them, soon
    /// another refresh is made.
    #[must_use]
    pub fn schedule(&self, rule: RefreshRule, is_unfinished: bool, now: Timestamp) -> Schedule {
        if !is_unfinished {
            return schedule(&self.credentials, rule, Origin::Issued, now);
        }
        Schedule {
            due_at: Some(now.plus_millis(UNFINISHED_MILLIS)),
            expires_at: self.credentials.expires_at(),
        }
    }

    pub(super) fn short(
        credentials: Credentials,
        status: Option<u16>,
        error: TokenExchangeError,
    ) -> Self {
        Self {
            shortfall: Some(Box::new(error)),
            ..Self::whole(credentials, status)
        }
    }
}

/// What keeps new credentials before the next request of the same attempt is sent.
#[expect(
    async_fn_in_trait,
    reason = "an isolate has one thread, so no future needs to be `Send`"
)]
pub trait Checkpoint {
    /// Makes `issued` durable. If that fails, no other request is sent.
    async fn keep(&self, issued: &Issued) -> Result<(), InternalError>;
}

/// How soon a refresh is made again that was not finished.
const UNFINISHED_MILLIS: i64 = 30 * 1000;
