//! `GET`, `POST` and `DELETE /environment/api-keys`

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call},
    deployment::Deployment,
    seed::create_key,
};

fn create(deployment: &Deployment, body: &Value) -> Answered {
    call("POST", "/environment/api-keys")
        .account()
        .body(body)
        .run(deployment)
}

fn delete(deployment: &Deployment, body: &Value) -> Answered {
    call("DELETE", "/environment/api-keys")
        .account()
        .body(body)
        .run(deployment)
}

fn list(deployment: &Deployment, query: &str) -> Answered {
    call("GET", &format!("/environment/api-keys?{query}"))
        .account()
        .run(deployment)
}

#[test]
fn a_new_key_is_answered_with_its_secret_and_every_scope_of_its_environment() {
    let deployment = Deployment::new();
    let answer = create(
        &deployment,
        &json!({"environment_id": 1, "display_name": "ci"}),
    )
    .ok();
    let secret = answer["data"]["secret"].as_str().unwrap();
    assert!(secret.starts_with("hf_") && secret.len() == 75, "{secret}");
    assert_eq!(
        answer,
        json!({"data": {
            "id": 1,
            "display_name": "ci",
            "scopes": ["environment:*"],
            "secret": secret,
            "created_at": "2026-01-01T00:00:00.000Z",
            "expires_at": null,
        }})
    );
}

#[test]
fn a_new_key_has_the_scopes_and_the_end_that_were_asked_for() {
    let deployment = Deployment::new();
    let scopes = ["environment:connections:read", "environment:integrations:*"];
    let answer = create(
        &deployment,
        &json!({
            "environment_id": 1,
            "display_name": "ci",
            "scopes": scopes,
            "expires_at": "2026-02-01T01:00:00+01:00",
        }),
    )
    .ok();
    assert_eq!(answer["data"]["scopes"], json!(scopes));
    assert_eq!(answer["data"]["expires_at"], "2026-02-01T00:00:00.000Z");
}

#[test]
fn the_number_of_the_environment_may_be_a_text() {
    let deployment = Deployment::new();
    create(
        &deployment,
        &json!({"environment_id": "1", "display_name": "ci"}),
    )
    .ok();
}

#[test]
fn keys_are_listed_without_their_secrets() {
    let deployment = Deployment::new();
    let key = create_key(&deployment, 1, &["environment:integrations:list"]);
    create_key(&deployment, 2, &["environment:*"]);
    deployment.advance_seconds(90);
    call("GET", "/integrations").key(&key).run(&deployment).ok();
    assert_eq!(
        list(&deployment, "environment_id=1").ok(),
        json!({"data": [{
            "id": 1,
            "display_name": "key 0",
            "scopes": ["environment:integrations:list"],
            "created_at": "2026-01-01T00:00:00.000Z",
            "expires_at": null,
            "last_used_at": "2026-01-01T00:01:30.000Z",
        }]})
    );
}

#[test]
fn an_expired_key_is_listed_until_it_is_deleted() {
    let deployment = Deployment::new();
    let expires_at = "2026-01-01T00:01:00.000Z";
    create(
        &deployment,
        &json!({"environment_id": 1, "display_name": "k", "expires_at": expires_at}),
    )
    .ok();
    deployment.advance_seconds(3600);
    let listed = list(&deployment, "environment_id=1").ok();
    assert_eq!(listed["data"][0]["expires_at"], expires_at);
}

#[test]
fn the_keys_of_an_unknown_environment_are_not_listed() {
    let answer = list(&Deployment::new(), "environment_id=3");
    answer.is_error(404, "not_found", "Environment not found");
}

#[test]
fn a_list_needs_the_environment_and_nothing_else() {
    let deployment = Deployment::new();
    let missing = "environment_id invalid_type Invalid input: expected number, received NaN";
    list(&deployment, "").has_issues("invalid_query_params", &[missing]);
    let unknown = " unrecognized_keys Unrecognized key: \"limit\"";
    list(&deployment, "environment_id=1&limit=1").has_issues("invalid_query_params", &[unknown]);
}

#[test]
fn a_secret_is_stored_as_a_digest_only() {
    let deployment = Deployment::new();
    let key = create_key(&deployment, 1, &["environment:*"]);
    let dump = deployment.database.dump().join("\n");
    let random = &key[3..67];
    assert!(!dump.contains(random), "{dump}");
    assert!(!dump.contains(&key[3..20]), "{dump}");
    assert!(dump.contains("api_key 1, 1, 'key 0'"), "{dump}");
}

#[test]
fn two_keys_differ() {
    let deployment = Deployment::new();
    let scopes = ["environment:*"];
    let [one, other] = [1, 1].map(|environment| create_key(&deployment, environment, &scopes));
    assert_ne!(one, other);
}

