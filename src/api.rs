//! The wire: requests in, answers out, as clients of the observed service know them.
//!
//! Here: the route table, what each request may contain, the JSON of each answer, every error
//! code. Not here: what a request does, which is a use case of `service`, and the runtime.

mod api_keys;
mod call;
mod client_settings;
mod config;
mod connections;
mod credentials;
mod environments;
mod error;
mod flat_credentials;
mod health;
mod import;
mod integrations;
mod json;
mod legacy_import;
mod metadata;
mod providers;
mod query;
mod refresh_logs;
pub mod reply;
pub mod request;
mod revoke_all;
mod route;
mod rules;

use serde_json::{Map, Value};

use self::{
    call::Call,
    error::ApiError,
    reply::{Log, Reply},
    request::Request,
    route::{Route, allowed_methods, route},
};
use crate::{
    providers::entry_schema::json_schema,
    service::{
        change_metadata::MetadataChange,
        ports::{Ports, RoundTrips},
        settings::SettingsError,
    },
};

/// Answers a request.
pub async fn handle(ports: &impl Ports, request: &Request) -> (Reply, Log) {
    let segments = segments(&request.path);
    let route = route(method(request), &segments);
    let call = Call {
        ports,
        request,
        environment_id: None.into(),
        duplicate_of: None.into(),
    };
    let result = match route {
        Some(route) if route.takes_json_only() && !is_json(request) => Err(ApiError::ContentType),
        Some(route) => answer(&call, route).await,
        None => without_route(request, &segments),
    };
    let round_trips = ports.round_trips();
    let (mut reply, mut log) = logged(request, route, result);
    log.insert(
        "environment.id".to_owned(),
        call.environment_id.get().into(),
    );
    if let Some(other) = call.duplicate_of.get() {
        log.insert("import.duplicate_of".to_owned(), other.into());
    }
    log.insert("d1.round_trips".to_owned(), round_trips.own.into());
    log.insert(
        "d1.round_trips_in_refresh".to_owned(),
        round_trips.in_refresh.into(),
    );
    reply
        .headers
        .push(("server-timing", server_timing(round_trips)));
    (finished(reply, request), Log(log))
}

/// Answers a request to a deployment that refuses to serve.
#[must_use]
pub fn refuse(error: &SettingsError, request: &Request) -> (Reply, Log) {
    let route = route(method(request), &segments(&request.path));
    let result = match route {
        Some(Route::Health) => Ok(health::live()),
        _ => Err(ApiError::SettingsRefused(error.to_string())),
    };
    let (reply, mut log) = logged(request, route, result);
    log.insert("error".to_owned(), error.to_string().into());
    (finished(reply, request), Log(log))
}

async fn answer<P: Ports>(call: &Call<'_, P>, route: Route<'_>) -> Result<Reply, ApiError> {
    match route {
        Route::CreateApiKey => api_keys::create(call).await,
        Route::CreateConnection => import::create(call).await,
        Route::CreateEnvironment => environments::create(call).await,
        Route::CreateIntegration => integrations::create(call).await,
        Route::DeleteApiKey => api_keys::delete(call).await,
        Route::DeleteConnection(id) => connections::delete(call, id).await,
        Route::DeleteEnvironment(id) => environments::delete(call, id).await,
        Route::DeleteIntegration(key) => integrations::delete(call, key).await,
        Route::DeleteProvider(name) => providers::delete(call, name).await,
        Route::GetConfig(key) => config::get(call, key).await,
        Route::GetConnection(id) => connections::get(call, id).await,
        Route::GetIntegration(key) => integrations::get(call, key).await,
        Route::GetLog(id) => refresh_logs::get(call, id).await,
        Route::GetLogo(file) => providers::logo(file),
        Route::GetProvider(name) => providers::get(call, name).await,
        Route::GetProviderSchema => Ok(Reply::json_schema(&json_schema())),
        Route::Health => Ok(health::live()),
        Route::LegacyCreateConnection => legacy_import::create(call).await,
        Route::LegacyMergeMetadata(id) => {
            metadata::legacy_change(call, id, MetadataChange::Merge).await
        }
        Route::LegacyReplaceMetadata(id) => {
            metadata::legacy_change(call, id, MetadataChange::Replace).await
        }
        Route::ListApiKeys => api_keys::list(call).await,
        Route::ListConnections => connections::list(call).await,
        Route::ListEnvironments => environments::list(call).await,
        Route::ListIntegrations => integrations::list(call).await,
        Route::ListProviders => providers::list(call).await,
        Route::ListRefreshes(id) => refresh_logs::list(call, id).await,
        Route::MergeMetadata => metadata::change(call, MetadataChange::Merge).await,
        Route::PatchConnection(id) => connections::patch(call, id).await,
        Route::PutProvider(name) => providers::put(call, name).await,
        Route::Ready => health::ready(call).await,
        Route::ReplaceMetadata => metadata::change(call, MetadataChange::Replace).await,
        Route::RevokeAll(key) => revoke_all::post(call, key).await,
        Route::UpdateIntegration(key) => integrations::update(call, key).await,
    }
}

