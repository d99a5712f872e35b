//! The master keys, and the keys derived from them.
//!
//! The first key of a ring is the active one, which seals; every key opens. Not here: where the
//! text of a ring comes from, and which keys stored rows still need.

use std::{fmt, num::NonZeroU32};

use base64::{Engine, engine::general_purpose::STANDARD_PAD_INDIFFERENT};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// A 256-bit key.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// The name of a master key: 1 to 4294967295, in decimal where a person writes it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId(NonZeroU32);

impl KeyId {
    /// The identifier with this number, unless it is zero.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.get()
    }

    fn parse(text: &str) -> Option<Self> {
        // The standard library would take a plus sign as well.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The master keys of an installation.
pub struct KeyRing {
    active: MasterKey,
    past: Vec<MasterKey>,
}

impl KeyRing {
    /// Reads `id:base64,id:base64,…`. The first key is the active one. Each key is 32 bytes in
    /// standard base64, with or without padding; blanks around the parts are ignored.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        if text.trim().is_empty() {
            return Err(KeyRingError::Empty);
        }
        let mut keys: Vec<MasterKey> = Vec::new();
        for (position, entry) in (1..).zip(text.split(',')) {
            let key = MasterKey::parse(position, entry)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(KeyRingError::DuplicateId { id: key.id });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let active = keys.next().ok_or(KeyRingError::Empty)?;
        let past = keys.collect();
        Ok(Self { active, past })
    }

    /// The key that seals.
    #[must_use]
    pub fn active(&self) -> KeyId {
        self.active.id
    }

    /// Every key that opens, the active one first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys().map(|key| key.id)
    }

    pub(super) fn active_key(&self) -> &MasterKey {
        &self.active
    }

    pub(super) fn key(&self, id: KeyId) -> Option<&MasterKey> {
        self.keys().find(|key| key.id == id)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.active).chain(&self.past)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyRing")?;
        formatter.debug_list().entries(self.ids()).finish()
    }
}

/// Why a text is no key ring. Positions count from 1. No variant holds any part of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyRingError {
    /// The key of this entry is not standard base64.
    #[error("key {id} is not base64")]
    BadBase64 {
        /// The name of the key.
        id: KeyId,
    },
    /// Two entries have the same identifier.
    #[error("key id {id} is given twice")]
    DuplicateId {
        /// The name of both keys.
        id: KeyId,
    },
    /// There is no key at all.
    #[error("there is no key")]
    Empty,
    /// The entry has no colon between identifier and key.
    #[error("entry {position} is not of the form id:base64")]
    MalformedEntry {
        /// The place of the entry.
        position: usize,
    },
    /// The identifier is not a decimal number from 1 to 4294967295.
    #[error("the key id of entry {position} is not a number from 1 to 4294967295")]
    MalformedId {
        /// The place of the entry.
        position: usize,
    },
    /// The key is not 32 bytes long.
    #[error("key {id} is not 32 bytes long")]
    WrongLength {
        /// The name of the key.
        id: KeyId,
    },
}

pub(super) struct MasterKey {
    id: KeyId,
    key: Key,
}

