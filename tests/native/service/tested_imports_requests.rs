//! What a provider is asked to test credentials that are imported.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use holdfast::oauth2::http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    client::{Answered, call},
    connections::{create_plain_integration, put_acme},
    deployment::{Deployment, START},
    provider::{Answer, Seen},
};

fn key() -> Value {
    json!({"type": "API_KEY", "apiKey": "fake-key"})
}

fn basic() -> Value {
    json!({"type": "BASIC", "username": "fake-user", "password": "fäke"})
}

/// The call that tests `credentials` at a provider with `proxy`.
#[track_caller]
fn asked(proxy: &Value, credentials: &Value, config: &Value) -> Seen {
    let deployment = Deployment::new();
    put_acme(
        &deployment,
        &json!({
            "auth_mode": credentials["type"], "proxy": proxy,
            "connection_config": {"team": {}, "version": {"optional": true}},
        }),
    );
    create_plain_integration(&deployment, "acme");
    deployment
        .provider
        .will_answer(Answer::Json(200, json!({})));
    let body = json!({
        "provider_config_key": "acme", "credentials": credentials, "connection_config": config,
    });
    call("POST", "/connections")
        .body(&body)
        .run(&deployment)
        .ok();
    let [seen] = deployment.provider.seen().try_into().unwrap();
    seen
}

/// Headers as `name: value`, without those of every call.
fn own_headers(seen: &Seen) -> Vec<String> {
    let headers = seen.headers.iter();
    headers
        .map(|(name, value)| format!("{name}: {value}"))
        .filter(|header| header != "accept: application/json" && header != "user-agent: holdfast")
        .collect()
}

#[test]
fn a_call_has_headers_and_query_of_the_entry_with_values_filled_in() {
    let seen = asked(
        &json!({
            "base_url": "https://${connectionConfig.team}.acme.example/api/",
            "headers": {
                "Authorization": "Bearer ${apiKey}",
                "x-team": "${connectionConfig.team}",
                "x-time": "${now:X}",
                "x-version": "${connectionConfig.version}",
            },
            "query": {"key": "${apiKey}&", "version": "${connectionConfig.version}"},
            "verification": {"endpoints": ["v1/me?team=${connectionConfig.team}"]},
        }),
        &key(),
        &json!({"team": "blue"}),
    );
    assert_eq!(seen.method, Method::Get);
    assert_eq!(
        seen.url,
        "https://blue.acme.example/api/v1/me?team=blue&key=fake-key%26"
    );
    let time = format!("x-time: {}", START / 1000);
    let expected = ["authorization: Bearer fake-key", "x-team: blue", &time];
    assert_eq!(own_headers(&seen), expected);
    assert_eq!(seen.headers.len(), 5);
    assert_eq!(seen.body, "");
}

#[test]
fn user_name_and_password_go_into_the_authorization_header() {
    let proxy = json!({
        "base_url": "https://acme.example",
        "verification": {"endpoints": ["/${credentials.username}"]},
    });
    let seen = asked(&proxy, &basic(), &json!({}));
    assert_eq!(seen.url, "https://acme.example/fake-user");
    let expected = ["authorization: Basic ZmFrZS11c2VyOmbDpGtl"];
    assert_eq!(own_headers(&seen), expected);
}

#[test]
fn headers_of_the_test_go_before_those_of_every_call_and_these_before_the_usual_one() {
    let seen = asked(
        &json!({
            "base_url": "https://acme.example",
            "headers": {"Authorization": "Own ${username}", "x-a": "every", "x-b": "every"},
            "verification": {"endpoints": ["/me"], "headers": {"X-A": "test", "accept": "text/x"}},
        }),
        &basic(),
        &json!({}),
    );
    assert_eq!(
        own_headers(&seen),
        [
            "accept: text/x",
            "authorization: Own fake-user",
            "x-a: test",
            "x-b: every",
        ]
    );
}

#[test]
fn a_test_may_be_a_post_of_json_to_another_host() {
    let seen = asked(
        &json!({
            "base_url": "https://acme.example",
            "body": {"key": "${apiKey}", "size": 9},
            "verification": {
                "base_url_override": "https://test.acme.example", "method": "POST",
                "endpoints": ["/query"], "data": {"find": ["${connectionConfig.team}"], "size": 1},
            },
        }),
        &key(),
        &json!({"team": "blue"}),
    );
    assert_eq!(seen.method, Method::Post);
    assert_eq!(seen.url, "https://test.acme.example/query");
    assert_eq!(own_headers(&seen), ["content-type: application/json"]);
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(
        body,
        json!({"key": "fake-key", "size": 1, "find": ["blue"]})
    );
}

#[test]
fn a_host_with_a_path_is_asked_below_its_path() {
    let proxy = json!({
        "base_url": "https://${connectionConfig.team}",
        "verification": {"endpoints": ["/contacts"]},
    });
    let seen = asked(
        &proxy,
        &key(),
        &json!({"team": "blue.acme.example/crm/sales"}),
    );
    assert_eq!(seen.url, "https://blue.acme.example/crm/sales/contacts");
}

