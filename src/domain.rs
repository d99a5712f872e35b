//! Nouns and rules of credentials that are kept alive.
//!
//! Here: what a connection, an integration, an environment and their credentials are, when a
//! credential is due for refresh, which scopes a key grants, which hosts may be asked, and the XML that
//! some of them speak. Not here: how
//! any of it is stored, sent, encrypted or spelled on the wire, and what time it is.

pub mod attempt;
pub mod auth_mode;
pub mod connection;
pub mod credentials;
pub mod egress;
pub mod end_user;
pub mod environment;
pub mod integration;
pub mod json_path;
pub mod jwt;
pub mod mask;
pub mod refresh;
pub mod scope;
pub mod secret;
pub mod tags;
pub mod timestamp;
pub mod xml;
