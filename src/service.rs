//! Use cases, one a file, over ports.
//!
//! Here: what happens when a connection is imported, read, refreshed, changed. Not here: the
//! wire's JSON and status codes, SQL, and the runtime; those are the callers and the ports.

pub mod api_keys;
pub mod app_token;
mod ask;
pub mod authenticate;
pub mod change_metadata;
pub mod connection;
pub mod create_integration;
pub mod custom_providers;
pub mod delete_connection;
pub mod error;
pub mod get_connection;
pub mod import_connection;
pub mod import_verified_connection;
mod imported_credentials;
mod imported_keys;
pub mod integration;
pub mod journal;
pub mod keep_alive;
pub mod patch_connection;
pub mod pending;
pub mod pending_import;
pub mod ports;
pub mod readiness;
pub mod refresh_connection;
pub mod retention;
pub mod revocation;
pub mod revoke_all;
pub mod settings;
pub mod sign_jwt;
pub mod single_flight;
pub mod test_credentials;
pub mod token_exchange;
pub mod update_integration;
pub mod verify_import;
