//! holdfast keeps other people's credentials alive.
//!
//! The module list is the map. Rooms look down, never up:
//!
//! ```text
//! cloudflare ──► api ──► service ──► storage ──► domain
//! wasm32 only    async, native                   sync, native
//!
//! oauth2, providers, signing, validation, vault: pure rooms beside domain
//! ```

pub mod api;
#[cfg(target_arch = "wasm32")]
pub mod cloudflare;
pub mod domain;
pub mod oauth2;
pub mod providers;
pub mod service;
pub mod signing;
pub mod storage;
pub mod validation;
pub mod vault;
