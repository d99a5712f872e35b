//! What tests of connections begin with: integrations of every kind, keys that may do little.

use serde_json::{Map, Value, json};

use super::{
    client::{Answered, Call, call, create_integration},
    deployment::Deployment,
};

/// A deployment with an integration for every kind of credentials, named like its provider.
pub(crate) fn deployment_with_every_kind() -> Deployment {
    let deployment = Deployment::new();
    create_integration(&deployment, "github", "github");
    let keyed = json!({"type": "OAUTH1", "client_id": "fake-client", "client_secret": "fake-client-secret"});
    let body = json!({"provider": "twitter", "unique_key": "twitter", "credentials": keyed});
    call("POST", "/integrations")
        .body(&body)
        .run(&deployment)
        .ok();
    for provider in [
        "auth0-cc",
        "netsuite-tba",
        "private-api-basic",
        "private-api-bearer",
        "unauthenticated",
    ] {
        create_plain_integration(&deployment, provider);
    }
    deployment
}

/// Creates an integration without a client in `dev`, named like its provider.
#[track_caller]
pub(crate) fn create_plain_integration(deployment: &Deployment, provider: &str) {
    let body = json!({"provider": provider, "unique_key": provider});
    call("POST", "/integrations")
        .body(&body)
        .run(deployment)
        .ok();
}

/// Defines the custom provider `acme`, whose entry has `fields` over the usual ones.
/// Inputs that these have placeholders for are declared.
#[track_caller]
pub(crate) fn put_acme(deployment: &Deployment, fields: &Value) {
    let text = fields.to_string();
    let placeholders = text.split("${connectionConfig.").skip(1);
    let names = placeholders.filter_map(|rest| rest.split_once('}'));
    let inputs: Map<_, _> = names
        .map(|(name, _)| (name.to_owned(), json!({})))
        .collect();
    let entry = json!({
        "display_name": "Acme",
        "docs": "https://docs.acme.example",
        "auth_mode": "OAUTH2",
        "token_url": "https://acme.example/token",
        "connection_config": inputs,
    });
    call("PUT", "/providers/acme")
        .account()
        .body(&with(entry, fields))
        .run(deployment)
        .ok();
}

/// A verified import at `github` of `fake-sent-token`; `fields` go over the usual ones.
pub(crate) fn verified_import(connection_id: &str, fields: &Value) -> Call {
    let usual = json!({
        "provider_config_key": "github",
        "connection_id": connection_id,
        "credentials": {
            "type": "OAUTH2",
            "access_token": "fake-given-token",
            "refresh_token": "fake-sent-token",
        },
    });
    call("POST", "/connections?verify=refresh").body(&with(usual, fields))
}

/// `object` with `fields` over its own.
pub(crate) fn with(mut object: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// A key of `dev` that grants `scopes` alone.
#[track_caller]
pub(crate) fn scoped_key(deployment: &Deployment, scopes: &[&str]) -> String {
    let body = json!({"environment_id": 1, "display_name": scopes.join(" "), "scopes": scopes});
    let key = call("POST", "/environment/api-keys")
        .account()
        .body(&body)
        .run(deployment)
        .ok();
    key["data"]["secret"].as_str().unwrap().to_owned()
}

/// Reads a connection at `github`; `options` are further query parameters.
pub(crate) fn read(deployment: &Deployment, connection_id: &str, options: &str) -> Answered {
    let target = format!("/connections/{connection_id}?provider_config_key=github{options}");
    call("GET", &target).run(deployment)
}

/// The attempts to refresh a connection at `github`, the last one first.
#[track_caller]
pub(crate) fn refreshes(deployment: &Deployment, connection_id: &str) -> Vec<Value> {
    let target = format!("/connections/{connection_id}/refreshes?provider_config_key=github");
    let logs = call("GET", &target).run(deployment).ok();
    logs["data"].as_array().unwrap().clone()
}

/// A column of the one connection of this name.
pub(crate) fn stored(deployment: &Deployment, connection_id: &str, column: &str) -> String {
    let sql = format!("select {column} from connection where connection_id = '{connection_id}'");
    deployment.database.text(&sql)
}
