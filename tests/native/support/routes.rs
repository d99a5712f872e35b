//! Every route, with a request that succeeds on a seeded deployment and what a key must grant.

use serde_json::{Value, json};

use super::{
    client::{Call, call},
    seed::acme,
};

/// A request that succeeds on [`super::seed::seeded`].
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) target: &'static str,
    pub(crate) body: Option<Value>,
    pub(crate) access: Access,
}

/// What a key must grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// A scope of the account plane.
    Account(&'static str),
    /// Being a key of any environment.
    AnyEnvironment,
    /// One of these scopes.
    Environment(&'static [&'static str]),
    /// Nothing, and there need be no key.
    Open,
}

impl Route {
    /// The request, with the key that may make it.
    pub(crate) fn call(&self) -> Call {
        self.call_as(self.method, self.target)
    }

    /// The request with another method or target.
    pub(crate) fn call_as(&self, method: &str, target: &str) -> Call {
        let call = call(method, target);
        let call = match self.access {
            Access::Account(_) => call.account(),
            Access::AnyEnvironment | Access::Environment(_) => call,
            Access::Open => call.authorization(None),
        };
        match &self.body {
            Some(body) => call.body(body),
            None => call,
        }
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &'static str {
        self.target.split('?').next().unwrap()
    }
}

/// Every route, its deprecated twins included.
pub(crate) fn all() -> Vec<Route> {
    let mut routes = open();
    routes.extend(account());
    routes.extend(integrations());
    routes.extend(connections());
    routes
}

/// The routes that an environment's key is for.
pub(crate) fn of_environments() -> Vec<Route> {
    let mut routes = all();
    routes.retain(|route| {
        matches!(
            route.access,
            Access::AnyEnvironment | Access::Environment(_)
        )
    });
    routes
}

/// The routes that the account key is for.
pub(crate) fn account() -> Vec<Route> {
    let route = |method, target, scope, body| Route {
        method,
        target,
        body,
        access: Access::Account(scope),
    };
    let key = json!({"environment_id": 1, "display_name": "another"});
    vec![
        route("GET", "/environments", "account:environments:list", None),
        route(
            "POST",
            "/environments",
            "account:environments:create",
            Some(json!({"name": "staging"})),
        ),
        route(
            "DELETE",
            "/environments/1",
            "account:environments:delete",
            None,
        ),
        route(
            "GET",
            "/environment/api-keys?environment_id=1",
            "account:environments:api_keys:list",
            None,
        ),
        route(
            "POST",
            "/environment/api-keys",
            "account:environments:api_keys:create",
            Some(key),
        ),
        route(
            "DELETE",
            "/environment/api-keys",
            "account:environments:api_keys:delete",
            Some(json!({"environment_id": 1, "key_id": 1})),
        ),
        route(
            "PUT",
            "/providers/acme",
            "account:providers:write",
            Some(acme()),
        ),
        route("DELETE", "/providers/acme", "account:providers:write", None),
    ]
}

fn open() -> Vec<Route> {
    let targets = [
        "/health",
        "/ready",
        "/images/template-logos/github.svg",
        "/providers.schema.json",
    ];
    let route = |target| Route {
        method: "GET",
        target,
        body: None,
        access: Access::Open,
    };
    targets.into_iter().map(route).collect()
}

fn integrations() -> Vec<Route> {
    const READ: Access = Access::Environment(&[
        "environment:integrations:read",
        "environment:integrations:read_credentials",
    ]);
    const LIST: Access = Access::Environment(&[
        "environment:integrations:list",
        "environment:integrations:list_credentials",
    ]);
    let route = |method, target, access, body| Route {
        method,
        target,
        body,
        access,
    };
    let created = json!({"provider": "private-api-basic", "unique_key": "another"});
    let changed = json!({"display_name": "Another name"});
    vec![
        route("GET", "/integrations", LIST, None),
        route(
            "POST",
            "/integrations",
            Access::Environment(&["environment:integrations:create"]),
            Some(created),
        ),
        route("GET", "/integrations/github", READ, None),
        route(
            "PATCH",
            "/integrations/github",
            Access::Environment(&["environment:integrations:update"]),
            Some(changed),
        ),
        route(
            "DELETE",
            "/integrations/github",
            Access::Environment(&["environment:integrations:delete"]),
            None,
        ),
        route(
            "POST",
            "/integrations/github/revoke-all",
            Access::Environment(&["environment:connections:delete"]),
            None,
        ),
        route("GET", "/config/github", READ, None),
        route("GET", "/providers", Access::AnyEnvironment, None),
        route("GET", "/providers/github", Access::AnyEnvironment, None),
    ]
}

