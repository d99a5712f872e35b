//! Errors of an import that is verified first. Nothing is stored where one is told, but for
//! [`VerificationError::Pending`].

use serde_json::json;

use super::parts::{Parts, plain, with_payload};
use crate::domain::attempt::Attempt;

/// Why a connection is not imported, or not yet.
#[derive(Debug)]
pub(in crate::api) enum VerificationError {
    DuplicateGrant { connection_id: String },
    Failed(Attempt),
    NotVerifiable,
    Pending { connection_id: String },
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
            Self::Failed(attempt) => with_payload(
                400,
                "connection_test_failed",
                "The credentials could not be verified, because their refresh failed. Nothing was stored.",
                json!({
                    "outcome": attempt.outcome.as_str(),
                    "status": attempt.status,
                    "error": attempt.error,
                }),
            ),
            Self::NotVerifiable => plain(
                400,
                "invalid_body",
                "Only OAUTH2 credentials with a refresh_token and OAUTH2_CC credentials can be verified by a refresh",
            ),
            Self::Pending { connection_id } => with_payload(
                503,
                "import_pending",
                "The credentials were verified, and will be stored as soon as the database is back",
                json!({ "connection_id": connection_id }),
            ),
        }
    }
}
