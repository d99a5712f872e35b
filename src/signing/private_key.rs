//! Private keys that sign, in the one form that signers take. Not here: signing.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use pkcs8::{
    PrivateKeyInfoRef,
    der::{
        Encode,
        asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef},
    },
    spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfo},
};
use sec1::EcPrivateKey;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    jwk::Jwk,
    pem::{Form, unarmoured},
};
use crate::domain::secret::Secret;

/// How a private key signs (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// Its name in the header of a token.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Es256 => "an EC key",
            Self::Ps256 | Self::Rs256 => "an RSA key",
        }
    }
}

/// A private key, and the algorithm that it is for.
#[derive(Clone)]
pub struct PrivateKey {
    algorithm: Algorithm,
    kid: Option<String>,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl PrivateKey {
    /// Reads PEM of PKCS#8, PKCS#1 or SEC1, with its white space as it should be, missing,
    /// replaced or spelled `\n`; also base64 of such a text.
    pub fn from_pem(text: &Secret, algorithm: Algorithm) -> Result<Self, PrivateKeyError> {
        let (form, der) = unarmoured(text.expose())?;
        match (form, algorithm) {
            (Form::Pkcs8, algorithm) => Self::from_pkcs8(&der, algorithm),
            (Form::Pkcs1, Algorithm::Ps256 | Algorithm::Rs256) => Self::from_pkcs1(&der, algorithm),
            (Form::Sec1, Algorithm::Es256) => Self::from_sec1(&der, None),
            (Form::Pkcs1 | Form::Sec1, algorithm) => Err(PrivateKeyError::WrongKind(algorithm)),
        }
    }

    /// Reads a JSON Web Key (RFC 7517).
    pub fn from_jwk(text: &Secret, algorithm: Algorithm) -> Result<Self, PrivateKeyError> {
        let jwk = Jwk::parse(text)?;
        let key = match algorithm {
            Algorithm::Es256 => Self::from_sec1(&jwk.to_sec1()?, None)?,
            Algorithm::Ps256 | Algorithm::Rs256 => {
                Self::from_pkcs1(&jwk.to_pkcs1(algorithm)?, algorithm)?
            }
        };
        let kid = jwk.kid().map(str::to_owned);
        Ok(Self { kid, ..key })
    }

    /// Reads a JSON Web Key or PEM, of RSA or else of P-256.
    pub fn from_text(text: &Secret) -> Result<Self, PrivateKeyError> {
        let is_json = text.expose().trim_start().starts_with('{');
        let read = if is_json {
            Self::from_jwk
        } else {
            Self::from_pem
        };
        match read(text, Algorithm::Rs256) {
            Err(PrivateKeyError::WrongKind(_)) => read(text, Algorithm::Es256),
            outcome => outcome,
        }
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name that a JSON Web Key gives itself (RFC 7517 §4.5).
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What stands for the public half of an RSA key: `SHA256:` and base64 of the digest of its
    /// `SubjectPublicKeyInfo` (RFC 5280 §4.1). None for other keys.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        let info = PrivateKeyInfoRef::try_from(self.pkcs8.as_slice()).ok()?;
        let key = pkcs1::RsaPrivateKeyRef::try_from(info.private_key.as_bytes()).ok()?;
        let public_key = key.public_key().to_der().ok()?;
        let info = SubjectPublicKeyInfo {
            algorithm: pkcs1::ALGORITHM_ID,
            subject_public_key: BitStringRef::from_bytes(&public_key).ok()?,
        };
        let digest = Sha256::digest(info.to_der().ok()?);
        Some(format!("SHA256:{}", STANDARD.encode(digest)))
    }

    /// The key itself, as the DER of PKCS#8. Call it only where something is signed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.pkcs8
    }