fn connections() -> Vec<Route> {
    const ONE: &str = "/connections/user-1?provider_config_key=github";
    const LEGACY: &str = "/connection/user-1?provider_config_key=github";
    const OWN: &str = "/connection/user-1/metadata?provider_config_key=github";
    const CREATE: Access = Access::Environment(&["environment:connections:create"]);
    const DELETE: Access = Access::Environment(&["environment:connections:delete"]);
    const LIST: Access = Access::Environment(&[
        "environment:connections:list",
        "environment:connections:list_credentials",
    ]);
    const READ: Access = Access::Environment(&[
        "environment:connections:read",
        "environment:connections:read_credentials",
    ]);
    const REFRESHES: &str = "/connections/user-1/refreshes?provider_config_key=github";
    const LOG: &str = "/logs/00000000-0000-4000-8000-000000000001";
    const LOGS: Access = Access::Environment(&["environment:logs:read"]);
    const UPDATE: Access = Access::Environment(&["environment:connections:update"]);
    let route = |method, target, access, body| Route {
        method,
        target,
        body,
        access,
    };
    let metadata = || {
        Some(json!({
            "connection_id": "user-1", "provider_config_key": "github", "metadata": {"a": 1},
        }))
    };
    let free = || Some(json!({"a": 1}));
    let imported = Some(json!({
        "provider_config_key": "github",
        "connection_id": "user-1",
        "connection_config": {},
        "credentials": {"type": "OAUTH2", "access_token": "fake-new-token"},
        "end_user": {"id": "u", "email": "u@users.example"},
        "tags": {"team": "a"},
    }));
    let flat = Some(json!({
        "provider_config_key": "github",
        "connection_id": "user-1",
        "access_token": "fake-new-token",
        "no_expiration": true,
    }));
    let patch = Some(json!({"tags": {"team": "b"}}));
    vec![
        route("GET", "/connections", LIST, None),
        route("GET", "/connection", LIST, None),
        route("POST", "/connections", CREATE, imported),
        route("POST", "/connection", CREATE, flat),
        route("GET", ONE, READ, None),
        route("GET", LEGACY, READ, None),
        route("GET", REFRESHES, LOGS, None),
        route("GET", LOG, LOGS, None),
        route("PATCH", ONE, UPDATE, patch),
        route("DELETE", ONE, DELETE, None),
        route("DELETE", LEGACY, DELETE, None),
        route("POST", "/connections/metadata", UPDATE, metadata()),
        route("POST", "/connection/metadata", UPDATE, metadata()),
        route("PATCH", "/connections/metadata", UPDATE, metadata()),
        route("PATCH", "/connection/metadata", UPDATE, metadata()),
        route("POST", OWN, UPDATE, free()),
        route("PATCH", OWN, UPDATE, free()),
    ]
}

/// Method and path of every line of the route table, alternatives apart, parameters as `:name`.
pub(crate) fn declared() -> Vec<(String, String)> {
    let table = std::fs::read_to_string("src/api/route.rs").unwrap();
    let mut declared = Vec::new();
    for line in table.lines() {
        let Some((pattern, _)) = line
            .trim()
            .strip_prefix("(\"")
            .and_then(|it| it.split_once(") =>"))
        else {
            continue;
        };
        let (method, segments) = pattern.split_once("\", [").unwrap();
        let segments = segments.strip_suffix(']').unwrap();
        let mut paths = vec![String::new()];
        for segment in segments.split(", ") {
            let names: Vec<_> = segment
                .split(" | ")
                .map(|name| match name.strip_prefix('"') {
                    Some(name) => name.strip_suffix('"').unwrap().to_owned(),
                    None => format!(":{name}"),
                })
                .collect();
            paths = paths
                .iter()
                .flat_map(|path| names.iter().map(move |name| format!("{path}/{name}")))
                .collect();
        }
        declared.extend(paths.into_iter().map(|path| (method.to_owned(), path)));
    }
    assert!(declared.len() > 30, "the route table is not where it was");
    declared
}
