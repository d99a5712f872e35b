//! What a connection holds, one variant per kind of credentials.

use super::{
    auth_mode::AuthMode,
    secret::{Secret, SecretMap},
    timestamp::Timestamp,
};

/// The credentials of one connection.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A static API key.
    ApiKey {
        /// The key.
        api_key: Secret,
    },
    /// HTTP Basic authentication; both parts may be empty.
    Basic {
        /// The user name.
        username: Secret,
        /// The password.
        password: Secret,
    },
    /// Nothing: the provider asks for no authentication.
    None,
    /// An OAuth 1.0a token.
    OAuth1(OAuth1),
    /// An OAuth 2 token of a user.
    OAuth2(OAuth2),
    /// An OAuth 2 token of a client.
    OAuth2ClientCredentials(OAuth2ClientCredentials),
    /// A token-based-authentication token.
    Tba(Tba),
}

/// An OAuth 1.0a token (RFC 5849 §2.3). It does not expire.
#[derive(Clone, Debug)]
pub struct OAuth1 {
    /// The token.
    pub oauth_token: Secret,
    /// The token's secret.
    pub oauth_token_secret: Secret,
    /// What the credentials were imported from.
    pub raw: SecretMap,
}

/// An OAuth 2 token of a user (RFC 6749 §5.1).
#[derive(Clone, Debug)]
pub struct OAuth2 {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token; without one the token cannot be refreshed.
    pub refresh_token: Option<Secret>,
    /// When the access token ends, where the provider or the importer said so.
    pub expires_at: Option<Timestamp>,
    /// The client to refresh as, instead of the integration's.
    pub config_override: Option<ClientOverride>,
    /// The provider's last token answer, or what was imported.
    pub raw: SecretMap,
}

/// An OAuth 2 token of a client, with the client's own credentials (RFC 6749 §4.4).
#[derive(Clone, Debug)]
pub struct OAuth2ClientCredentials {
    /// The access token.
    pub token: Secret,
    /// The client.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// A client certificate in PEM.
    pub client_certificate: Option<Secret>,
    /// The private key of the client certificate, or for signed client assertions.
    pub client_private_key: Option<Secret>,
    /// When the access token ends, where the provider or the importer said so.
    pub expires_at: Option<Timestamp>,
    /// The provider's last token answer, or what was imported.
    pub raw: SecretMap,
}

/// A token-based-authentication token. It does not expire.
#[derive(Clone, Debug)]
pub struct Tba {
    /// The token's identifier.
    pub token_id: Secret,
    /// The token's secret.
    pub token_secret: Secret,
    /// The consumer to sign as, instead of the integration's.
    pub config_override: ClientOverride,
}

/// A client that a connection brings along, in place of its integration's.
#[derive(Clone, Debug, Default)]
pub struct ClientOverride {
    /// The client.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<Secret>,
}

impl Credentials {
    /// The kind of credentials.
    #[must_use]
    pub fn auth_mode(&self) -> AuthMode {
        match self {
            Self::ApiKey { .. } => AuthMode::ApiKey,
            Self::Basic { .. } => AuthMode::Basic,
            Self::None => AuthMode::None,
            Self::OAuth1(_) => AuthMode::OAuth1,
            Self::OAuth2(_) => AuthMode::OAuth2,
            Self::OAuth2ClientCredentials(_) => AuthMode::OAuth2ClientCredentials,
            Self::Tba(_) => AuthMode::Tba,
        }
    }

    /// When the token ends, where the provider or the importer said so.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::OAuth2(credentials) => credentials.expires_at,
            Self::OAuth2ClientCredentials(credentials) => credentials.expires_at,
            Self::ApiKey { .. }
            | Self::Basic { .. }
            | Self::None
            | Self::OAuth1(_)
            | Self::Tba(_) => None,
        }
    }

    /// The refresh token (RFC 6749 §1.5), if there is one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&Secret> {
        match self {
            Self::OAuth2(credentials) => credentials.refresh_token.as_ref(),
            Self::ApiKey { .. }
            | Self::Basic { .. }
            | Self::None
            | Self::OAuth1(_)
            | Self::OAuth2ClientCredentials(_)
            | Self::Tba(_) => None,
        }
    }

    /// The token that a provider takes, where the kind of credentials has a single one that can
    /// be refreshed.
    #[must_use]
    pub fn refreshable_token(&self) -> Option<&Secret> {
        match self {
            Self::OAuth2(credentials) => credentials
                .refresh_token
                .is_some()
                .then_some(&credentials.access_token),
            Self::OAuth2ClientCredentials(credentials) => Some(&credentials.token),
            Self::ApiKey { .. }
            | Self::Basic { .. }
            | Self::None
            | Self::OAuth1(_)
            | Self::Tba(_) => None,
        }
    }
}
