//! What proves that a request or a claim is from who holds a key: private keys as people paste
//! them, tokens with a signature (RFC 7515), assertions of SAML 2.0 (RFC 7522), OAuth 1.0 (RFC 5849), AWS Signature Version 4, and
//! the username token of WS-Security.
//!
//! Here: everything up to a private key's signature. Not here: that signature itself, which is the
//! runtime's to make, the clock, chance, and sending.

mod encoding;
mod jwk;
pub mod jws;
pub mod mac;
pub mod oauth1;
mod pem;
pub mod private_key;
pub mod saml;
pub mod sigv4;
pub mod wsse;