#[test]
fn a_name_is_given_once_in_an_environment() {
    let deployment = Deployment::new();
    create(
        &deployment,
        &json!({"environment_id": 1, "display_name": "ci"}),
    )
    .ok();
    let answer = create(
        &deployment,
        &json!({"environment_id": 1, "display_name": "ci"}),
    );
    answer.is_error(409, "conflict", "A key with this name already exists");
    create(
        &deployment,
        &json!({"environment_id": 2, "display_name": "ci"}),
    )
    .ok();
}

#[test]
fn a_key_of_an_unknown_environment_is_not_made() {
    let answer = create(
        &Deployment::new(),
        &json!({"environment_id": 3, "display_name": "ci"}),
    );
    answer.is_error(404, "not_found", "Environment not found");
}

#[test]
fn an_environment_has_at_most_fifty_keys() {
    let deployment = Deployment::new();
    for number in 0..50 {
        let body = json!({"environment_id": 1, "display_name": format!("k{number}")});
        create(&deployment, &body).ok();
    }
    let body = json!({"environment_id": 1, "display_name": "one more"});
    let message = "Maximum number of API keys per environment reached";
    create(&deployment, &body).is_error(400, "resource_capped", message);

    create(
        &deployment,
        &json!({"environment_id": 2, "display_name": "elsewhere"}),
    )
    .ok();
    delete(&deployment, &json!({"environment_id": 1, "key_id": 7})).ok();
    create(&deployment, &body).ok();
}

#[test]
fn every_mistake_in_a_new_key_is_named() {
    create(
        &Deployment::new(),
        &json!({
            "environment_id": 1.5,
            "display_name": "",
            "scopes": ["environment:connections:read", "account:*", "environment:conn*", 7],
            "expires_at": "soon",
            "admin": true,
        }),
    )
    .has_issues(
        "invalid_body",
        &[
            "environment_id invalid_type Invalid input: expected int, received number",
            "display_name too_small Too small: expected string to have >=1 characters",
            "scopes.1 invalid_value Invalid option: expected a known environment scope",
            "scopes.2 invalid_value Invalid option: expected a known environment scope",
            "scopes.3 invalid_value Invalid option: expected a known environment scope",
            "expires_at invalid_type Invalid input: expected date, received Date",
            " unrecognized_keys Unrecognized key: \"admin\"",
        ],
    );
}

#[test]
fn a_key_without_any_scope_is_a_mistake() {
    let body = json!({"environment_id": 1, "display_name": "k", "scopes": []});
    let issue = "scopes too_small Too small: expected array to have >=1 items";
    create(&Deployment::new(), &body).has_issues("invalid_body", &[issue]);
}

#[test]
fn a_key_that_has_expired_already_is_a_mistake() {
    let deployment = Deployment::new();
    let issue = "expires_at custom The date must be in the future";
    for expires_at in [json!("2026-01-01T00:00:00.000Z"), json!(0), json!(-1e300)] {
        let body = json!({"environment_id": 1, "display_name": "k", "expires_at": expires_at});
        create(&deployment, &body).has_issues("invalid_body", &[issue]);
    }
}

#[test]
fn no_end_at_all_may_be_said_with_null() {
    let body = json!({"environment_id": 1, "display_name": "k", "expires_at": null});
    let created = create(&Deployment::new(), &body).ok();
    assert_eq!(created["data"]["expires_at"], Value::Null);
}

#[test]
fn a_deletion_is_confirmed_once() {
    let deployment = Deployment::new();
    create_key(&deployment, 1, &["environment:*"]);
    let body = json!({"environment_id": 1, "key_id": 1});
    assert_eq!(delete(&deployment, &body).ok(), json!({"success": true}));
    delete(&deployment, &body).is_error(404, "not_found", "API key not found");
}

#[test]
fn every_mistake_in_a_deletion_is_named() {
    delete(&Deployment::new(), &json!({"environment_id": -1, "id": 1})).has_issues(
        "invalid_body",
        &[
            "environment_id too_small Too small: expected number to be >=1",
            "key_id invalid_type Invalid input: expected number, received NaN",
            " unrecognized_keys Unrecognized key: \"id\"",
        ],
    );
}

#[test]
fn the_number_of_a_deleted_key_is_not_given_again() {
    let deployment = Deployment::new();
    create_key(&deployment, 1, &["environment:*"]);
    delete(&deployment, &json!({"environment_id": 1, "key_id": 1})).ok();
    let body = json!({"environment_id": 1, "display_name": "next"});
    assert_eq!(create(&deployment, &body).ok()["data"]["id"], 2);
}
