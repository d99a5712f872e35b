//! Signatures by private keys, made without a runtime.

use holdfast::{
    service::ports::{Signer, SigningError},
    signing::private_key::{Algorithm, PrivateKey},
};
use p256::ecdsa;
use rsa::{
    RsaPrivateKey, pkcs1v15,
    pkcs8::DecodePrivateKey,
    pss,
    signature::{SignatureEncoding, Signer as _},
};
use sha2::Sha256;

use super::deployment::Deployment;

impl Signer for Deployment {
    async fn sign(&self, key: &PrivateKey, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        match key.algorithm() {
            Algorithm::Es256 => {
                let key = ecdsa::SigningKey::from_pkcs8_der(key.expose())
                    .map_err(|_| SigningError::ImpossibleKey)?;
                let signature: ecdsa::Signature = ecdsa::signature::Signer::sign(&key, message);
                Ok(signature.to_bytes().to_vec())
            }
            Algorithm::Ps256 => {
                let key = pss::SigningKey::<Sha256>::new(rsa(key)?);
                let signature = key.try_sign(message).map_err(|_| SigningError::Failed)?;
                Ok(signature.to_vec())
            }
            Algorithm::Rs256 => {
                let key = pkcs1v15::SigningKey::<Sha256>::new(rsa(key)?);
                let signature = key.try_sign(message).map_err(|_| SigningError::Failed)?;
                Ok(signature.to_vec())
            }
        }
    }
}

fn rsa(key: &PrivateKey) -> Result<RsaPrivateKey, SigningError> {
    RsaPrivateKey::from_pkcs8_der(key.expose()).map_err(|_| SigningError::ImpossibleKey)
}
