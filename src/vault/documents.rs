//! What is inside a sealed blob: JSON of our own form, each document declared once for writing and
//! reading.
//!
//! Absent options are absent keys, and keys that nobody knows are skipped when read, so that a
//! newer version can add one before the older is gone. Not here: the wire's JSON, which looks
//! alike but follows rules of its own.

mod fields;

use serde::{Deserialize, Serialize};
use serde_json::{Deserializer, Serializer};
use zeroize::Zeroizing;

use super::envelope::OpenError;
use crate::domain::{
    credentials::{
        ClientOverride, Credentials, ExchangeMode, Exchanged, OAuth1, OAuth2,
        OAuth2ClientCredentials, Tba,
    },
    integration::IntegrationSecrets,
    secret::{Secret, SecretMap},
    timestamp::Timestamp,
};

/// Writes credentials.
#[must_use]
pub fn credentials_to_bytes(credentials: &Credentials) -> Zeroizing<Vec<u8>> {
    written(|writer| CredentialsDocument::serialize(credentials, writer))
}

/// Reads what [`credentials_to_bytes`] wrote.
pub fn credentials_from_bytes(bytes: &[u8]) -> Result<Credentials, OpenError> {
    read(bytes, |reader| CredentialsDocument::deserialize(reader))
}

/// Writes a JSON object, such as a connection's configuration.
#[must_use]
pub fn map_to_bytes(map: &SecretMap) -> Zeroizing<Vec<u8>> {
    written(|writer| fields::object::serialize(map, writer))
}

/// Reads what [`map_to_bytes`] wrote.
pub fn map_from_bytes(bytes: &[u8]) -> Result<SecretMap, OpenError> {
    read(bytes, |reader| fields::object::deserialize(reader))
}

/// Writes the secrets of an integration.
#[must_use]
pub fn integration_secrets_to_bytes(secrets: &IntegrationSecrets) -> Zeroizing<Vec<u8>> {
    written(|writer| IntegrationSecretsDocument::serialize(secrets, writer))
}

/// Reads what [`integration_secrets_to_bytes`] wrote.
pub fn integration_secrets_from_bytes(bytes: &[u8]) -> Result<IntegrationSecrets, OpenError> {
    read(bytes, |reader| {
        IntegrationSecretsDocument::deserialize(reader)
    })
}

#[expect(
    clippy::expect_used,
    reason = "JSON with text keys, written to memory, has no way to fail"
)]
fn written(
    write: impl FnOnce(&mut Serializer<&mut Vec<u8>>) -> serde_json::Result<()>,
) -> Zeroizing<Vec<u8>> {
    // A buffer that has to grow leaves a copy behind that is not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    write(&mut Serializer::new(&mut *bytes)).expect("a document is written");
    bytes
}

fn read<'a, T>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut Deserializer<serde_json::de::SliceRead<'a>>) -> serde_json::Result<T>,
) -> Result<T, OpenError> {
    let mut reader = Deserializer::from_slice(bytes);
    // A provider's answer that was just within the limit is one level deeper here.
    reader.disable_recursion_limit();
    let document = read(&mut reader).map_err(|_| OpenError)?;
    reader.end().map_err(|_| OpenError)?;
    Ok(document)
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Credentials", tag = "type")]
enum CredentialsDocument {
    #[serde(rename = "API_KEY")]
    ApiKey {
        #[serde(rename = "apiKey", with = "fields::text")]
        api_key: Secret,
    },
    #[serde(rename = "BASIC")]
    Basic {
        #[serde(with = "fields::text")]
        username: Secret,
        #[serde(with = "fields::text")]
        password: Secret,
    },
    #[serde(rename = "EXCHANGED")]
    Exchanged(#[serde(with = "ExchangedDocument")] Exchanged),
    #[serde(rename = "NONE")]
    None,
    #[serde(rename = "OAUTH1")]
    OAuth1(#[serde(with = "OAuth1Document")] OAuth1),
    #[serde(rename = "OAUTH2")]
    OAuth2(#[serde(with = "OAuth2Document")] OAuth2),
    #[serde(rename = "OAUTH2_CC")]
    OAuth2ClientCredentials(
        #[serde(with = "OAuth2ClientCredentialsDocument")] OAuth2ClientCredentials,
    ),
    #[serde(rename = "TBA")]
    Tba(#[serde(with = "TbaDocument")] Tba),
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Exchanged")]
struct ExchangedDocument {
    mode: ExchangeMode,
    #[serde(with = "fields::object")]
    inputs: SecretMap,
    #[serde(with = "fields::object")]
    issued: SecretMap,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_text"
    )]
    refresh_token: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(
        default,
        skip_serializing_if = "SecretMap::is_empty",
        with = "fields::object"
    )]
    raw: SecretMap,
    #[serde(
        default,
        skip_serializing_if = "SecretMap::is_empty",
        with = "fields::object"
    )]
    derived_config: SecretMap,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "OAuth1")]
