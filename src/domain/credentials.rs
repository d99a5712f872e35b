//! What a connection holds, one variant per kind of credentials.

use serde::{Deserialize, Serialize};

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
    /// Inputs that are exchanged for short-lived credentials.
    Exchanged(Exchanged),
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

/// Inputs that stay good, such as a user name or a private key, with the short-lived credentials
/// that they were exchanged for: by signing something, or by asking the provider.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// What is done with the inputs.
    pub mode: ExchangeMode,
    /// What was imported, by its names on the wire.
    pub inputs: SecretMap,
    /// What it was exchanged for, by its names on the wire; empty until then.
    pub issued: SecretMap,
    /// A refresh token, where the exchange gave one.
    pub refresh_token: Option<Secret>,
    /// When what was issued ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// The provider's last answer; empty where none was asked.
    pub raw: SecretMap,
    /// What the provider's answers told of the connection.
    pub derived_config: SecretMap,
}

impl Exchanged {
    /// Nothing yet, of the kind `mode`.
    #[must_use]
    pub fn of(mode: ExchangeMode) -> Self {
        Self {
            mode,
            inputs: SecretMap::default(),
            issued: SecretMap::default(),
            refresh_token: None,
            expires_at: None,
            raw: SecretMap::default(),
            derived_config: SecretMap::default(),
        }
    }
}

/// What is done with inputs to get short-lived credentials.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ExchangeMode {
    /// A signed token of a GitHub App, exchanged for a token of an installation.
    #[serde(rename = "APP")]
    App,
    /// A token of App Store Connect, signed here.
    #[serde(rename = "APP_STORE")]
    AppStore,
    /// Temporary AWS credentials of a role.
    #[serde(rename = "AWS_SIGV4")]
    AwsSigV4,
    /// A session of the BILL API.
    #[serde(rename = "BILL")]
    Bill,
    /// A JSON Web Token (RFC 7519), signed here.
    #[serde(rename = "JWT")]
    Jwt,
    /// A username token, digested here.
    #[serde(rename = "SIGNATURE")]
    Signature,
    /// A token from requests of the provider's own shape.
    #[serde(rename = "TWO_STEP")]
    TwoStep,
}

impl ExchangeMode {
    /// The kind of credentials.
    #[must_use]
    pub fn auth_mode(self) -> AuthMode {
        match self {
            Self::App => AuthMode::App,
            Self::AppStore => AuthMode::AppStore,
            Self::AwsSigV4 => AuthMode::AwsSigV4,
            Self::Bill => AuthMode::Bill,
            Self::Jwt => AuthMode::Jwt,
            Self::Signature => AuthMode::Signature,
            Self::TwoStep => AuthMode::TwoStep,
        }
    }

    /// Whether the provider's entry says which inputs there are.
    #[must_use]
    pub fn has_declared_inputs(self) -> bool {
        matches!(self, Self::Jwt | Self::TwoStep)
    }

    /// Whether the answer that the provider gave is shown with what it gave, be it empty.
    #[must_use]
    pub fn has_answer(self) -> bool {
        !matches!(self, Self::Jwt | Self::Signature)
    }
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
    /// What the provider's answers told of the connection.
    pub derived_config: SecretMap,
    /// Whether a new token is had without a refresh token.
    pub renews_without_refresh_token: bool,
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
    /// What the provider's answers told of the connection.
    pub derived_config: SecretMap,
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
            Self::Exchanged(exchanged) => exchanged.mode.auth_mode(),
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
            Self::Exchanged(credentials) => credentials.expires_at,
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
            Self::Exchanged(credentials) => credentials.refresh_token.as_ref(),
            Self::OAuth2(credentials) => credentials.refresh_token.as_ref(),
            Self::ApiKey { .. }
            | Self::Basic { .. }
            | Self::None
            | Self::OAuth1(_)
            | Self::OAuth2ClientCredentials(_)
            | Self::Tba(_) => None,
        }
    }

    /// The token that calls are made with, where there is one that ends.
    #[must_use]
    pub fn access_token(&self) -> Option<Secret> {
        match self {
            Self::Exchanged(Exchanged { issued, .. }) => ["access_token", "token"]
                .iter()
                .find_map(|name| issued.text(name)),
            Self::OAuth2(credentials) => Some(credentials.access_token.clone()),
            Self::OAuth2ClientCredentials(credentials) => Some(credentials.token.clone()),
            Self::ApiKey { .. }
            | Self::Basic { .. }
            | Self::None
            | Self::OAuth1(_)
            | Self::Tba(_) => None,
        }
    }

    /// How many seconds the token lives at most, where that is known of its kind. What is signed
    /// here costs nothing, so it is not relied on where it does not say when it ends.
    #[must_use]
    pub fn lifetime_seconds(&self) -> Option<i64> {
        let Self::Exchanged(credentials) = self else {
            return None;
        };
        match credentials.mode {
            ExchangeMode::AppStore | ExchangeMode::Jwt | ExchangeMode::Signature => Some(0),
            ExchangeMode::Bill => Some(BILL_SESSION_SECONDS),
            ExchangeMode::App | ExchangeMode::AwsSigV4 | ExchangeMode::TwoStep => None,
        }
    }

    /// Whether there is a way to new ones.
    #[must_use]
    pub fn can_be_refreshed(&self) -> bool {
        match self {
            Self::Exchanged(_) | Self::OAuth2ClientCredentials(_) => true,
            Self::OAuth2(credentials) => {
                credentials.refresh_token.is_some() || credentials.renews_without_refresh_token
            }
            Self::ApiKey { .. }
            | Self::Basic { .. }
            | Self::None
            | Self::OAuth1(_)
            | Self::Tba(_) => false,
        }
    }

    /// Whether there is nothing yet that the provider would take.
    #[must_use]
    pub fn are_unissued(&self) -> bool {
        matches!(self, Self::Exchanged(credentials) if credentials.issued.is_empty())
    }

    /// What the provider's answers told of the connection. It goes over what the caller
    /// configured, and is kept with the credentials so that a refresh writes nothing else.
    #[must_use]
    pub fn derived_config(&self) -> Option<&SecretMap> {
        match self {
            Self::Exchanged(credentials) => Some(&credentials.derived_config),
            Self::OAuth2(credentials) => Some(&credentials.derived_config),
            Self::OAuth2ClientCredentials(credentials) => Some(&credentials.derived_config),
            Self::ApiKey { .. }
            | Self::Basic { .. }
            | Self::None
            | Self::OAuth1(_)
            | Self::Tba(_) => None,
        }
    }
}

/// "API sessions" of BILL's documentation: a session ends after 35 minutes without a call.
pub const BILL_SESSION_SECONDS: i64 = 35 * 60;

/// Whether `text` can be the name of an AWS region.
#[must_use]
pub fn is_aws_region(text: &str) -> bool {
    let is_allowed = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '-');
    (1..=64).contains(&text.len()) && text.chars().all(is_allowed)
}
