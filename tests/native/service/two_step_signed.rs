//! Logins with tokens that are signed here: a token of `signature`, an assertion.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{
    client::call,
    connections::create_plain_integration,
    deployment::Deployment,
    keys::{EC_PKCS8, RSA_PKCS1, RSA_PKCS8},
    provider::Answer,
    two_step::{deployment, post, read, token},
};

/// Header and claims of a token.
fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn a_google_service_account_asks_with_a_token_of_its_own() {
    let deployment = Deployment::new();
    create_plain_integration(&deployment, "google-service-account");
    deployment
        .provider
        .will_answer(Answer::token("fake-token", None));
    let body = json!({
        "provider_config_key": "google-service-account", "connection_id": "user-1",
        "credentials": {
            "type": "TWO_STEP", "serviceAccountEmailAddress": "a@b.example",
            "scopes": "https://scope.example/a https://scope.example/b", "privateKey": RSA_PKCS8,
        },
    });
    let imported = call("POST", "/connections")
        .body(&body)
        .run(&deployment)
        .ok();
    assert_eq!(imported["credentials"]["token"], "fake-token");
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.url, "https://oauth2.googleapis.com/token");
    let prefix = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    let (header, claims) = parts(seen.body.strip_prefix(prefix).unwrap());
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT"}));
    assert_eq!(
        claims,
        json!({
            "iss": "a@b.example", "scope": "https://scope.example/a https://scope.example/b",
            "aud": "https://oauth2.googleapis.com/token", "iat": 1_767_225_600,
            "exp": 1_767_229_200,
        })
    );
}

/// A provider that takes an assertion.
fn rules(own: &Value) -> Value {
    let mut assertion = json!({
        "type": "jwt", "key": "${assertionOption.key}",
        "header": {"alg": "RS256", "kid": "${credentials.user}"},
        "payload": {"iss": "${credentials.user}", "jti": "${random}"},
    });
    assertion
        .as_object_mut()
        .unwrap()
        .extend(own.as_object().unwrap().clone());
    json!({
        "assertion": assertion,
        "assertion_option": {"key": {"secret": true}},
        "token_params": {"client_assertion": "${credentials.assertion}"},
    })
}

fn asserted(deployment: &Deployment) -> Vec<String> {
    let seen = deployment.provider.seen().into_iter();
    let body = |body: &str| serde_json::from_str::<Value>(body).unwrap();
    seen.map(|seen| {
        body(&seen.body)["client_assertion"]
            .as_str()
            .unwrap()
            .to_owned()
    })
    .collect()
}

/// The assertions of two logins, the second of them `seconds` after the first.
fn of_two_logins(own: &Value, seconds: i64) -> (bool, Value) {
    let deployment = deployment(&rules(own));
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, &json!({"key": RSA_PKCS1}), &json!({})).ok();
    deployment.advance_seconds(seconds);
    deployment.provider.will_answer(token("fake-new-token"));
    let target = "/connections/user-1?provider_config_key=acme&force_refresh=1";
    let credentials = call("GET", target).run(&deployment).ok()["credentials"].clone();
    assert_eq!(credentials["token"], "fake-new-token");
    let asserted = asserted(&deployment);
    (asserted[0] == asserted[1], credentials)
}

#[test]
fn an_assertion_is_signed_with_the_key_of_the_connection() {
    let deployment = deployment(&rules(&json!({})));
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, &json!({"key": RSA_PKCS1}), &json!({})).ok();
    let (header, mut claims) = parts(&asserted(&deployment)[0]);
    assert_eq!(header, json!({"alg": "RS256", "kid": "u"}));
    assert!(claims.as_object_mut().unwrap().remove("jti").is_some());
    assert_eq!(
        claims,
        json!({"iss": "u", "iat": 1_767_225_600, "exp": 1_767_229_200})
    );
}

#[test]
fn an_assertion_may_be_signed_with_pss() {
    let deployment = deployment(&rules(
        &json!({"header": {"alg": "PS256", "x5t#S256": "t"}}),
    ));
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, &json!({"key": RSA_PKCS8}), &json!({})).ok();
    let (header, _) = parts(&asserted(&deployment)[0]);
    assert_eq!(header, json!({"alg": "PS256", "x5t#S256": "t"}));
}

#[test]
fn each_login_makes_another_assertion_and_keeps_it_with_its_key() {
    let (is_same, credentials) = of_two_logins(&json!({}), 1);
    assert!(!is_same);
    assert_eq!(credentials["key"], RSA_PKCS1);
    let (_, claims) = parts(credentials["assertion"].as_str().unwrap());
    assert_eq!(claims["iat"], 1_767_225_601);
}

#[test]
fn an_assertion_for_one_use_is_not_kept() {
    let (_, credentials) = of_two_logins(&json!({"singleUse": true}), 1);
    assert_eq!(credentials.get("assertion"), None);
}

#[test]
fn an_assertion_that_is_imported_does_without_the_key_until_it_ends() {
    let mut fields = rules(&json!({}));
    fields["credentials"] = json!({
        "user": {}, "password": {}, "assertion": {"automated": true},
    });
    let deployment = deployment(&fields);
    let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1767229200}"#);
    let assertion = format!("e30.{claims}.fake");
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, &json!({ "assertion": assertion }), &json!({})).ok();
    assert_eq!(asserted(&deployment), [assertion]);
    deployment.advance_seconds(3600);
    let target = "/connections/user-1?provider_config_key=acme&force_refresh=1";
    assert_eq!(call("GET", target).run(&deployment).status, 400);
    assert_eq!(deployment.provider.seen().len(), 1);
    let answer = post(&deployment, &json!({}), &json!({}));
    answer.has_issues(
        "invalid_body",
        &["credentials.key invalid_type Invalid input: expected string, received undefined"],
    );
}

#[test]
fn a_key_of_another_kind_is_refused_at_import() {
    let deployment = deployment(&rules(&json!({})));
    let answer = post(&deployment, &json!({"key": EC_PKCS8}), &json!({}));
    assert_eq!(answer.status, 400);
    let issue = &answer.json()["error"]["errors"][0];
    assert_eq!(issue["path"], json!(["credentials", "key"]));
    assert_eq!(read(&deployment).status, 404);
}

#[test]
fn unknown_kinds_of_assertions_and_algorithms_are_refused_with_the_entry() {
    let deployment = Deployment::new();
    for (own, path) in [
        (json!({"type": "wsse"}), "assertion.type"),
        (json!({"header": {"alg": "PS384"}}), "assertion.header.alg"),
    ] {
        let mut entry = rules(&own);
        for (name, value) in [
            ("display_name", json!("Acme")),
            ("docs", json!("https://acme.example")),
            ("auth_mode", json!("TWO_STEP")),
            ("token_url", json!("https://acme.example/token")),
            ("token_response", json!({"token": "token"})),
        ] {
            entry[name] = value;
        }
        let put = call("PUT", "/providers/acme").account().body(&entry);
        let answer = put.run(&deployment);
        assert_eq!(answer.status, 400);
        let issue = &answer.json()["error"]["errors"][0];
        let found: Vec<_> = issue["path"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(found.join("."), path);
        assert_eq!(issue["code"], "invalid_value");
    }
}
