//! `PATCH` and `DELETE /integrations/:uniqueKey`

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration, deployment_with_github, import},
    deployment::{Deployment, PROD_KEY},
    seed::seed_environment,
};

fn patch(deployment: &Deployment, key: &str, body: &Value) -> Answered {
    call("PATCH", &format!("/integrations/{key}"))
        .body(body)
        .run(deployment)
}

fn delete(deployment: &Deployment, key: &str) -> Answered {
    call("DELETE", &format!("/integrations/{key}")).run(deployment)
}

fn config(deployment: &Deployment, key: &str) -> Value {
    let target = format!("/config/{key}?include_creds=true");
    call("GET", &target).run(deployment).ok()["config"].clone()
}

fn client(own: &Value) -> Value {
    let mut client = json!({"type": "OAUTH2", "client_id": "c", "client_secret": "s"});
    for (key, value) in own.as_object().unwrap() {
        client[key] = value.clone();
    }
    json!({"credentials": client})
}

#[test]
fn what_is_given_is_changed_and_answered() {
    let deployment = deployment_with_github();
    deployment.advance_seconds(60);
    let changed = patch(
        &deployment,
        "github",
        &json!({"display_name": "Code", "forward_webhooks": false, "unique_key": "code"}),
    )
    .ok();
    assert_eq!(
        changed,
        json!({"data": {
            "unique_key": "code",
            "provider": "github",
            "display_name": "Code",
            "logo": "http://holdfast.test/images/template-logos/github.svg",
            "forward_webhooks": false,
            "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:01:00.000Z",
        }})
    );
    assert_eq!(
        call("GET", "/integrations/code").run(&deployment).ok(),
        changed
    );
    assert_eq!(
        call("GET", "/integrations/github").run(&deployment).status,
        404
    );
}

#[test]
fn what_is_not_given_stays() {
    let deployment = Deployment::new();
    seed_environment(&deployment, crate::support::deployment::DEV_KEY, "own");
    let before = config(&deployment, "github");
    patch(&deployment, "github", &json!({})).ok();
    assert_eq!(config(&deployment, "github"), before);
    assert_eq!(before["client_secret"], "own-client-secret");
    assert_eq!(before["custom"], json!({"own": "own-custom"}));
    assert_eq!(before["has_webhook_user_defined_secret"], true);
}

#[test]
fn a_new_client_replaces_the_old_one() {
    let deployment = deployment_with_github();
    let change = client(&json!({"client_id": "new", "client_secret": "new-secret", "scopes": "a"}));
    patch(&deployment, "github", &change).ok();
    let config = config(&deployment, "github");
    assert_eq!(config["client_id"], "new");
    assert_eq!(config["client_secret"], "new-secret");
    assert_eq!(config["scopes"], "a");
}

#[test]
fn an_absent_webhook_secret_leaves_the_stored_one_and_an_empty_one_removes_it() {
    let deployment = deployment_with_github();
    let secret = |change: &Value| {
        patch(&deployment, "github", &client(change)).ok();
        let target = "/integrations/github?include=credentials";
        let shown = call("GET", target).run(&deployment).ok();
        shown["data"]["credentials"]["webhook_secret"].clone()
    };
    assert_eq!(secret(&json!({"webhook_secret": "w"})), "w");
    assert_eq!(secret(&json!({})), "w");
    assert_eq!(secret(&json!({"webhook_secret": "v"})), "v");
    assert_eq!(secret(&json!({"webhook_secret": ""})), Value::Null);
}

#[test]
fn free_settings_are_put_over_the_stored_ones() {
    let deployment = deployment_with_github();
    patch(
        &deployment,
        "github",
        &json!({"custom": {"a": "1", "b": "1"}}),
    )
    .ok();
    patch(
        &deployment,
        "github",
        &json!({"custom": {"b": "2", "c": "2"}}),
    )
    .ok();
    let expected = json!({"a": "1", "b": "2", "c": "2"});
    assert_eq!(config(&deployment, "github")["custom"], expected);
}

#[test]
fn declared_settings_are_kept_cleared_and_checked() {
    let deployment = Deployment::new();
    let entry = json!({
        "display_name": "Configured", "docs": "https://docs.example", "auth_mode": "API_KEY",
        "integration_config": {
            "region": {"title": "Region", "default_value": "eu"},
            "note": {"title": "Note", "optional": true},
        },
    });
    call("PUT", "/providers/configured")
        .account()
        .body(&entry)
        .run(&deployment)
        .ok();
    let body = json!({
        "provider": "configured", "unique_key": "k", "integration_config": {"note": "n"},
    });
    call("POST", "/integrations")
        .body(&body)
        .run(&deployment)
        .ok();

    patch(
        &deployment,
        "k",
        &json!({"integration_config": {"note": ""}}),
    )
    .ok();
    let refused = patch(
        &deployment,
        "k",
        &json!({"integration_config": {"region": ""}}),
    );
    refused.is_error(400, "invalid_body", "Region is required");
    let refused = patch(
        &deployment,
        "k",
        &json!({"integration_config": {"size": "1"}}),
    );
    refused.is_error(400, "invalid_body", "Unknown field size");
    patch(&deployment, "k", &json!({"custom": {"a": "b"}})).is_error(
        400,
        "invalid_body",
        "This provider uses integration_config; set its values there instead of custom",
    );
}

