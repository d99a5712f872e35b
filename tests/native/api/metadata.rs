//! `POST` and `PATCH /connections/metadata`

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github, import},
    connections::{read, scoped_key, stored},
    deployment::{Deployment, PROD_KEY},
};

fn change(deployment: &Deployment, method: &str, ids: &Value, metadata: &Value) -> Answered {
    let body = json!({
        "connection_id": ids, "provider_config_key": "github", "metadata": metadata,
    });
    call(method, "/connections/metadata")
        .body(&body)
        .run(deployment)
}

fn deployment_with_metadata(metadata: &Value) -> Deployment {
    let deployment = deployment_with_github();
    for id in ["user-1", "user-2"] {
        import(&deployment, id, &json!({ "metadata": metadata }));
    }
    deployment
}

fn metadata_of(deployment: &Deployment, id: &str) -> Value {
    read(deployment, id, "").done()["metadata"].clone()
}

#[test]
fn a_post_replaces_everything_and_echoes_the_body() {
    let deployment = deployment_with_metadata(&json!({"a": 1, "b": 2}));
    let answer = change(
        &deployment,
        "POST",
        &json!("user-1"),
        &json!({"c": {"d": 3}}),
    )
    .done();
    let expected = json!({
        "connection_id": "user-1", "provider_config_key": "github", "metadata": {"c": {"d": 3}},
    });
    assert_eq!(answer, expected);
    assert_eq!(metadata_of(&deployment, "user-1"), json!({"c": {"d": 3}}));
    assert_eq!(metadata_of(&deployment, "user-2"), json!({"a": 1, "b": 2}));
}

#[test]
fn a_patch_puts_keys_over_the_stored_ones_and_echoes_the_body() {
    let deployment = deployment_with_metadata(&json!({"a": 1, "b": 2}));
    let answer = change(
        &deployment,
        "PATCH",
        &json!(["user-1"]),
        &json!({"b": 3, "c": 4}),
    )
    .done();
    let expected = json!({
        "connection_id": ["user-1"], "provider_config_key": "github",
        "metadata": {"b": 3, "c": 4},
    });
    assert_eq!(answer, expected);
    assert_eq!(
        metadata_of(&deployment, "user-1"),
        json!({"a": 1, "b": 3, "c": 4})
    );
}

#[test]
fn a_merge_into_no_metadata_is_the_given_one() {
    let deployment = deployment_with_metadata(&json!({}));
    deployment
        .database
        .texts("update connection set metadata = null");
    assert_eq!(metadata_of(&deployment, "user-1"), json!(null));
    change(&deployment, "PATCH", &json!("user-1"), &json!({"a": 1})).done();
    assert_eq!(metadata_of(&deployment, "user-1"), json!({"a": 1}));
}

#[test]
fn a_change_is_a_change_of_the_connection() {
    for method in ["POST", "PATCH"] {
        let deployment = deployment_with_metadata(&json!({}));
        deployment.advance_seconds(60);
        change(&deployment, method, &json!("user-1"), &json!({"a": 1})).done();
        let updated_at = "2026-01-01T00:01:00.000Z";
        assert_eq!(
            read(&deployment, "user-1", "").done()["updated_at"],
            updated_at
        );
    }
}

#[test]
fn a_change_takes_two_round_trips_however_many_connections_it_is_for() {
    for method in ["POST", "PATCH"] {
        let deployment = deployment_with_github();
        let ids: Vec<_> = (0..100).map(|n| format!("c{n}")).collect();
        for id in &ids {
            import(&deployment, id, &json!({}));
        }
        let answer = change(&deployment, method, &json!(ids), &json!({"a": 1}));
        answer.done();
        assert_eq!(answer.header("server-timing"), Some("d1;desc=\"2\""));
        let changed = "select count(*) from connection where metadata = '{\"a\":1}'";
        assert_eq!(deployment.database.text(changed), "100");
    }
}

#[test]
fn all_connections_are_changed_or_none() {
    let message = "Connection with connection id nobody and provider config key github not found. \
        Please make sure the connection exists in the Nango dashboard. No actions were taken on \
        any of the connections as a result of this failure.";
    for method in ["POST", "PATCH"] {
        let deployment = deployment_with_metadata(&json!({"a": 1}));
        let ids = json!(["user-1", "nobody", "no one", "user-2"]);
        change(&deployment, method, &ids, &json!({"a": 2})).is_error(
            404,
            "unknown_connection",
            message,
        );
        for id in ["user-1", "user-2"] {
            assert_eq!(metadata_of(&deployment, id), json!({"a": 1}));
            assert_eq!(stored(&deployment, id, "updated_at"), "1767225600000");
        }
    }
}

