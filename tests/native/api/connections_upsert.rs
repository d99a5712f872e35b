//! `POST /connections`: dates, and what a second import replaces.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration, deployment_with_github, import},
    connections::{read, stored, with},
    deployment::{Deployment, PROD_KEY},
};

fn post(deployment: &Deployment, fields: &Value) -> Answered {
    let body = json!({
        "provider_config_key": "github", "connection_id": "user-1",
        "credentials": {"type": "OAUTH2", "access_token": "fake-access-token"},
    });
    call("POST", "/connections")
        .body(&with(body, fields))
        .run(deployment)
}

#[track_caller]
fn refused(fields: &Value, issues: &[&str]) {
    post(&deployment_with_github(), fields).has_issues("invalid_body", issues);
}

fn dated(expires_at: &Value) -> Value {
    json!({"credentials": {"type": "OAUTH2", "access_token": "a", "expires_at": expires_at}})
}

#[test]
fn an_end_is_given_as_a_date_in_seconds_or_in_milliseconds() {
    for (given, expected) in [
        (json!("2027-01-01T00:00:00Z"), "2027-01-01T00:00:00.000Z"),
        (
            json!("2027-01-01T01:00:00.5+01:00"),
            "2027-01-01T00:00:00.500Z",
        ),
        (json!("2027-01-01"), "2027-01-01T00:00:00.000Z"),
        (json!(1_798_761_600), "2027-01-01T00:00:00.000Z"),
        (json!(1_798_761_600_000_i64), "2027-01-01T00:00:00.000Z"),
        (json!(1e300), "9999-12-31T23:59:59.999Z"),
    ] {
        let deployment = deployment_with_github();
        let credentials = post(&deployment, &dated(&given)).ok()["credentials"].clone();
        assert_eq!(credentials["expires_at"], expected, "{given}");
        assert_eq!(credentials["raw"]["expires_at"], expected, "{given}");
    }
}

#[test]
fn no_end_is_the_same_as_none_given() {
    let deployment = deployment_with_github();
    let credentials = post(&deployment, &dated(&json!(null))).ok()["credentials"].clone();
    let expected = json!({
        "type": "OAUTH2", "access_token": "a", "raw": {"type": "OAUTH2", "access_token": "a"},
    });
    assert_eq!(credentials, expected);
    assert_eq!(stored(&deployment, "user-1", "expires_at"), "null");
}

#[test]
fn an_end_that_is_no_date_is_refused() {
    let issue = "credentials.expires_at invalid_type Invalid input: expected date, received Date";
    for given in [
        json!("tomorrow"),
        json!(""),
        json!(true),
        json!([]),
        json!({}),
    ] {
        refused(&dated(&given), &[issue]);
    }
}

#[test]
fn a_second_import_replaces_all_but_the_identity_and_the_end_user() {
    let deployment = deployment_with_github();
    let first = json!({
        "credentials": {"type": "OAUTH2", "access_token": "first", "refresh_token": "r"},
        "metadata": {"a": 1}, "connection_config": {"b": 2}, "tags": {"c": "3"},
        "webhook_url_override": "https://hooks.example/", "end_user": {"id": "u1"},
    });
    let first = post(&deployment, &first).ok();
    let uid = stored(&deployment, "user-1", "uid");
    deployment.advance_seconds(3600);
    let second = post(&deployment, &json!({})).ok();
    let expected = json!({
        "id": 1, "connection_id": "user-1", "provider_config_key": "github",
        "provider": "github", "errors": [], "end_user": first["end_user"], "tags": {},
        "metadata": {}, "connection_config": {}, "webhook_url_override": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T01:00:00.000Z",
        "last_fetched_at": "2026-01-01T00:00:00.000Z",
        "credentials": {
            "type": "OAUTH2", "access_token": "fake-access-token",
            "raw": {"type": "OAUTH2", "access_token": "fake-access-token"},
        },
    });
    assert_eq!(second, expected);
    assert_eq!(stored(&deployment, "user-1", "uid"), uid);
    assert_eq!(
        deployment
            .database
            .text("select count(*) from connection_tag"),
        "0"
    );
}

#[test]
fn a_second_import_with_an_end_user_replaces_the_end_user() {
    let deployment = deployment_with_github();
    let first = json!({"end_user": {
        "id": "u1", "email": "u1@users.example", "display_name": "One", "tags": {"a": "1"},
    }});
    post(&deployment, &first).ok();
    let second = post(&deployment, &json!({"end_user": {"id": "u2"}})).ok();
    let expected = json!({
        "id": "u2", "display_name": null, "email": null, "tags": null, "organization": null,
    });
    assert_eq!(second["end_user"], expected);
    assert_eq!(second["tags"], json!({"end_user_id": "u2"}));
}

#[test]
fn a_second_import_forgets_failed_refreshes() {
    let deployment = deployment_with_github();
    post(&deployment, &json!({})).ok();
    deployment.database.texts(
        "update connection set last_refresh_failure_at = 1, refresh_failures = 5,
            refresh_failure_days = 4, refresh_retry_at = 1, refresh_exhausted_at = 1",
    );
    post(&deployment, &json!({})).ok();
    let history = "json_array(last_refresh_success_at, last_refresh_failure_at, refresh_failures,
        refresh_failure_days, refresh_retry_at, refresh_exhausted_at)";
    let expected = "[1767225600000,null,0,0,null,null]";
    assert_eq!(stored(&deployment, "user-1", history), expected);
}

#[test]
fn one_name_stands_for_different_connections_at_different_integrations_and_environments() {
    let deployment = deployment_with_github();
    create_integration(&deployment, "gitlab", "gitlab");
    let github = json!({
        "provider": "github", "unique_key": "github",
        "credentials": {"type": "OAUTH2", "client_id": "c", "client_secret": "s"},
    });
    call("POST", "/integrations")
        .key(PROD_KEY)
        .body(&github)
        .run(&deployment)
        .ok();
    import(&deployment, "user-1", &json!({}));
    import(
        &deployment,
        "user-1",
        &json!({"provider_config_key": "gitlab"}),
    );
    let body = json!({
        "provider_config_key": "github", "connection_id": "user-1",
        "credentials": {"type": "OAUTH2", "access_token": "of-prod"},
    });
    call("POST", "/connections")
        .key(PROD_KEY)
        .body(&body)
        .run(&deployment)
        .ok();
    assert_eq!(
        deployment.database.text("select count(*) from connection"),
        "3"
    );
    let of_dev = read(&deployment, "user-1", "").ok();
    assert_eq!(of_dev["credentials"]["access_token"], "fake-access-token");
}