#[test]
fn a_client_for_other_credentials_is_refused() {
    let change = client(&json!({"type": "OAUTH1"}));
    patch(&deployment_with_github(), "github", &change).is_error(
        400,
        "invalid_body",
        "incompatible credentials auth type and provider auth",
    );
}

#[test]
fn the_query_is_checked_before_the_body_and_the_body_before_the_path() {
    let deployment = deployment_with_github();
    let body = json!({"provider": "gitlab"});
    let issue = " unrecognized_keys Unrecognized key: \"x\"";
    let answer = patch(&deployment, "a%2Fb?x=1", &body);
    answer.has_issues("invalid_query_params", &[issue]);
    let issue = " unrecognized_keys Unrecognized key: \"provider\"";
    patch(&deployment, "a%2Fb", &body).has_issues("invalid_body", &[issue]);
    let issue =
        "uniqueKey invalid_format Invalid string: must match pattern /^[a-zA-Z0-9~:.@ _-]+$/";
    patch(&deployment, "a%2Fb", &json!({})).has_issues("invalid_uri_params", &[issue]);
}

#[test]
fn an_unknown_integration_is_named() {
    let answer = patch(&Deployment::new(), "nowhere", &json!({}));
    answer.is_error(404, "not_found", "Integration \"nowhere\" does not exist");
}

#[test]
fn an_integration_is_not_renamed_to_a_key_that_another_one_has() {
    let deployment = deployment_with_github();
    create_integration(&deployment, "gitlab", "gitlab");
    import(&deployment, "user-1", &json!({}));
    let answer = patch(&deployment, "github", &json!({"unique_key": "gitlab"}));
    let message = "uniqueKey is already used by another integration";
    answer.is_error(400, "invalid_body", message);
}

#[test]
fn an_integration_with_connections_is_not_renamed() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &json!({}));
    let before = deployment.database.dump();
    let change = json!({"unique_key": "code", "display_name": "Code"});
    let message = "Can't rename an integration with active connections";
    patch(&deployment, "github", &change).is_error(400, "invalid_body", message);
    assert_eq!(deployment.database.dump(), before);
}

#[test]
fn an_integration_with_connections_may_be_given_its_own_key() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &json!({}));
    patch(
        &deployment,
        "github",
        &json!({"unique_key": "github", "display_name": "Code"}),
    )
    .ok();
}

#[test]
fn a_changed_client_is_sealed_again() {
    let deployment = deployment_with_github();
    let change = client(&json!({"client_secret": "canary-client-secret"}));
    patch(&deployment, "github", &change).ok();
    let dump = deployment.database.dump().join("\n");
    assert!(!dump.contains("canary"), "{dump}");
}

#[test]
fn a_deletion_takes_the_connections_along_and_no_others() {
    let deployment = Deployment::new();
    seed_environment(
        &deployment,
        crate::support::deployment::DEV_KEY,
        "canary-dev",
    );
    seed_environment(&deployment, PROD_KEY, "canary-prod");
    let prod = deployment.database.dump_environment(2);
    assert_eq!(delete(&deployment, "github").ok(), json!({"success": true}));
    assert!(!deployment.database.dump().join("\n").contains("canary-dev"));
    assert_eq!(deployment.database.dump_environment(2), prod);
}

#[test]
fn a_deletion_is_confirmed_once() {
    let deployment = deployment_with_github();
    delete(&deployment, "github").ok();
    let answer = delete(&deployment, "github");
    answer.is_error(404, "not_found", "Integration does not exist");
}

#[test]
fn a_deletion_takes_no_query_and_a_valid_key() {
    let deployment = deployment_with_github();
    let issue = " unrecognized_keys Unrecognized key: \"x\"";
    delete(&deployment, "github?x=1").has_issues("invalid_query_params", &[issue]);
    let issue =
        "uniqueKey invalid_format Invalid string: must match pattern /^[a-zA-Z0-9~:.@ _-]+$/";
    delete(&deployment, "a%2Fb").has_issues("invalid_uri_params", &[issue]);
}
