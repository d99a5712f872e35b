//! A token that is signed here.

use serde_json::{Map, Value};

use super::ports::{Signer, SigningError};
use crate::{
    domain::secret::Secret,
    signing::jws::{JwtKey, compact, hs256, signing_input},
};

/// A token (RFC 7519) with these claims. The key says what `alg` in the header is, whatever stands
/// there.
pub async fn sign_jwt(
    ports: &impl Signer,
    key: &JwtKey,
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<Secret, SigningError> {
    let input = signing_input(key, header, claims);
    let signature = match key {
        JwtKey::Hmac(key) => hs256(key, &input).to_vec(),
        JwtKey::Private(key) => ports.sign(key, input.expose().as_bytes()).await?,
    };
    Ok(compact(&input, &signature))
}
