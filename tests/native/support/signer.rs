//! Signatures by private keys, made without a runtime.

use holdfast::{
    service::ports::{Signer, SigningError},
    signing::private_key::{Algorithm, PrivateKey},
};
use p256::ecdsa;
use rsa::{RsaPrivateKey, pkcs1v15, pkcs8::DecodePrivateKey, signature::SignatureEncoding};
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
            Algorithm::Rs256 => {
                let key = RsaPrivateKey::from_pkcs8_der(key.expose())
                    .map_err(|_| SigningError::ImpossibleKey)?;
                let key = pkcs1v15::SigningKey::<Sha256>::new(key);
                let signature = rsa::signature::Signer::try_sign(&key, message)
                    .map_err(|_| SigningError::Failed)?;
                Ok(signature.to_vec())
            }
        }
    }
}
