//! The wire: requests in, answers out, as clients of the observed service know them.
//!
//! Here: the route table, what each request may contain, the JSON of each answer, every error
//! code. Not here: what a request does, which is a use case of `service`, and the runtime.

mod api_keys;
mod call;
mod config;
mod connections;
mod credentials;
mod environments;
mod error;
mod health;
mod import;
mod integrations;
mod json;
mod legacy_import;
mod metadata;
mod providers;
mod rules;
mod query;
pub mod reply;
pub mod request;
mod route;
mod target;

use serde_json::json;

use self::{
    call::Call,
    error::ApiError,
    reply::{Log, Reply},
    request::Request,
    route::{Route, allowed_methods, route},
};
use crate::service::{ports::Ports, settings::SettingsError};
