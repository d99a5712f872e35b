//! The logins of the catalogue that are of the provider's own shape.

use holdfast::{
    domain::{auth_mode::AuthMode, secret::SecretMap, timestamp::Timestamp},
    oauth2::token_answer::{ExpirationStrategy, read_token_answer},
    providers::{
        step_request::{credentials, step_request},
        template::Values,
    },
};
use serde_json::{Map, Value, json};

use super::listed::all;

/// What requests bring beside inputs.
fn provided() -> SecretMap {
    let provided = json!({
        "refresh_token": "sample", "token": "sample", "assertion": "sample",
        "step1": {"access_token": "sample", "instance_url": "https://a.example"},
    });
    SecretMap::new(provided.as_object().unwrap().clone())
}

/// An answer with `value` at `path`.
fn put(answer: &mut Value, path: &str, value: Value) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let member = &mut answer[first];
    if rest.is_empty() {
        *member = value;
    } else {
        put(member, rest, value);
    }
}

#[test]
fn every_login_can_be_made_and_its_answer_read() {
    let mut count = 0;
    for listed in all() {
        let entry = &listed.entry;
        if entry.auth_mode != AuthMode::TwoStep {
            continue;
        }
        count += 1;
        let config = listed.samples("connection_config", |_| true);
        let inputs = listed.samples("credentials", |_| true);
        let credentials = credentials(entry, &inputs, &SecretMap::default());
        let provided = provided();
        let values = Values {
            credentials: Some(&credentials),
            provided: Some(&provided),
            ..Values::new(&config, Timestamp::EPOCH, "random")
        };
        let first = entry.login_step();
        let steps = first.iter().chain(&entry.additional_steps);
        for step in steps.chain(&entry.renewal_step()) {
            let request = step_request(step, entry, &values);
            assert!(request.is_ok(), "{}: {request:?}", listed.name);
        }

        let rules = entry.token_response.as_ref().unwrap();
        let mut answer = Value::Object(Map::new());
        if rules.token.is_empty() {
            answer = json!("sample");
        } else {
            put(&mut answer, &rules.token, json!("sample"));
        }
        let expiration = rules.token_expiration.as_ref();
        if let Some(path) = expiration {
            put(&mut answer, path, json!("2999-01-01T00:00:00Z"));
            if rules.token_expiration_strategy == ExpirationStrategy::ExpireIn {
                put(&mut answer, path, json!(60));
            }
        }
        let token = read_token_answer(&answer, rules, Timestamp::EPOCH);
        let token = token.unwrap_or_else(|| panic!("{}", listed.name));
        assert_eq!(
            token.expires_at.is_some(),
            expiration.is_some(),
            "{}",
            listed.name
        );
    }
    assert!(count > 16, "{count}");
}
