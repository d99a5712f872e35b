//! API keys: their form, the digests that stand for them in storage, and constant-time comparison
//! with configured secrets.
//!
//! A key is `hf_`, 64 hexadecimal characters of 32 random bytes, and 8 of a checksum, by which
//! typing mistakes are caught without a look into storage and secret scanners are sure of a find.
//! A fast keyed hash is enough for 256 random bits. Not here: what a key may do, and where its
//! digest is stored.

use base16ct::lower::encode_string as hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::key_ring::{Key, KeyId, KeyRing, MasterKey};
use crate::domain::secret::Secret;

const PREFIX: &str = "hf_";
const CHECKSUM_CHARS: usize = 8;
const KEY_CHARS: usize = PREFIX.len() + 64 + CHECKSUM_CHARS;
const DIGEST_PURPOSE: &str = "holdfast api key v1";
const COMPARISON_PURPOSE: &str = "holdfast comparison v1";

/// A new key with `random` as its body.
#[must_use]
pub fn generate(random: [u8; 32]) -> Secret {
    let mut key = String::with_capacity(KEY_CHARS);
    key.push_str(PREFIX);
    key.push_str(&Zeroizing::new(hex(&random)));
    let checksum = checksum(&key);
    key.push_str(&checksum);
    Secret::new(key)
}

/// What a presented text looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// A key that we made.
    Key,
    /// A key that we made, mistyped or cut off.
    MistypedKey,
    /// Something else.
    Other,
    /// A UUID of version 4, the form of keys elsewhere.
    UuidV4,
}

/// What `presented` looks like.
#[must_use]
pub fn form(presented: &Secret) -> Form {
    let text = presented.expose();
    let is_hex = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if let Some(body) = text.strip_prefix(PREFIX) {
        let is_whole = text.len() == KEY_CHARS
            && is_hex(body)
            && text
                .split_at_checked(KEY_CHARS - CHECKSUM_CHARS)
                .is_some_and(|(key, end)| checksum(key) == end);
        return if is_whole {
            Form::Key
        } else {
            Form::MistypedKey
        };
    }
    let is_hyphenated = text.len() == uuid::fmt::Hyphenated::LENGTH;
    match uuid::Uuid::try_parse(text) {
        Ok(uuid) if is_hyphenated && uuid.get_version_num() == 4 => Form::UuidV4,
        Ok(_) | Err(_) => Form::Other,
    }
}

fn checksum(key: &str) -> String {
    let digest = hex(&Sha256::digest(key));
    digest.chars().take(CHECKSUM_CHARS).collect()
}

/// What stands for a key in storage: HMAC-SHA256 of it under a pepper derived from a master key,
/// in hexadecimal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiKeyDigest(String);

impl ApiKeyDigest {
    /// The digest as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The digests of `presented` under every key of `ring`, the active one first, because a stored
/// key keeps the digest of the time when it was made.
#[must_use]
pub fn digests(ring: &KeyRing, presented: &Secret) -> Vec<(KeyId, ApiKeyDigest)> {
    ring.keys()
        .map(|key| (key.id(), digest(key, presented)))
        .collect()
}

/// The digest of a new key, under the active key of `ring`.
#[must_use]
pub fn active_digest(ring: &KeyRing, presented: &Secret) -> (KeyId, ApiKeyDigest) {
    let key = ring.active_key();
    (key.id(), digest(key, presented))
}

fn digest(key: &MasterKey, presented: &Secret) -> ApiKeyDigest {
    let pepper = key.derive(&[], DIGEST_PURPOSE);
    ApiKeyDigest(hex(&authentication_code(&pepper, presented)))
}

/// Whether `presented` is the `configured` secret, in a time that tells nothing of either, not
/// even whether their lengths are the same.
#[must_use]
pub fn same_secret(ring: &KeyRing, presented: &Secret, configured: &Secret) -> bool {
    let key = ring.active_key().derive(&[], COMPARISON_PURPOSE);
    authentication_code(&key, presented)
        .ct_eq(&authentication_code(&key, configured))
        .into()
}

#[expect(
    clippy::expect_used,
    reason = "RFC 2104 §2: HMAC takes a key of any length"
)]
pub(super) fn authentication_code(key: &Key, secret: &Secret) -> [u8; 32] {
    Hmac::<Sha256>::new_from_slice(key.as_slice())
        .expect("HMAC takes a key of any length")
        .chain_update(secret.expose())
        .finalize()
        .into_bytes()
        .into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONES: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const TWOS: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(text).unwrap()
    }

    fn same(presented: &str, configured: &str) -> bool {
        let ring = ring(&format!("1:{ONES}"));
        same_secret(&ring, &Secret::new(presented), &Secret::new(configured))
    }

    #[test]
    fn the_form_of_a_key_is_unchanged() {
        let random = std::array::from_fn(|index| u8::try_from(index * 8).unwrap());
        assert_eq!(
            generate(random).expose(),
            "hf_0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f82cf73124"
        );
    }

    #[test]
    fn the_digest_of_a_key_is_unchanged() {
        let digests = digests(&ring(&format!("1:{ONES}")), &generate([0xab; 32]));
        assert_eq!(
            digests[0].1.as_str(),
            "2bc498f7550bcfc1cfe9a5c7fe3a7ca60717cfdfab6606ccf1ee4fba80a4685c"
        );
    }

    #[test]
    fn a_key_has_a_digest_for_every_key_of_the_ring_with_the_active_one_first() {
        let key = generate([7; 32]);
        let before = digests(&ring(&format!("1:{ONES}")), &key);
        let after = digests(&ring(&format!("2:{TWOS},1:{ONES}")), &key);
        let ids: Vec<_> = after.iter().map(|(id, _)| id.number()).collect();
        assert_eq!(ids, [2, 1]);
        assert_eq!(after[1], before[0]);
        assert_ne!(after[0].1, after[1].1);
    }

    #[test]
    fn texts_of_another_form_are_no_keys() {
        let key = generate([0xab; 32]);
        let key = key.expose();
        for text in [
            "",
            "hf_",
            &key.replace("hf_", "sk_"),
            &key.to_uppercase(),
            &key[..key.len() - 1],
            &format!("{key}0"),
            &format!(" {key}"),
            &key.replacen("ababab", "é\u{e9}ab", 1),
        ] {
            assert_ne!(form(&Secret::new(text)), Form::Key, "{text}");
        }
    }

    #[test]
    fn secrets_of_any_length_are_compared_whole() {
        assert!(same("", ""));
        assert!(same(
            "a long passphrase, with blanks",
            "a long passphrase, with blanks"
        ));
        assert!(!same("secret", "secret1"));
        assert!(!same("secret", "secreT"));
        assert!(!same("", "secret"));
    }

    proptest! {
        #[test]
        fn every_generated_key_is_well_formed(random: [u8; 32]) {
            prop_assert!(form(&generate(random)) == Form::Key);
        }

        #[test]
        fn a_key_with_one_mistyped_character_is_not_well_formed(
            random: [u8; 32],
            at in 0..KEY_CHARS,
            typed in "[ -~]",
        ) {
            let mut text = generate(random).expose().to_owned();
            prop_assume!(!text[at..].starts_with(&typed));
            text.replace_range(at..=at, &typed);
            prop_assert!(form(&Secret::new(text)) != Form::Key);
        }

        #[test]
        fn secrets_are_the_same_only_if_their_texts_are(left: String, right: String) {
            prop_assert_eq!(same(&left, &right), left == right);
            prop_assert!(same(&left, &left));
        }
    }
}
