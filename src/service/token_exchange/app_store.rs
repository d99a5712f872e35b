//! Tokens of App Store Connect, which are signed here as "Generating Tokens for API Requests" of
//! its documentation says. Nobody is asked.

use serde_json::{Map, Value, json};

use super::{Exchange, Issued, TokenExchangeError, signed};
use crate::{
    domain::{
        credentials::Exchanged,
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    service::ports::Ports,
    signing::{
        jws::JwtKey,
        private_key::{Algorithm, PrivateKey},
    },
};

impl<P: Ports> Exchange<'_, P> {
    pub(super) async fn app_store_token(
        &self,
        old: &Exchanged,
    ) -> Result<Issued, TokenExchangeError> {
        let input = |name| old.inputs.text(name).unwrap_or_else(|| Secret::new(""));
        let key = PrivateKey::from_pem(&input("private_key"), Algorithm::Es256)?;
        let header = SecretMap::of([("kid", input("privateKeyId")), ("typ", Secret::new("JWT"))]);
        let issued_at = self.now.millis().div_euclid(1000);
        let ends_at = issued_at + LIFETIME_SECONDS;
        let mut claims = Map::from_iter([
            ("aud".to_owned(), Value::from("appstoreconnect-v1")),
            ("iat".to_owned(), issued_at.into()),
            ("exp".to_owned(), ends_at.into()),
        ]);
        if let Some(scope) = self.scope() {
            claims.insert("scope".to_owned(), scope);
        }
        let claims = SecretMap::of([("iss", input("issuerId"))]).merged(&SecretMap::new(claims));
        let token = signed(self.ports, &JwtKey::Private(key), &header, &claims).await?;
        let expires_at = Timestamp::EPOCH.plus_seconds(ends_at);
        let token = SecretMap::of([("access_token", token)]);
        self.issued(old, token, Some(expires_at), None)
    }

    /// The requests that the token is for: all where the connection names none.
    fn scope(&self) -> Option<Value> {
        let given = self.connection_config.expose().get("scope")?;
        let mut requests: Vec<_> = match given {
            Value::Array(requests) => requests.iter().filter_map(Value::as_str).collect(),
            _ => given.as_str()?.split(',').map(str::trim).collect(),
        };
        requests.retain(|request| !request.is_empty());
        (!requests.is_empty()).then(|| json!(requests))
    }
}

/// App Store Connect takes no more than 20 minutes.
const LIFETIME_SECONDS: i64 = 15 * 60;
