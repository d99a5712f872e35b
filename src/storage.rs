//! The record: which statement reads or writes what in D1.
//!
//! Statements are values, and [`database::Database`] is the one port that runs them, so the same
//! SQL runs on D1 and, in native tests, on `SQLite` itself; and a use case can send a key's lookup
//! and its own first read in one round trip. Not here: sealing, and any decision on what is read.

pub mod connection_list;
pub mod connections;
pub mod database;
pub mod environments;
pub mod imports;
pub mod integrations;
pub mod keys;
pub mod metadata;
pub mod providers;
pub mod readiness;
pub mod refresh_logs;
pub mod refreshes;
pub mod revocations;
pub mod upkeep;
