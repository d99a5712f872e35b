//! Tokens with a signature, in compact form (RFC 7515 §3.1). Not here: the signature by a private
//! key, and what the claims say.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{mac::HmacKey, private_key::PrivateKey};
use crate::domain::secret::Secret;

/// What signs a token.
#[derive(Clone, Debug)]
pub enum JwtKey {
    /// HS256 (RFC 7518 §3.2).
    Hmac(HmacKey),
    /// ES256, PS256 or RS256, as the key says.
    Private(PrivateKey),
}

impl JwtKey {
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "HS256",
            Self::Private(key) => key.algorithm().name(),
        }
    }
}

/// What is signed (RFC 7515 §5.1): header and claims, with `alg` in the header as the key has it.
#[must_use]
pub fn signing_input(
    key: &JwtKey,
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Secret {
    let mut full_header = Map::from_iter([("alg".to_owned(), Value::Null)]);
    full_header.extend(header.clone());
    full_header.insert("alg".to_owned(), key.algorithm().into());
    let [header, claims] = [full_header, claims.clone()]
        .map(|map| URL_SAFE_NO_PAD.encode(Value::Object(map).to_string()));
    Secret::new(format!("{header}.{claims}"))
}

/// The signature by a key that both sides have.
#[must_use]
pub fn hs256(key: &HmacKey, signing_input: &Secret) -> [u8; 32] {
    key.sha256(signing_input.expose().as_bytes())
}

/// The token.
#[must_use]
pub fn compact(signing_input: &Secret, signature: &[u8]) -> Secret {
    let signature = URL_SAFE_NO_PAD.encode(signature);
    Secret::new(format!("{}.{signature}", signing_input.expose()))
}
