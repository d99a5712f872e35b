//! Tokens that are signed here (RFC 7519), as an entry describes them in `signature` and `token`.
//!
//! Here: what is signed and with which key, filled in for one connection. Not here: the signature.

use serde_json::{Map, Value};
use thiserror::Error;

use super::{
    checked::Checked,
    entry::Parameters,
    entry_fields::{HMAC_SECRET_ENCODINGS, SIGNATURE_PROTOCOLS},
    template::{self, TemplateError, Values, own_part},
};
use crate::{
    domain::{
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    signing::{
        jws::JwtKey,
        mac::HmacKey,
        private_key::{Algorithm, PrivateKey, PrivateKeyError},
    },
};

/// How tokens are signed for a connection.
#[derive(Clone, Debug)]
pub struct JwtTemplate {
    encoding: KeyEncoding,
    signing_key: String,
    header: Parameters,
    payload: Map<String, Value>,
    lifetime_millis: i64,
}

/// How the text of a key is to be read.
#[derive(Clone, Copy, Debug)]
enum KeyEncoding {
    Hmac(HmacSecretEncoding),
    Private(Algorithm),
}

/// How the secret of an authentication code is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum HmacSecretEncoding {
    /// As hexadecimal digits.
    #[default]
    Hex,
    /// As the text that it is.
    Utf8,
}

