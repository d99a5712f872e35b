//! The wire: every route with its answers, errors and scopes.

mod api_keys;
mod authentication;
mod connections_get;
mod environments;
mod isolation;
mod scopes;
