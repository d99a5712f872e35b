//! `POST /connection`: every documented error.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration},
    connections::{
        create_plain_integration, deployment_with_every_kind, put_acme, scoped_key, with,
    },
    deployment::Deployment,
};

fn post(deployment: &Deployment, integration: &str, fields: &Value) -> Answered {
    let body = json!({"provider_config_key": integration, "connection_id": "user-1"});
    call("POST", "/connection")
        .body(&with(body, fields))
        .run(deployment)
}

/// Expects a 400 in the older envelope, and nothing stored.
#[track_caller]
fn lacks(integration: &str, fields: &Value, code: &str, message: &str) {
    let deployment = deployment_with_every_kind();
    post(&deployment, integration, fields).is_legacy_error(400, code, message);
    let connections = deployment.database.text("select count(*) from connection");
    assert_eq!(connections, "0");
}

#[track_caller]
fn refused(integration: &str, fields: &Value, issues: &[&str]) {
    post(&deployment_with_every_kind(), integration, fields).has_issues("invalid_body", issues);
}

#[test]
fn the_integration_must_be_named() {
    for key in [json!(null), json!(""), json!(false)] {
        lacks(
            "github",
            &json!({ "provider_config_key": key }),
            "missing_provider_config",
            "Missing param 'provider_config_key'.",
        );
    }
    let deployment = deployment_with_every_kind();
    call("POST", "/connection")
        .run(&deployment)
        .is_legacy_error(
            400,
            "missing_provider_config",
            "Missing param 'provider_config_key'.",
        );
}

#[test]
fn an_unknown_integration_is_told_with_its_key() {
    let answer = post(&deployment_with_every_kind(), "nowhere", &json!({}));
    let expected = json!({"error": {
        "code": "unknown_provider_config",
        "message": "There is no Provider Configuration matching this key. Please make sure this \
            value exists in the Nango dashboard {\n  \"providerConfigKey\": \"nowhere\",\n  \
            \"environmentName\": \"dev\"\n}",
        "payload": {"providerConfigKey": "nowhere", "environmentName": "dev"},
    }});
    assert_eq!((answer.status, answer.json()), (400, expected));
}

#[test]
fn an_unknown_provider_is_told() {
    let deployment = deployment_with_every_kind();
    put_acme(&deployment, &json!({}));
    create_integration(&deployment, "acme", "acme");
    deployment
        .database
        .texts("delete from provider where name = 'acme'");
    let answer = post(&deployment, "acme", &json!({}));
    let expected = json!({"error": {"code": "unknown_provider_template"}});
    assert_eq!((answer.status, answer.json()), (404, expected));
}

#[test]
fn an_oauth_2_token_needs_a_token_and_an_end() {
    for fields in [
        json!({}),
        json!({"access_token": ""}),
        json!({"access_token": null}),
    ] {
        lacks(
            "github",
            &fields,
            "missing_access_token",
            "Missing param 'access_token'.",
        );
    }
    let message = "Importing an OAuth2 token requires the 'expires_at' parameter. If the token \
        doesn't expire pass in the 'no_expiration' parameter";
    for fields in [
        json!({}),
        json!({"no_expiration": false}),
        json!({"no_expiration": "true"}),
    ] {
        let fields = with(fields, &json!({"access_token": "a"}));
        lacks("github", &fields, "missing_expires_at", message);
    }
}

#[test]
fn an_end_is_a_date() {
    let message = "The provided 'expires_at' parameter is invalid. It should be a valid date";
    for (integration, expires_at) in [
        ("github", json!("tomorrow")),
        ("github", json!(true)),
        ("auth0-cc", json!("tomorrow")),
    ] {
        let fields = json!({ "access_token": "a", "expires_at": expires_at });
        lacks(integration, &fields, "invalid_expires_at", message);
    }
}

#[test]
fn a_client_credentials_token_needs_a_token_and_a_client() {
    lacks(
        "auth0-cc",
        &json!({}),
        "missing_access_token",
        "Missing param 'access_token'.",
    );
    lacks(
        "auth0-cc",
        &json!({"access_token": "a", "oauth_client_id_override": "own"}),
        "missing_client_secret",
        "Missing param 'oauth_client_secret'.",
    );
}