    fn from_pkcs8(der: &[u8], algorithm: Algorithm) -> Result<Self, PrivateKeyError> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| PrivateKeyError::Malformed)?;
        let key = info.private_key.as_bytes();
        match (algorithm, info.algorithm.oid) {
            (Algorithm::Ps256 | Algorithm::Rs256, pkcs1::ALGORITHM_OID) => {
                Self::from_pkcs1(key, algorithm)
            }
            (Algorithm::Es256, sec1::ALGORITHM_OID) => {
                Self::from_sec1(key, info.algorithm.parameters_oid().ok())
            }
            (algorithm, _) => Err(PrivateKeyError::WrongKind(algorithm)),
        }
    }

    fn from_pkcs1(der: &[u8], algorithm: Algorithm) -> Result<Self, PrivateKeyError> {
        let key = pkcs1::RsaPrivateKeyRef::try_from(der).map_err(|_| PrivateKeyError::Malformed)?;
        // RFC 7518 §6.3.2.7 lets a consumer refuse a key of more than two primes; WebCrypto does.
        if key.version() != pkcs1::Version::TwoPrime {
            return Err(PrivateKeyError::Malformed);
        }
        if bits(key.modulus.as_bytes()) < MIN_RSA_BITS {
            return Err(PrivateKeyError::RsaTooShort);
        }
        Self::wrapped(algorithm, pkcs1::ALGORITHM_ID, der)
    }

    /// The curve is named beside the key, in it, or both.
    fn from_sec1(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<Self, PrivateKeyError> {
        let key = EcPrivateKey::try_from(der).map_err(|_| PrivateKeyError::Malformed)?;
        let own_curve = key.parameters.and_then(sec1::EcParameters::named_curve);
        let mut curves = curve.into_iter().chain(own_curve).peekable();
        if curves.peek().is_none() || curves.any(|curve| curve != P256) {
            return Err(PrivateKeyError::WrongCurve);
        }
        // RFC 5915 §3: as many bytes as the order of the curve has.
        if key.private_key.len() != 32 {
            return Err(PrivateKeyError::Malformed);
        }
        let algorithm = AlgorithmIdentifierRef {
            oid: sec1::ALGORITHM_OID,
            parameters: Some(AnyRef::from(&P256)),
        };
        Self::wrapped(Algorithm::Es256, algorithm, der)
    }

    fn wrapped(
        algorithm: Algorithm,
        identifier: AlgorithmIdentifierRef<'_>,
        key: &[u8],
    ) -> Result<Self, PrivateKeyError> {
        let malformed = |_| PrivateKeyError::Malformed;
        let key = OctetStringRef::new(key).map_err(malformed)?;
        // Written anew also from PKCS#8: the attributes and public keys that may stand in its
        // second version (RFC 5958 §2) are not for every importer.
        let pkcs8 = PrivateKeyInfoRef::new(identifier, key)
            .to_der()
            .map_err(malformed)?;
        Ok(Self {
            algorithm,
            kid: None,
            pkcs8: Zeroizing::new(pkcs8),
        })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey(…)")
    }
}

/// RFC 7518 §3.3.
const MIN_RSA_BITS: u32 = 2048;

/// `secp256r1` (RFC 5480 §2.1.1.1).
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// The length of a number without leading zero bytes.
fn bits(number: &[u8]) -> u32 {
    let bytes = u32::try_from(number.len()).unwrap_or(u32::MAX);
    let zeros = number.first().map_or(0, |byte| byte.leading_zeros());
    bytes.saturating_mul(8).saturating_sub(zeros)
}

/// Why a text is no private key that can be used. No variant holds any part of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PrivateKeyError {
    /// A passphrase is needed to read it.
    #[error("the private key is encrypted, give it without a passphrase")]
    Encrypted,
    /// Its armour or what is inside breaks off or is of an unknown form.
    #[error("the private key is not well-formed PKCS#8, PKCS#1, SEC1 or JWK")]
    Malformed,
    /// It is no JSON object with a kind of key.
    #[error("there is no JSON Web Key")]
    NoJwk,
    /// There is no private key between lines of dashes.
    #[error("there is no private key in PEM form")]
    NoPem,
    /// It is the half that everyone may know.
    #[error("this is a public key or a certificate, not a private key")]
    Public,
    /// Its modulus is too small to be safe.
    #[error("the RSA key has fewer than 2048 bits")]
    RsaTooShort,
    /// It is on no known curve, or not on P-256.
    #[error("the private key is not on the curve P-256, which ES256 needs")]
    WrongCurve,
    /// It is of another kind than the algorithm needs.
    #[error("the private key is not {}, which {} needs", .0.kind(), .0.name())]
    WrongKind(Algorithm),
}
