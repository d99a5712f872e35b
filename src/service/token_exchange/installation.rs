//! Tokens of an app's installation, asked for with a token of the app that is signed here, as
//! GitHub's documentation says under "Authenticating as a GitHub App installation"; and the
//! tokens of a user that come beside them.

use serde_json::{Map, Value};

use super::{Exchange, Issued, TokenExchangeError, malformed, no_key, signed};
use crate::{
    domain::{
        auth_mode::AuthMode,
        credentials::{Exchanged, OAuth2},
        integration::IntegrationSecrets,
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::{
        http::Method,
        token_request::{BodyFormat, message},
    },
    providers::{entry::Entry, filled_request::headers},
    service::ports::Ports,
    signing::{
        jws::JwtKey,
        private_key::{Algorithm, PrivateKey},
    },
    storage::integrations::IntegrationRecord,
};

impl<P: Ports> Exchange<'_, P> {
    pub(super) async fn installation_token(
        &self,
        old: &Exchanged,
    ) -> Result<Issued, TokenExchangeError> {
        let url = self.token_url(None, &self.values())?;
        let jwt = app_token(
            self.ports,
            self.entry,
            self.integration,
            &self.secrets,
            self.connection_config,
        )
        .await?;
        let bearer = Secret::new(format!("Bearer {}", jwt.expose()));
        let own = &self.entry.token_headers;
        let mut headers = headers(self.entry, "token_headers", own, &self.values())?;
        headers.push(("authorization".to_owned(), bearer));
        let request = message(Method::Post, url, headers, &[], BodyFormat::Json);
        let made = SecretMap::of([("jwtToken", jwt)]);
        let (answer, status) = self.ask_for_object(request, &made).await?;
        let token = answer.text("token").ok_or_else(|| malformed(status))?;
        let expires_at = answer.text("expires_at");
        let expires_at = expires_at.and_then(|text| Timestamp::parse(text.expose()));
        let tokens = SecretMap::of([("access_token", token)]).merged(&made);
        // The app is asked first: a user's refresh token works once, so nothing may stand between
        // the answer to it and the journal.
        let (user, remark) = match self.user_credentials().await {
            Ok(user) => (user, None),
            Err(error) => (
                SecretMap::default(),
                Some(format!("the tokens of the user: {}", error.text())),
            ),
        };
        let old = Exchanged {
            derived_config: old.derived_config.merged(&user),
            ..old.clone()
        };
        let issued = self.issued(&old, tokens, expires_at, Some((answer, status)))?;
        Ok(Issued { remark, ..issued })
    }

    /// New credentials of the user, if the connection has old ones. The app works without them, so
    /// a refusal changes nothing.
    async fn user_credentials(&self) -> Result<SecretMap, TokenExchangeError> {
        let old = user_tokens(self.connection_config);
        match old.filter(|_| self.entry.auth_mode == AuthMode::Custom) {
            Some(old) => {
                let (fresh, ..) = self.fresh_tokens(&old).await?;
                Ok(as_configuration(&fresh))
            }
            None => Ok(SecretMap::default()),
        }
    }
}

/// A token that shows the app itself, signed now (RFC 7519, RS256).
pub(in crate::service) async fn app_token(
    ports: &impl Ports,
    entry: &Entry,
    integration: &IntegrationRecord,
    secrets: &IntegrationSecrets,
    connection_config: &SecretMap,
) -> Result<Secret, TokenExchangeError> {
    let app_id = app_of(entry, integration, secrets);
    let app_id = app_id.or_else(|| connection_config.text("app_id"));
    let (Some(app_id), Some(key)) = (app_id, &secrets.private_key) else {
        return Err(no_key(&"the integration has no app with a private key"));
    };
    let key = PrivateKey::from_pem(key, Algorithm::Rs256)?;
    let issued_at = ports.now().millis().div_euclid(1000) - CLOCK_DRIFT_SECONDS;
    let dates = [
        ("iat".to_owned(), Value::from(issued_at)),
        ("exp".to_owned(), (issued_at + LIFETIME_SECONDS).into()),
    ];
    let claims = SecretMap::of([("iss", app_id)]).merged(&SecretMap::new(Map::from_iter(dates)));
    let header = SecretMap::of([("typ", Secret::new("JWT"))]);
    signed(ports, &JwtKey::Private(key), &header, &claims).await
}

/// The identifier of the integration's app, if it has any.
pub(in crate::service) fn app_of(
    entry: &Entry,
    integration: &IntegrationRecord,
    secrets: &IntegrationSecrets,
) -> Option<Secret> {
    let app_id = match entry.auth_mode {
        AuthMode::Custom => secrets.app_id.clone(),
        _ => integration.client_id.clone(),
    };
    app_id.filter(|id| !id.is_empty()).map(Secret::new)
}

/// The user's tokens in the configuration.
fn user_tokens(connection_config: &SecretMap) -> Option<OAuth2> {
    let user = connection_config.within(&[USER_CREDENTIALS])?;
    let expires_at = user.text("expires_at");
    Some(OAuth2 {
        access_token: user.text("access_token")?,
        refresh_token: Some(user.text("refresh_token")?),
        expires_at: expires_at.and_then(|text| Timestamp::parse(text.expose())),
        config_override: None,
        raw: SecretMap::default(),
        derived_config: SecretMap::default(),
        renews_without_refresh_token: false,
    })
}

/// The user's tokens as answers show them.
fn as_configuration(user: &OAuth2) -> SecretMap {
    let expires_at = user.expires_at.map(|at| Secret::new(at.to_iso()));
    let texts = [
        Some(("type", Secret::new(AuthMode::OAuth2.as_str()))),
        Some(("access_token", user.access_token.clone())),
        user.refresh_token
            .clone()
            .map(|token| ("refresh_token", token)),
        expires_at.map(|expires_at| ("expires_at", expires_at)),
    ];
    let mut shown = SecretMap::of(texts.into_iter().flatten()).expose().clone();
    shown.insert("raw".to_owned(), user.raw.expose().clone().into());
    SecretMap::new(Map::from_iter([(
        USER_CREDENTIALS.to_owned(),
        shown.into(),
    )]))
}

const USER_CREDENTIALS: &str = "userCredentials";
/// A token of an app may live for 10 minutes at most, by GitHub's clock.
const LIFETIME_SECONDS: i64 = 10 * 60;
/// GitHub recommends to date a token back by so much.
const CLOCK_DRIFT_SECONDS: i64 = 60;
