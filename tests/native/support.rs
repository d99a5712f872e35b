//! Doubles for what is outside, and a client that speaks to the api as a caller would.

pub(crate) mod client;
pub(crate) mod connections;
pub(crate) mod database;
pub(crate) mod deployment;
pub(crate) mod exchanges;
pub(crate) mod journal;
pub(crate) mod keys;
pub(crate) mod provider;
pub(crate) mod refreshes;
pub(crate) mod requests;
pub(crate) mod routes;
pub(crate) mod seed;
pub(crate) mod signer;
pub(crate) mod spoiling;
pub(crate) mod token_requests;
pub(crate) mod two_step;
