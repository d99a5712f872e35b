//! What is wrong with an input, and where.

use std::{borrow::Cow, cell::RefCell};

/// One mistake in an input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issue {
    /// A stable, machine-readable class such as `invalid_type` or `too_big`.
    pub code: &'static str,
    /// What was expected. It never repeats a value, only names and sizes.
    pub message: Cow<'static, str>,
    /// Field names and list positions from the root to the mistake.
    pub path: Vec<String>,
}

/// The mistakes found so far, in the order of the fields.
#[derive(Debug, Default)]
pub struct Issues(RefCell<Vec<Issue>>);

impl Issues {
    /// Adds a mistake.
    pub fn push(&self, issue: Issue) {
        self.0.borrow_mut().push(issue);
    }

    /// Whether nothing was found so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Everything found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Issue> {
        self.0.into_inner()
    }
}
