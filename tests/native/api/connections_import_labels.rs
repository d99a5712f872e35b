//! `POST /connections`: end users and labels.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github},
    connections::with,
    deployment::Deployment,
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

#[track_caller]
fn refused_tags(tags: &Value, issues: &[&str]) {
    refused(&json!({ "tags": tags }), issues);
}

fn numbered(count: usize) -> Value {
    let tags = (0..count).map(|n| (format!("k{n}"), json!("v")));
    tags.collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn keys_of_labels_begin_with_a_letter_and_have_at_most_64_characters() {
    for key in ["1a", "a b", "", "ä", &"a".repeat(65)] {
        let issue = format!("tags.{key} invalid_key Invalid key in record");
        refused_tags(&json!({ key: "v" }), &[&issue]);
    }
    let deployment = deployment_with_github();
    let tags = json!({"A-b_c.d/e9": "v", "a".repeat(64): "v"});
    let imported = post(&deployment, &json!({ "tags": tags })).ok();
    let expected = json!({"a-b_c.d/e9": "v", "a".repeat(64): "v"});
    assert_eq!(imported["tags"], expected);
}

#[test]
fn values_of_labels_are_texts_of_1_to_255_characters() {
    refused_tags(
        &json!({"a": "", "b": "x".repeat(256), "c": 1, "d": null}),
        &[
            "tags.a too_small Too small: expected string to have >=1 characters",
            "tags.b too_big Tag values must be at most 255 characters",
            "tags.c invalid_type Invalid input: expected string, received number",
            "tags.d invalid_type Invalid input: expected string, received null",
        ],
    );
    refused_tags(
        &json!(["a"]),
        &["tags invalid_type Invalid input: expected record, received array"],
    );
}

#[test]
fn there_are_at_most_ten_labels() {
    refused_tags(
        &numbered(11),
        &["tags custom Tags cannot contain more than 10 keys"],
    );
    let deployment = deployment_with_github();
    let imported = post(&deployment, &json!({"tags": numbered(10)})).ok();
    assert_eq!(imported["tags"], numbered(10));
}

#[test]
fn two_spellings_of_a_label_are_refused() {
    refused_tags(
        &json!({"Team": "a", "team": "b"}),
        &["tags custom Duplicate tag key after case normalization: \"team\""],
    );
}

#[test]
fn the_label_for_an_email_holds_an_email() {
    let issue = "tags custom Tag \"end_user_email\" must be a valid email";
    refused_tags(&json!({"end_user_email": "nobody"}), &[issue]);
    refused_tags(&json!({"End_User_Email": "a@b"}), &[issue]);
}

#[test]
fn an_end_user_needs_an_id() {
    refused(
        &json!({"end_user": {}}),
        &["end_user.id invalid_type Invalid input: expected string, received undefined"],
    );
    refused(
        &json!({"end_user": {"id": ""}}),
        &["end_user.id too_small Too small: expected string to have >=1 characters"],
    );
    refused(
        &json!({"end_user": {"id": "x".repeat(256)}}),
        &["end_user.id too_big Too big: expected string to have <=255 characters"],
    );
    refused(
        &json!({"end_user": null}),
        &["end_user invalid_type Invalid input: expected object, received null"],
    );
}

#[test]
fn an_end_user_has_an_email_a_name_and_labels_of_their_own() {
    refused(
        &json!({"end_user": {
            "id": "u1", "email": "a@b", "display_name": "x".repeat(256),
            "tags": {"1": "v", "b": 2}, "organization": {"id": "o1"},
        }}),
        &[
            "end_user.email invalid_format Invalid email address",
            "end_user.email too_small Too small: expected string to have >=5 characters",
            "end_user.display_name too_big Too big: expected string to have <=255 characters",
            "end_user.tags.1 invalid_key Invalid key in record",
            "end_user.tags.b invalid_type Invalid input: expected string, received number",
            "end_user unrecognized_keys Unrecognized key: \"organization\"",
        ],
    );
    refused(
        &json!({"end_user": {"id": "u1", "tags": {"A": "1", "a": "2"}}}),
        &["end_user.tags custom Duplicate tag key after case normalization: \"a\""],
    );
}

#[test]
fn labels_that_were_given_go_over_those_of_the_end_user() {
    let deployment = deployment_with_github();
    let fields = json!({
        "end_user": {"id": "u1", "tags": {"Team": "theirs", "empty": ""}},
        "tags": {"end_user_id": "given", "team": "given"},
    });
    let imported = post(&deployment, &fields).ok();
    assert_eq!(
        imported["tags"],
        json!({"end_user_id": "given", "team": "given"})
    );
    assert_eq!(
        imported["end_user"]["tags"],
        json!({"Team": "theirs", "empty": ""})
    );
}

#[test]
fn the_end_users_own_labels_are_left_out_if_they_are_too_many() {
    let deployment = deployment_with_github();
    let fields = json!({"end_user": {"id": "u1", "tags": numbered(10)}});
    let imported = post(&deployment, &fields).ok();
    assert_eq!(imported["tags"], json!({"end_user_id": "u1"}));
    assert_eq!(imported["end_user"]["tags"], numbered(10));
}

#[test]
fn more_than_ten_labels_together_are_refused_and_nothing_is_stored() {
    let deployment = deployment_with_github();
    let fields = json!({"end_user": {"id": "u1"}, "tags": numbered(10)});
    post(&deployment, &fields).is_error(
        400,
        "invalid_body",
        "Tags cannot contain more than 10 keys",
    );
    let connections = deployment.database.text("select count(*) from connection");
    assert_eq!(connections, "0");
}
