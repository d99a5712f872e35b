//! `POST /connection`: what each kind of credentials takes, and what stays of an earlier import.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github, import},
    connections::{deployment_with_every_kind, read, stored, with},
    deployment::Deployment,
};

/// Sends `fields` for `user-1` at `integration`.
fn post(deployment: &Deployment, integration: &str, fields: &Value) -> Answered {
    let body = json!({"provider_config_key": integration, "connection_id": "user-1"});
    call("POST", "/connection")
        .body(&with(body, fields))
        .run(deployment)
}

/// Expects `fields` to be echoed and kept as `credentials`.
#[track_caller]
fn keeps(integration: &str, fields: &Value, credentials: &Value) {
    let deployment = deployment_with_every_kind();
    let sent = json!({"provider_config_key": integration, "connection_id": "user-1"});
    let sent = with(sent, fields);
    assert_eq!(post(&deployment, integration, fields).ok(), sent);
    let target = format!("/connections/user-1?provider_config_key={integration}&refresh_token=1");
    let read = call("GET", &target).run(&deployment).ok();
    let mut credentials = credentials.clone();
    if credentials["raw"] == "as sent" {
        credentials["raw"] = sent;
    }
    assert_eq!(read["credentials"], credentials);
}

#[test]
fn an_oauth_2_token_with_its_end() {
    keeps(
        "github",
        &json!({
            "access_token": "a", "refresh_token": "r", "expires_at": "2027-01-01T00:00:00Z",
            "oauth_client_id_override": "own", "oauth_client_secret_override": "s",
        }),
        &json!({
            "type": "OAUTH2", "access_token": "a", "refresh_token": "r",
            "expires_at": "2027-01-01T00:00:00.000Z", "raw": "as sent",
            "config_override": {"client_id": "own", "client_secret": "s"},
        }),
    );
}

#[test]
fn an_oauth_2_token_with_its_lifetime() {
    let credentials = json!({
        "type": "OAUTH2", "access_token": "a", "expires_at": "2026-01-01T01:00:00.000Z",
        "raw": "as sent",
    });
    let fields = json!({"access_token": "a", "expires_in": 3600});
    keeps("github", &fields, &credentials);
    let fields = json!({"access_token": "a", "expires_in": "3600"});
    keeps("github", &fields, &credentials);
}

#[test]
fn the_end_goes_before_the_lifetime_and_may_be_a_number() {
    for expires_at in [json!(1_798_761_600), json!(1_798_761_600_000_i64)] {
        keeps(
            "github",
            &json!({"access_token": "a", "expires_in": 1, "expires_at": expires_at}),
            &json!({
                "type": "OAUTH2", "access_token": "a", "expires_at": "2027-01-01T00:00:00.000Z",
                "raw": "as sent",
            }),
        );
    }
}

#[test]
fn an_oauth_2_token_without_an_end() {
    keeps(
        "github",
        &json!({"access_token": "a", "no_expiration": true}),
        &json!({"type": "OAUTH2", "access_token": "a", "raw": "as sent"}),
    );
}

#[test]
fn what_the_provider_once_answered_is_kept_instead_of_the_request() {
    keeps(
        "github",
        &json!({"access_token": "a", "no_expiration": true, "raw": {"scope": "x"}}),
        &json!({"type": "OAUTH2", "access_token": "a", "raw": {"scope": "x"}}),
    );
}

#[test]
fn a_client_credentials_token_with_a_client_of_its_own() {
    keeps(
        "auth0-cc",
        &json!({
            "access_token": "a", "expires_in": 3600, "oauth_client_id_override": "own",
            "oauth_client_secret_override": "s",
        }),
        &json!({
            "type": "OAUTH2_CC", "token": "a", "expires_at": "2026-01-01T01:00:00.000Z",
            "client_id": "own", "client_secret": "s", "raw": "as sent",
        }),
    );
}

#[test]
fn an_oauth_1_token() {
    keeps(
        "twitter",
        &json!({"oauth_token": "t", "oauth_token_secret": "s"}),
        &json!({
            "type": "OAUTH1", "oauth_token": "t", "oauth_token_secret": "s", "raw": "as sent",
        }),
    );
}

#[test]
fn a_user_name_with_or_without_a_password() {
    keeps(
        "private-api-basic",
        &json!({"username": "u", "password": "p"}),
        &json!({"type": "BASIC", "username": "u", "password": "p"}),
    );
    keeps(
        "private-api-basic",
        &json!({"username": "u"}),
        &json!({"type": "BASIC", "username": "u", "password": ""}),
    );
}