/// The parts of the path between slashes; one slash at the end is as good as none.
fn segments(path: &str) -> Vec<&str> {
    path.strip_suffix('/')
        .unwrap_or(path)
        .split('/')
        .skip(1)
        .collect()
}

/// A `HEAD` is answered like a `GET`; the runtime leaves the body out.
fn method(request: &Request) -> &str {
    if request.method == "HEAD" {
        "GET"
    } else {
        &request.method
    }
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers.content_type.as_deref().unwrap_or_default();
    let start = content_type.get(..JSON.len()).unwrap_or(content_type);
    content_type.is_empty() || start.eq_ignore_ascii_case(JSON)
}

fn without_route(request: &Request, segments: &[&str]) -> Result<Reply, ApiError> {
    match allowed_methods(segments) {
        allowed if allowed.is_empty() => Err(ApiError::NotFound),
        allowed if request.method == "OPTIONS" => Ok(Reply::preflight(allowed)),
        allowed => Err(ApiError::MethodNotAllowed(allowed)),
    }
}

/// The reply, and what the log says of every request. It names the route, never the path, which
/// has the caller's own identifiers in it.
fn logged(
    request: &Request,
    route: Option<Route<'_>>,
    result: Result<Reply, ApiError>,
) -> (Reply, Map<String, Value>) {
    let mut log = Map::new();
    let mut set = |name: &str, value: Value| log.insert(name.to_owned(), value);
    set("request.id", request.id.as_str().into());
    set(
        "request.method",
        request.method.chars().take(16).collect::<String>().into(),
    );
    set("route", route.map(Route::name).into());
    let reply = match result {
        Ok(reply) => {
            set("status", reply.status.into());
            reply
        }
        Err(error) => {
            let reply = error.reply(&request.id);
            set("status", reply.status.into());
            set("code", error.code().into());
            if let Some(outcome) = error.outcome_of_verification() {
                set("verification.outcome", outcome.into());
            }
            if let Some(cause) = error.internal_cause() {
                set("error", cause.into());
            }
            reply
        }
    };
    (reply, log)
}

fn server_timing(round_trips: RoundTrips) -> String {
    let own = format!("d1;desc=\"{}\"", round_trips.own);
    match round_trips.in_refresh {
        0 => own,
        in_refresh => format!("{own}, refresh-d1;desc=\"{in_refresh}\""),
    }
}

/// The headers of every answer. Any of them may carry a credential, so none is stored.
fn finished(mut reply: Reply, request: &Request) -> Reply {
    let cache = match reply.max_age {
        Some(seconds) => format!("public, max-age={seconds}"),
        None => "no-store".to_owned(),
    };
    reply.headers.extend([
        ("access-control-allow-origin", "*".to_owned()),
        (
            "access-control-expose-headers",
            "server-timing, x-request-id".to_owned(),
        ),
        ("cache-control", cache),
        ("referrer-policy", "strict-origin".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-request-id", request.id.clone()),
    ]);
    reply
}

const JSON: &str = "application/json";