struct OAuth1Document {
    #[serde(with = "fields::text")]
    oauth_token: Secret,
    #[serde(with = "fields::text")]
    oauth_token_secret: Secret,
    #[serde(with = "fields::object")]
    raw: SecretMap,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "OAuth2")]
struct OAuth2Document {
    #[serde(with = "fields::text")]
    access_token: Secret,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_text"
    )]
    refresh_token: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_override"
    )]
    config_override: Option<ClientOverride>,
    #[serde(with = "fields::object")]
    raw: SecretMap,
    #[serde(
        default,
        skip_serializing_if = "SecretMap::is_empty",
        with = "fields::object"
    )]
    derived_config: SecretMap,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    renews_without_refresh_token: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "OAuth2ClientCredentials")]
struct OAuth2ClientCredentialsDocument {
    #[serde(with = "fields::text")]
    token: Secret,
    client_id: String,
    #[serde(with = "fields::text")]
    client_secret: Secret,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_text"
    )]
    client_certificate: Option<Secret>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_text"
    )]
    client_private_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(with = "fields::object")]
    raw: SecretMap,
    #[serde(
        default,
        skip_serializing_if = "SecretMap::is_empty",
        with = "fields::object"
    )]
    derived_config: SecretMap,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Tba")]
struct TbaDocument {
    #[serde(with = "fields::text")]
    token_id: Secret,
    #[serde(with = "fields::text")]
    token_secret: Secret,
    #[serde(with = "ClientOverrideDocument")]
    config_override: ClientOverride,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "ClientOverride")]
struct ClientOverrideDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_text"
    )]
    client_secret: Option<Secret>,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "IntegrationSecrets")]
