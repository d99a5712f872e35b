//! Taking known secrets out of a text that somebody else wrote, such as a provider's error, so
//! that it can be kept in the clear. Not here: where the text comes from.

mod repetition;

use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

use self::repetition::{forms, length_at_start, may_escape, one_line};
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
        mask.add_secrets(&integration.integration_config);
        mask.add_secrets(&integration.custom);
        let optional = [
            &integration.client_secret,
            &integration.private_key,
            &integration.webhook_secret,
        ];
        for secret in optional.into_iter().flatten() {
            mask.add(secret);
        }
        mask
    }

    /// The same with the secrets of `credentials`.
    #[must_use]
    pub fn and(mut self, credentials: &Credentials) -> Self {
        self.add_credentials(credentials);
        self
    }

    /// The same with the secrets of another map.
    #[must_use]
    pub fn and_map(mut self, map: &SecretMap) -> Self {
        self.add_map(map);
        self
    }

    /// `text` on one line, with every secret replaced by `***`, and at most `max_bytes` long.
    #[must_use]
    pub fn apply(&self, text: &Secret, max_bytes: usize) -> String {
        let forms = self.sorted_forms();
        let line = one_line(text.expose());
        let mut masked = String::new();
        // Where the secrets that began so far end. They may overlap.
        let mut hidden_to = 0;
        for (at, char) in line.char_indices().take(MAX_CHARS) {
            if masked.len() >= max_bytes {
                break;
            }
            let length = length_of_secret(line.get(at..).unwrap_or_default(), char, &forms);
            if length > 0 && at >= hidden_to {
                masked.push_str("***");
            }
            hidden_to = hidden_to.max(at + length);
            if at >= hidden_to {
                masked.push(char);
            }
        }
        masked.truncate(masked.floor_char_boundary(max_bytes));
        masked
    }

    fn sorted_forms(&self) -> Vec<Zeroizing<String>> {
        let mut forms: Vec<_> = self.texts.iter().flat_map(|text| forms(text)).collect();
        forms.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        forms.dedup();
        forms
    }

    fn add_credentials(&mut self, credentials: &Credentials) {
        match credentials {
            Credentials::ApiKey { api_key } => self.add(api_key),
            Credentials::Basic { username, password } => {
                self.add(username);
                self.add(password);
            }
            Credentials::Exchanged(credentials) => {
                self.add_secrets(&credentials.inputs);
                self.add_secrets(&credentials.issued);
                credentials.refresh_token.iter().for_each(|it| self.add(it));
                self.add_map(&credentials.raw);
                self.add_map(&credentials.derived_config);
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
                self.add_map(&credentials.derived_config);
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
                self.add_map(&credentials.derived_config);
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
        self.add_values(map, MIN_TEXT_BYTES);
    }

    /// Any text in this map may be a secret, and people choose short ones.
    fn add_secrets(&mut self, map: &SecretMap) {
        self.add_values(map, MIN_SECRET_BYTES);
    }

    fn add_values(&mut self, map: &SecretMap, min_bytes: usize) {
        let values = map.expose().values();
        values.for_each(|value| self.add_value(value, min_bytes));
    }

    fn add_value(&mut self, value: &Value, min_bytes: usize) {
        let mut add = |value| self.add_value(value, min_bytes);
        match value {
            Value::Array(items) => items.iter().for_each(add),
            Value::Object(map) => map.values().for_each(&mut add),
            Value::String(text) if text.len() >= min_bytes => self.add_text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        self.texts.push(Zeroizing::new(text.to_owned()));
    }
}

/// The length of the longest of `forms`, which are sorted, that `text` begins with.
fn length_of_secret(text: &str, first: char, forms: &[Zeroizing<String>]) -> usize {
    let candidates = if may_escape(first) {
        forms
    } else {
        let from = forms.partition_point(|form| form.chars().next() < Some(first));
        let forms = forms.get(from..).unwrap_or_default();
        let to = forms.partition_point(|form| form.starts_with(first));
        forms.get(..to).unwrap_or_default()
    };
    let lengths = candidates
        .iter()
        .filter_map(|form| length_at_start(text, form));
    lengths.max().unwrap_or(0)
}

/// So many characters of a text are looked at: room for the longest secrets, and an end to what a
/// provider can make us do.
const MAX_CHARS: usize = 131_072;
/// Shorter ones cannot be told from words.
const MIN_SECRET_BYTES: usize = 4;
const MIN_TEXT_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde_json::json;

    use super::*;
    use crate::domain::credentials::{ExchangeMode, Exchanged, OAuth2};

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
            derived_config: SecretMap::default(),
            renews_without_refresh_token: false,
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

    #[track_caller]
    fn masks(secret: &str, text: &str, expected: &str) {
        let integration = IntegrationSecrets {
            client_secret: Some(Secret::new(secret)),
            ..IntegrationSecrets::default()
        };
        let mask = Mask::new(&Credentials::None, &SecretMap::default(), &integration);
        assert_eq!(mask.apply(&Secret::new(text), 100), expected);
    }

    #[test]
    fn short_passwords_among_inputs_and_settings_are_replaced_too() {
        let credentials = Credentials::Exchanged(Exchanged {
            mode: ExchangeMode::Bill,
            inputs: map(json!({"password": "fa1e", "nested": {"pin": "0042"}})),
            issued: map(json!({"session_id": "fake5"})),
            refresh_token: None,
            expires_at: None,
            raw: map(json!({"token_type": "bearer"})),
            derived_config: SecretMap::default(),
        });
        let integration = IntegrationSecrets {
            integration_config: map(json!({"stsAuthPassword": "fake66"})),
            ..IntegrationSecrets::default()
        };
        let mask = Mask::new(&credentials, &SecretMap::default(), &integration);
        let text = Secret::new("bearer fa1e 0042 fake5 fake66 bad");
        assert_eq!(mask.apply(&text, 100), "bearer *** *** *** *** bad");
    }

    #[test]
    fn a_secret_is_replaced_however_it_is_escaped() {
        masks("a+b c/ü", "is a%2bb%20c%2F%c3%bc bad", "is *** bad");
        masks("a+b c/ü", "is a%2Bb+c/ü bad", "is *** bad");
        masks(
            "a\"/\\ü😀",
            r#"is a\"\/\\\u00FC\ud83d\ude00 bad"#,
            "is *** bad",
        );
        masks("<&'\">", "is &lt;&amp;&#39;&#x22;&gt; bad", "is *** bad");
        masks("line 1\nline 2", "is line 1\r\n  line 2 bad", "is *** bad");
        masks("line 1\nline 2", r"is line 1\nline 2 bad", "is *** bad");
    }

    #[test]
    fn a_secret_is_replaced_wherever_base64_has_it() {
        for before in ["", "a", "ab", "abc"] {
            let header = STANDARD.encode(format!("{before}:fake%2Bsecret"));
            let shown = Mask::new(
                &Credentials::None,
                &map(json!({"a": "fake+secret"})),
                &IntegrationSecrets::default(),
            );
            let shown = shown.apply(&Secret::new(&header), 100);
            let (start, end) = shown.split_once("***").unwrap();
            assert!(start.len() + end.len() <= before.len() + 8, "{shown}");
        }
    }

    #[test]
    fn of_secrets_that_overlap_nothing_is_left() {
        let secrets = IntegrationSecrets {
            client_secret: Some(Secret::new("fake-first")),
            webhook_secret: Some(Secret::new("first-second")),
            ..IntegrationSecrets::default()
        };
        let mask = Mask::new(&Credentials::None, &SecretMap::default(), &secrets);
        let text = Secret::new("a fake-first-second b");
        assert_eq!(mask.apply(&text, 100), "a *** b");
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