#[test]
fn an_oauth_1_token_needs_both_parts() {
    lacks(
        "twitter",
        &json!({}),
        "missing_oauth_token",
        "Missing param 'oauth_token'.",
    );
    lacks(
        "twitter",
        &json!({"oauth_token": "t"}),
        "missing_oauth_token_secret",
        "Missing param 'oauth_token_secret'.",
    );
}

#[test]
fn basic_authentication_needs_a_user_name() {
    for fields in [json!({}), json!({"username": "", "password": "p"})] {
        lacks(
            "private-api-basic",
            &fields,
            "missing_basic_username",
            "Missing param username for basic api authentication.",
        );
    }
}

#[test]
fn an_api_key_has_to_be_there() {
    let fields = json!({"apiKey": "k"});
    lacks(
        "private-api-bearer",
        &fields,
        "missing_api_key",
        "Missing param 'api_key'.",
    );
}

#[test]
fn a_tba_token_needs_both_parts_and_an_account() {
    lacks(
        "netsuite-tba",
        &json!({}),
        "missing_token_id",
        "Missing param 'token_id'.",
    );
    lacks(
        "netsuite-tba",
        &json!({"token_id": "i"}),
        "missing_token_secret",
        "Missing param 'token_secret'.",
    );
    for config in [json!(null), json!({}), json!({"accountId": ""})] {
        let fields = json!({
            "token_id": "i", "token_secret": "s", "connection_config": config,
        });
        post(&deployment_with_every_kind(), "netsuite-tba", &fields).is_error(
            400,
            "missing_account_id",
            "Missing accountId in connection_config. This is required to create a TBA connection.",
        );
    }
}

#[test]
fn other_kinds_are_not_supported() {
    let deployment = deployment_with_every_kind();
    let fields = json!({"auth_mode": "TWO_STEP", "token_response": {"token": "token"}});
    put_acme(&deployment, &fields);
    create_plain_integration(&deployment, "acme");
    post(&deployment, "acme", &json!({"access_token": "a"})).is_legacy_error(
        400,
        "unknown_oauth_type",
        "The provider's auth mode is not supported by this endpoint.",
    );
}

#[test]
fn fields_of_the_wrong_type_or_size_are_the_callers_mistake() {
    refused(
        "github",
        &json!({"access_token": 5, "no_expiration": true}),
        &["access_token invalid_type Invalid input: expected string, received number"],
    );
    refused(
        "github",
        &json!({"access_token": "x".repeat(16_385), "no_expiration": true}),
        &["access_token too_big Too big: expected string to have <=16384 characters"],
    );
    refused(
        "github",
        &json!({"access_token": "a", "expires_in": "soon"}),
        &["expires_in invalid_type Invalid input: expected number, received NaN"],
    );
    refused(
        "github",
        &json!({"access_token": "a", "no_expiration": true, "raw": "text"}),
        &["raw invalid_type Invalid input: expected record, received string"],
    );
    refused(
        "private-api-bearer",
        &json!({"api_key": {}}),
        &["api_key invalid_type Invalid input: expected string, received object"],
    );
}

#[test]
fn what_all_kinds_share_is_checked_like_everywhere() {
    refused(
        "private-api-bearer",
        &json!({
            "api_key": "k", "connection_id": "a?b", "metadata": [], "connection_config": "x",
            "webhook_url_override": "https://127.0.0.1/",
        }),
        &[
            r#"connection_id invalid_format Invalid string: must match pattern /^[a-zA-Z0-9,.;:=+~[\]|@${}"'\\/_ -]+$/"#,
            "metadata invalid_type Invalid input: expected record, received array",
            "connection_config invalid_type Invalid input: expected record, received string",
            " custom This webhook URL is not allowed.",
        ],
    );
}

#[test]
fn a_key_that_may_not_create_is_refused_first() {
    let deployment = deployment_with_every_kind();
    let key = scoped_key(&deployment, &["environment:connections:update"]);
    call("POST", "/connection")
        .key(&key)
        .run(&deployment)
        .is_error(
            403,
            "forbidden",
            "Insufficient scope. Required: environment:connections:create",
        );
}
