//! The wire: every route with its answers, errors and scopes.

mod connections_get;