/// A deployment with an integration of a provider that takes TBA tokens and tests them.
fn deployment_with_tba(client: Option<Value>) -> Deployment {
    let deployment = Deployment::new();
    let verification = json!({"endpoints": ["/me?a=1"]});
    let proxy = json!({"base_url": "https://acme.example", "verification": verification});
    put_acme(&deployment, &json!({"auth_mode": "TBA", "proxy": proxy}));
    let mut body = json!({"provider": "acme", "unique_key": "acme"});
    if let Some(client) = client {
        body["credentials"] = client;
    }
    let create = call("POST", "/integrations").body(&body);
    create.run(&deployment).ok();
    deployment
}

fn import_tba(deployment: &Deployment) -> Answered {
    let body = json!({
        "provider_config_key": "acme", "connection_config": {"accountId": "123_sb-1"},
        "credentials": {"type": "TBA", "token_id": "fake-id", "token_secret": "fake-secret"},
    });
    call("POST", "/connections").body(&body).run(deployment)
}

#[test]
fn an_account_may_be_a_number() {
    let client = json!({"type": "TBA", "client_id": "fake-client", "client_secret": "fake-secret"});
    let deployment = deployment_with_tba(Some(client));
    deployment
        .provider
        .will_answer(Answer::Json(200, json!({})));
    let body = json!({
        "provider_config_key": "acme", "connection_config": {"accountId": 1_234_567},
        "credentials": {"type": "TBA", "token_id": "fake-id", "token_secret": "fake-secret"},
    });
    call("POST", "/connections")
        .body(&body)
        .run(&deployment)
        .ok();
    let seen = &deployment.provider.seen()[0];
    let authorization = seen
        .headers
        .iter()
        .find(|(name, _)| name == "authorization");
    assert!(authorization.unwrap().1.contains("realm=\"1234567\""));
}

#[test]
fn a_call_with_a_tba_token_is_signed_for_the_account() {
    let client = json!({"type": "TBA", "client_id": "fake-client", "client_secret": "fake-own"});
    let deployment = deployment_with_tba(Some(client));
    let answer = Answer::Json(200, json!({}));
    deployment.provider.will_answer(answer);
    import_tba(&deployment).ok();
    let [seen] = deployment.provider.seen().try_into().unwrap();
    let (_, header) = seen.headers.last().unwrap();
    let (parameters, signature) = header.rsplit_once(", oauth_signature=").unwrap();
    let parameters: Vec<_> = parameters.split(", ").collect();
    let time = format!("oauth_timestamp=\"{}\"", START / 1000);
    let nonce = parameters.iter().find(|it| it.starts_with("oauth_nonce="));
    let expected = [
        "OAuth realm=\"123_SB_1\"",
        "oauth_consumer_key=\"fake-client\"",
        nonce.unwrap(),
        "oauth_signature_method=\"HMAC-SHA256\"",
        &time,
        "oauth_version=\"1.0\"",
        "oauth_token=\"fake-id\"",
    ];
    assert_eq!(parameters, expected);
    // RFC 5849 §3.4.1: the parameters in order, without the realm, and the client's secret before
    // the token's.
    let nonce = nonce.unwrap().replace('"', "");
    let time = time.replace('"', "");
    let base = format!(
        "a=1&oauth_consumer_key=fake-client&{nonce}&oauth_signature_method=HMAC-SHA256&{time}\
         &oauth_token=fake-id&oauth_version=1.0"
    );
    let encoded = |text: &str| text.replace('=', "%3D").replace('&', "%26");
    let base = format!("GET&https%3A%2F%2Facme.example%2Fme&{}", encoded(&base));
    let mut code = Hmac::<Sha256>::new_from_slice(b"fake-own&fake-secret").unwrap();
    code.update(base.as_bytes());
    let code = STANDARD.encode(code.finalize().into_bytes());
    let code = code
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    assert_eq!(signature, format!("\"{code}\""));
}

#[test]
fn a_tba_token_cannot_be_tested_without_a_client() {
    let deployment = deployment_with_tba(None);
    let answer = import_tba(&deployment);
    assert_eq!(answer.status, 400);
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "connection_test_failed");
    assert_eq!(error["payload"]["error"], "the integration has no client");
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn providers_without_a_test_and_kinds_without_one_are_not_asked() {
    let without = json!({"base_url": "https://acme.example"});
    let with = json!({"base_url": "https://acme.example", "verification": {"endpoints": ["/me"]}});
    for (proxy, credentials) in [
        (&without, key()),
        (&with, json!({"type": "NONE"})),
        (
            &with,
            json!({"type": "OAUTH2", "access_token": "fake-token"}),
        ),
    ] {
        let deployment = Deployment::new();
        let fields = json!({"auth_mode": credentials["type"], "proxy": proxy});
        put_acme(&deployment, &fields);
        let client = json!({"type": "OAUTH2", "client_id": "i", "client_secret": "s"});
        let mut body = json!({"provider": "acme", "unique_key": "acme"});
        if credentials["type"] == "OAUTH2" {
            body["credentials"] = client;
        }
        call("POST", "/integrations")
            .body(&body)
            .run(&deployment)
            .ok();
        let body = json!({
            "provider_config_key": "acme", "credentials": credentials,
            "connection_config": {"accountId": "1"},
        });
        call("POST", "/connections")
            .body(&body)
            .run(&deployment)
            .ok();
        assert_eq!(deployment.provider.seen().len(), 0);
    }
}
