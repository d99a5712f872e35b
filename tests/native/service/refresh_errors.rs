//! `errors` of a connection: the last attempt to refresh it, while that is a failure.

use serde_json::{Value, json};

use crate::support::{
    client::{call, deployment_with_github, expired_credentials, import},
    connections::{read, refreshes, scoped_key, with},
    deployment::Deployment,
    provider::Answer,
};

/// A deployment with a token that is due for refresh and works for ten more minutes, and whose
/// refresh failed.
fn deployment_with_failure() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &due_credentials());
    deployment.provider.will_answer(Answer::Html(500));
    read(&deployment, "user-1", "").ok();
    deployment
}

fn due_credentials() -> Value {
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({"expires_at": "2026-01-01T00:10:00.000Z"}),
    );
    json!({ "credentials": credentials })
}

/// The last attempt as `errors` tell of it.
fn last_failure(deployment: &Deployment) -> Value {
    json!([{"type": "auth", "log_id": refreshes(deployment, "user-1")[0]["id"]}])
}

/// `errors` in every list and read of the connection.
#[track_caller]
fn are_shown_everywhere(deployment: &Deployment, expected: &Value) {
    for target in ["/connections", "/connection"] {
        let list = call("GET", target).run(deployment).ok();
        assert_eq!(list["connections"][0]["errors"], *expected, "{target}");
        let target = format!("{target}/user-1?provider_config_key=github");
        let connection = call("GET", &target).run(deployment).ok();
        assert_eq!(connection["errors"], *expected, "{target}");
    }
}

#[test]
fn a_failure_is_shown_though_the_token_that_still_works_is_handed_out() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &due_credentials());
    deployment.provider.will_answer(Answer::Html(500));
    let connection = read(&deployment, "user-1", "").ok();
    assert_eq!(connection["credentials"]["access_token"], "fake-old-token");
    assert_eq!(connection["errors"], last_failure(&deployment));
}

#[test]
fn a_failure_is_shown_until_the_next_attempt() {
    let deployment = deployment_with_failure();
    let first = last_failure(&deployment);
    are_shown_everywhere(&deployment, &first);
    deployment.advance_seconds(30);
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    read(&deployment, "user-1", "").ok();
    let second = last_failure(&deployment);
    assert_ne!(first, second);
    are_shown_everywhere(&deployment, &second);
}

#[test]
fn a_failure_is_shown_in_the_error_that_tells_of_it_and_in_those_that_follow() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment.provider.will_answer(Answer::Html(500));
    for status in [400, 424] {
        let answer = read(&deployment, "user-1", "");
        assert_eq!(answer.status, status);
        let shown = answer.json()["error"]["payload"]["connection"]["errors"].clone();
        assert_eq!(shown, last_failure(&deployment));
    }
}

#[test]
fn a_success_ends_what_is_shown() {
    let deployment = deployment_with_failure();
    deployment.advance_seconds(30);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(read(&deployment, "user-1", "").ok()["errors"], json!([]));
    are_shown_everywhere(&deployment, &json!([]));
    assert_eq!(refreshes(&deployment, "user-1").len(), 2);
}

#[test]
fn another_import_ends_what_is_shown_and_is_answered_without_errors() {
    let deployment = deployment_with_failure();
    let fresh = json!({"credentials": {
        "type": "OAUTH2", "access_token": "imported", "refresh_token": "another",
        "expires_at": "2027-01-01T00:00:00.000Z",
    }});
    assert_eq!(import(&deployment, "user-1", &fresh)["errors"], json!([]));
    are_shown_everywhere(&deployment, &json!([]));
    assert_eq!(refreshes(&deployment, "user-1").len(), 1);
}

#[test]
fn a_key_that_may_not_see_credentials_is_shown_the_failure() {
    let deployment = deployment_with_failure();
    let key = scoped_key(&deployment, &["environment:connections:read"]);
    let target = "/connections/user-1?provider_config_key=github";
    let connection = call("GET", target).key(&key).run(&deployment).ok();
    assert_eq!(connection["credentials"], json!({}));
    assert_eq!(connection["errors"], last_failure(&deployment));
}
