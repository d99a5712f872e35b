//! `POST /connections`: the rules for each field.

use serde_json::{Value, json};

use crate::support::{
    client::{call, deployment_with_github, import},
    connections::with,
};

/// Expects `issues` for the usual import at `github` with `fields` over it, and nothing stored.
#[track_caller]
fn refused(fields: &Value, issues: &[&str]) {
    let credentials = json!({"type": "OAUTH2", "access_token": "fake-access-token"});
    let body = json!({"provider_config_key": "github", "credentials": credentials});
    let deployment = deployment_with_github();
    let answer = call("POST", "/connections")
        .body(&with(body, fields))
        .run(&deployment);
    answer.has_issues("invalid_body", issues);
    let connections = deployment.database.text("select count(*) from connection");
    assert_eq!(connections, "0");
}

fn long(chars: usize) -> String {
    "x".repeat(chars)
}

#[test]
fn no_body_is_refused() {
    let deployment = deployment_with_github();
    call("POST", "/connections").run(&deployment).has_issues(
        "invalid_body",
        &[" invalid_type Invalid input: expected object, received undefined"],
    );
}

#[test]
fn unknown_fields_are_named_last() {
    refused(
        &json!({"foo": 1, "provider_config_key": 5, "bar": 2}),
        &[
            "provider_config_key invalid_type Invalid input: expected string, received number",
            " unrecognized_keys Unrecognized keys: \"foo\", \"bar\"",
        ],
    );
}

#[test]
fn the_integration_is_named_by_a_key() {
    let pattern = "provider_config_key invalid_format Invalid string: must match pattern \
        /^[a-zA-Z0-9~:.@ _-]+$/";
    refused(&json!({"provider_config_key": "a/b"}), &[pattern]);
    refused(&json!({"provider_config_key": ""}), &[pattern]);
    refused(
        &json!({"provider_config_key": long(256)}),
        &["provider_config_key too_big Too big: expected string to have <=255 characters"],
    );
}

#[test]
fn a_connection_is_named_as_in_a_path() {
    let pattern = r#"connection_id invalid_format Invalid string: must match pattern /^[a-zA-Z0-9,.;:=+~[\]|@${}"'\\/_ -]+$/"#;
    for id in ["", "a?b", "ü", "a#b"] {
        refused(&json!({ "connection_id": id }), &[pattern]);
    }
    refused(
        &json!({"connection_id": long(256)}),
        &["connection_id too_big Too big: expected string to have <=255 characters"],
    );
    refused(
        &json!({"connection_id": null}),
        &["connection_id invalid_type Invalid input: expected string, received null"],
    );
}

#[test]
fn a_connection_may_have_the_longest_name_and_every_allowed_character() {
    let deployment = deployment_with_github();
    for id in [long(255), r#",.;:=+~[]|@${}"'\/_ -aZ9"#.to_owned()] {
        assert_eq!(import(&deployment, &id, &json!({}))["connection_id"], id);
    }
}

#[test]
fn metadata_and_configuration_are_objects() {
    for name in ["metadata", "connection_config"] {
        for (value, kind) in [
            (json!([]), "array"),
            (json!(null), "null"),
            (json!("a"), "string"),
        ] {
            let issue =
                format!("{name} invalid_type Invalid input: expected record, received {kind}");
            refused(&json!({ name: value }), &[&issue]);
        }
    }
}

#[test]
fn metadata_and_configuration_have_at_most_a_thousand_keys_and_a_quarter_mebibyte() {
    let keys: Value = (0..1001)
        .map(|n| (n.to_string(), json!(0)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for name in ["metadata", "connection_config"] {
        let issue = format!("{name} too_big Too big: expected record to have <=1000 keys");
        refused(&json!({ name: keys }), &[&issue]);
        let issue = format!("{name} too_big Too big: expected record to have <=262144 bytes");
        refused(&json!({ name: {"a": long(262_137)} }), &[&issue]);
    }
    let deployment = deployment_with_github();
    let largest = json!({"a": long(262_136)});
    let imported = import(&deployment, "user-1", &json!({ "metadata": largest }));
    assert_eq!(imported["metadata"], largest);
}

#[test]
fn scopes_in_the_configuration_are_a_list_of_texts() {
    let path = "connection_config.oauth_scopes_override";
    let array = format!("{path} invalid_type Invalid input: expected array, received string");
    let config = json!({"connection_config": {"oauth_scopes_override": "a,b"}});
    refused(&config, &[&array]);
    let item = format!("{path}.1 invalid_type Invalid input: expected string, received number");
    let config = json!({"connection_config": {"oauth_scopes_override": ["a", 1]}});
    refused(&config, &[&item]);
}

#[test]
fn webhooks_go_to_a_public_web_address() {
    let union = "webhook_url_override invalid_union Invalid input";
    for value in [
        json!("nowhere"),
        json!(5),
        json!(null),
        json!(["https://a.example"]),
    ] {
        refused(&json!({ "webhook_url_override": value }), &[union]);
    }
    let custom = "webhook_url_override custom This webhook URL is not allowed.";
    for url in [
        "ftp://a.example/",
        "http://localhost/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "http://169.254.169.254/",
        "http://metadata.google.internal/",
        "https://[::1]/",
    ] {
        refused(&json!({ "webhook_url_override": url }), &[custom]);
    }
}

#[test]
fn an_address_for_webhooks_is_trimmed_and_an_empty_one_is_none() {
    let deployment = deployment_with_github();
    for (given, expected) in [
        (" https://a.example/x ", json!("https://a.example/x")),
        ("http://a.example:8080", json!("http://a.example:8080")),
        ("", json!(null)),
        (" ", json!(null)),
    ] {
        let imported = import(
            &deployment,
            "user-1",
            &json!({"webhook_url_override": given}),
        );
        assert_eq!(imported["webhook_url_override"], expected, "{given:?}");
    }
}
