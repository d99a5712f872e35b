//! Integrations: a provider set up in an environment, with the client that we are to it.

use super::{
    auth_mode::AuthMode,
    secret::{Secret, SecretMap},
};

/// The name of an integration in its environment: `provider_config_key` or `unique_key` on the
/// wire. 1 to 255 letters, digits and `~ : . @ _ -` or spaces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IntegrationKey(String);

impl IntegrationKey {
    /// The pattern of a key, as error messages spell it.
    pub const PATTERN: &'static str = "/^[a-zA-Z0-9~:.@ _-]+$/";
    /// The longest key, in characters.
    pub const MAX_CHARS: usize = 255;

    /// Takes `text` if it is a valid key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() <= Self::MAX_CHARS && Self::matches(text);
        valid.then(|| Self(text.to_owned()))
    }

    /// Whether `text` is not empty and every character of it may stand in a key.
    #[must_use]
    pub fn matches(text: &str) -> bool {
        let allowed = |char: char| char.is_ascii_alphanumeric() || "~:.@ _-".contains(char);
        !text.is_empty() && text.chars().all(allowed)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The client that an integration is to its provider, and other settings with secrets in them.
/// Everything here is sealed at rest.
#[derive(Clone, Debug, Default)]
pub struct IntegrationSecrets {
    /// The identifier of an app, where there is a client beside it.
    pub app_id: Option<String>,
    /// `client_secret` (RFC 6749 §2.3.1), or the consumer secret of OAuth 1.0a and TBA.
    pub client_secret: Option<Secret>,
    /// The private key of an app, in PEM.
    pub private_key: Option<Secret>,
    /// The secret that signs the provider's webhooks.
    pub webhook_secret: Option<Secret>,
    /// Values of the fields that the provider declares in `integration_config`.
    pub integration_config: SecretMap,
    /// Free settings, for providers that declare none.
    pub custom: SecretMap,
}

/// Whether integrations of a provider with this mode must bring a client.
#[must_use]
pub fn needs_client(mode: AuthMode) -> bool {
    matches!(
        mode,
        AuthMode::App | AuthMode::Custom | AuthMode::OAuth1 | AuthMode::OAuth2
    )
}
