//! Why a token request brought no token: the provider said no, spoke nonsense, or did not answer.
//! Not here: what follows from it. Nothing here holds text of a provider.

use std::fmt;

/// Why a token request brought no token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// The provider answered with something that is no token.
    #[error("the provider's answer with status {status} is no token response")]
    Malformed {
        /// The status code.
        status: u16,
    },
    /// The provider refused, in words (RFC 6749 §5.2) or by its status alone.
    #[error("the provider refused with status {status} and error {code}")]
    Rejected {
        /// The status code, which may be that of a success.
        status: u16,
        /// The reason.
        code: ErrorCode,
        /// For how long the provider wants to be left alone.
        retry_after_seconds: Option<u32>,
    },
    /// No answer arrived.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// Why no answer arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreachable {
    /// The request could not be sent, or the connection broke.
    #[error("the provider could not be reached")]
    Failed,
    /// The time limit passed.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// The answer went over the size limit.
    #[error("the provider's answer is too large")]
    TooLarge {
        /// Its status code.
        status: u16,
    },
}

/// The reason for a refusal (RFC 6749 §5.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorCode {
    /// The client is unknown, or its authentication failed.
    InvalidClient,
    /// The grant is dead: the refresh token is invalid, expired or revoked.
    InvalidGrant,
    /// The request lacks something or is wrong.
    InvalidRequest,
    /// The scope is unknown or more than was granted.
    InvalidScope,
    /// The client may not use this grant type.
    UnauthorizedClient,
    /// The server does not know this grant type.
    UnsupportedGrantType,
    /// A reason of the provider's own, or none.
    Other,
}

impl ErrorCode {
    /// The codes of RFC 6749 §5.2, and those that providers use in place of `invalid_grant`. A
    /// code belongs here only if no later attempt with the same refresh token can succeed.
    const TABLE: [(&str, Self); 11] = [
        ("invalid_client", Self::InvalidClient),
        ("invalid_grant", Self::InvalidGrant),
        ("invalid_request", Self::InvalidRequest),
        ("invalid_scope", Self::InvalidScope),
        ("unauthorized_client", Self::UnauthorizedClient),
        ("unsupported_grant_type", Self::UnsupportedGrantType),
        ("bad_refresh_token", Self::InvalidGrant),
        ("expired_token", Self::InvalidGrant),
        ("invalid_refresh_token", Self::InvalidGrant),
        ("token_expired", Self::InvalidGrant),
        ("token_revoked", Self::InvalidGrant),
    ];

    /// What the parameter `error` of an answer means.
    pub(super) fn parse(error: &str) -> Self {
        Self::TABLE
            .iter()
            .find_map(|(name, code)| name.eq_ignore_ascii_case(error).then_some(*code))
            .unwrap_or(Self::Other)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::TABLE
            .iter()
            .find_map(|(name, code)| (code == self).then_some(*name));
        formatter.write_str(name.unwrap_or("other"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_the_rfc_are_told_apart() {
        for code in [
            "invalid_client",
            "invalid_grant",
            "invalid_request",
            "invalid_scope",
            "unauthorized_client",
            "unsupported_grant_type",
        ] {
            assert_eq!(ErrorCode::parse(code).to_string(), code);
        }
    }

    #[test]
    fn other_words_for_a_dead_grant_are_understood() {
        for code in [
            "bad_refresh_token",
            "expired_token",
            "invalid_refresh_token",
            "token_expired",
            "token_revoked",
            "BAD_REFRESH_TOKEN",
        ] {
            assert_eq!(ErrorCode::parse(code), ErrorCode::InvalidGrant, "{code}");
        }
    }

    #[test]
    fn codes_of_a_providers_own_are_not_repeated() {
        for code in ["", "canary", "invalid_grant: canary"] {
            assert_eq!(ErrorCode::parse(code).to_string(), "other");
        }
    }

    #[test]
    fn messages_say_who_failed() {
        let rejected = TokenError::Rejected {
            status: 400,
            code: ErrorCode::InvalidGrant,
            retry_after_seconds: None,
        };
        assert_eq!(
            rejected.to_string(),
            "the provider refused with status 400 and error invalid_grant"
        );
        assert_eq!(
            TokenError::from(Unreachable::TimedOut).to_string(),
            "the provider did not answer in time"
        );
    }
}
