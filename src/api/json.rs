//! The shapes of answers.

pub(super) mod connection;
pub(super) mod credentials;
pub(super) mod integration;
pub(super) mod refresh_log;
pub(super) mod revocation;