#[test]
fn an_api_key() {
    keeps(
        "private-api-bearer",
        &json!({"api_key": "k"}),
        &json!({"type": "API_KEY", "apiKey": "k"}),
    );
}

#[test]
fn a_tba_token() {
    keeps(
        "netsuite-tba",
        &json!({
            "token_id": "i", "token_secret": "s", "connection_config": {"accountId": "1"},
            "oauth_client_id_override": "own", "oauth_client_secret_override": "cs",
        }),
        &json!({
            "type": "TBA", "token_id": "i", "token_secret": "s",
            "config_override": {"client_id": "own", "client_secret": "cs"},
        }),
    );
}

#[test]
fn no_credentials_at_all() {
    keeps("unauthenticated", &json!({}), &json!({}));
}

#[test]
fn fields_of_other_kinds_are_ignored() {
    keeps(
        "private-api-bearer",
        &json!({"api_key": "k", "access_token": 5, "username": [], "whatever": null}),
        &json!({"type": "API_KEY", "apiKey": "k"}),
    );
}

#[test]
fn a_name_is_made_up_if_there_is_none() {
    let deployment = deployment_with_every_kind();
    for id in [json!(null), json!("")] {
        let fields = json!({ "api_key": "k", "connection_id": id });
        let answer = post(&deployment, "private-api-bearer", &fields).ok();
        let id = answer["connection_id"].as_str().unwrap();
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 4);
        assert_eq!(stored(&deployment, id, "auth_mode"), "API_KEY");
    }
}

#[test]
fn an_import_takes_two_round_trips() {
    let deployment = deployment_with_every_kind();
    let answer = post(&deployment, "private-api-bearer", &json!({"api_key": "k"}));
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"2\""));
}

#[test]
fn scopes_in_the_configuration_may_be_one_text() {
    let deployment = deployment_with_github();
    let fields = json!({
        "access_token": "a", "no_expiration": true,
        "connection_config": {"oauth_scopes_override": "read, write", "other": 1},
    });
    post(&deployment, "github", &fields).ok();
    let expected = json!({"oauth_scopes_override": ["read", "write"], "other": 1});
    assert_eq!(
        read(&deployment, "user-1", "").ok()["connection_config"],
        expected
    );
}

/// Imports `user-1` with everything, then again with `fields` alone, and gives what is left.
fn left_after(integration: &str, credentials: &Value, fields: &Value) -> Value {
    let deployment = deployment_with_every_kind();
    let everything = json!({
        "provider_config_key": integration, "credentials": credentials,
        "metadata": {"a": 1}, "connection_config": {"accountId": "1"}, "tags": {"b": "2"},
        "end_user": {"id": "u1"}, "webhook_url_override": "https://hooks.example/",
    });
    import(&deployment, "user-1", &everything);
    post(&deployment, integration, fields).ok();
    let target = format!("/connections/user-1?provider_config_key={integration}");
    call("GET", &target).run(&deployment).ok()
}

#[test]
fn an_oauth_import_keeps_metadata_labels_and_the_end_user() {
    let credentials = json!({"type": "OAUTH2", "access_token": "old"});
    let fields = json!({"access_token": "a", "no_expiration": true});
    let left = left_after("github", &credentials, &fields);
    assert_eq!(left["metadata"], json!({"a": 1}));
    assert_eq!(left["tags"], json!({"b": "2", "end_user_id": "u1"}));
    assert_eq!(left["end_user"]["id"], "u1");
    assert_eq!(left["connection_config"], json!({}));
    assert_eq!(left["webhook_url_override"], json!(null));
    assert_eq!(left["credentials"]["access_token"], "a");
}

#[test]
fn an_import_of_an_api_key_forgets_metadata() {
    let credentials = json!({"type": "API_KEY", "apiKey": "old"});
    let left = left_after("private-api-bearer", &credentials, &json!({"api_key": "k"}));
    assert_eq!(left["metadata"], json!(null));
    assert_eq!(left["tags"], json!({"b": "2", "end_user_id": "u1"}));
}

#[test]
fn what_is_given_replaces_what_was_there() {
    let credentials = json!({"type": "OAUTH2", "access_token": "old"});
    let fields = json!({
        "access_token": "a", "no_expiration": true, "metadata": {"c": 3},
        "connection_config": {"d": 4}, "webhook_url_override": "https://other.example/",
    });
    let left = left_after("github", &credentials, &fields);
    assert_eq!(left["metadata"], json!({"c": 3}));
    assert_eq!(left["connection_config"], json!({"d": 4}));
    assert_eq!(left["webhook_url_override"], "https://other.example/");
}
