//! The envelope around everything that is sealed at rest.
//!
//! ```text
//! version(1) = 1 ‖ key id(4, big-endian) ‖ salt(16) ‖ nonce(12) ‖ ciphertext ‖ tag(16)
//! ```
//!
//! AES-256-GCM under a key derived for this one blob, HKDF-SHA256(master key, salt), so that the
//! number of nonces that one key can bear never matters. The header and the place of the blob are
//! its associated data: a blob that was moved to another row, column or environment does not
//! open. Not here: what the plaintext means. Nor does the envelope notice when an older blob of
//! the same place is put back.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::key_ring::{KeyId, KeyRing, MasterKey};
use crate::domain::environment::EnvironmentNumber;

const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
const HEADER_BYTES: usize = 1 + 4 + SALT_BYTES + NONCE_BYTES;
const PURPOSE: &str = "holdfast seal v1";

/// Where a blob is stored. It opens there and nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The environment.
    pub environment: EnvironmentNumber,
    /// The unchanging internal identifier of the integration.
    pub integration: &'a str,
    /// The connection's identifier; empty for what belongs to the integration itself.
    pub connection: &'a str,
    /// The column.
    pub field: Field,
}

/// The columns that are sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    /// The configuration of a connection.
    ConnectionConfig,
    /// The credentials of a connection.
    Credentials,
    /// The client secret and other secret settings of an integration.
    IntegrationSecrets,
}

impl Field {
    /// The name in the associated data. A name that changes makes every stored blob unreadable.
    fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionConfig => "connection_config",
            Self::Credentials => "credentials",
            Self::IntegrationSecrets => "integration_secrets",
        }
    }
}

/// Fresh random bytes for one blob. Not `Clone`, because no blob may share them with another.
#[derive(Debug)]
pub struct Randomness {
    /// Decides the derived key.
    pub salt: [u8; SALT_BYTES],
    /// The nonce of AES-GCM.
    pub nonce: [u8; NONCE_BYTES],
}

/// A sealed blob as it is stored: base64 of the envelope, standard alphabet, no padding.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// A blob as it was read from storage, not yet checked in any way.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The master key that the blob claims to be sealed under, if it is a blob at all.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        // Eight characters of base64 are the version, the key id and a byte of the salt.
        let start = STANDARD_NO_PAD.decode(self.0.get(..8)?).ok()?;
        let ([VERSION], rest) = start.split_first_chunk()? else {
            return None;
        };
        KeyId::new(u32::from_be_bytes(*rest.first_chunk()?))
    }
}

/// A blob does not open. On purpose this does not say why.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a sealed value does not open")]
pub struct OpenError;

/// Seals `plaintext` for `place` under the active key of `ring`.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "AES-GCM refuses only more than 64 GiB, sixteen times the address space of an isolate"
)]
#[must_use]
pub fn seal(
    ring: &KeyRing,
    place: &Place<'_>,
    plaintext: &[u8],
    Randomness { salt, nonce }: Randomness,
) -> Sealed {
    let key = ring.active_key();
    let key_id = key.id().number().to_be_bytes();
    let header = [&[VERSION], &key_id[..], &salt, &nonce].concat();
    let payload = Payload {
        msg: plaintext,
        aad: &associated_data(&header, place),
    };
    let ciphertext = cipher(key, &salt)
        .encrypt(&nonce.into(), payload)
        .expect("the plaintext is shorter than 64 GiB");
    Sealed(STANDARD_NO_PAD.encode([header, ciphertext].concat()))
}

/// Opens what was sealed for `place` under any key of `ring`.
pub fn open(
    ring: &KeyRing,
    place: &Place<'_>,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let key = sealed
        .key_id()
        .and_then(|id| ring.key(id))
        .ok_or(OpenError)?;
    let envelope = STANDARD_NO_PAD
        .decode(sealed.as_str())
        .map_err(|_| OpenError)?;
    let (header, ciphertext) = envelope.split_at_checked(HEADER_BYTES).ok_or(OpenError)?;
    let (rest, nonce) = header.split_last_chunk::<NONCE_BYTES>().ok_or(OpenError)?;
    let salt = rest.last_chunk::<SALT_BYTES>().ok_or(OpenError)?;
    let payload = Payload {
        msg: ciphertext,
        aad: &associated_data(header, place),
    };
    cipher(key, salt)
        .decrypt(nonce.into(), payload)
        .map(Zeroizing::new)
        .map_err(|_| OpenError)
}

fn cipher(key: &MasterKey, salt: &[u8]) -> Aes256Gcm {
    Aes256Gcm::new((&*key.derive(salt, PURPOSE)).into())
}

