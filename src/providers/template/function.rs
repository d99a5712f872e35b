//! Functions of templates.

use base16ct::lower::encode_string as hex;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{TemplateError, parse::Template};
use crate::{
    domain::secret::Secret,
    signing::{
        mac::{hmac_sha1, hmac_sha256},
        private_key::{Algorithm, PrivateKey},
    },
};

/// A function whose name is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Function {
    AwsSigV4,
    Base64,
    Ed25519Sign,
    Fingerprint,
    First,
    HmacSha1Hex,
    HmacSha256Hex,
    Sha256Base64,
    Sha256Hex,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut functions = FUNCTIONS.iter();
        let known = functions.find(|(_, known)| *known == name);
        known.map(|(function, _)| *function)
    }

    pub(super) fn name(self) -> &'static str {
        let mut functions = FUNCTIONS.iter();
        let known = functions.find(|(function, _)| *function == self);
        known.map(|(_, name)| *name).unwrap_or_default()
    }

    /// Whether these can be its arguments.
    pub(super) fn takes(self, arguments: &[Template<'_>]) -> bool {
        match (self, arguments) {
            (Self::First, [count, _]) => {
                let count = count.literal().map(str::parse::<usize>);
                matches!(count, Some(Ok(_)))
            }
            (Self::Base64 | Self::Fingerprint | Self::Sha256Base64 | Self::Sha256Hex, [_])
            | (Self::Ed25519Sign | Self::HmacSha1Hex | Self::HmacSha256Hex, [_, _])
            | (Self::AwsSigV4, [_, _, _, _] | [_, _, _, _, _]) => true,
            _ => false,
        }
    }

    /// Its value for arguments that it takes.
    pub(super) fn of(self, arguments: &[String]) -> Result<String, TemplateError> {
        match (self, arguments) {
            (Self::Base64, [text]) => Ok(STANDARD.encode(text)),
            (Self::First, [count, text]) => {
                let count = count.parse().map_err(|_| TemplateError::Malformed)?;
                Ok(text.chars().take(count).collect())
            }
            (Self::HmacSha1Hex, [message, key]) => {
                Ok(hex(&hmac_sha1(key.as_bytes(), message.as_bytes())))
            }
            (Self::HmacSha256Hex, [message, key]) => {
                Ok(hex(&hmac_sha256(key.as_bytes(), message.as_bytes())))
            }
            (Self::Sha256Base64, [text]) => Ok(STANDARD.encode(Sha256::digest(text))),
            (Self::Sha256Hex, [text]) => Ok(hex(&Sha256::digest(text))),
            (Self::Fingerprint, [key]) => fingerprint(key),
            // What signs is computed where signatures are.
            (Self::AwsSigV4 | Self::Ed25519Sign, _) => Err(TemplateError::Unsupported(self.name())),
            _ => Err(TemplateError::Malformed),
        }
    }
}

/// What stands for the public half of an RSA key.
fn fingerprint(pem: &str) -> Result<String, TemplateError> {
    let key = PrivateKey::from_pem(&Secret::new(pem), Algorithm::Rs256);
    let fingerprint = key.ok().and_then(|key| key.fingerprint());
    fingerprint.ok_or_else(|| TemplateError::Unfit(Function::Fingerprint.name().to_owned()))
}

const FUNCTIONS: [(Function, &str); 9] = [
    (Function::AwsSigV4, "awsSigV4"),
    (Function::Base64, "base64"),
    (Function::Ed25519Sign, "ed25519Sign"),
    (Function::Fingerprint, "fingerprint"),
    (Function::First, "first"),
    (Function::HmacSha1Hex, "hmacSha1Hex"),
    (Function::HmacSha256Hex, "hmacSha256Hex"),
    (Function::Sha256Base64, "sha256Base64"),
    (Function::Sha256Hex, "sha256Hex"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn gives(name: &str, arguments: &[&str], expected: &str) {
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let value = Function::named(name).unwrap().of(&arguments);
        assert_eq!(value.as_deref(), Ok(expected), "{name}");
    }

    /// The expected texts were made by the module `crypto` of Node.js.
    #[test]
    fn functions_give_what_others_give() {
        gives("base64", &["fake-user:fäke"], "ZmFrZS11c2VyOmbDpGtl");
        gives(
            "sha256Hex",
            &["fäke"],
            "723b2f876c279c0ca865c6670631a6761d06e5fab5ec8b70967f96f3d973f3b2",
        );
        gives(
            "sha256Base64",
            &["fäke"],
            "cjsvh2wnnAyoZcZnBjGmdh0G5fq17Itwln+W89lz87I=",
        );
        gives(
            "hmacSha1Hex",
            &["1706933106", "fake key"],
            "79e3b720784963e6d363a2919ebeda0d5a6877d4",
        );
        gives(
            "hmacSha1Hex",
            &["m", &"k".repeat(100)],
            "014f08e9aabf7980d07a205a4c638743915ff915",
        );
        gives(
            "hmacSha256Hex",
            &["1706933106", "fake key"],
            "4b758f556015d33af3b9f61157bde5667bf4c60f3b768cd3f70c41b23b303cf7",
        );
    }

    #[test]
    fn what_is_no_private_key_has_no_fingerprint() {
        let unfit = TemplateError::Unfit("fingerprint".to_owned());
        let value = Function::Fingerprint.of(&["canary".to_owned()]);
        assert_eq!(value, Err(unfit));
    }

    #[test]
    fn first_counts_characters_and_is_content_with_fewer() {
        gives("first", &["2", "äöü"], "äö");
        gives("first", &["9", "äöü"], "äöü");
        gives("first", &["0", "äöü"], "");
    }

    #[test]
    fn every_known_function_has_its_own_name() {
        for (function, name) in FUNCTIONS {
            assert_eq!(Function::named(name), Some(function));
            assert_eq!(function.name(), name);
        }
    }
}
