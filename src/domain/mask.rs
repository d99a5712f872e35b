//! Taking known secrets out of a text that somebody else wrote, such as a provider's error, so
//! that it can be kept in the clear. Not here: where the text comes from.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    credentials::{ClientOverride, Credentials},
    integration::IntegrationSecrets,
    secret::{Secret, SecretMap},
};

/// The secrets to take out.
#[derive(Default)]
pub struct Mask {
    texts: Vec<Zeroizing<String>>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mask(…)")
    }
}

impl Mask {
    /// A mask of all secrets of a connection and its integration.
    #[must_use]
    pub fn new(
        credentials: &Credentials,
        connection_config: &SecretMap,
        integration: &IntegrationSecrets,
    ) -> Self {
        let mut mask = Self::default();
        mask.add_credentials(credentials);
        mask.add_map(connection_config);
        mask.add_map(&integration.integration_config);
        mask.add_map(&integration.custom);
        let optional = [
            &integration.client_secret,
            &integration.private_key,
            &integration.webhook_secret,
        ];
        for secret in optional.into_iter().flatten() {
            mask.add(secret);
        }
        // A secret that is part of another one must not leave the rest of that one behind.
        mask.texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        mask
    }

    /// `text` on one line, with every secret replaced by `***`, and at most `max_bytes` long.
    #[must_use]
    pub fn apply(&self, text: &Secret, max_bytes: usize) -> String {
        let mut masked = Zeroizing::new(text.expose().to_owned());
        for secret in &self.texts {
            if masked.contains(secret.as_str()) {
                masked = Zeroizing::new(masked.replace(secret.as_str(), "***"));
            }
        }
        let words = masked.split(|char: char| char.is_whitespace() || char.is_control());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        let mut line = words.join(" ");
        line.truncate(line.floor_char_boundary(max_bytes));
        line
    }

    fn add_credentials(&mut self, credentials: &Credentials) {
        match credentials {
            Credentials::ApiKey { api_key } => self.add(api_key),
            Credentials::Basic { username, password } => {
                self.add(username);
                self.add(password);
            }
            Credentials::None => {}
            Credentials::OAuth1(credentials) => {
                self.add(&credentials.oauth_token);
                self.add(&credentials.oauth_token_secret);
                self.add_map(&credentials.raw);
            }
            Credentials::OAuth2(credentials) => {
                self.add(&credentials.access_token);
                credentials.refresh_token.iter().for_each(|it| self.add(it));
                credentials
                    .config_override
                    .iter()
                    .for_each(|it| self.add_client(it));
                self.add_map(&credentials.raw);
            }
            Credentials::OAuth2ClientCredentials(credentials) => {
                self.add(&credentials.token);
                self.add(&credentials.client_secret);
                let optional = [
                    &credentials.client_certificate,
                    &credentials.client_private_key,
                ];
                optional.into_iter().flatten().for_each(|it| self.add(it));
                self.add_map(&credentials.raw);
            }
            Credentials::Tba(credentials) => {
                self.add(&credentials.token_id);
                self.add(&credentials.token_secret);
                self.add_client(&credentials.config_override);
            }
        }
    }

    fn add_client(&mut self, client: &ClientOverride) {
        client.client_secret.iter().for_each(|it| self.add(it));
    }

    fn add(&mut self, secret: &Secret) {
        if secret.len() >= MIN_SECRET_BYTES {
            self.add_text(secret.expose());
        }
    }

    /// Not every text in a map is a secret, so short ones, like `bearer`, are left alone.
    fn add_map(&mut self, map: &SecretMap) {
        map.expose()
            .values()
            .for_each(|value| self.add_value(value));
    }

    fn add_value(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.len() >= MIN_TEXT_BYTES => self.add_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.add_value(item)),
            Value::Object(map) => map.values().for_each(|value| self.add_value(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// A provider may repeat a secret as it was sent: encoded for a form, or as base64.
    fn add_text(&mut self, text: &str) {
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for form in [text.to_owned(), encoded, STANDARD.encode(text)] {
            let form = Zeroizing::new(form);
            if !self.texts.contains(&form) {
                self.texts.push(form);
            }
        }
    }
}

/// Shorter ones cannot be told from words.
const MIN_SECRET_BYTES: usize = 4;
const MIN_TEXT_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::credentials::OAuth2;

    fn map(value: Value) -> SecretMap {
        let Value::Object(map) = value else {
            unreachable!()
        };
        SecretMap::new(map)
    }

    fn mask() -> Mask {
        let credentials = Credentials::OAuth2(OAuth2 {
            access_token: Secret::new("fake-access"),
            refresh_token: Some(Secret::new("fake+refresh/1")),
            expires_at: None,
            config_override: Some(ClientOverride {
                client_id: Some("own".to_owned()),
                client_secret: Some(Secret::new("fake-own-secret")),
            }),
            raw: map(json!({"id_token": "fake-id-token", "token_type": "bearer"})),
        });
        let integration = IntegrationSecrets {
            client_secret: Some(Secret::new("fake-client-secret")),
            custom: map(json!({"a": [{"b": "fake-custom"}]})),
            ..IntegrationSecrets::default()
        };
        Mask::new(
            &credentials,
            &map(json!({"host": "fake-host.example"})),
            &integration,
        )
    }

    #[test]
    fn every_secret_is_replaced() {
        for secret in [
            "fake-access",
            "fake+refresh/1",
            "fake%2Brefresh%2F1",
            "fake-own-secret",
            "fake-id-token",
            "fake-client-secret",
            "fake-custom",
            "fake-host.example",
            &STANDARD.encode("fake-client-secret"),
        ] {
            let text = format!("bearer token {secret} is bad");
            assert_eq!(
                mask().apply(&Secret::new(text), 100),
                "bearer token *** is bad"
            );
        }
    }

    #[test]
    fn a_secret_within_another_leaves_nothing_of_it_behind() {
        let inner = IntegrationSecrets {
            client_secret: Some(Secret::new("fake-whole-secret")),
            webhook_secret: Some(Secret::new("whole")),
            ..IntegrationSecrets::default()
        };
        let mask = Mask::new(&Credentials::None, &SecretMap::default(), &inner);
        assert_eq!(
            mask.apply(&Secret::new("a fake-whole-secret"), 100),
            "a ***"
        );
    }

    #[test]
    fn what_is_left_is_one_short_line() {
        assert_eq!(mask().apply(&Secret::new(" a\r\n\u{0}b\tc "), 100), "a b c");
        assert_eq!(mask().apply(&Secret::new("aäöü"), 4), "aä");
    }
}
