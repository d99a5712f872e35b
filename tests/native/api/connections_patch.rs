//! `PATCH /connections/:connectionId`

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github, import},
    connections::{read, scoped_key},
    deployment::Deployment,
};

const TARGET: &str = "/connections/user-1?provider_config_key=github";

fn patch(deployment: &Deployment, body: &Value) -> Answered {
    call("PATCH", TARGET).body(body).run(deployment)
}

/// A deployment with the connection `user-1`, which has everything that a patch can change.
fn deployment_with_connection() -> Deployment {
    let deployment = deployment_with_github();
    let end_user = json!({
        "id": "u1", "email": "u1@users.example", "display_name": "One", "tags": {"Own": "1"},
    });
    let extra = json!({
        "end_user": end_user, "tags": {"team": "blue"}, "metadata": {"a": 1},
        "connection_config": {"b": 2}, "webhook_url_override": "https://hooks.example/",
    });
    import(&deployment, "user-1", &extra);
    deployment
}

/// What a read shows before and after `body` is patched in, an hour later.
#[track_caller]
fn patched(body: &Value) -> (Value, Value) {
    let deployment = deployment_with_connection();
    let before = read(&deployment, "user-1", "").ok();
    deployment.advance_seconds(3600);
    assert_eq!(patch(&deployment, body).ok(), json!({"success": true}));
    (before, read(&deployment, "user-1", "").ok())
}

#[track_caller]
fn changes(body: &Value, fields: &[(&str, Value)]) {
    let (mut expected, after) = patched(body);
    expected["updated_at"] = "2026-01-01T01:00:00.000Z".into();
    expected["last_fetched_at"] = "2026-01-01T01:00:00.000Z".into();
    for (name, value) in fields {
        expected[*name] = value.clone();
    }
    assert_eq!(after, expected);
}

#[test]
fn an_empty_patch_changes_nothing() {
    changes(&json!({}), &[]);
}

#[test]
fn labels_replace_all_that_were_there() {
    changes(
        &json!({"tags": {"Plan": "Pro"}}),
        &[("tags", json!({"plan": "Pro"}))],
    );
    changes(&json!({"tags": {}}), &[("tags", json!({}))]);
}

#[test]
fn an_end_user_replaces_the_one_before_and_all_labels() {
    let shown = json!({
        "id": "u2", "display_name": null, "email": "u2@users.example", "tags": null,
        "organization": null,
    });
    changes(
        &json!({"end_user": {"id": "u2", "email": "u2@users.example"}}),
        &[
            ("end_user", shown),
            (
                "tags",
                json!({"end_user_id": "u2", "end_user_email": "u2@users.example"}),
            ),
        ],
    );
}

#[test]
fn given_labels_go_over_those_of_the_end_user() {
    let (_, after) = patched(&json!({
        "end_user": {"id": "u2", "tags": {"Team": "theirs"}}, "tags": {"end_user_id": "given"},
    }));
    assert_eq!(
        after["tags"],
        json!({"end_user_id": "given", "team": "theirs"})
    );
}

#[test]
fn an_address_for_webhooks_is_set_and_an_empty_one_removes_it() {
    changes(
        &json!({"webhook_url_override": "https://other.example/"}),
        &[("webhook_url_override", json!("https://other.example/"))],
    );
    changes(
        &json!({"webhook_url_override": ""}),
        &[("webhook_url_override", json!(null))],
    );
}

#[test]
fn a_patch_takes_two_round_trips() {
    let answer = patch(&deployment_with_connection(), &json!({"tags": {}}));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"2\""));
}

