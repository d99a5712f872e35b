//! The wire: every route with its answers, errors and scopes.

mod api_keys;
mod authentication;
mod bad_input;
mod bad_parameters;
mod config;
mod connections_get;
mod environments;
mod failures;
mod headers;
mod health;
mod integrations_change;
mod integrations_clients;
mod integrations_create;
mod integrations_read;
mod integrations_refusals;
mod isolation;
mod logging;
mod providers_read;
mod providers_write;
mod routing;
mod scopes;
