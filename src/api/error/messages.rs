//! Messages that are put together.

use super::Several;
use crate::{domain::scope::Scope, service::ports::RefreshFailure};

/// What is said to a key that has none of `scopes`.
pub(super) fn missing_scope(scopes: &[Scope]) -> String {
    let names: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let required = if names.len() > 1 {
        "Required one of"
    } else {
        "Required"
    };
    format!("Insufficient scope. {required}: {}", names.join(" or "))
}

/// What is said where one of the connections whose metadata is changed does not exist.
pub(super) fn unknown_connection_of_metadata(
    connection_id: &str,
    provider_config_key: &str,
    several: Several,
) -> String {
    let consequence = match several {
        Several::No => "",
        Several::Yes => {
            ". No actions were taken on any of the connections as a result of this failure."
        }
    };
    format!(
        "Connection with connection id {connection_id} and provider config key {provider_config_key} not found. Please make sure the connection exists in the Nango dashboard{consequence}"
    )
}

/// The status and the message of credentials that cannot be had.
pub(super) fn refresh_failure(failure: RefreshFailure) -> (u16, &'static str) {
    match failure {
        RefreshFailure::BackingOff => (
            424,
            "A recent refresh attempt failed. Backing off before retrying.",
        ),
        RefreshFailure::Client => (
            400,
            "The integration has no client that the provider's token endpoint accepts.",
        ),
        RefreshFailure::ClientCredentials => (400, "Failed to fetch client credentials token"),
        RefreshFailure::Exhausted => (
            424,
            "The refresh limit has been reached for this connection.",
        ),
        RefreshFailure::External => (
            400,
            "The external API returned an error when trying to refresh the access token. Please try again later.",
        ),
        RefreshFailure::Sts => (502, "Failed to get temporary credentials from AWS STS."),
        RefreshFailure::TokenUrl => (400, "Token URL is missing or invalid."),
        RefreshFailure::TwoStep => (400, "Failed to fetch two-step credentials token"),
    }
}
