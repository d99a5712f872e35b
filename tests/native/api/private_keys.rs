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

/// A client of users that signs with its secret.
fn signing_client() -> Value {
    json!({
        "auth_mode": "OAUTH2", "token_url": "https://acme.example/token",
        "token_request_auth_method": "private_key_jwt",
    })
}

fn settings(secret: &str) -> Value {
    json!({"credentials": {"type": "OAUTH2", "client_id": "c", "client_secret": secret}})
}

#[test]
fn a_client_secret_that_signs_is_a_key_when_it_is_made_and_when_it_is_changed() {
    let deployment = Deployment::new();
    put_acme(&deployment, &signing_client());
    let make = |secret: &str| {
        let body = json!({"provider": "acme", "unique_key": "acme"});
        let body = with(body, &settings(secret));
        call("POST", "/integrations").body(&body).run(&deployment)
    };
    let issue = format!("credentials.client_secret invalid_format {NO_PEM}");
    make("canary").has_issues("invalid_body", &[&issue]);
    make(keys::RSA_JWK).ok();
    let change = |secret: &str| {
        let change = call("PATCH", "/integrations/acme").body(&settings(secret));
        change.run(&deployment)
    };
    change("canary").has_issues("invalid_body", &[&issue]);
    // As long as a key of 4096 bits.
    let long = format!("{}{}", keys::RSA_PKCS8, "\n".repeat(2000));
    change(&long).ok();
}

#[test]
fn a_client_that_a_connection_brings_along_is_held_to_the_same() {
    let deployment = deployment_with(&signing_client(), &settings(keys::RSA_PKCS8));
    let client = json!({"client_id": "own", "client_secret": "canary"});
    let credentials = json!({
        "type": "OAUTH2", "access_token": "fake-token", "config_override": client,
    });
    let issue = format!("credentials.config_override.client_secret invalid_format {NO_PEM}");
    post(&deployment, &credentials, &json!({})).has_issues("invalid_body", &[&issue]);
    let flat = json!({
        "provider_config_key": "acme", "access_token": "fake-token", "no_expiration": true,
        "oauth_client_id_override": "own", "oauth_client_secret_override": "canary",
    });
    let issue = format!("oauth_client_secret_override invalid_format {NO_PEM}");
    let refused = call("POST", "/connection").body(&flat).run(&deployment);
    refused.has_issues("invalid_body", &[&issue]);
}

#[test]
fn a_key_is_read_whatever_else_cannot_be_filled_in() {
    let mut entry = jwt("RSA");
    entry["token"]["payload"] = json!({"iss": "${fingerprint(${credentials.key})}"});
    let credentials = json!({"type": "JWT", "key": "canary", "token": "fake-token"});
    refuses(&entry, &credentials, "key", NO_PEM);

    let entry = two_step(&json!({"assertion": {
        "type": "saml", "key": "${credentials.key}", "issuer": "${connectionConfig.issuer}",
        "audiences": "a", "nameIdentifier": "n",
    }}));
    let credentials = json!({"type": "TWO_STEP", "key": "canary", "token": "fake-token"});
    refuses(&entry, &credentials, "key", NO_PEM);
}

fn two_step(fields: &Value) -> Value {
    let entry = json!({
        "auth_mode": "TWO_STEP", "token_response": {"token": "token"}, "credentials": {"key": {}},
    });
    with(entry, fields)
}

#[test]
fn a_key_in_the_configuration_is_refused_there() {
    let mut entry = jwt("RSA");
    entry["token"]["signing_key"] = "${connectionConfig.pem}".into();
    entry["connection_config"] = json!({"pem": {}});
    let deployment = deployment_with(&entry, &json!({}));
    let credentials = json!({"type": "JWT", "key": "any", "token": "fake-token"});
    let fields = json!({"connection_config": {"pem": "canary"}});
    let issue = format!("connection_config.pem invalid_format {NO_PEM}");
    post(&deployment, &credentials, &fields).has_issues("invalid_body", &[&issue]);
}

#[test]
fn a_connection_that_could_never_sign_is_refused_at_the_input_that_lacks_its_key() {
    let mut entry = jwt("HMAC");
    entry["token"]["signing_key"] = "${credentials.key.secret}".into();
    let credentials = json!({"type": "JWT", "key": "no-colon", "token": "fake-token"});
    let reason = "the token of the provider cannot be filled in: no value for \
                  credentials.key.secret";
    refuses(&entry, &credentials, "key", reason);
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
