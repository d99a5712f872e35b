//! Private keys as JSON Web Keys (RFC 7517, RFC 7518 §6). Not here: sets of keys.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pkcs8::der::{Encode, asn1::UintRef};
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use super::private_key::{Algorithm, P256, PrivateKeyError};
use crate::domain::secret::{Secret, SecretMap};

/// A JSON object that may be a key.
pub(super) struct Jwk(SecretMap);

impl Jwk {
    pub(super) fn parse(text: &Secret) -> Result<Self, PrivateKeyError> {
        let map = serde_json::from_str(text.expose()).map_err(|_| PrivateKeyError::NoJwk)?;
        Ok(Self(SecretMap::new(map)))
    }

    /// The name of the key.
    pub(super) fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// The key as `RSAPrivateKey` (RFC 8017 appendix A.1.2).
    pub(super) fn to_pkcs1(
        &self,
        algorithm: Algorithm,
    ) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        self.check_kind("RSA", algorithm)?;
        // RFC 7518 §6.3.2: who makes a key should give its primes. What takes PKCS#8 needs them.
        let modulus = self.bytes("n")?;
        let public_exponent = self.bytes("e")?;
        let private_exponent = self.bytes("d")?;
        let prime1 = self.bytes("p")?;
        let prime2 = self.bytes("q")?;
        let exponent1 = self.bytes("dp")?;
        let exponent2 = self.bytes("dq")?;
        let coefficient = self.bytes("qi")?;
        let uint = |bytes| UintRef::new(bytes).map_err(|_| PrivateKeyError::Malformed);
        let key = pkcs1::RsaPrivateKeyRef {
            modulus: uint(&modulus)?,
            public_exponent: uint(&public_exponent)?,
            private_exponent: uint(&private_exponent)?,
            prime1: uint(&prime1)?,
            prime2: uint(&prime2)?,
            exponent1: uint(&exponent1)?,
            exponent2: uint(&exponent2)?,
            coefficient: uint(&coefficient)?,
            other_prime_infos: None,
        };
        encoded(&key)
    }

    /// The key as `ECPrivateKey` (RFC 5915 §3).
    pub(super) fn to_sec1(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        self.check_kind("EC", Algorithm::Es256)?;
        if self.text("crv") != Some("P-256") {
            return Err(PrivateKeyError::WrongCurve);
        }
        let (d, x, y) = (self.bytes("d")?, self.bytes("x")?, self.bytes("y")?);
        // SEC 1 §2.3.3: the uncompressed form of a point begins with 4.
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        if point.len() != 65 {
            return Err(PrivateKeyError::Malformed);
        }
        encoded(&EcPrivateKey {
            private_key: &d,
            parameters: Some(EcParameters::NamedCurve(P256)),
            public_key: Some(&point),
        })
    }

    fn check_kind(&self, kind: &str, algorithm: Algorithm) -> Result<(), PrivateKeyError> {
        match self.text("kty") {
            None => Err(PrivateKeyError::NoJwk),
            Some(kty) if kty != kind => Err(PrivateKeyError::WrongKind(algorithm)),
            // RFC 7518 §6.2.2.1 and §6.3.2.1: `d` is what makes a key private.
            Some(_) if self.text("d").is_none() => Err(PrivateKeyError::Public),
            Some(_) => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.expose().get(name)?.as_str()
    }

    fn bytes(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let text = self.text(name).ok_or(PrivateKeyError::Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(text);
        bytes
            .map(Zeroizing::new)
            .map_err(|_| PrivateKeyError::Malformed)
    }
}

fn encoded(key: &impl Encode) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let der = key.to_der().map_err(|_| PrivateKeyError::Malformed)?;
    Ok(Zeroizing::new(der))
}
