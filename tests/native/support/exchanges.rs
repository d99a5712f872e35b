//! What tests of exchanged credentials begin with: an integration of a provider of any kind, a
//! connection `user-1` at it, and what is in tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    client::{Answered, call},
    connections::{put_acme, with},
    deployment::Deployment,
};

/// A deployment with an integration `acme` of a provider with `entry`, made with `integration`.
#[track_caller]
pub(crate) fn deployment_with(entry: &Value, integration: &Value) -> Deployment {
    let deployment = Deployment::new();
    put_acme(&deployment, entry);
    let body = json!({"provider": "acme", "unique_key": "acme"});
    call("POST", "/integrations")
        .body(&with(body, integration))
        .run(&deployment)
        .ok();
    deployment
}

/// Imports `user-1` with `credentials` and, over the rest, `fields`.
pub(crate) fn post(deployment: &Deployment, credentials: &Value, fields: &Value) -> Answered {
    let body = json!({
        "provider_config_key": "acme", "connection_id": "user-1", "credentials": credentials,
    });
    call("POST", "/connections")
        .body(&with(body, fields))
        .run(deployment)
}

/// Reads `user-1`; `options` are further query parameters.
pub(crate) fn get(deployment: &Deployment, options: &str) -> Answered {
    let target = format!("/connections/user-1?provider_config_key=acme{options}");
    call("GET", &target).run(deployment)
}

/// How often credentials were written since the import.
pub(crate) fn writes(deployment: &Deployment) -> i64 {
    let sql = "select credentials_version from connection where connection_id = 'user-1'";
    deployment.database.text(sql).parse::<i64>().unwrap() - 1
}

/// Header and claims of a token.
pub(crate) fn opened(token: &Value) -> (Value, Value) {
    let mut parts = token.as_str().unwrap().split('.');
    let mut part = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(), part())
}
