//! When a JSON Web Token ends. Not here: making one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{secret::Secret, timestamp::Timestamp};

/// The `exp` of a JSON Web Token (RFC 7519 §4.1.4), if `token` is one. Nothing is verified: the
/// token is ours, and only its age matters.
#[must_use]
pub fn end_of_jwt(token: &Secret) -> Option<Timestamp> {
    let mut parts = token.expose().split('.');
    let (_, payload) = (parts.next()?, parts.next()?);
    parts.next()?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let payload: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    Some(Timestamp::from_epoch(payload.get("exp")?.as_f64()?))
}
