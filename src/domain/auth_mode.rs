//! How a provider authenticates the calls made to it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The kind of credentials that a provider takes. The names on the wire are [`Self::as_str`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AuthMode {
    /// A static API key.
    ApiKey,
    /// A GitHub App installation.
    App,
    /// App Store Connect.
    AppStore,
    /// Temporary AWS credentials for Signature Version 4.
    AwsSigV4,
    /// HTTP Basic authentication (RFC 7617).
    Basic,
    /// A BILL API session.
    Bill,
    /// A GitHub App installation together with a user token.
    Custom,
    /// Credentials that come from installing a plugin at the provider.
    InstallPlugin,
    /// A JSON Web Token that we sign (RFC 7519).
    Jwt,
    /// OAuth 2 for a Model Context Protocol server.
    McpOAuth2,
    /// OAuth 2 for a Model Context Protocol server that is discovered at connect time.
    McpOAuth2Generic,
    /// No authentication.
    None,
    /// OAuth 1.0a (RFC 5849).
    OAuth1,
    /// OAuth 2 on behalf of a user (RFC 6749 §4.1).
    OAuth2,
    /// OAuth 2 client credentials (RFC 6749 §4.4).
    OAuth2ClientCredentials,
    /// A signature computed for each request.
    Signature,
    /// Token-based authentication, on OAuth 1.0a.
    Tba,
    /// A token fetched with a request of the provider's own shape.
    TwoStep,
}

impl AuthMode {
    /// Every mode with its name on the wire and in storage.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::ApiKey, "API_KEY"),
        (Self::App, "APP"),
        (Self::AppStore, "APP_STORE"),
        (Self::AwsSigV4, "AWS_SIGV4"),
        (Self::Basic, "BASIC"),
        (Self::Bill, "BILL"),
        (Self::Custom, "CUSTOM"),
        (Self::InstallPlugin, "INSTALL_PLUGIN"),
        (Self::Jwt, "JWT"),
        (Self::McpOAuth2, "MCP_OAUTH2"),
        (Self::McpOAuth2Generic, "MCP_OAUTH2_GENERIC"),
        (Self::None, "NONE"),
        (Self::OAuth1, "OAUTH1"),
        (Self::OAuth2, "OAUTH2"),
        (Self::OAuth2ClientCredentials, "OAUTH2_CC"),
        (Self::Signature, "SIGNATURE"),
        (Self::Tba, "TBA"),
        (Self::TwoStep, "TWO_STEP"),
    ];

    /// Whether a provider of this mode takes credentials that are imported as `credentials`.
    #[must_use]
    pub fn takes(self, credentials: Self) -> bool {
        self == credentials
            || matches!(
                (self, credentials),
                // What answers show of these providers' connections can be imported again.
                (Self::Custom, Self::App | Self::OAuth2)
                    | (Self::InstallPlugin, Self::Basic)
                    | (Self::McpOAuth2, Self::OAuth2)
                    | (Self::McpOAuth2Generic, Self::McpOAuth2 | Self::OAuth2)
            )
    }

    /// The mode named `text`, in upper case as on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find_map(|(mode, name)| (*name == text).then_some(*mode))
    }

    /// The name on the wire and in storage.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find_map(|(mode, name)| (*mode == self).then_some(*name))
            .unwrap_or_default()
    }
}

impl Serialize for AuthMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AuthMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("unknown kind of credentials"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_is_read_back_from_its_name() {
        for (mode, name) in AuthMode::ALL {
            assert_eq!(AuthMode::parse(name), Some(mode));
            assert_eq!(mode.as_str(), name);
        }
    }
}
