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

/// Answers a request.
pub async fn handle(ports: &impl Ports, request: &Request) -> (Reply, Log) {
    let path = request.path.strip_suffix('/').unwrap_or(&request.path);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let method = if request.method == "HEAD" { "GET" } else { &request.method };
    let route = route(method, &segments);
    let call = Call { ports, request, environment_id: None.into() };
    let result = match route {
        Some(route) if route.takes_json_only() && !has_json_type(request) => {
            Err(ApiError::ContentType)
        }
        Some(route) => answer(&call, route).await,
        None => Err(unknown_route(&segments)),
    };
    let error = result.as_ref().err();
    let log = log(request, route, error, call.environment_id.get(), Some(ports));
    let mut reply = result.unwrap_or_else(|error| error.reply(&request.id));
    reply.headers.push(("server-timing", server_timing(ports)));
    (finished(reply, request), log)
}

/// Answers a request to a deployment that refuses to serve.
#[must_use]
pub fn refuse(error: &SettingsError, request: &Request) -> (Reply, Log) {
    let segments: Vec<&str> = request.path.split('/').skip(1).collect();
    let route = route(&request.method, &segments);
    if route == Some(Route::Health) {
        return (finished(health::live(), request), log::<NoPorts>(request, route, None, None, None));
    }
    let error = ApiError::SettingsRefused(error.to_string());
    (finished(error.reply(&request.id), request), log(request, route, Some(&error), None, None))
}
