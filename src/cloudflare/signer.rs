//! Signatures by private keys, from the runtime's `crypto.subtle`.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CryptoKey, SubtleCrypto, WorkerGlobalScope};
use worker::js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array, futures::JsFuture, global};

use super::runtime::Runtime;
use crate::{
    service::ports::{Signer, SigningError},
    signing::private_key::{Algorithm, PrivateKey},
};

impl Signer for Runtime {
    async fn sign(&self, key: &PrivateKey, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        // The runtime's errors can describe the key, so they go no further.
        let crypto = global()
            .unchecked_into::<WorkerGlobalScope>()
            .crypto()
            .map_err(|_| SigningError::Failed)?
            .subtle();
        let algorithm = algorithm(key.algorithm()).map_err(|_| SigningError::Failed)?;
        let key = import(&crypto, &algorithm, key)
            .await
            .map_err(|_| SigningError::ImpossibleKey)?;
        let signature = async {
            let message = Uint8Array::from(message);
            let promise = crypto.sign_with_object_and_js_u8_array(&algorithm, &key, &message)?;
            let buffer: ArrayBuffer = JsFuture::from(promise).await?.dyn_into()?;
            Ok::<_, JsValue>(Uint8Array::new(&buffer).to_vec())
        };
        signature.await.map_err(|_| SigningError::Failed)
    }
}

/// What to import a key for, and to sign with: one object serves both.
fn algorithm(algorithm: Algorithm) -> Result<Object, JsValue> {
    let object = Object::new();
    let mut members = vec![("hash", JsValue::from("SHA-256"))];
    match algorithm {
        Algorithm::Es256 => {
            members.extend([("name", "ECDSA".into()), ("namedCurve", "P-256".into())]);
        }
        // RFC 7518 §3.5: the salt is as long as the digest.
        Algorithm::Ps256 => members.extend([("name", "RSA-PSS".into()), ("saltLength", 32.into())]),
        Algorithm::Rs256 => members.push(("name", "RSASSA-PKCS1-v1_5".into())),
    }
    for (name, value) in members {
        Reflect::set(&object, &name.into(), &value)?;
    }
    Ok(object)
}

async fn import(
    crypto: &SubtleCrypto,
    algorithm: &Object,
    key: &PrivateKey,
) -> Result<CryptoKey, JsValue> {
    let bytes = Uint8Array::from(key.expose());
    let usages = Array::of1(&"sign".into());
    let promise = crypto.import_key_with_object("pkcs8", &bytes, algorithm, false, &usages);
    // Imported is a copy (Web Cryptography §14.3.9), so this one need not wait for the collector.
    bytes.fill(0, 0, bytes.length());
    JsFuture::from(promise?).await?.dyn_into()
}