impl MasterKey {
    fn parse(position: usize, entry: &str) -> Result<Self, KeyRingError> {
        let (id, key) = entry
            .split_once(':')
            .ok_or(KeyRingError::MalformedEntry { position })?;
        let id = KeyId::parse(id.trim()).ok_or(KeyRingError::MalformedId { position })?;
        let bytes = STANDARD_PAD_INDIFFERENT
            .decode(key.trim())
            .map(Zeroizing::new)
            .map_err(|_| KeyRingError::BadBase64 { id })?;
        let key = <[u8; 32]>::try_from(bytes.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| KeyRingError::WrongLength { id })?;
        Ok(Self { id, key })
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// The key for one purpose (RFC 5869), so that no two uses of a master key share a key.
    #[expect(
        clippy::expect_used,
        reason = "RFC 5869 §2.3: HKDF-SHA256 yields up to 8160 bytes, and 32 are asked for"
    )]
    pub(super) fn derive(&self, salt: &[u8], purpose: &str) -> Key {
        let mut derived = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), self.key.as_slice())
            .expand(purpose.as_bytes(), derived.as_mut_slice())
            .expect("HKDF-SHA256 yields 32 bytes");
        derived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 bytes of 1, of 2.
    const ONES: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const TWOS: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    #[track_caller]
    fn refused(text: &str, expected: KeyRingError, message: &str) {
        let error = KeyRing::parse(text).unwrap_err();
        assert_eq!(error, expected, "{text}");
        assert_eq!(error.to_string(), message);
    }

    fn id(number: u32) -> KeyId {
        KeyId::new(number).unwrap()
    }

    #[test]
    fn the_first_key_is_active_and_all_are_known() {
        let ring = KeyRing::parse(&format!("7:{TWOS},4294967295:{ONES}")).unwrap();
        assert_eq!(ring.active(), id(7));
        assert_eq!(ring.ids().collect::<Vec<_>>(), [id(7), id(u32::MAX)]);
        assert!(ring.key(id(u32::MAX)).is_some());
        assert!(ring.key(id(1)).is_none());
    }

    #[test]
    fn blanks_and_missing_padding_are_tolerated() {
        let text = format!(" 2 : {} ,\n 1:{ONES}\n", TWOS.trim_end_matches('='));
        let ring = KeyRing::parse(&text).unwrap();
        assert_eq!(ring.ids().collect::<Vec<_>>(), [id(2), id(1)]);
        assert_eq!(*ring.key(id(2)).unwrap().key, [2; 32]);
    }

    #[test]
    fn a_ring_without_a_key_is_refused() {
        refused("", KeyRingError::Empty, "there is no key");
        refused(" \n", KeyRingError::Empty, "there is no key");
    }

    #[test]
    fn entries_of_another_form_are_refused_by_their_position() {
        let message = "entry 1 is not of the form id:base64";
        refused(ONES, KeyRingError::MalformedEntry { position: 1 }, message);
        let message = "entry 2 is not of the form id:base64";
        let error = KeyRingError::MalformedEntry { position: 2 };
        refused(&format!("1:{ONES},"), error, message);
    }

    #[test]
    fn identifiers_that_are_no_positive_32_bit_number_are_refused_by_their_position() {
        for bad in ["", "0", "+1", "-1", "1.0", "a", "4294967296", "१"] {
            refused(
                &format!("1:{ONES},{bad}:{TWOS}"),
                KeyRingError::MalformedId { position: 2 },
                "the key id of entry 2 is not a number from 1 to 4294967295",
            );
        }
    }

    #[test]
    fn an_identifier_given_twice_is_refused() {
        refused(
            &format!("1:{ONES},01:{TWOS}"),
            KeyRingError::DuplicateId { id: id(1) },
            "key id 1 is given twice",
        );
    }

    #[test]
    fn keys_that_are_no_base64_are_refused_by_their_identifier() {
        for bad in ["*", "AQ-_", "A", &format!("{ONES}=")] {
            let error = KeyRingError::BadBase64 { id: id(3) };
            refused(&format!("3:{bad}"), error, "key 3 is not base64");
        }
    }

    #[test]
    fn keys_of_another_length_are_refused_by_their_identifier() {
        for bad in ["", "AQ", &format!("AQEB{ONES}")] {
            let error = KeyRingError::WrongLength { id: id(3) };
            refused(&format!("3:{bad}"), error, "key 3 is not 32 bytes long");
        }
    }

    #[test]
    fn debug_of_a_ring_names_its_keys_and_nothing_of_them() {
        let ring = KeyRing::parse(&format!("2:{TWOS},1:{ONES}")).unwrap();
        assert_eq!(format!("{ring:?}"), "KeyRing[KeyId(2), KeyId(1)]");
    }

    #[test]
    fn every_purpose_and_every_salt_has_a_key_of_its_own() {
        let ring = KeyRing::parse(&format!("1:{ONES}")).unwrap();
        let key = ring.active_key();
        assert_ne!(key.derive(b"salt", "a"), key.derive(b"salt", "b"));
        assert_ne!(key.derive(b"salt", "a"), key.derive(b"pepper", "a"));
    }
}
