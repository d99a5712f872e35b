//! Private keys where they come in: what cannot sign is refused with the place and the reason,
//! and nothing of the key.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{
    client::call,
    connections::{put_acme, with},
    deployment::Deployment,
    exchanges::{deployment_with, post},
    keys,
};

const NO_PEM: &str = "there is no private key in PEM form";
const ENCRYPTED: &str = "the private key is encrypted, give it without a passphrase";
const WRONG_CURVE: &str = "the private key is not on the curve P-256, which ES256 needs";
const NO_RSA: &str = "the private key is not an RSA key, which RS256 needs";

#[track_caller]
fn refuses(entry: &Value, credentials: &Value, place: &str, reason: &str) {
    let deployment = deployment_with(entry, &json!({}));
    let issue = format!("credentials.{place} invalid_format {reason}");
    post(&deployment, credentials, &json!({})).has_issues("invalid_body", &[&issue]);
    let count = "select count(*) from connection";
    assert_eq!(deployment.database.text(count), "0");
}

fn jwt(protocol: &str) -> Value {
    json!({
        "auth_mode": "JWT",
        "signature": {"protocol": protocol},
        "token": {"expires_in_ms": 300_000, "signing_key": "${credentials.key}"},
        "credentials": {"key": {}},
    })
}

#[test]
fn a_key_of_an_import_that_cannot_sign_is_refused_at_its_place() {
    for (protocol, key, reason) in [
        ("RSA", "canary", NO_PEM),
        ("RSA", keys::RSA_PKCS8_ENCRYPTED, ENCRYPTED),
        ("RSA", keys::EC_PKCS8, NO_RSA),
        ("EC", keys::EC_P384, WRONG_CURVE),
        (
            "HMAC",
            "canary",
            "the key does not consist of pairs of hexadecimal digits",
        ),
    ] {
        let credentials = json!({"type": "JWT", "key": key});
        refuses(&jwt(protocol), &credentials, "key", reason);
    }
}

#[test]
fn a_key_is_refused_though_a_token_comes_along() {
    let credentials = json!({"type": "JWT", "key": "canary", "token": "fake-token"});
    refuses(&jwt("RSA"), &credentials, "key", NO_PEM);
}

#[test]
fn a_key_of_app_store_connect_that_cannot_sign_is_refused() {
    for (key, reason) in [("canary", NO_PEM), (keys::EC_P384_PKCS8, WRONG_CURVE)] {
        let credentials = json!({
            "type": "APP_STORE", "private_key": key, "privateKeyId": "k", "issuerId": "i",
        });
        let entry = json!({"auth_mode": "APP_STORE"});
        refuses(&entry, &credentials, "private_key", reason);
    }
}

#[test]
fn a_key_of_a_client_that_cannot_sign_is_refused_at_its_place() {
    let entry = json!({
        "auth_mode": "OAUTH2_CC", "token_request_auth_method": "private_key_jwt",
    });
    let credentials = json!({
        "type": "OAUTH2_CC", "token": "fake-token", "client_id": "c", "client_secret": "fake",
    });
    refuses(&entry, &credentials, "client_secret", NO_PEM);
    let key = json!({"client_private_key": "fake"});
    refuses(
        &entry,
        &with(credentials, &key),
        "client_private_key",
        NO_PEM,
    );
}

fn app(key: &str) -> Value {
    json!({
        "provider": "acme", "unique_key": "acme",
        "credentials": {
            "type": "APP", "app_id": "1", "app_link": "https://acme.example", "private_key": key,
        },
    })
}

fn deployment_with_app_provider() -> Deployment {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"auth_mode": "APP"}));
    deployment
}

#[test]
fn a_key_of_an_app_that_cannot_sign_is_refused_when_it_is_made_and_when_it_is_changed() {
    let deployment = deployment_with_app_provider();
    let (make, change) = (
        call("POST", "/integrations"),
        call("PATCH", "/integrations/acme"),
    );
    let issue = |reason| format!("credentials.private_key invalid_format {reason}");
    let bad = [
        ("canary", NO_PEM),
        (keys::RSA_PKCS1_ENCRYPTED, ENCRYPTED),
        (keys::EC_PKCS8, NO_RSA),
    ];
    for (key, reason) in bad {
        let refused = make.clone().body(&app(key)).run(&deployment);
        refused.has_issues("invalid_body", &[&issue(reason)]);
    }
    make.body(&app(keys::RSA_PKCS1)).run(&deployment).ok();
    for (key, reason) in bad {
        let body = json!({"credentials": app(key)["credentials"]});
        let refused = change.clone().body(&body).run(&deployment);
        refused.has_issues("invalid_body", &[&issue(reason)]);
    }
}

#[test]
fn a_key_of_an_app_may_be_pkcs1_pkcs8_or_base64_of_either() {
    let encoded = STANDARD.encode(keys::RSA_PKCS8);
    for key in [keys::RSA_PKCS1, keys::RSA_PKCS8, &encoded] {
        let deployment = deployment_with_app_provider();
        call("POST", "/integrations")
            .body(&app(key))
            .run(&deployment)
            .ok();
    }
}
