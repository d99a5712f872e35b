//! The deprecated ways to change metadata: `/connection/metadata`, and
//! `/connection/:connectionId/metadata`, where the body is the metadata.

use serde_json::{Value, json};

use crate::support::{
    client::{Call, call, create_integration, deployment_with_github, import},
    connections::{read, scoped_key},
    deployment::Deployment,
};

const TARGET: &str = "/connection/user-1/metadata?provider_config_key=github";

fn deployment_with_connection() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &json!({"metadata": {"a": 1}}));
    deployment
}

fn with_body(method: &str, target: &str) -> Call {
    call(method, target).body(&json!({"b": 2}))
}

fn metadata(deployment: &Deployment) -> Value {
    read(deployment, "user-1", "").done()["metadata"].clone()
}

#[test]
fn the_deprecated_path_changes_many_too() {
    for (method, expected) in [
        ("POST", json!({"b": 2})),
        ("PATCH", json!({"a": 1, "b": 2})),
    ] {
        let deployment = deployment_with_connection();
        let body = json!({
            "connection_id": ["user-1"], "provider_config_key": "github", "metadata": {"b": 2},
        });
        let answer = call(method, "/connection/metadata")
            .body(&body)
            .run(&deployment);
        assert_eq!(answer.done(), body);
        assert_eq!(metadata(&deployment), expected);
    }
}

#[test]
fn the_body_replaces_or_is_merged_and_is_echoed() {
    for (method, expected) in [
        ("POST", json!({"b": 2})),
        ("PATCH", json!({"a": 1, "b": 2})),
    ] {
        let deployment = deployment_with_connection();
        let answer = with_body(method, TARGET).run(&deployment);
        assert_eq!(answer.done(), json!({"b": 2}));
        assert_eq!(answer.header("server-timing"), Some("d1;desc=\"2\""));
        assert_eq!(metadata(&deployment), expected);
    }
}

#[test]
fn the_integration_may_be_named_in_a_header() {
    let deployment = deployment_with_connection();
    with_body("POST", "/connection/user-1/metadata")
        .provider_config_key("github")
        .run(&deployment)
        .done();
    assert_eq!(metadata(&deployment), json!({"b": 2}));
}

#[test]
fn the_query_goes_before_the_header() {
    let deployment = deployment_with_connection();
    create_integration(&deployment, "gitlab", "gitlab");
    with_body("POST", TARGET)
        .provider_config_key("gitlab")
        .run(&deployment)
        .done();
    assert_eq!(metadata(&deployment), json!({"b": 2}));
}

#[test]
fn other_query_parameters_are_ignored() {
    let deployment = deployment_with_connection();
    with_body("POST", &format!("{TARGET}&foo=1"))
        .run(&deployment)
        .done();
}

#[test]
fn the_integration_must_be_named() {
    let deployment = deployment_with_connection();
    with_body("POST", "/connection/user-1/metadata")
        .run(&deployment)
        .is_legacy_error(
            400,
            "missing_provider_config",
            "Missing param 'provider_config_key'.",
        );
}

#[test]
fn the_integration_must_be_named_by_a_key() {
    let deployment = deployment_with_connection();
    let pattern = "provider_config_key invalid_format Invalid string: must match pattern \
        /^[a-zA-Z0-9~:.@ _-]+$/";
    with_body(
        "POST",
        "/connection/user-1/metadata?provider_config_key=a/b",
    )
    .run(&deployment)
    .has_issues("invalid_query_params", &[pattern]);
    with_body("POST", "/connection/user-1/metadata")
        .provider_config_key("a/b")
        .run(&deployment)
        .has_issues("invalid_headers", &[pattern]);
    let answer = with_body("POST", "/connection/a%3Fb/metadata").run(&deployment);
    assert_eq!(answer.json()["error"]["code"], "invalid_uri_params");
}

#[test]
fn an_unknown_connection_is_told_with_its_names() {
    let deployment = deployment_with_connection();
    for (id, integration) in [("nobody", "github"), ("user-1", "nowhere")] {
        let target = format!("/connection/{id}/metadata?provider_config_key={integration}");
        for method in ["POST", "PATCH"] {
            let answer = with_body(method, &target).run(&deployment);
            let message = format!(
                "No connection matching the provided params of 'connection_id' and \
                'provider_config_key'. Please make sure these values exist in the Nango dashboard \
                {{\n  \"connectionId\": \"{id}\",\n  \"providerConfigKey\": \"{integration}\"\n}}"
            );
            let expected = json!({"error": {
                "code": "unknown_connection", "message": message,
                "payload": {"connectionId": id, "providerConfigKey": integration},
            }});
            assert_eq!((answer.status, answer.json()), (404, expected));
        }
    }
}

#[test]
fn no_body_is_nothing_to_merge_and_nothing_to_replace_with() {
    let deployment = deployment_with_connection();
    assert_eq!(call("PATCH", TARGET).run(&deployment).done(), json!({}));
    call("POST", TARGET).run(&deployment).has_issues(
        "invalid_body",
        &[" invalid_type Invalid input: expected record, received undefined"],
    );
    assert_eq!(metadata(&deployment), json!({"a": 1}));
}

#[test]
fn a_list_is_no_metadata() {
    let deployment = deployment_with_connection();
    for method in ["POST", "PATCH"] {
        call(method, TARGET)
            .body(&json!([]))
            .run(&deployment)
            .has_issues(
                "invalid_body",
                &[" invalid_type Invalid input: expected record, received array"],
            );
    }
}

#[test]
fn a_key_that_may_not_update_is_refused_first() {
    let deployment = deployment_with_connection();
    let key = scoped_key(&deployment, &["environment:connections:read"]);
    for method in ["POST", "PATCH"] {
        with_body(method, "/connection/a%3Fb/metadata")
            .key(&key)
            .run(&deployment)
            .is_error(
                403,
                "forbidden",
                "Insufficient scope. Required: environment:connections:update",
            );
    }
}
