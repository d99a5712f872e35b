//! Which texts are private keys, and what is said of those that are not.

use base64::{Engine, engine::general_purpose::STANDARD};
use holdfast::{
    domain::secret::Secret,
    signing::private_key::{
        Algorithm::{self, Es256, Rs256},
        PrivateKey, PrivateKeyError,
    },
};
use pkcs8::{
    PrivateKeyInfoRef,
    der::{Encode, asn1::BitStringRef},
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::keys;

fn from_pem(text: &str, algorithm: Algorithm) -> Result<PrivateKey, PrivateKeyError> {
    PrivateKey::from_pem(&Secret::new(text), algorithm)
}

fn from_jwk(text: &str, algorithm: Algorithm) -> Result<PrivateKey, PrivateKeyError> {
    PrivateKey::from_jwk(&Secret::new(text), algorithm)
}

/// A key with a member changed, or taken away.
fn changed(jwk: &str, name: &str, value: Option<&str>) -> String {
    let mut jwk: Value = serde_json::from_str(jwk).unwrap();
    match value {
        Some(value) => jwk[name] = value.into(),
        None => drop(jwk.as_object_mut().unwrap().remove(name)),
    }
    jwk.to_string()
}

/// What is between the lines of dashes of a PKCS#8 file.
fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.contains([' ', '-']));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

#[test]
fn every_form_of_one_key_becomes_the_pkcs8_that_openssl_writes() {
    for text in [keys::RSA_PKCS8, keys::RSA_PKCS1] {
        let key = from_pem(text, Rs256).unwrap();
        assert_eq!(key.expose(), der(keys::RSA_PKCS8));
    }
    let key = from_jwk(keys::RSA_JWK, Rs256).unwrap();
    assert_eq!(key.expose(), der(keys::RSA_PKCS8));
}

#[test]
fn every_form_of_one_ec_key_holds_the_same_number() {
    let signs = |key: PrivateKey| {
        use p256::{SecretKey, pkcs8::DecodePrivateKey};
        SecretKey::from_pkcs8_der(key.expose()).unwrap().to_bytes()
    };
    let expected = signs(from_pem(keys::EC_PKCS8, Es256).unwrap());
    assert_eq!(signs(from_pem(keys::EC_SEC1, Es256).unwrap()), expected);
    assert_eq!(signs(from_jwk(keys::EC_JWK, Es256).unwrap()), expected);
}

#[test]
fn what_stands_beside_a_key_in_pkcs8_is_left_out() {
    let bare = der(keys::EC_PKCS8);
    let info = PrivateKeyInfoRef::try_from(bare.as_slice()).unwrap();
    let with_public_key = PrivateKeyInfoRef {
        public_key: Some(BitStringRef::from_bytes(&[4; 65]).unwrap()),
        ..info
    };
    let body = STANDARD.encode(with_public_key.to_der().unwrap());
    let text = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----");
    assert_eq!(from_pem(&text, Es256).unwrap().expose(), bare);
}

#[test]
fn white_space_in_a_key_means_nothing() {
    let text = keys::RSA_PKCS1;
    let (_, bare) = text.split_once('\n').unwrap();
    let base64 = STANDARD.encode(text);
    let mangled = [
        text.replace('\n', " "),
        text.replace('\n', "\\n"),
        text.replace('\n', "\\\\n"),
        text.replace('\n', "\\r\\n"),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\n\n\t "),
        text.replace('\n', ""),
        bare.replace(['\n', ' '], ""),
        format!("\"{}\"", bare.trim()),
        format!("{}\n{text}", keys::RSA_CERTIFICATE),
        base64.clone(),
        base64.trim_end_matches('=').to_owned(),
        STANDARD.encode(text.replace('\n', "\\n")),
        base64
            .as_bytes()
            .chunks(76)
            .fold(String::new(), |lines, line| {
                lines + std::str::from_utf8(line).unwrap() + "\r\n"
            }),
    ];
    for text in mangled {
        let key = from_pem(&text, Rs256).unwrap();
        assert_eq!(key.expose(), der(keys::RSA_PKCS8), "{text}");
    }
}

