//! `POST /connections`: the rules for the fields of credentials.

use serde_json::{Value, json};

use crate::support::{
    client::{call, deployment_with_github, import},
    connections::deployment_with_every_kind,
};

/// Expects `issues` for an import of `credentials`.
#[track_caller]
fn refused_credentials(credentials: &Value, issues: &[&str]) {
    let body = json!({ "provider_config_key": "github", "credentials": credentials });
    let answer = call("POST", "/connections")
        .body(&body)
        .run(&deployment_with_github());
    answer.has_issues("invalid_body", issues);
}

fn long(chars: usize) -> String {
    "x".repeat(chars)
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

/// Names of fields, with the fewest and the most characters.
type Bounds = &'static [(&'static str, usize, usize)];

/// The fields of each kind with their bounds; `?` marks those that may be absent.
const BOUNDS: [(&str, Bounds); 6] = [
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
            ("token", 1, 4096),
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
