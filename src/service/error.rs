//! Failures that are ours, never the caller's.

use super::{journal::JournalError, pending_import::ImportGivenUp};
use crate::{storage::database::DatabaseError, vault::envelope::OpenError};

/// Something broke that no caller can mend. The log gets the reason, the caller a request id.
#[derive(Debug, thiserror::Error)]
pub enum InternalError {
    /// The database gave no answer, or not the expected one.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A verified import was accepted, and is not stored.
    #[error(transparent)]
    ImportGivenUp(#[from] ImportGivenUp),
    /// The storage of the refresh object failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A stored value could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The object that serialises refreshes gave no answer, or not the expected one.
    #[error("the refresh object failed: {0}")]
    RefreshObject(String),
    /// A stored provider entry does not have the form of one.
    #[error("the stored entry of provider {0} is malformed")]
    StoredProvider(String),
}
