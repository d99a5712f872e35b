//! Credentials as answers show them.

use serde_json::{Map, Value};

use crate::domain::{
    credentials::{ClientOverride, Credentials},
    secret::{Secret, SecretMap},
    timestamp::Timestamp,
};

/// What an answer shows of credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::api) enum Reveal {
    /// Everything but refresh tokens.
    AllButRefreshTokens,
    /// Everything.
    Everything,
    /// No tokens: for who may not see credentials.
    NoTokens,
}

impl Reveal {
    /// Removes what is not shown of `map`: members, at any depth, by their names but for case and
    /// anything that is no letter.
    pub(in crate::api) fn hide(self, map: &mut Map<String, Value>) {
        let hidden: &[&str] = match self {
            Self::AllButRefreshTokens => &["refreshtoken"],
            Self::Everything => return,
            Self::NoTokens => &["accesstoken", "jwttoken", "refreshtoken"],
        };
        without(map, hidden);
    }
}

/// The credentials in the shape of their kind.
pub(in crate::api) fn credentials_json(
    credentials: &Credentials,
    reveal: Reveal,
) -> Map<String, Value> {
    let mut shape = Shape::default();
    let kind = credentials.auth_mode().as_str();
    match credentials {
        Credentials::None => return Map::new(),
        Credentials::ApiKey { api_key } => shape.text("type", kind).secret("apiKey", api_key),
        Credentials::Basic { username, password } => shape
            .text("type", kind)
            .secret("username", username)
            .secret("password", password),
        Credentials::Exchanged(exchanged) => {
            shape
                .text("type", kind)
                .members(&exchanged.inputs)
                .members(&exchanged.issued)
                .optional_secret("refresh_token", exchanged.refresh_token.as_ref())
                .instant("expires_at", exchanged.expires_at);
            if exchanged.mode.has_answer() {
                shape.map("raw", &exchanged.raw);
            }
            &mut shape
        }
        Credentials::OAuth1(oauth1) => shape
            .text("type", kind)
            .secret("oauth_token", &oauth1.oauth_token)
            .secret("oauth_token_secret", &oauth1.oauth_token_secret)
            .map("raw", &oauth1.raw),
        Credentials::OAuth2(oauth2) => shape
            .text("type", kind)
            .secret("access_token", &oauth2.access_token)
            .optional_secret("refresh_token", oauth2.refresh_token.as_ref())
            .instant("expires_at", oauth2.expires_at)
            .client("config_override", oauth2.config_override.as_ref())
            .map("raw", &oauth2.raw),
        Credentials::OAuth2ClientCredentials(client) => shape
            .text("type", kind)
            .secret("token", &client.token)
            .instant("expires_at", client.expires_at)
            .text("client_id", &client.client_id)
            .secret("client_secret", &client.client_secret)
            .optional_secret("client_certificate", client.client_certificate.as_ref())
            .optional_secret("client_private_key", client.client_private_key.as_ref())
            .map("raw", &client.raw),
        Credentials::Tba(tba) => shape
            .text("type", kind)
            .secret("token_id", &tba.token_id)
            .secret("token_secret", &tba.token_secret)
            .client("config_override", Some(&tba.config_override)),
    };
    reveal.hide(&mut shape.0);
    shape.0
}

fn without(map: &mut Map<String, Value>, hidden: &[&str]) {
    map.retain(|name, _| !hidden.iter().any(|hidden| has_letters(name, hidden)));
    map.values_mut().for_each(|value| strip(value, hidden));
}

fn strip(value: &mut Value, hidden: &[&str]) {
    match value {
        Value::Object(map) => without(map, hidden),
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, hidden)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn has_letters(name: &str, letters: &str) -> bool {
    let own = name.chars().filter(char::is_ascii_alphabetic);
    own.map(|letter| letter.to_ascii_lowercase())
        .eq(letters.chars())
}

/// An object under construction; absent values leave no member.
#[derive(Default)]
struct Shape(Map<String, Value>);

impl Shape {
    fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.0.insert(name.to_owned(), text.into());
        self
    }

    fn secret(&mut self, name: &str, secret: &Secret) -> &mut Self {
        self.text(name, secret.expose())
    }

    fn optional_secret(&mut self, name: &str, secret: Option<&Secret>) -> &mut Self {
        match secret {
            Some(secret) => self.secret(name, secret),
            None => self,
        }
    }

    fn instant(&mut self, name: &str, instant: Option<Timestamp>) -> &mut Self {
        match instant {
            Some(instant) => self.text(name, &instant.to_iso()),
            None => self,
        }
    }

    fn map(&mut self, name: &str, map: &SecretMap) -> &mut Self {
        self.0.insert(name.to_owned(), map.expose().clone().into());
        self
    }

    /// The members of `map` as members of this object.
    fn members(&mut self, map: &SecretMap) -> &mut Self {
        self.0.extend(map.expose().clone());
        self
    }

    fn client(&mut self, name: &str, client: Option<&ClientOverride>) -> &mut Self {
        let Some(client) = client else { return self };
        let mut shape = Self::default();
        if let Some(client_id) = &client.client_id {
            shape.text("client_id", client_id);
        }
        shape.optional_secret("client_secret", client.client_secret.as_ref());
        self.0.insert(name.to_owned(), shape.0.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refresh_tokens_are_left_out_at_any_depth_and_in_any_spelling() {
        let Value::Object(mut map) = json!({
            "refresh_token": 1, "RefreshToken": 2, "a": [{"refresh-token": 3, "b": 4}],
            "refresh_token_expires_in": 5,
        }) else {
            unreachable!()
        };
        Reveal::AllButRefreshTokens.hide(&mut map);
        assert_eq!(
            Value::Object(map),
            json!({"a": [{"b": 4}], "refresh_token_expires_in": 5})
        );
    }
}
