//! `GET` and `POST /environments`, `DELETE /environments/:environmentId`

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call},
    deployment::{DEV_KEY, Deployment, PROD_KEY},
    seed::{create_key, seed_environment, seeded},
};

fn create(deployment: &Deployment, body: &Value) -> Answered {
    call("POST", "/environments")
        .account()
        .body(body)
        .run(deployment)
}

fn delete(deployment: &Deployment, id: &str) -> Answered {
    call("DELETE", &format!("/environments/{id}"))
        .account()
        .run(deployment)
}

fn names(deployment: &Deployment) -> Vec<String> {
    let listed = call("GET", "/environments").account().run(deployment).ok();
    let listed = listed["data"].as_array().unwrap().clone();
    listed
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn dev_and_prod_exist_from_the_start() {
    let listed = call("GET", "/environments")
        .account()
        .run(&Deployment::new())
        .ok();
    let expected = json!({"data": [{"id": 1, "name": "dev"}, {"id": 2, "name": "prod"}]});
    assert_eq!(listed, expected);
}

#[test]
fn a_new_environment_is_answered_and_listed() {
    let deployment = Deployment::new();
    let created = create(&deployment, &json!({"name": "staging"})).ok();
    assert_eq!(created, json!({"data": {"id": 3, "name": "staging"}}));
    assert_eq!(names(&deployment), ["dev", "prod", "staging"]);
}

#[test]
fn settings_of_parts_that_are_not_here_are_accepted() {
    create(
        &Deployment::new(),
        &json!({
            "name": "staging",
            "is_production": true,
            "callback_url": "https://app.example/callback",
            "hmac_key": "k".repeat(1000),
            "hmac_enabled": true,
            "slack_notifications": false,
        }),
    )
    .ok();
}

#[test]
fn every_mistake_in_a_new_environment_is_named() {
    create(
        &Deployment::new(),
        &json!({
            "name": "Staging!",
            "is_production": "yes",
            "callback_url": "here",
            "hmac_key": "k".repeat(1001),
            "hmac_enabled": 1,
            "slack_notifications": null,
            "colour": "red",
        }),
    )
    .has_issues(
        "invalid_body",
        &[
            "name invalid_format Invalid string: must match pattern /^[a-z0-9_-]+$/",
            "is_production invalid_type Invalid input: expected boolean, received string",
            "callback_url invalid_format Invalid URL",
            "hmac_key too_big Too big: expected string to have <=1000 characters",
            "hmac_enabled invalid_type Invalid input: expected boolean, received number",
            "slack_notifications invalid_type Invalid input: expected boolean, received null",
            " unrecognized_keys Unrecognized key: \"colour\"",
        ],
    );
}

#[test]
fn a_name_has_between_one_and_255_characters() {
    let deployment = Deployment::new();
    create(&deployment, &json!({"name": "a".repeat(255)})).ok();
    let issue = "name too_big Too big: expected string to have <=255 characters";
    create(&deployment, &json!({"name": "a".repeat(256)})).has_issues("invalid_body", &[issue]);
    let issue = "name invalid_format Invalid string: must match pattern /^[a-z0-9_-]+$/";
    create(&deployment, &json!({"name": ""})).has_issues("invalid_body", &[issue]);
}

#[test]
fn a_name_is_given_once() {
    let deployment = Deployment::new();
    let message = "Environment already exists";
    create(&deployment, &json!({"name": "dev"})).is_error(409, "conflict", message);
    assert_eq!(names(&deployment), ["dev", "prod"]);
}

#[test]
fn two_names_that_share_the_variable_of_their_key_exclude_each_other() {
    let deployment = Deployment::new();
    create(&deployment, &json!({"name": "a-b"})).ok();
    let message = "Environment already exists";
    create(&deployment, &json!({"name": "a_b"})).is_error(409, "conflict", message);
}

#[test]
fn there_are_at_most_a_hundred_environments() {
    let deployment = Deployment::new();
    for number in 2..100 {
        create(&deployment, &json!({"name": format!("e{number}")})).ok();
    }
    let message = "Maximum number of environments reached";
    create(&deployment, &json!({"name": "more"})).is_error(400, "resource_capped", message);
    delete(&deployment, "3");
    create(&deployment, &json!({"name": "more"})).ok();
}

#[test]
fn prod_is_production() {
    create(
        &Deployment::new(),
        &json!({"name": "prod", "is_production": false}),
    )
    .is_error(
        400,
        "invalid_is_prod_flag",
        "The \"prod\" environment must be marked as production.",
    );
}

#[test]
fn prod_exists_once() {
    let message = "Environment already exists";
    let deployment = Deployment::new();
    create(&deployment, &json!({"name": "prod"})).is_error(409, "conflict", message);
}

#[test]
fn prod_is_not_deleted() {
    let deployment = Deployment::new();
    let message = "Cannot delete prod environment";
    delete(&deployment, "2").is_error(400, "cannot_delete_prod_environment", message);
    assert_eq!(names(&deployment), ["dev", "prod"]);
}

#[test]
fn a_deletion_is_answered_without_a_body_once() {
    let deployment = Deployment::new();
    let answer = delete(&deployment, "1");
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    delete(&deployment, "1").is_error(404, "not_found", "Environment not found");
}

#[test]
fn a_deletion_takes_everything_in_the_environment_along_and_nothing_else() {
    let deployment = seeded();
    seed_environment(&deployment, PROD_KEY, "canary-prod");
    let prod = deployment.database.dump_environment(2);
    delete(&deployment, "1");
    let dump = deployment.database.dump().join("\n");
    assert!(!dump.contains("canary-dev"), "{dump}");
    assert_eq!(deployment.database.dump_environment(1), [""; 0]);
    assert_eq!(deployment.database.dump_environment(2), prod);
    let left = deployment
        .database
        .text("select count(*) from connection_search_docsize");
    assert_eq!(left, "1");
}

#[test]
fn the_keys_of_a_deleted_environment_stop_working() {
    let deployment = Deployment::new();
    let stored = create_key(&deployment, 1, &["environment:*"]);
    delete(&deployment, "1");
    for key in [DEV_KEY, &stored] {
        let answer = call("GET", "/integrations").key(key).run(&deployment);
        assert_eq!(answer.json()["error"]["code"], "unknown_account");
    }
}

#[test]
fn the_number_of_a_deleted_environment_is_not_given_again() {
    let deployment = Deployment::new();
    create(&deployment, &json!({"name": "staging"})).ok();
    delete(&deployment, "3");
    let created = create(&deployment, &json!({"name": "staging"})).ok();
    assert_eq!(created["data"]["id"], 4);
}

#[test]
fn the_number_of_an_environment_is_a_whole_positive_number() {
    let deployment = Deployment::new();
    let number = "environmentId invalid_type Invalid input: expected number, received NaN";
    let int = "environmentId invalid_type Invalid input: expected int, received number";
    let small = "environmentId too_small Too small: expected number to be >=1";
    let big = "environmentId too_big Too big: expected number to be <=9007199254740991";
    let cases = [
        ("one", number),
        ("1.9", int),
        ("0", small),
        ("-1", small),
        ("1e300", big),
    ];
    for (id, issue) in cases {
        delete(&deployment, id).has_issues("invalid_uri_params", &[issue]);
    }
    assert_eq!(names(&deployment), ["dev", "prod"]);
}

#[test]
fn no_request_about_environments_takes_a_query() {
    let deployment = Deployment::new();
    let issue = " unrecognized_keys Unrecognized key: \"x\"";
    for (method, target) in [
        ("GET", "/environments?x=1"),
        ("POST", "/environments?x=1"),
        ("DELETE", "/environments/1?x=1"),
    ] {
        let answer = call(method, target).account().run(&deployment);
        answer.has_issues("invalid_query_params", &[issue]);
    }
}