/// The header, and each part of the place behind its length, so that no two places write the same
/// bytes.
fn associated_data(header: &[u8], place: &Place<'_>) -> Vec<u8> {
    let environment = place.environment.to_be_bytes();
    let parts = [
        &environment[..],
        place.integration.as_bytes(),
        place.connection.as_bytes(),
        place.field.as_str().as_bytes(),
    ];
    let mut data = header.to_vec();
    for part in parts {
        // Eight bytes on every target: the width of `usize` differs between wasm32 and native.
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        data.extend(length.to_be_bytes());
        data.extend(part);
    }
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONES: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const TWOS: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    const PLACE: Place<'_> = Place {
        environment: 1,
        integration: "int",
        connection: "con",
        field: Field::Credentials,
    };

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(text).unwrap()
    }

    fn randomness() -> Randomness {
        Randomness {
            salt: std::array::from_fn(|index| u8::try_from(index).unwrap()),
            nonce: [9; 12],
        }
    }

    fn places() -> impl Strategy<Value = (i64, String, String, Field)> {
        let field = prop_oneof![
            Just(Field::ConnectionConfig),
            Just(Field::Credentials),
            Just(Field::IntegrationSecrets),
        ];
        (0_i64..3, "[ab]{0,2}", "[ab]{0,2}", field)
    }

    fn place(
        (environment, integration, connection, field): &(i64, String, String, Field),
    ) -> Place<'_> {
        Place {
            environment: *environment,
            integration,
            connection,
            field: *field,
        }
    }

    /// The same bytes were computed with another implementation of HKDF and AES-GCM.
    #[test]
    fn the_sealed_format_is_unchanged() {
        let ring = ring(&format!("258:{ONES}"));
        let sealed = seal(&ring, &PLACE, b"attack at dawn", randomness());
        assert_eq!(
            sealed.as_str(),
            "AQAAAQIAAQIDBAUGBwgJCgsMDQ4PCQkJCQkJCQkJCQkJ\
             D0NHHsSL2AoT9ZJ0Dg+Ki9Wn0u7V8VItyCK4bf1k"
        );
        assert_eq!(*open(&ring, &PLACE, &sealed).unwrap(), b"attack at dawn");
    }

    #[test]
    fn the_associated_data_is_unchanged() {
        let place = Place {
            environment: 258,
            field: Field::IntegrationSecrets,
            ..PLACE
        };
        let expected = b"head\
            \0\0\0\0\0\0\0\x08\0\0\0\0\0\0\x01\x02\
            \0\0\0\0\0\0\0\x03int\
            \0\0\0\0\0\0\0\x03con\
            \0\0\0\0\0\0\0\x13integration_secrets";
        assert_eq!(associated_data(b"head", &place), expected);
    }

    #[test]
    fn a_past_key_still_opens_and_the_new_blob_names_the_current_key() {
        let before = ring(&format!("1:{ONES}"));
        let after = ring(&format!("2:{TWOS},1:{ONES}"));
        let old = seal(&before, &PLACE, b"x", randomness());
        assert_eq!(old.key_id(), KeyId::new(1));
        assert_eq!(*open(&after, &PLACE, &old).unwrap(), b"x");
        assert_eq!(
            seal(&after, &PLACE, b"x", randomness()).key_id(),
            KeyId::new(2)
        );
    }

    #[test]
    fn another_key_of_the_same_name_does_not_open() {
        let sealed = seal(&ring(&format!("1:{ONES}")), &PLACE, b"x", randomness());
        let other = ring(&format!("1:{TWOS}"));
        assert_eq!(open(&other, &PLACE, &sealed), Err(OpenError));
    }

    #[test]
    fn a_key_that_is_not_in_the_ring_does_not_open() {
        let sealed = seal(&ring(&format!("1:{ONES}")), &PLACE, b"x", randomness());
        let other = ring(&format!("2:{ONES}"));
        assert_eq!(open(&other, &PLACE, &sealed), Err(OpenError));
    }

    #[test]
    fn every_truncation_fails_to_open() {
        let ring = ring(&format!("1:{ONES}"));
        let text = seal(&ring, &PLACE, b"secret", randomness()).0;
        for length in 0..text.len() {
            let cut = Sealed::from_stored(text[..length].to_owned());
            assert_eq!(open(&ring, &PLACE, &cut), Err(OpenError), "{length}");
        }
    }

    #[test]
    fn what_is_no_blob_names_no_key() {
        for text in ["", "AQ", "AgAAAAEA", "AQAAAAAA", "AQAAA\u{e9}", "********"] {
            assert_eq!(
                Sealed::from_stored(text.to_owned()).key_id(),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn the_error_says_nothing() {
        assert_eq!(OpenError.to_string(), "a sealed value does not open");
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(
            plaintext: Vec<u8>,
            salt: [u8; 16],
            nonce: [u8; 12],
            at in places(),
        ) {
            let ring = ring(&format!("1:{ONES}"));
            let sealed = seal(&ring, &place(&at), &plaintext, Randomness { salt, nonce });
            prop_assert_eq!(&*open(&ring, &place(&at), &sealed).unwrap(), &plaintext);
        }

        #[test]
        fn any_flipped_bit_fails_to_open(plaintext: Vec<u8>, bit: prop::sample::Index) {
            let ring = ring(&format!("1:{ONES}"));
            let sealed = seal(&ring, &PLACE, &plaintext, randomness());
            let mut bytes = STANDARD_NO_PAD.decode(sealed.as_str()).unwrap();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let flipped = Sealed(STANDARD_NO_PAD.encode(bytes));
            prop_assert_eq!(open(&ring, &PLACE, &flipped), Err(OpenError));
        }

        // Places of very short names, so that their concatenations often are the same.
        #[test]
        fn a_blob_opens_in_its_own_place_only(here in places(), there in places()) {
            let ring = ring(&format!("1:{ONES}"));
            let sealed = seal(&ring, &place(&here), b"x", randomness());
            prop_assert_eq!(open(&ring, &place(&there), &sealed).is_ok(), here == there);
        }

        #[test]
        fn no_stored_text_makes_opening_panic(text: String) {
            let ring = ring(&format!("1:{ONES}"));
            let sealed = Sealed::from_stored(text);
            prop_assert_eq!(open(&ring, &PLACE, &sealed), Err(OpenError));
        }
    }
}
