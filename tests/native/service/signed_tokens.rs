//! Tokens that are signed or digested here: what is in them, and that they are made when they are
//! due and not on every read. No provider is ever asked: one that is would fail these tests.

use holdfast::{
    domain::{secret::Secret, timestamp::Timestamp},
    signing::wsse,
};
use serde_json::{Value, json};

use crate::support::{
    deployment::{Deployment, START},
    exchanges::{deployment_with, get, opened, post, writes},
    keys,
};

/// The seconds of the epoch when tests begin.
const NOW: i64 = START / 1000;

fn jwt(signature: &Value, token: &Value, credentials: &Value) -> Value {
    let mut token = token.clone();
    token["expires_in_ms"] = 900_000.into();
    json!({
        "auth_mode": "JWT", "signature": signature, "token": token, "credentials": credentials,
    })
}

fn rsa() -> Value {
    jwt(
        &json!({"protocol": "RSA"}),
        &json!({
            "signing_key": "${credentials.privateKey}",
            "header": {"typ": "JWT"},
            "payload": {
                "iss": "${credentials.account}.${fingerprint(${credentials.privateKey})}",
                "aud": "https://${connectionConfig.host}",
                "scope": ["${connectionConfig.scopes}"],
            },
        }),
        &json!({"privateKey": {"secret": true}, "account": {}}),
    )
}

fn rsa_credentials() -> Value {
    json!({"type": "JWT", "privateKey": keys::RSA_PKCS8, "account": "ME"})
}

fn deployment_with_rsa() -> Deployment {
    let deployment = deployment_with(&rsa(), &json!({}));
    let config = json!({"connection_config": {"host": "a.example", "scopes": "a,b"}});
    post(&deployment, &rsa_credentials(), &config).ok();
    deployment
}

#[test]
fn an_import_without_a_token_signs_one() {
    let deployment = deployment_with_rsa();
    let shown = get(&deployment, "").ok()["credentials"].clone();
    let (header, claims) = opened(&shown["token"]);
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT"}));
    let fingerprint = "SHA256:TOFOsUtYF9bYoA55xgrRrSGK0zDEC/fppgF6dkEeh5w=";
    assert_eq!(
        claims,
        json!({
            "iss": format!("ME.{fingerprint}"), "aud": "https://a.example", "scope": ["a", "b"],
            "iat": NOW, "exp": NOW + 900,
        })
    );
    let mut expected = rsa_credentials();
    expected["token"] = shown["token"].clone();
    expected["expires_at"] = "2026-01-01T00:15:00.000Z".into();
    assert_eq!(shown, expected);
}

#[test]
fn a_token_is_signed_again_when_half_its_life_is_over_and_not_on_every_read() {
    let deployment = deployment_with_rsa();
    let token = || get(&deployment, "").ok()["credentials"]["token"].clone();
    let first = token();
    for _ in 0..44 {
        deployment.advance_seconds(10);
        assert_eq!(token(), first);
    }
    assert_eq!(writes(&deployment), 0);
    deployment.advance_seconds(10);
    let (_, claims) = opened(&token());
    assert_eq!(claims["iat"], NOW + 450);
    for _ in 0..20 {
        token();
    }
    assert_eq!(writes(&deployment), 1);
}

#[test]
fn inputs_have_their_defaults_and_what_the_integration_brings() {
    let mut entry = jwt(
        &json!({"protocol": "HMAC", "hmac_secret_encoding": "utf8"}),
        &json!({
            "signing_key": "${credentials.key}",
            "payload": {"iss": "${credentials.issuer}", "aud": "${credentials.audience}"},
        }),
        &json!({"key": {}, "issuer": {}, "audience": {"default_value": "usual"}}),
    );
    entry["integration_config"] = json!({"key": {}, "issuer": {}});
    let preset = json!({"integration_config": {"key": "fake-key", "issuer": "ours"}});
    let deployment = deployment_with(&entry, &preset);
    let imported = post(&deployment, &json!({"type": "JWT"}), &json!({})).ok();
    let (_, claims) = opened(&imported["credentials"]["token"]);
    let expected = json!({"iss": "ours", "aud": "usual", "iat": NOW, "exp": NOW + 900});
    assert_eq!(claims, expected);
    let shown = imported["credentials"].as_object().unwrap();
    assert!(!shown.contains_key("key") && !shown.contains_key("issuer"));
}

#[test]
fn a_token_that_comes_along_is_kept_until_it_is_due() {
    let deployment = deployment_with(&rsa(), &json!({}));
    let mut credentials = rsa_credentials();
    credentials["token"] = "fake-token".into();
    credentials["expires_at"] = "2026-01-01T01:00:00.000Z".into();
    let config = json!({"connection_config": {"host": "a.example"}});
    post(&deployment, &credentials, &config).ok();
    let token = || get(&deployment, "").ok()["credentials"]["token"].clone();
    assert_eq!(token(), "fake-token");
    deployment.advance_seconds(45 * 60);
    let (_, claims) = opened(&token());
    assert_eq!(claims["iat"], NOW + 45 * 60);
    // Nothing stands for what was not given.
    assert_eq!(claims.get("scope"), None);
}