struct IntegrationSecretsDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_text"
    )]
    client_secret: Option<Secret>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_text"
    )]
    private_key: Option<Secret>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fields::optional_text"
    )]
    webhook_secret: Option<Secret>,
    #[serde(with = "fields::object")]
    integration_config: SecretMap,
    #[serde(with = "fields::object")]
    custom: SecretMap,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::domain::auth_mode::AuthMode;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    fn map(value: Value) -> SecretMap {
        let Value::Object(map) = value else {
            panic!("{value} is no object");
        };
        SecretMap::new(map)
    }

    /// The bytes are pinned, and reading them gives what was written.
    #[track_caller]
    fn pinned(credentials: &Credentials, expected: &str) {
        let bytes = credentials_to_bytes(credentials);
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), expected);
        let read = credentials_from_bytes(&bytes).unwrap();
        assert_eq!(read.auth_mode(), credentials.auth_mode());
        assert_eq!(*credentials_to_bytes(&read), *bytes);
        let tags: Value = serde_json::from_slice(&bytes).unwrap();
        let mode = tags.get("mode").unwrap_or(&tags["type"]);
        let mode = mode.as_str().and_then(AuthMode::parse);
        assert_eq!(mode, Some(credentials.auth_mode()));
    }

    #[test]
    fn the_document_of_an_api_key_is_unchanged() {
        let api_key = secret("k\"\u{e9}");
        let expected = "{\"type\":\"API_KEY\",\"apiKey\":\"k\\\"\u{e9}\"}";
        pinned(&Credentials::ApiKey { api_key }, expected);
    }

    #[test]
    fn the_document_of_basic_credentials_is_unchanged() {
        pinned(
            &Credentials::Basic {
                username: secret("u"),
                password: secret(""),
            },
            r#"{"type":"BASIC","username":"u","password":""}"#,
        );
    }

    #[test]
    fn the_document_of_no_credentials_is_unchanged() {
        pinned(&Credentials::None, r#"{"type":"NONE"}"#);
    }

    #[test]
    fn the_document_of_exchanged_credentials_is_unchanged() {
        let full = Exchanged {
            mode: ExchangeMode::TwoStep,
            inputs: map(json!({"username": "u"})),
            issued: map(json!({"token": "t"})),
            refresh_token: Some(secret("r")),
            expires_at: Some(Timestamp::from_millis(7)),
            raw: map(json!({"scope": "x"})),
            derived_config: map(json!({"url": "u"})),
        };
        pinned(
            &Credentials::Exchanged(full.clone()),
            "{\"type\":\"EXCHANGED\",\"mode\":\"TWO_STEP\",\"inputs\":{\"username\":\"u\"},\
             \"issued\":{\"token\":\"t\"},\"refresh_token\":\"r\",\"expires_at\":7,\
             \"raw\":{\"scope\":\"x\"},\"derived_config\":{\"url\":\"u\"}}",
        );
        let least = Exchanged {
            refresh_token: None,
            expires_at: None,
            raw: SecretMap::default(),
            derived_config: SecretMap::default(),
            ..full
        };
        pinned(
            &Credentials::Exchanged(least),
            "{\"type\":\"EXCHANGED\",\"mode\":\"TWO_STEP\",\"inputs\":{\"username\":\"u\"},\
             \"issued\":{\"token\":\"t\"}}",
        );
    }

    #[test]
    fn the_document_of_an_oauth1_token_is_unchanged() {
        pinned(
            &Credentials::OAuth1(OAuth1 {
                oauth_token: secret("t"),
                oauth_token_secret: secret("s"),
                raw: map(json!({"z": 1, "a": [null]})),
            }),
            "{\"type\":\"OAUTH1\",\"oauth_token\":\"t\",\"oauth_token_secret\":\"s\",\
             \"raw\":{\"z\":1,\"a\":[null]}}",
        );
    }

    #[test]
    fn the_document_of_an_oauth2_token_is_unchanged() {
        let full = OAuth2 {
            access_token: secret("a"),
            refresh_token: Some(secret("r")),
            expires_at: Some(Timestamp::from_millis(1_700_000_000_123)),
            config_override: Some(ClientOverride {
                client_id: Some("i".to_owned()),
                client_secret: Some(secret("s")),
            }),
            raw: map(json!({"scope": "x"})),
            derived_config: map(json!({"u": 1})),
            renews_without_refresh_token: true,
        };
        pinned(
            &Credentials::OAuth2(full),
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"refresh_token\":\"r\",\
             \"expires_at\":1700000000123,\
             \"config_override\":{\"client_id\":\"i\",\"client_secret\":\"s\"},\
             \"raw\":{\"scope\":\"x\"},\"derived_config\":{\"u\":1},\
             \"renews_without_refresh_token\":true}",
        );
        let least = OAuth2 {
            access_token: secret("a"),
            refresh_token: None,
            expires_at: None,
            config_override: None,
            raw: SecretMap::default(),
            derived_config: SecretMap::default(),
            renews_without_refresh_token: false,
        };
        pinned(
            &Credentials::OAuth2(least),
            r#"{"type":"OAUTH2","access_token":"a","raw":{}}"#,
        );
    }

    #[test]
    fn the_document_of_a_client_token_is_unchanged() {
        let full = OAuth2ClientCredentials {
            token: secret("t"),
            client_id: "i".to_owned(),
            client_secret: secret("s"),
            client_certificate: Some(secret("c")),
            client_private_key: Some(secret("k")),
            expires_at: Some(Timestamp::from_millis(-1)),
            raw: SecretMap::default(),
            derived_config: map(json!({"u": 1})),
        };
        pinned(
            &Credentials::OAuth2ClientCredentials(full.clone()),
            "{\"type\":\"OAUTH2_CC\",\"token\":\"t\",\"client_id\":\"i\",\
             \"client_secret\":\"s\",\"client_certificate\":\"c\",\
             \"client_private_key\":\"k\",\"expires_at\":-1,\"raw\":{},\
             \"derived_config\":{\"u\":1}}",
        );
        let least = OAuth2ClientCredentials {
            client_certificate: None,
            client_private_key: None,
            expires_at: None,
            derived_config: SecretMap::default(),
            ..full
        };
        pinned(
            &Credentials::OAuth2ClientCredentials(least),
            r#"{"type":"OAUTH2_CC","token":"t","client_id":"i","client_secret":"s","raw":{}}"#,
        );
    }

    #[test]
    fn the_document_of_a_tba_token_is_unchanged() {
        pinned(
            &Credentials::Tba(Tba {
                token_id: secret("t"),
                token_secret: secret("s"),
                config_override: ClientOverride::default(),
            }),
            r#"{"type":"TBA","token_id":"t","token_secret":"s","config_override":{}}"#,
        );
    }

    #[test]
    fn the_document_of_integration_secrets_is_unchanged() {
        let full = IntegrationSecrets {
            app_id: Some("a".to_owned()),
            client_secret: Some(secret("s")),
            private_key: Some(secret("k")),
            webhook_secret: Some(secret("w")),
            integration_config: map(json!({"a": "b"})),
            custom: map(json!({"c": "d"})),
        };
        for (secrets, expected) in [
            (
                full,
                "{\"app_id\":\"a\",\"client_secret\":\"s\",\"private_key\":\"k\",\"webhook_secret\":\"w\",\
                 \"integration_config\":{\"a\":\"b\"},\"custom\":{\"c\":\"d\"}}",
            ),
            (
                IntegrationSecrets::default(),
                r#"{"integration_config":{},"custom":{}}"#,
            ),
        ] {
            let bytes = integration_secrets_to_bytes(&secrets);
            assert_eq!(std::str::from_utf8(&bytes).unwrap(), expected);
            let read = integration_secrets_from_bytes(&bytes).unwrap();
            assert_eq!(*integration_secrets_to_bytes(&read), *bytes);
        }
    }

    #[test]
    fn keys_that_nobody_knows_are_skipped() {
        let api_key = br#"{"type":"API_KEY","apiKey":"k","later":{"x":[1]}}"#;
        assert!(credentials_from_bytes(api_key).is_ok());
        assert!(credentials_from_bytes(br#"{"later":1,"type":"NONE"}"#).is_ok());
        let token = br#"{"later":1,"type":"OAUTH2","access_token":"a","raw":{}}"#;
        assert!(credentials_from_bytes(token).is_ok());
        let secrets = br#"{"later":1,"integration_config":{},"custom":{}}"#;
        assert!(integration_secrets_from_bytes(secrets).is_ok());
    }

    #[test]
    fn bytes_that_are_no_document_do_not_open() {
        for bytes in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"type":"UNKNOWN"}"#,
            r#"{"type":"API_KEY"}"#,
            r#"{"type":"API_KEY","apiKey":1}"#,
            r#"{"type":"NONE"} x"#,
        ] {
            let read = credentials_from_bytes(bytes.as_bytes());
            assert_eq!(read.err(), Some(OpenError), "{bytes}");
        }
        assert_eq!(map_from_bytes(b"[]").err(), Some(OpenError));
        assert_eq!(integration_secrets_from_bytes(b"{}").err(), Some(OpenError));
    }

    #[test]
    fn the_deepest_answer_that_can_be_read_can_be_stored_and_read_again() {
        let levels = 126;
        let text = format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        let raw: Map<String, Value> = serde_json::from_str(&text).unwrap();
        let deeper = format!("{{\"a\":{text}}}");
        assert!(serde_json::from_str::<Value>(&deeper).is_err());
        let bytes = credentials_to_bytes(&Credentials::OAuth1(OAuth1 {
            oauth_token: secret("t"),
            oauth_token_secret: secret("s"),
            raw: SecretMap::new(raw),
        }));
        assert!(credentials_from_bytes(&bytes).is_ok());
    }

    fn json_object() -> impl Strategy<Value = Map<String, Value>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(3, 16, 4, |inner| {
            let array = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
            let object = prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect()));
            prop_oneof![array, object]
        });
        prop::collection::vec((any::<String>(), value), 0..4)
            .prop_map(|members| members.into_iter().collect())
    }

    fn any_secret() -> impl Strategy<Value = Secret> {
        any::<String>().prop_map(Secret::new)
    }

    fn any_map() -> impl Strategy<Value = SecretMap> {
        json_object().prop_map(SecretMap::new)
    }

    fn any_override() -> impl Strategy<Value = ClientOverride> {
        let parts = (any::<Option<String>>(), prop::option::of(any_secret()));
        parts.prop_map(|(client_id, client_secret)| ClientOverride {
            client_id,
            client_secret,
        })
    }

    fn any_timestamp() -> impl Strategy<Value = Option<Timestamp>> {
        prop::option::of(any::<i64>().prop_map(Timestamp::from_millis))
    }

    prop_compose! {
        fn any_oauth2()(
            access_token in any_secret(),
            refresh_token in prop::option::of(any_secret()),
            expires_at in any_timestamp(),
            config_override in prop::option::of(any_override()),
            raw in any_map(),
            derived_config in any_map(),
            renews_without_refresh_token: bool,
        ) -> OAuth2 {
            OAuth2 {
                access_token,
                refresh_token,
                expires_at,
                config_override,
                raw,
                derived_config,
                renews_without_refresh_token,
            }
        }
    }

    prop_compose! {
        fn any_client_token()(
            token in any_secret(),
            client_id: String,
            client_secret in any_secret(),
            client_certificate in prop::option::of(any_secret()),
            client_private_key in prop::option::of(any_secret()),
            expires_at in any_timestamp(),
            raw in any_map(),
            derived_config in any_map(),
        ) -> OAuth2ClientCredentials {
            OAuth2ClientCredentials {
                token,
                client_id,
                client_secret,
                client_certificate,
                client_private_key,
                expires_at,
                raw,
                derived_config,
            }
        }
    }

    prop_compose! {
        fn any_exchanged()(
            mode in prop::sample::select(&[ExchangeMode::App, ExchangeMode::TwoStep]),
            inputs in any_map(),
            issued in any_map(),
            refresh_token in prop::option::of(any_secret()),
            expires_at in any_timestamp(),
            raw in any_map(),
            derived_config in any_map(),
        ) -> Exchanged {
            Exchanged { mode, inputs, issued, refresh_token, expires_at, raw, derived_config }
        }
    }

    fn any_credentials() -> impl Strategy<Value = Credentials> {
        let pair = || (any_secret(), any_secret());
        prop_oneof![
            any_secret().prop_map(|api_key| Credentials::ApiKey { api_key }),
            pair().prop_map(|(username, password)| Credentials::Basic { username, password }),
            Just(Credentials::None),
            any_exchanged().prop_map(Credentials::Exchanged),
            (pair(), any_map()).prop_map(|((oauth_token, oauth_token_secret), raw)| {
                Credentials::OAuth1(OAuth1 {
                    oauth_token,
                    oauth_token_secret,
                    raw,
                })
            }),
            any_oauth2().prop_map(Credentials::OAuth2),
            any_client_token().prop_map(Credentials::OAuth2ClientCredentials),
            (pair(), any_override()).prop_map(|((token_id, token_secret), config_override)| {
                Credentials::Tba(Tba {
                    token_id,
                    token_secret,
                    config_override,
                })
            }),
        ]
    }

    fn text_of(secret: &Secret) -> &str {
        secret.expose()
    }

    proptest! {
        #[test]
        fn any_credentials_are_read_as_they_were_written(written in any_credentials()) {
            let bytes = credentials_to_bytes(&written);
            let read = credentials_from_bytes(&bytes).unwrap();
            prop_assert_eq!(read.auth_mode(), written.auth_mode());
            prop_assert_eq!(credentials_to_bytes(&read), bytes);
        }

        #[test]
        fn an_oauth2_token_is_read_as_it_was_written(written in any_oauth2()) {
            let bytes = credentials_to_bytes(&Credentials::OAuth2(written.clone()));
            let Credentials::OAuth2(read) = credentials_from_bytes(&bytes).unwrap() else {
                panic!("another kind of credentials");
            };
            prop_assert_eq!(text_of(&read.access_token), text_of(&written.access_token));
            prop_assert_eq!(
                read.refresh_token.as_ref().map(text_of),
                written.refresh_token.as_ref().map(text_of)
            );
            prop_assert_eq!(read.expires_at, written.expires_at);
            prop_assert_eq!(read.raw.expose(), written.raw.expose());
            let client = |client: ClientOverride| {
                (client.client_id, client.client_secret.as_ref().map(text_of).map(str::to_owned))
            };
            prop_assert_eq!(
                read.config_override.map(client),
                written.config_override.map(client)
            );
        }

        #[test]
        fn an_object_is_read_as_it_was_written(written in json_object()) {
            let bytes = map_to_bytes(&SecretMap::new(written.clone()));
            let read = map_from_bytes(&bytes).unwrap();
            prop_assert_eq!(read.expose(), &written);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
            let _ = credentials_from_bytes(&bytes);
            let _ = map_from_bytes(&bytes);
            let _ = integration_secrets_from_bytes(&bytes);
        }
    }
}
