//! The wire: every route with its answers, errors and scopes.

mod api_keys;
mod authentication;
mod config;
mod connections_get;
mod environments;
mod integrations_change;
mod integrations_clients;
mod integrations_create;
mod integrations_read;
mod integrations_refusals;
mod isolation;
mod scopes;
