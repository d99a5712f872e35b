//! Connections of providers whose tokens come from requests of their own shape.

use serde_json::{Value, json};

use super::{
    client::{Answered, call},
    connections::{create_plain_integration, put_acme, with},
    deployment::Deployment,
    provider::{Answer, Seen},
};

/// A deployment with an integration of `acme`, whose entry has `fields` over a plain login.
pub(crate) fn deployment(fields: &Value) -> Deployment {
    let deployment = Deployment::new();
    let entry = json!({
        "auth_mode": "TWO_STEP",
        "credentials": {"user": {}, "password": {}, "otp": {"optional": true}},
        "token_params": {"user": "${credentials.user}", "password": "${credentials.password}"},
        "token_response": {"token": "token"},
    });
    put_acme(&deployment, &with(entry, fields));
    create_plain_integration(&deployment, "acme");
    deployment
}

/// Imports `user-1` at `acme` with `credentials` over its user and password.
pub(crate) fn post(deployment: &Deployment, credentials: &Value, config: &Value) -> Answered {
    let login = json!({"type": "TWO_STEP", "user": "u", "password": "fake-password"});
    let body = json!({
        "provider_config_key": "acme", "connection_id": "user-1",
        "credentials": with(login, credentials), "connection_config": config,
    });
    call("POST", "/connections").body(&body).run(deployment)
}

/// What a login answers that is `answer` at a provider with `fields`.
#[track_caller]
pub(crate) fn logged_in(fields: &Value, answer: Answer) -> Value {
    let deployment = deployment(fields);
    deployment.provider.will_answer(answer);
    post(&deployment, &json!({}), &json!({})).ok()
}

/// The only request of a login at a provider with `fields`.
#[track_caller]
pub(crate) fn login_request(fields: &Value, config: &Value) -> Seen {
    let deployment = deployment(fields);
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, &json!({}), config).ok();
    let mut seen = deployment.provider.seen();
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

pub(crate) fn read(deployment: &Deployment) -> Answered {
    let target = "/connections/user-1?provider_config_key=acme&refresh_token=1";
    call("GET", target).run(deployment)
}

pub(crate) fn token(token: &str) -> Answer {
    Answer::Json(200, json!({ "token": token }))
}

pub(crate) fn headers(seen: &Seen) -> Vec<String> {
    let headers = seen.headers.iter();
    headers
        .map(|(name, value)| format!("{name}: {value}"))
        .collect()
}
