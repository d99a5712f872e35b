//! Message authentication codes (RFC 2104), and keys for them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::domain::secret::Secret;

/// A key that both sides have.
#[derive(Clone)]
pub struct HmacKey(Zeroizing<Vec<u8>>);

impl HmacKey {
    /// The bytes of `text`.
    #[must_use]
    pub fn from_text(text: &Secret) -> Self {
        Self(Zeroizing::new(text.expose().as_bytes().to_vec()))
    }

    /// The bytes that `text` spells in hexadecimal; none if it does not.
    #[must_use]
    pub fn from_hex(text: &Secret) -> Option<Self> {
        let bytes = base16ct::mixed::decode_vec(text.expose()).ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    /// HMAC-SHA256 of `message` under this key.
    #[must_use]
    pub fn sha256(&self, message: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.0, message)
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HmacKey(…)")
    }
}

/// HMAC-SHA1. It is broken as a digest and still sound as a code (RFC 6194 §3.3), which is what
/// those who ask for it use it for.
#[must_use]
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    code::<Hmac<Sha1>>(key, message).into()
}

/// HMAC-SHA256.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    code::<Hmac<Sha256>>(key, message).into()
}

#[expect(
    clippy::expect_used,
    reason = "RFC 2104 §2: HMAC takes a key of any length"
)]
fn code<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> hmac::digest::Output<M> {
    <M as KeyInit>::new_from_slice(key)
        .expect("HMAC takes a key of any length")
        .chain_update(message)
        .finalize()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_hexadecimal_is_the_bytes_it_spells() {
        let key = HmacKey::from_hex(&Secret::new("4a656665")).unwrap();
        // RFC 4231 §4.3.
        let code = key.sha256(b"what do ya want for nothing?");
        let text = HmacKey::from_text(&Secret::new("Jefe"));
        assert_eq!(code, text.sha256(b"what do ya want for nothing?"));
        assert_eq!(code[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }

    #[test]
    fn what_is_not_hexadecimal_is_no_key() {
        for text in ["4a6", "4g", "é", "+1"] {
            assert!(HmacKey::from_hex(&Secret::new(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn debug_of_a_key_does_not_contain_it() {
        let key = HmacKey::from_text(&Secret::new("canary"));
        assert_eq!(format!("{key:?}"), "HmacKey(…)");
    }
}
