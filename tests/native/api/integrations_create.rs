//! `POST /integrations`: what is accepted and how mistakes are named.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call},
    deployment::Deployment,
};

fn create(deployment: &Deployment, body: &Value) -> Answered {
    call("POST", "/integrations").body(body).run(deployment)
}

/// An integration of an OAuth 2 provider, with `own` over the usual fields.
fn with(own: &Value) -> Value {
    let mut body = json!({
        "provider": "github",
        "unique_key": "github",
        "credentials": {"type": "OAUTH2", "client_id": "c", "client_secret": "s"},
    });
    for (key, value) in own.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn credentials(deployment: &Deployment, key: &str) -> Value {
    let target = format!("/integrations/{key}?include=credentials");
    call("GET", &target).run(deployment).ok()["data"]["credentials"].clone()
}

#[test]
fn a_new_integration_is_answered_without_its_client() {
    let deployment = Deployment::new();
    let created = create(&deployment, &with(&json!({"display_name": "Code"}))).ok();
    assert_eq!(
        created,
        json!({"data": {
            "unique_key": "github",
            "provider": "github",
            "display_name": "Code",
            "logo": "http://holdfast.test/images/template-logos/github.svg",
            "forward_webhooks": true,
            "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:00.000Z",
        }})
    );
}

#[test]
fn an_integration_without_a_name_is_shown_with_its_providers() {
    let created = create(
        &Deployment::new(),
        &with(&json!({"forward_webhooks": false})),
    )
    .ok();
    assert_eq!(created["data"]["display_name"], "GitHub");
    assert_eq!(created["data"]["forward_webhooks"], false);
}

#[test]
fn a_creation_takes_two_round_trips_after_the_one_for_the_key() {
    let answer = create(&Deployment::new(), &with(&json!({})));
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"3\""));
}

#[test]
fn providers_without_a_client_need_no_credentials() {
    let deployment = Deployment::new();
    for provider in [
        "private-api-basic",
        "private-api-bearer",
        "unauthenticated",
        "auth0-cc",
        "netsuite-tba",
    ] {
        let body = json!({"provider": provider, "unique_key": provider});
        create(&deployment, &body).ok();
        assert_eq!(credentials(&deployment, provider)["client_id"], Value::Null);
    }
}

#[test]
fn every_mistake_in_the_body_is_named_in_the_order_of_the_fields() {
    create(
        &Deployment::new(),
        &json!({
            "provider": "git/hub",
            "display_name": "",
            "forward_webhooks": "yes",
            "credentials": {"type": "OAUTH2", "client_id": 7, "scopes": "a b", "secret": "s"},
            "integration_config": {"a": 1},
            "custom": [],
            "colour": "red",
        }),
    )
    .has_issues(
        "invalid_body",
        &[
            "provider invalid_format Invalid string: must match pattern /^[a-zA-Z0-9_-]+$/",
            "unique_key invalid_type Invalid input: expected string, received undefined",
            "display_name too_small Too small: expected string to have >=1 characters",
            "forward_webhooks invalid_type Invalid input: expected boolean, received string",
            "credentials.client_id invalid_type Invalid input: expected string, received number",
            "credentials.client_secret invalid_type Invalid input: expected string, received \
             undefined",
            "credentials.scopes invalid_format Invalid string: must match pattern \
             /^[0-9a-zA-Z:/_.*-]+(,[0-9a-zA-Z:/_.*-]+)*$/",
            "credentials unrecognized_keys Unrecognized key: \"secret\"",
            "integration_config.a invalid_type Invalid input: expected string, received number",
            "custom invalid_type Invalid input: expected record, received array",
            " unrecognized_keys Unrecognized key: \"colour\"",
        ],
    );
}

#[test]
fn a_key_has_between_one_and_255_of_the_allowed_characters() {
    let deployment = Deployment::new();
    create(&deployment, &with(&json!({"unique_key": "aZ0~:.@ _-"}))).ok();
    create(&deployment, &with(&json!({"unique_key": "a".repeat(255)}))).ok();
    let big = "unique_key too_big Too big: expected string to have <=255 characters";
    let format =
        "unique_key invalid_format Invalid string: must match pattern /^[a-zA-Z0-9~:.@ _-]+$/";
    for (key, issue) in [
        ("a".repeat(256), big),
        (String::new(), format),
        ("a/b".into(), format),
    ] {
        create(&deployment, &with(&json!({"unique_key": key})))
            .has_issues("invalid_body", &[issue]);
    }
}

#[test]
fn credentials_of_an_unknown_or_unspoken_kind_are_one_mistake() {
    let deployment = Deployment::new();
    let issue = "credentials.type invalid_union invalid credentials object";
    for credentials in [
        json!({}),
        json!({"type": "oauth2"}),
        json!({"type": "API_KEY"}),
    ] {
        let body = with(&json!({"credentials": credentials}));
        create(&deployment, &body).has_issues("invalid_body", &[issue]);
    }
    let issue = "credentials invalid_type Invalid input: expected object, received null";
    let body = with(&json!({"credentials": null}));
    create(&deployment, &body).has_issues("invalid_body", &[issue]);
}

#[test]
fn every_mistake_in_the_client_of_an_app_is_named() {
    let client = json!({"type": "APP", "app_id": "", "private_key": ""});
    create(&Deployment::new(), &with(&json!({"credentials": client}))).has_issues(
        "invalid_body",
        &[
            "credentials.app_id too_small Too small: expected string to have >=1 characters",
            "credentials.app_link invalid_type Invalid input: expected string, received undefined",
            "credentials.private_key too_small Too small: expected string to have >=1 characters",
        ],
    );
}

#[test]
fn a_creation_takes_no_query() {
    let answer = call("POST", "/integrations?dry=1")
        .body(&with(&json!({})))
        .run(&Deployment::new());
    let issue = " unrecognized_keys Unrecognized key: \"dry\"";
    answer.has_issues("invalid_query_params", &[issue]);
}
