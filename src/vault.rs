//! Seals what is stored and opens it again.
//!
//! Here: the key ring, the envelope around every stored secret, the documents inside it, and the
//! digests of API keys. Not here: randomness (salts, nonces and key bodies are arguments), where a
//! blob is stored, and when it is sealed again under a newer key.

pub mod api_key;
pub mod documents;
pub mod envelope;
pub mod fingerprint;
pub mod key_ring;
