//! Errors of an import that is tested or verified first. Nothing is stored where one is told, but for
//! [`VerificationError::Pending`].

use serde_json::json;

use super::{
    ApiError,
    parts::{Parts, plain, with_payload},
};
use crate::{
    domain::attempt::{Attempt, AttemptOutcome},
    service::test_credentials::FailedTest,
};

/// Why a connection is not imported, or not yet.
#[derive(Debug)]
pub(in crate::api) enum VerificationError {
    DuplicateGrant { connection_id: String },
    Failed(Attempt),
    NotVerifiable,
    Pending { connection_id: String },
    TestFailed(FailedTest),
}

impl ApiError {
    /// How a provider was asked in vain whether credentials work, for the log.
    pub(in crate::api) fn outcome_of_verification(&self) -> Option<&'static str> {
        match self {
            Self::Verification(VerificationError::Failed(attempt)) => {
                Some(attempt.outcome.as_str())
            }
            Self::Verification(VerificationError::TestFailed(test)) => Some(test.outcome.as_str()),
            _ => None,
        }
    }
}

impl VerificationError {
    /// What is said of it.
    pub(super) fn parts(&self) -> Parts {
        match self {
            Self::DuplicateGrant { connection_id } => with_payload(
                409,
                "duplicate_grant",
                format!("The connection \"{connection_id}\" holds this grant already"),
                json!({ "connection_id": connection_id }),
            ),
            Self::Failed(attempt) => not_verified(attempt),
            Self::NotVerifiable => plain(
                400,
                "invalid_body",
                "These credentials cannot be refreshed, so a refresh cannot verify them",
            ),
            Self::Pending { connection_id } => with_payload(
                503,
                "import_pending",
                "The credentials were verified, and will be stored as soon as the database is back",
                json!({ "connection_id": connection_id }),
            ),
            Self::TestFailed(test) => test_failed(test),
        }
    }
}

fn not_verified(attempt: &Attempt) -> Parts {
    let (status, message) = if is_refusal(attempt.outcome) {
        (
            400,
            "The credentials could not be verified, because the provider gave no new ones for them. Nothing was stored.",
        )
    } else {
        (
            502,
            "The credentials could not be verified, because the provider gave no usable answer. Try again. Nothing was stored.",
        )
    };
    with_payload(
        status,
        "connection_test_failed",
        message,
        json!({
            "outcome": attempt.outcome.as_str(),
            "status": attempt.status,
            "error": attempt.error,
        }),
    )
}

/// Whether something about the import kept it from being verified, not the provider's state.
fn is_refusal(outcome: AttemptOutcome) -> bool {
    match outcome {
        AttemptOutcome::InvalidGrant | AttemptOutcome::NotPossible | AttemptOutcome::Rejected => {
            true
        }
        AttemptOutcome::Malformed
        | AttemptOutcome::ProviderError
        | AttemptOutcome::RateLimited
        | AttemptOutcome::Refreshed
        | AttemptOutcome::TimedOut
        | AttemptOutcome::TooLarge
        | AttemptOutcome::Unknown
        | AttemptOutcome::Unreachable => false,
    }
}

fn test_failed(test: &FailedTest) -> Parts {
    let (status, message) = match (test.outcome, &test.error) {
        (AttemptOutcome::Rejected, _) => (
            400,
            "The provider did not accept the credentials. Check them and try again. Nothing was stored."
                .into(),
        ),
        (AttemptOutcome::NotPossible, Some(reason)) => (
            400,
            format!(
                "The credentials could not be tested: {reason}. Correct that, or import them with verify=none. Nothing was stored."
            ),
        ),
        _ => (
            502,
            "The credentials could not be tested, because the provider gave no usable answer. Try again, or import them with verify=none. Nothing was stored."
                .into(),
        ),
    };
    with_payload(
        status,
        "connection_test_failed",
        message,
        json!({
            "outcome": test.outcome.as_str(),
            "status": test.status,
            "error": test.error,
        }),
    )
}