#[test]
fn a_token_that_comes_along_and_tells_no_end_is_signed_anew_at_the_first_read() {
    let deployment = deployment_with(&rsa(), &json!({}));
    let mut credentials = rsa_credentials();
    credentials["token"] = "fake-token".into();
    post(&deployment, &credentials, &json!({})).ok();
    let (_, claims) = opened(&get(&deployment, "").ok()["credentials"]["token"]);
    assert_eq!(claims["iat"], NOW);
}

#[test]
fn a_secret_in_one_piece_signs_whatever_the_integration_is_called() {
    let entry = jwt(
        &json!({"protocol": "HMAC"}),
        &json!({
            "signing_key": "${credentials.privateKey.secret}",
            "header": {"kid": "${credentials.privateKey.id}"},
            "payload": {"aud": "/admin/"},
        }),
        &json!({"privateKey": {}}),
    );
    let deployment = deployment_with(&entry, &json!({}));
    let credentials = json!({"type": "JWT", "privateKey": "0123:4a656665"});
    let imported = post(&deployment, &credentials, &json!({})).ok();
    assert_eq!(imported["credentials"]["privateKey"], "0123:4a656665");
    let (header, claims) = opened(&imported["credentials"]["token"]);
    assert_eq!(header, json!({"alg": "HS256", "kid": "0123"}));
    let expected = json!({"aud": "/admin/", "iat": NOW, "exp": NOW + 900});
    assert_eq!(claims, expected);
}

#[test]
fn a_token_of_app_store_connect_names_its_key_and_its_scope() {
    let deployment = deployment_with(&json!({"auth_mode": "APP_STORE"}), &json!({}));
    let credentials = json!({
        "type": "APP_STORE", "private_key": keys::EC_PKCS8, "privateKeyId": "KEY", "issuerId": "I",
    });
    let config = json!({"connection_config": {"scope": "GET /v1/apps, GET /v1/users"}});
    let imported = post(&deployment, &credentials, &config).ok();
    let (header, claims) = opened(&imported["credentials"]["access_token"]);
    assert_eq!(header, json!({"alg": "ES256", "kid": "KEY", "typ": "JWT"}));
    assert_eq!(
        claims,
        json!({
            "iss": "I", "aud": "appstoreconnect-v1", "iat": NOW, "exp": NOW + 900,
            "scope": ["GET /v1/apps", "GET /v1/users"],
        })
    );
    let mut expected = credentials;
    expected["access_token"] = imported["credentials"]["access_token"].clone();
    expected["expires_at"] = "2026-01-01T00:15:00.000Z".into();
    expected["raw"] = json!({});
    assert_eq!(imported["credentials"], expected);

    deployment.advance_seconds(449);
    get(&deployment, "").ok();
    assert_eq!(writes(&deployment), 0);
    deployment.advance_seconds(1);
    get(&deployment, "").ok();
    assert_eq!(writes(&deployment), 1);
}

#[test]
fn a_token_of_app_store_connect_without_a_scope_is_for_everything() {
    let deployment = deployment_with(&json!({"auth_mode": "APP_STORE"}), &json!({}));
    let credentials = json!({
        "type": "APP_STORE", "private_key": keys::EC_PKCS8, "privateKeyId": "KEY", "issuerId": "I",
    });
    let imported = post(&deployment, &credentials, &json!({})).ok();
    let (_, claims) = opened(&imported["credentials"]["access_token"]);
    assert_eq!(claims.get("scope"), None);
}

#[test]
fn a_username_token_is_digested_when_it_is_due_and_not_on_every_read() {
    let entry = json!({
        "auth_mode": "SIGNATURE", "signature": {"protocol": "WSSE"},
        "token": {"expires_in_ms": 300_000},
    });
    let deployment = deployment_with(&entry, &json!({}));
    let credentials = json!({"type": "SIGNATURE", "username": "u", "password": "fake-password"});
    let imported = post(&deployment, &credentials, &json!({})).ok();
    let token = imported["credentials"]["token"].as_str().unwrap();
    let mut parts = token.split('"');
    let nonce = parts.nth(5).unwrap();
    let bytes: Vec<_> = (0..16)
        .map(|at| u8::from_str_radix(&nonce[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let expected = wsse::username_token(
        "u",
        &Secret::new("fake-password"),
        &bytes.try_into().unwrap(),
        Timestamp::from_millis(START),
    );
    assert_eq!(token, expected.expose());
    let mut shown = credentials;
    shown["token"] = token.into();
    shown["expires_at"] = "2026-01-01T00:05:00.000Z".into();
    assert_eq!(imported["credentials"], shown);

    for _ in 0..14 {
        deployment.advance_seconds(10);
        get(&deployment, "").ok();
    }
    assert_eq!(writes(&deployment), 0);
    deployment.advance_seconds(10);
    let again = get(&deployment, "").ok()["credentials"].clone();
    assert_eq!(again["expires_at"], "2026-01-01T00:07:30.000Z");
    assert_ne!(again["token"], token);
    assert_eq!(writes(&deployment), 1);
}