#[test]
fn what_is_no_key_that_can_be_used_is_told_apart() {
    use PrivateKeyError::{
        Encrypted, Malformed, NoPem, Public, RsaTooShort, WrongCurve, WrongKind,
    };
    let cut = &keys::RSA_PKCS8[..800];
    let without_end = keys::RSA_PKCS8.replace("END", "ENDE");
    let short_body = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----";
    let no_base64 = keys::EC_PKCS8.replace('M', "!");
    let mislabelled = keys::RSA_PKCS1.replace("RSA PRIVATE", "PRIVATE");
    let base64_of_public = STANDARD.encode(keys::RSA_PUBLIC);
    let cases = [
        ("", Rs256, NoPem),
        ("fake-secret", Rs256, NoPem),
        ("{\"kty\":\"RSA\"}", Rs256, NoPem),
        ("MIIE", Rs256, NoPem),
        ("-----BEGIN", Rs256, Malformed),
        (cut, Rs256, Malformed),
        (&without_end, Rs256, Malformed),
        (short_body, Rs256, Malformed),
        (&no_base64, Es256, Malformed),
        (&mislabelled, Rs256, Malformed),
        (keys::RSA_OPENSSH, Rs256, Malformed),
        (keys::EC_EXPLICIT, Es256, Malformed),
        (keys::RSA_THREE_PRIMES, Rs256, Malformed),
        (keys::RSA_PKCS1_ENCRYPTED, Rs256, Encrypted),
        (keys::RSA_PKCS8_ENCRYPTED, Rs256, Encrypted),
        (keys::RSA_PUBLIC, Rs256, Public),
        (keys::RSA_PKCS1_PUBLIC, Rs256, Public),
        (keys::RSA_CERTIFICATE, Rs256, Public),
        (keys::EC_PUBLIC, Es256, Public),
        (&base64_of_public, Rs256, Public),
        (keys::RSA_PKCS1, Es256, WrongKind(Es256)),
        (keys::RSA_PKCS8, Es256, WrongKind(Es256)),
        (keys::EC_SEC1, Rs256, WrongKind(Rs256)),
        (keys::EC_PKCS8, Rs256, WrongKind(Rs256)),
        (keys::RSA_PSS, Rs256, WrongKind(Rs256)),
        (keys::ED25519, Es256, WrongKind(Es256)),
        (keys::EC_P384, Es256, WrongCurve),
        (keys::EC_P384_PKCS8, Es256, WrongCurve),
        (keys::EC_EXPLICIT_PKCS8, Es256, WrongCurve),
        (keys::RSA_SHORT, Rs256, RsaTooShort),
    ];
    for (text, algorithm, expected) in cases {
        let error = from_pem(text, algorithm).unwrap_err();
        assert_eq!(error, expected, "{text}");
    }
}

#[test]
fn what_is_no_json_web_key_that_can_be_used_is_told_apart() {
    use PrivateKeyError::{Malformed, NoJwk, Public, WrongCurve, WrongKind};
    let (rsa, ec) = (keys::RSA_JWK, keys::EC_JWK);
    let cases = [
        ("fake-secret".to_owned(), Rs256, NoJwk),
        ("[]".to_owned(), Rs256, NoJwk),
        ("{}".to_owned(), Rs256, NoJwk),
        (keys::RSA_PKCS8.to_owned(), Rs256, NoJwk),
        (rsa.to_owned(), Es256, WrongKind(Es256)),
        (ec.to_owned(), Rs256, WrongKind(Rs256)),
        (changed(rsa, "d", None), Rs256, Public),
        (changed(ec, "d", None), Es256, Public),
        (changed(rsa, "qi", None), Rs256, Malformed),
        (changed(rsa, "n", Some("a+b")), Rs256, Malformed),
        (changed(ec, "x", Some("AAAA")), Es256, Malformed),
        (changed(ec, "d", Some("AAAA")), Es256, Malformed),
        (changed(ec, "crv", Some("P-384")), Es256, WrongCurve),
        (changed(ec, "crv", None), Es256, WrongCurve),
    ];
    for (text, algorithm, expected) in cases {
        let error = from_jwk(&text, algorithm).unwrap_err();
        assert_eq!(error, expected, "{text}");
    }
}

#[test]
fn a_json_web_key_keeps_its_name() {
    let kid = |text| from_jwk(text, Rs256).unwrap().kid().map(str::to_owned);
    assert_eq!(kid(keys::RSA_JWK).as_deref(), Some("fake-kid"));
    assert_eq!(kid(keys::RFC7515_A2), None);
}

#[test]
fn the_fingerprint_is_the_digest_of_the_public_half_that_openssl_writes() {
    // openssl pkey -in rsa.pkcs8.pem -pubout -outform DER | openssl dgst -sha256 -binary | base64
    let expected = "SHA256:TOFOsUtYF9bYoA55xgrRrSGK0zDEC/fppgF6dkEeh5w=";
    let key = from_pem(keys::RSA_PKCS1, Rs256).unwrap();
    assert_eq!(key.fingerprint().as_deref(), Some(expected));
    let key = from_pem(keys::EC_SEC1, Es256).unwrap();
    assert_eq!(key.fingerprint(), None);
}

#[test]
fn neither_a_key_nor_an_error_shows_what_was_given() {
    let key = from_jwk(keys::RSA_JWK, Rs256).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(…)");
    let error = from_pem("-----BEGIN canary-----", Rs256).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
    let error = from_pem(keys::EC_SEC1, Rs256).unwrap_err();
    let said = "the private key is not an RSA key, which RS256 needs";
    assert_eq!(error.to_string(), said);
}

/// A key with a piece replaced.
fn damaged() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec![
        keys::RSA_PKCS8,
        keys::RSA_PKCS1,
        keys::EC_SEC1,
        keys::EC_PKCS8,
        keys::RSA_JWK,
        keys::EC_JWK,
    ]);
    let piece = prop_oneof![
        "\\PC{0,4}",
        "[A-Za-z0-9+/=]{0,8}",
        "-----(BEGIN|END)[ A-Z]{0,20}-----"
    ];
    (text, any::<prop::sample::Index>(), 0..9_usize, piece).prop_map(|(text, at, cut, piece)| {
        let at = at.index(text.len());
        let end = text.len().min(at + cut);
        format!("{}{piece}{}", &text[..at], &text[end..])
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_reading_of_keys_fail_badly(text in prop_oneof!["\\PC*", damaged()]) {
        for algorithm in [Es256, Rs256] {
            let read = [from_pem(&text, algorithm), from_jwk(&text, algorithm)];
            for key in read.into_iter().flatten() {
                prop_assert_eq!(key.algorithm(), algorithm);
                prop_assert_eq!(key.fingerprint().is_some(), algorithm == Rs256);
            }
        }
    }
}
