//! Attempts to refresh as answers show them.

use serde::Serialize;

use crate::domain::{attempt::Attempt, timestamp::Timestamp};

/// An attempt, and whose it was.
#[derive(Serialize)]
pub(in crate::api) struct RefreshLogJson<'a> {
    id: &'a str,
    connection_id: &'a str,
    provider_config_key: &'a str,
    trigger: &'static str,
    outcome: &'static str,
    status: Option<u16>,
    error: Option<&'a str>,
    attempt: u32,
    started_at: String,
    duration_ms: i64,
    next_retry_at: Option<String>,
}

impl<'a> RefreshLogJson<'a> {
    pub(in crate::api) fn new(
        connection_id: &'a str,
        provider_config_key: &'a str,
        attempt: &'a Attempt,
    ) -> Self {
        Self {
            id: &attempt.id,
            connection_id,
            provider_config_key,
            trigger: attempt.trigger.as_str(),
            outcome: attempt.outcome.as_str(),
            status: attempt.status,
            error: attempt.error.as_deref(),
            attempt: attempt.attempt,
            started_at: attempt.started_at.to_iso(),
            duration_ms: attempt.duration,
            next_retry_at: attempt.retry_at.map(Timestamp::to_iso),
        }
    }
}
