//! Environments: the walls between which everything lives.

use serde::Deserialize;

/// The number of an environment, never used twice.
pub type EnvironmentNumber = i64;

/// An environment. A key belongs to one, and sees nothing of another.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Environment {
    /// The number on the wire and in storage.
    pub id: EnvironmentNumber,
    /// Unique: lower-case letters, digits, `_` and `-`.
    pub name: String,
}