/// A token to sign.
#[derive(Debug)]
pub struct Jwt {
    /// The key.
    pub key: JwtKey,
    /// Its header, but for `alg`.
    pub header: SecretMap,
    /// What it says.
    pub claims: SecretMap,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Why there is nothing to sign. No variant holds any part of a value.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum UnsignableError {
    /// The text is no key of the kind that is needed.
    #[error(transparent)]
    Key(#[from] PrivateKeyError),
    /// A value has no form in XML.
    #[error("a value cannot be written as XML")]
    NotXml,
    /// The secret is not written as it has to be.
    #[error("the key does not consist of pairs of hexadecimal digits")]
    NotHexadecimal,
    /// The entry's templates cannot be filled.
    #[error("the token of the provider cannot be filled in: {0}")]
    Template(#[from] TemplateError),
}

impl JwtTemplate {
    pub(super) fn of(entry: Checked<'_>) -> Option<Self> {
        let signature = entry.object("signature")?;
        let token = entry.object("token")?;
        let algorithm = signature.choice("protocol", &SIGNATURE_PROTOCOLS)?;
        let encoding = signature.choice("hmac_secret_encoding", &HMAC_SECRET_ENCODINGS);
        let of_secret = KeyEncoding::Hmac(encoding.unwrap_or_default());
        let encoding = algorithm.map_or(of_secret, KeyEncoding::Private);
        let payload = token.object("payload").map(|payload| payload.0.clone());
        Some(Self {
            encoding,
            signing_key: token.text("signing_key")?,
            header: token.parameters("header").unwrap_or_default(),
            payload: payload.unwrap_or_default(),
            lifetime_millis: token.number("expires_in_ms")?,
        })
    }

    /// What `assertion` describes.
    pub(super) fn of_assertion(
        assertion: Checked<'_>,
        algorithm: Algorithm,
        lifetime_seconds: Option<i64>,
    ) -> Option<Self> {
        let payload = assertion.object("payload");
        let lifetime_seconds = lifetime_seconds.unwrap_or(HOUR_SECONDS);
        Some(Self {
            encoding: KeyEncoding::Private(algorithm),
            signing_key: assertion.text("key")?,
            header: assertion.parameters("header").unwrap_or_default(),
            payload: payload.map(|it| it.0.clone()).unwrap_or_default(),
            lifetime_millis: lifetime_seconds.saturating_mul(1000),
        })
    }

    /// What is to be signed at the time of `values`. Parts of header and payload that lack a value
    /// are left out.
    pub fn fill(&self, values: &Values<'_>) -> Result<Jwt, UnsignableError> {
        let parted = self.parted(values.credentials);
        let values = &Values {
            credentials: parted.as_ref(),
            ..*values
        };
        let mut header = Map::new();
        for (name, template) in &self.header {
            let text = unless_missing(template::text(template, values))?;
            header.extend(text.map(|text| (name.clone(), text.into())));
        }
        let issued_at = values.now.millis().div_euclid(1000);
        let ends_at = issued_at.saturating_add(self.lifetime_millis / 1000);
        let mut claims = object(&self.payload, values, MAX_DEPTH)?;
        claims.insert("iat".to_owned(), issued_at.into());
        claims.insert("exp".to_owned(), ends_at.into());
        Ok(Jwt {
            key: self.key(values)?,
            header: SecretMap::new(header),
            claims: SecretMap::new(claims),
            expires_at: Timestamp::EPOCH.plus_seconds(ends_at),
        })
    }

    /// Whether there is a key to sign with.
    pub fn check_key(&self, values: &Values<'_>) -> Result<(), UnsignableError> {
        let parted = self.parted(values.credentials);
        let values = Values {
            credentials: parted.as_ref(),
            ..*values
        };
        self.key(&values).map(drop)
    }

    /// The places of an import that bring what the key is made of.
    #[must_use]
    pub fn key_places(&self) -> Vec<Vec<String>> {
        places_of(&self.signing_key)
    }

    fn key(&self, values: &Values<'_>) -> Result<JwtKey, UnsignableError> {
        let text = Secret::new(template::plain_text(&self.signing_key, values)?);
        Ok(match self.encoding {
            KeyEncoding::Hmac(HmacSecretEncoding::Hex) => {
                JwtKey::Hmac(HmacKey::from_hex(&text).ok_or(UnsignableError::NotHexadecimal)?)
            }
            KeyEncoding::Hmac(HmacSecretEncoding::Utf8) => JwtKey::Hmac(HmacKey::from_text(&text)),
            KeyEncoding::Private(algorithm) => {
                JwtKey::Private(PrivateKey::from_pem(&text, algorithm)?)
            }
        })
    }

    /// The credentials with `id:secret` taken apart in those whose parts are asked for, so that a
    /// key can be given in one piece, as providers show it.
    fn parted(&self, credentials: Option<&SecretMap>) -> Option<SecretMap> {
        let mut inputs = credentials?.expose().clone();
        for name in self.names() {
            let Some((input, "id" | "secret")) = own_name(name).split_once('.') else {
                continue;
            };
            let text = inputs.get(input).and_then(Value::as_str);
            let parts = text.and_then(|text| text.split_once(':'));
            if let Some((id, secret)) = parts {
                let parts = [("id", id), ("secret", secret)]
                    .map(|(name, part)| (name.to_owned(), Value::from(part)));
                inputs.insert(input.to_owned(), Map::from_iter(parts).into());
            }
        }
        Some(SecretMap::new(inputs))
    }

    fn names(&self) -> Vec<&str> {
        let header = self.header.iter().map(|(_, template)| template.as_str());
        let claims = self.payload.values().filter_map(Value::as_str);
        header
            .chain(claims)
            .chain([self.signing_key.as_str()])
            .flat_map(template::placeholders)
            .collect()
    }
}

/// The places of an import that bring the values in `template`.
pub(super) fn places_of(template: &str) -> Vec<Vec<String>> {
    let place = |placeholder: &str| {
        let (object, name) = match placeholder.strip_prefix("connectionConfig.") {
            Some(name) => ("connection_config", name),
            None => ("credentials", own_name(placeholder)),
        };
        let name = name.split_once('.').map_or(name, |(name, _)| name);
        vec![object.to_owned(), name.to_owned()]
    };
    let placeholders = template::placeholders(template);
    placeholders.into_iter().map(place).collect()
}

fn own_name(placeholder: &str) -> &str {
    own_part(placeholder).unwrap_or(placeholder)
}

/// None where `filled` lacks a value.
pub(super) fn unless_missing<T>(
    filled: Result<T, TemplateError>,
) -> Result<Option<T>, TemplateError> {
    match filled {
        Ok(filled) => Ok(Some(filled)),
        Err(TemplateError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn object(
    template: &Map<String, Value>,
    values: &Values<'_>,
    depth: usize,
) -> Result<Map<String, Value>, TemplateError> {
    let mut filled = Map::new();
    for (name, value) in template {
        let value = claim(value, values, depth)?;
        filled.extend(value.map(|value| (name.clone(), value)));
    }
    Ok(filled)
}

/// The value of a claim; none where nothing of it has a value.
fn claim(
    template: &Value,
    values: &Values<'_>,
    depth: usize,
) -> Result<Option<Value>, TemplateError> {
    let depth = depth.checked_sub(1).ok_or(TemplateError::Malformed)?;
    Ok(match template {
        Value::String(template) => {
            unless_missing(template::text(template, values))?.map(Value::from)
        }
        Value::Array(items) => {
            let mut filled = Vec::new();
            for item in items {
                match claim(item, values, depth)? {
                    // One input gives several entries where it has commas.
                    Some(Value::String(text)) => filled.extend(split(&text)),
                    item => filled.extend(item),
                }
            }
            (!filled.is_empty()).then(|| filled.into())
        }
        Value::Object(template) => Some(object(template, values, depth)?.into()),
        Value::Bool(_) | Value::Null | Value::Number(_) => Some(template.clone()),
    })
}

fn split(text: &str) -> impl Iterator<Item = Value> {
    let parts = text.split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(Value::from)
}

const HOUR_SECONDS: i64 = 3600;
/// How deep a payload may be nested. Each level is a call on the stack.
const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        domain::secret::SecretMap, providers::entry::Entry, signing::jws::hs256,
        validation::input::read,
    };

    fn template(signature: &Value, token: &Value) -> JwtTemplate {
        let mut token = token.clone();
        let own = token.as_object_mut().unwrap();
        own.insert("expires_in_ms".to_owned(), 300_000.into());
        let entry = json!({
            "display_name": "E", "docs": "https://d.example", "auth_mode": "JWT",
            "signature": signature, "token": token,
        });
        read(Some(&entry), Entry::parse).unwrap().jwt.unwrap()
    }

    fn filled(
        template: &JwtTemplate,
        inputs: &Value,
        config: &Value,
    ) -> Result<Jwt, UnsignableError> {
        let [inputs, config] =
            [inputs, config].map(|it| SecretMap::new(it.as_object().unwrap().clone()));
        let now = Timestamp::from_millis(1_700_000_000_900);
        template.fill(&Values {
            credentials: Some(&inputs),
            ..Values::new(&config, now, "fake-random")
        })
    }

    fn code(jwt: &Jwt) -> [u8; 32] {
        let JwtKey::Hmac(key) = &jwt.key else {
            unreachable!()
        };
        hs256(key, &Secret::new("message"))
    }

    #[test]
    fn header_and_payload_are_filled_and_dated() {
        let template = template(
            &json!({"protocol": "HMAC", "hmac_secret_encoding": "utf8"}),
            &json!({
                "signing_key": "${credentials.key}",
                "header": {"kid": "${credentials.id}", "typ": "JWT", "x": "${credentials.none}"},
                "payload": {
                    "iss": "${credentials.id}", "aud": "https://${connectionConfig.host}",
                    "jti": "${random}", "n": 1, "deep": {"a": "${credentials.id}", "b": "${none}"},
                },
            }),
        );
        let inputs = json!({"key": "fake-key", "id": "me"});
        let jwt = filled(&template, &inputs, &json!({"host": "a.example"})).unwrap();
        let header = Value::Object(jwt.header.expose().clone());
        assert_eq!(header, json!({"kid": "me", "typ": "JWT"}));
        let claims = Value::Object(jwt.claims.expose().clone());
        assert_eq!(
            claims,
            json!({
                "iss": "me", "aud": "https://a.example", "jti": "fake-random", "n": 1,
                "deep": {"a": "me"}, "iat": 1_700_000_000, "exp": 1_700_000_300,
            })
        );
        assert_eq!(jwt.expires_at.millis(), 1_700_000_300_000);
    }

    #[test]
    fn entries_of_a_list_are_split_at_commas_and_an_empty_list_is_left_out() {
        let template = template(
            &json!({"protocol": "HMAC", "hmac_secret_encoding": "utf8"}),
            &json!({
                "signing_key": "${credentials.key}",
                "payload": {"scope": ["${connectionConfig.scope}", "d"], "none": ["${none}"]},
            }),
        );
        let config = json!({"scope": "GET /v1/apps, b,,c "});
        let jwt = filled(&template, &json!({"key": "fake-key"}), &config).unwrap();
        let claims = jwt.claims.expose();
        assert_eq!(claims["scope"], json!(["GET /v1/apps", "b", "c", "d"]));
        assert!(!claims.contains_key("none"));
    }

    #[test]
    fn a_key_of_two_parts_may_come_in_one_piece() {
        let template = template(
            &json!({"protocol": "HMAC"}),
            &json!({
                "signing_key": "${credentials.privateKey.secret}",
                "header": {"kid": "${credentials.privateKey.id}"},
            }),
        );
        let parts = json!({"privateKey": {"id": "one", "secret": "4a656665"}});
        let piece = json!({"privateKey": "one:4a656665"});
        let [parts, piece] = [parts, piece].map(|it| filled(&template, &it, &json!({})).unwrap());
        assert_eq!(piece.header.expose()["kid"], "one");
        assert_eq!(code(&parts), code(&piece));
        assert_eq!(template.key_places(), [["credentials", "privateKey"]]);
    }

    #[test]
    fn bars_in_a_key_are_part_of_it() {
        let template = template(
            &json!({"protocol": "HMAC", "hmac_secret_encoding": "utf8"}),
            &json!({"signing_key": "${credentials.a}||${credentials.b}"}),
        );
        let jwt = filled(&template, &json!({"a": "x", "b": "y"}), &json!({})).unwrap();
        let key = HmacKey::from_text(&Secret::new("x||y"));
        assert_eq!(code(&jwt), hs256(&key, &Secret::new("message")));
    }

    #[test]
    fn what_is_no_key_is_told_without_its_text() {
        let hmac = template(
            &json!({"protocol": "HMAC"}),
            &json!({"signing_key": "${credentials.key}"}),
        );
        let rsa = template(
            &json!({"protocol": "RSA"}),
            &json!({"signing_key": "${credentials.key}"}),
        );
        for (template, expected) in [
            (hmac, UnsignableError::NotHexadecimal),
            (rsa, UnsignableError::Key(PrivateKeyError::NoPem)),
        ] {
            let error = filled(&template, &json!({"key": "canary"}), &json!({})).unwrap_err();
            assert_eq!(error, expected);
            assert!(!format!("{error} {error:?}").contains("canary"));
            let error = filled(&template, &json!({}), &json!({})).unwrap_err();
            let missing = TemplateError::Missing("credentials.key".to_owned());
            assert_eq!(error, UnsignableError::Template(missing));
        }
    }
}