#[test]
fn one_unknown_connection_is_named() {
    let deployment = deployment_with_metadata(&json!({}));
    for method in ["POST", "PATCH"] {
        for ids in [json!("nobody"), json!(["nobody"])] {
            change(&deployment, method, &ids, &json!({})).is_error(
                404,
                "unknown_connection",
                "Connection with connection id nobody and provider config key github not found. \
                Please make sure the connection exists in the Nango dashboard",
            );
        }
        let body = json!({
            "connection_id": "user-1", "provider_config_key": "github", "metadata": {"a": 1},
        });
        let answer = call(method, "/connections/metadata")
            .key(PROD_KEY)
            .body(&body)
            .run(&deployment);
        assert_eq!(answer.status, 404);
    }
    assert_eq!(metadata_of(&deployment, "user-1"), json!({}));
}

#[test]
fn a_connection_may_be_named_twice() {
    for method in ["POST", "PATCH"] {
        let deployment = deployment_with_metadata(&json!({}));
        change(
            &deployment,
            method,
            &json!(["user-1", "user-1"]),
            &json!({"a": 1}),
        )
        .done();
        assert_eq!(metadata_of(&deployment, "user-1"), json!({"a": 1}));
    }
}

#[test]
fn no_connections_are_no_mistake() {
    let deployment = deployment_with_metadata(&json!({}));
    for method in ["POST", "PATCH"] {
        change(&deployment, method, &json!([]), &json!({"a": 1})).done();
        assert_eq!(metadata_of(&deployment, "user-1"), json!({}));
    }
}

#[test]
fn more_than_a_hundred_connections_are_refused() {
    let ids: Vec<_> = (0..101).map(|n| format!("c{n}")).collect();
    change(&deployment_with_github(), "PATCH", &json!(ids), &json!({})).has_issues(
        "invalid_body",
        &["connection_id too_big Too big: expected array to have <=100 items"],
    );
}

#[test]
fn any_mistake_in_the_names_is_one_mistake() {
    let deployment = deployment_with_github();
    for ids in [
        json!(["ok", "a?b"]),
        json!(5),
        json!(null),
        json!({}),
        json!(""),
    ] {
        change(&deployment, "POST", &ids, &json!({})).has_issues(
            "invalid_body",
            &["connection_id invalid_union Invalid input"],
        );
    }
}

#[test]
fn the_fields_are_checked_in_order_after_the_query() {
    let deployment = deployment_with_github();
    let key = scoped_key(&deployment, &["environment:connections:read"]);
    for method in ["POST", "PATCH"] {
        let body = json!({"metadata": [], "foo": 1});
        let at = |target| call(method, target).body(&body);
        at("/connections/metadata?a=1")
            .key(&key)
            .run(&deployment)
            .is_error(
                403,
                "forbidden",
                "Insufficient scope. Required: environment:connections:update",
            );
        at("/connections/metadata?a=1").run(&deployment).has_issues(
            "invalid_query_params",
            &[" unrecognized_keys Unrecognized key: \"a\""],
        );
        at("/connections/metadata").run(&deployment).has_issues(
            "invalid_body",
            &[
                "connection_id invalid_union Invalid input",
                "provider_config_key invalid_type Invalid input: expected string, received undefined",
                "metadata invalid_type Invalid input: expected record, received array",
                " unrecognized_keys Unrecognized key: \"foo\"",
            ],
        );
    }
}

#[test]
fn metadata_has_at_most_a_quarter_mebibyte_also_once_merged() {
    let half = json!({"a": "x".repeat(131_072)});
    let deployment = deployment_with_metadata(&half);
    let other = json!({"b": "x".repeat(131_072)});
    let too_big = "metadata too_big Too big: expected merged metadata to have <=262144 bytes";
    change(&deployment, "PATCH", &json!("user-1"), &other).has_issues("invalid_body", &[too_big]);
    assert_eq!(metadata_of(&deployment, "user-1"), half);
    let whole = json!({"a": "x".repeat(262_137)});
    let too_big = "metadata too_big Too big: expected record to have <=262144 bytes";
    change(&deployment, "POST", &json!("user-1"), &whole).has_issues("invalid_body", &[too_big]);
}

#[test]
fn a_replacement_is_a_201_and_a_merge_a_200() {
    let deployment = deployment_with_metadata(&json!({}));
    for (method, status) in [("POST", 201), ("PATCH", 200)] {
        let answer = change(&deployment, method, &json!("user-1"), &json!({"a": 1}));
        assert_eq!(answer.status, status);
    }
}
