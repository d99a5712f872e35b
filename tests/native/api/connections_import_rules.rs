//! `POST /connections`: the rules for each field.

use serde_json::{Value, json};

use crate::support::{
    client::{call, deployment_with_github, import},
    connections::{deployment_with_every_kind, with},
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

/// Expects `issues` for an import of `credentials`, of which each begins at `credentials`.
#[track_caller]
fn refused_credentials(credentials: &Value, issues: &[&str]) {
    refused(&json!({ "credentials": credentials }), issues);
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

#[test]
fn credentials_are_told_apart_by_their_type() {
    refused_credentials(
        &json!("token"),
        &["credentials invalid_type Invalid input: expected object, received string"],
    );
    for credentials in [
        json!({}),
        json!({"type": "oauth2"}),
        json!({"type": ["OAUTH2"]}),
    ] {
        refused_credentials(
            &credentials,
            &["credentials.type invalid_union Invalid input"],
        );
    }
}

#[test]
fn unknown_fields_of_credentials_are_refused() {
    refused_credentials(
        &json!({
            "type": "OAUTH2", "access_token": "a", "accessToken": "b",
            "config_override": {"client_id": "c", "scopes": "d"},
        }),
        &[
            "credentials.config_override unrecognized_keys Unrecognized key: \"scopes\"",
            "credentials unrecognized_keys Unrecognized key: \"accessToken\"",
        ],
    );
    for kind in [
        "API_KEY",
        "BASIC",
        "NONE",
        "OAUTH1",
        "OAUTH2",
        "OAUTH2_CC",
        "TBA",
    ] {
        let deployment = deployment_with_github();
        let body = json!({
            "provider_config_key": "github", "credentials": {"type": kind, "unknown": 1},
        });
        let answer = call("POST", "/connections").body(&body).run(&deployment);
        let last = &answer.json()["error"]["errors"].as_array().unwrap().clone();
        let last = last.last().unwrap()["message"].clone();
        assert_eq!(last, "Unrecognized key: \"unknown\"", "{kind}");
    }
}

/// The fields of each kind with their bounds; `?` marks those that may be absent.
const BOUNDS: [(&str, &[(&str, usize, usize)]); 6] = [
    ("API_KEY", &[("apiKey", 1, 1024)]),
    ("BASIC", &[("username", 0, 1024), ("password", 0, 1024)]),
    (
        "OAUTH1",
        &[("oauth_token", 1, 2048), ("oauth_token_secret", 1, 2048)],
    ),
    (
        "OAUTH2",
        &[("access_token", 1, 16_384), ("refresh_token?", 1, 16_384)],
    ),
    (
        "OAUTH2_CC",
        &[
            ("token", 1, 16_384),
            ("client_id", 1, 255),
            ("client_secret", 1, 2048),
            ("client_certificate?", 1, 10_000),
            ("client_private_key?", 1, 10_000),
        ],
    ),
    ("TBA", &[("token_id", 1, 2048), ("token_secret", 1, 2048)]),
];

#[test]
fn each_field_of_credentials_has_its_bounds() {
    for (kind, fields) in BOUNDS {
        let of_length = |length: &dyn Fn(usize, usize) -> usize| {
            let mut credentials = json!({ "type": kind });
            for (name, min, max) in fields {
                credentials[name.trim_end_matches('?')] = long(length(*min, *max)).into();
            }
            credentials
        };
        let too_big: Vec<_> = fields
            .iter()
            .map(|(name, _, max)| {
                let name = name.trim_end_matches('?');
                format!(
                    "credentials.{name} too_big Too big: expected string to have <={max} characters"
                )
            })
            .collect();
        let too_big: Vec<_> = too_big.iter().map(String::as_str).collect();
        refused_credentials(&of_length(&|_, max| max + 1), &too_big);
        let too_small: Vec<_> = fields
            .iter()
            .filter(|(_, min, _)| *min > 0)
            .map(|(name, min, _)| {
                let name = name.trim_end_matches('?');
                format!("credentials.{name} too_small Too small: expected string to have >={min} characters")
            })
            .collect();
        let too_small: Vec<_> = too_small.iter().map(String::as_str).collect();
        if !too_small.is_empty() {
            refused_credentials(&of_length(&|_, _| 0), &too_small);
        }
    }
}

#[test]
fn each_field_of_credentials_has_to_be_there_and_a_text() {
    for (kind, fields) in BOUNDS {
        for (value, received) in [(None, "undefined"), (Some(json!(5)), "number")] {
            let mut credentials = json!({ "type": kind });
            let mut issues = Vec::new();
            for (name, ..) in fields {
                if let Some(value) = &value {
                    credentials[name.trim_end_matches('?')] = value.clone();
                } else if name.ends_with('?') {
                    continue;
                }
                let name = name.trim_end_matches('?');
                issues.push(format!(
                    "credentials.{name} invalid_type Invalid input: expected string, received {received}"
                ));
            }
            let issues: Vec<_> = issues.iter().map(String::as_str).collect();
            refused_credentials(&credentials, &issues);
        }
    }
}

#[test]
fn the_own_client_of_credentials_has_bounds() {
    for kind in ["OAUTH2", "TBA"] {
        let credentials = json!({
            "type": kind, "access_token": "a", "token_id": "i", "token_secret": "s",
            "config_override": {"client_id": "", "client_secret": long(2049)},
        });
        let mut credentials = credentials.as_object().unwrap().clone();
        let foreign: &[&str] = if kind == "TBA" {
            &["access_token"]
        } else {
            &["token_id", "token_secret"]
        };
        credentials.retain(|name, _| !foreign.contains(&name.as_str()));
        refused_credentials(
            &credentials.into(),
            &[
                "credentials.config_override.client_id too_small Too small: expected string to have >=1 characters",
                "credentials.config_override.client_secret too_big Too big: expected string to have <=2048 characters",
            ],
        );
    }
}

#[test]
fn the_longest_credentials_are_taken() {
    let deployment = deployment_with_every_kind();
    let credentials = json!({
        "type": "OAUTH2", "access_token": long(16_384), "refresh_token": long(16_384),
    });
    let imported = import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    assert_eq!(imported["credentials"]["refresh_token"], long(16_384));
}