#[test]
fn a_patch_is_found_by_its_new_end_user_and_labels_alone() {
    let deployment = deployment_with_connection();
    let body = json!({"end_user": {"id": "u2", "display_name": "Zaphod"}});
    patch(&deployment, &body).ok();
    for (query, found) in [
        ("search=zaphod", 1),
        ("search=u1@users", 0),
        ("endUserId=u2", 1),
        ("endUserId=u1", 0),
        ("tags[end_user_id]=u2", 1),
        ("tags[team]=blue", 0),
    ] {
        let list = call("GET", &format!("/connections?{query}")).run(&deployment);
        assert_eq!(
            list.ok()["connections"].as_array().unwrap().len(),
            found,
            "{query}"
        );
    }
}

#[test]
fn more_than_ten_labels_together_change_nothing() {
    let deployment = deployment_with_connection();
    let before = read(&deployment, "user-1", "").ok();
    let tags: serde_json::Map<_, _> = (0..10).map(|n| (format!("k{n}"), json!("v"))).collect();
    let body = json!({"end_user": {"id": "u2"}, "tags": tags});
    patch(&deployment, &body).is_error(
        400,
        "invalid_body",
        "Tags cannot contain more than 10 keys",
    );
    assert_eq!(read(&deployment, "user-1", "").ok(), before);
}

#[test]
fn more_than_ten_given_labels_are_one_mistake() {
    let tags: serde_json::Map<_, _> = (0..11).map(|n| (format!("k{n}"), json!("v"))).collect();
    let answer = patch(&deployment_with_connection(), &json!({ "tags": tags }));
    answer.has_issues(
        "invalid_body",
        &["tags custom Tags cannot contain more than 10 keys"],
    );
}

#[test]
fn other_fields_are_refused() {
    let deployment = deployment_with_connection();
    patch(&deployment, &json!({"metadata": {}, "tags": 1})).has_issues(
        "invalid_body",
        &[
            "tags invalid_type Invalid input: expected record, received number",
            " unrecognized_keys Unrecognized key: \"metadata\"",
        ],
    );
    call("PATCH", TARGET).run(&deployment).has_issues(
        "invalid_body",
        &[" invalid_type Invalid input: expected object, received undefined"],
    );
}

#[test]
fn the_query_is_checked_before_the_body_and_the_body_before_the_path() {
    let deployment = deployment_with_connection();
    let key = scoped_key(&deployment, &["environment:connections:read"]);
    let bad_body = json!({"foo": 1});
    call("PATCH", "/connections/a%3Fb?a=1")
        .key(&key)
        .body(&bad_body)
        .run(&deployment)
        .is_error(
            403,
            "forbidden",
            "Insufficient scope. Required: environment:connections:update",
        );
    call("PATCH", "/connections/a%3Fb?a=1")
        .body(&bad_body)
        .run(&deployment)
        .has_issues(
            "invalid_query_params",
            &[
                "provider_config_key invalid_type Invalid input: expected string, received undefined",
                " unrecognized_keys Unrecognized key: \"a\"",
            ],
        );
    let target = "/connections/a%3Fb?provider_config_key=github";
    call("PATCH", target)
        .body(&bad_body)
        .run(&deployment)
        .has_issues(
            "invalid_body",
            &[" unrecognized_keys Unrecognized key: \"foo\""],
        );
    let answer = call("PATCH", target).body(&json!({})).run(&deployment);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["code"], "invalid_uri_params");
}

#[test]
fn unknown_integrations_and_connections_are_told_apart() {
    let deployment = deployment_with_connection();
    call("PATCH", "/connections/user-1?provider_config_key=nowhere")
        .body(&json!({}))
        .run(&deployment)
        .is_error(400, "unknown_provider_config", "Provider does not exists");
    call("PATCH", "/connections/nobody?provider_config_key=github")
        .body(&json!({}))
        .run(&deployment)
        .is_error(404, "not_found", "Failed to find connection");
}

#[test]
fn the_deprecated_path_has_no_patch() {
    let answer = call("PATCH", "/connection/user-1?provider_config_key=github")
        .body(&json!({}))
        .run(&deployment_with_connection());
    answer.is_error(405, "method_not_allowed", "Method not allowed");
    assert_eq!(answer.header("allow"), Some("GET, DELETE"));
}
