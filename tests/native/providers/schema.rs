//! The JSON Schema of an entry says what the check says.

use holdfast::{
    providers::{entry::Entry, entry_schema::json_schema},
    validation::input::read,
};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::listed::all;

fn schema() -> Validator {
    jsonschema::draft202012::new(&json_schema()).unwrap()
}

fn entry(own: &Value) -> Value {
    let mut entry = json!({
        "display_name": "Example",
        "docs": "https://docs.example",
        "auth_mode": "OAUTH2",
        "token_url": "https://a.example/token",
    });
    let fields = own.as_object().unwrap().clone();
    entry.as_object_mut().unwrap().extend(fields);
    entry
}

#[track_caller]
fn judged(schema: &Validator, own: &Value, is_valid: bool) {
    let entry = entry(own);
    let checked = read(Some(&entry), Entry::parse).map(drop);
    assert_eq!(checked.is_ok(), is_valid, "the check of {own}: {checked:?}");
    assert_eq!(schema.is_valid(&entry), is_valid, "the schema of {own}");
}

#[test]
fn the_schema_is_one_of_its_draft() {
    jsonschema::draft202012::meta::validate(&json_schema()).unwrap();
}

#[test]
fn every_entry_of_the_catalogue_follows_the_schema() {
    let schema = schema();
    for listed in all() {
        let mistakes: Vec<_> = schema.iter_errors(&listed.json).collect();
        assert!(mistakes.is_empty(), "{}: {mistakes:?}", listed.name);
    }
}

#[test]
fn what_is_required_the_schema_requires_too() {
    let schema = schema();
    let whole = entry(&json!({}));
    for name in ["display_name", "docs", "auth_mode", "token_url"] {
        let mut entry = whole.clone();
        entry.as_object_mut().unwrap().remove(name);
        assert!(read(Some(&entry), Entry::parse).is_err(), "{name}");
        assert!(!schema.is_valid(&entry), "{name}");
    }
    let key = json!({"display_name": "E", "docs": "https://d.example", "auth_mode": "API_KEY"});
    assert!(schema.is_valid(&key));
    assert!(!schema.is_valid(&json!([])));
}

/// An entry with this assertion.
fn assertion(assertion: &Value) -> Value {
    json!({
        "auth_mode": "TWO_STEP", "token_response": {"token": "a"}, "assertion": assertion,
    })
}

#[test]
fn what_the_schema_refuses_the_check_refuses_too() {
    let schema = schema();
    let parameters = |count| (0..count).map(|at| (format!("k{at}"), json!("v")));
    let parameters = |count| parameters(count).collect::<serde_json::Map<_, _>>();
    for own in [
        json!({"tokn_url": "https://a.example"}),
        json!({"display_name": ""}),
        json!({"display_name": "x".repeat(256)}),
        json!({"display_name": null}),
        json!({"docs": "see the site"}),
        json!({"auth_mode": "oauth2"}),
        json!({"default_scopes": "a,b"}),
        json!({"default_scopes": [""]}),
        json!({"categories": ["crm", 1]}),
        json!({"categories": vec!["x"; 101]}),
        json!({"token_url": "http://a.example"}),
        json!({"token_url": "http://localhost.a.example"}),
        json!({"token_url": {"OAUTH2": "https://a.example", "APP": "http://a.example"}}),
        json!({"token_url": {"OAUTH2": "https://a.example"}}),
        json!({"token_url": {"OAUTH2": "https://a.example", "APP": "https://a.example", "X": ""}}),
        json!({"refresh_url": "a.example"}),
        json!({"token_params": {"a": {"b": 1}}}),
        json!({"token_params": {"": "a"}}),
        json!({"token_params": {"a\u{7}": "a"}}),
        json!({"token_params": parameters(101)}),
        json!({"body_format": "xml"}),
        json!({"authorization_method": "basic"}),
        json!({"token_request_auth_method": "mtls"}),
        json!({"expires_in_unit": "hours"}),
        json!({"token_expiration_buffer": "60"}),
        json!({"default_token_lifetime": 0}),
        json!({"default_token_lifetime": 31_536_001}),
        json!({"token_request_timeout": 1.5}),
        json!({"token_domains": ["Acme.example"]}),
        json!({"token_domains": ["acme"]}),
        json!({"refresh_only_when_forced": "true"}),
        json!({"rotation": "grace"}),
        json!({"rotation": {}}),
        json!({"rotation": {"grace": 0}}),
        json!({"rotation": {"grace": 60, "reuse": 1}}),
        json!({"connection_config": {"a": {"optional": 1}}}),
        json!({"connection_config": {"a b": {}}}),
        json!({"credentials": {"apiKey": {"lable": "x"}}}),
        json!({"credentials": {"apiKey": "x"}}),
        json!({"integration_config": {"a": {"enum": [null]}}}),
        json!({"integration_config": {"a": {"visible_when": {"a": "x"}}}}),
        json!({"integration_config": {"a": {"visible_when": {"field": "a", "equals": [1]}}}}),
        json!({"proxy": {"retry": {"in_body": {"path": 1}}}}),
        json!({"proxy": {"verification": {"endpoints": "/me"}}}),
        json!({"proxy": {"headers": {"a": []}}}),
        json!({"disable_pkce": 1}),
        json!({"token_expires_in_ms": -1}),
        json!({"auth_mode": "TWO_STEP"}),
        json!({"auth_mode": "TWO_STEP", "token_params": [], "token_response": {"token": "a"}}),
        json!({"token_response": {"token_expiration": "end"}}),
        json!({"token_response": {"token": "a", "token_expiration_strategy": "expires"}}),
        json!({"token_headers": {"x y": "a"}}),
        json!({"token_headers": {"x": []}}),
        json!({"token_request_method": "PUT"}),
        json!({"refresh_token_params": "a"}),
        json!({"additional_steps": [{}]}),
        json!({"additional_steps": [{"token_url": "https://a.example", "url": ""}]}),
        assertion(&json!({})),
        assertion(&json!({"type": "saml", "key": "k", "issuer": "i", "nameIdentifier": "n"})),
        assertion(&json!({"type": "jwt", "key": "k", "header": {"alg": "RS256"}, "issuer": "i"})),
        assertion(&json!({"type": "jwt", "key": "k", "header": {"alg": "none"}})),
        assertion(&json!({
            "type": "jwt", "key": "k", "header": {"alg": "RS256"}, "lifetimeInSeconds": "1h",
        })),
        json!({"additional_steps": vec![json!({"token_url": "https://a.example"}); 6]}),
    ] {
        judged(&schema, &own, false);
    }
}

#[test]
fn what_the_check_accepts_the_schema_accepts_too() {
    let schema = schema();
    for own in [
        json!({}),
        json!({"token_url": {"OAUTH2": "https://a.example/u", "APP": "https://a.example/a"}}),
        json!({"token_url": "http://127.0.0.1:4444/token"}),
        json!({"token_url": "${connectionConfig.base}/token || https://a.example/token"}),
        json!({"token_params": {"a": 1, "b": true, "c": "${connectionConfig.c}"}}),
        json!({"rotation": "none"}),
        json!({"rotation": {"grace": 600}}),
        json!({"body_format": "query", "scope_separator": ",", "token_domains": ["a.example"]}),
        json!({
            "auth_mode": "TWO_STEP",
            "token_params": {"auth": {"user": "${credentials.username}"}, "new": true},
            "token_response": {"token": "", "token_expiration_strategy": "expireAt"},
            "token_headers": {"x-key": "${base64(${credentials.key})}", "x-n": 1},
            "refresh_token_params": {"a": [{}]},
            "additional_steps": [{"token_url": "${step1.url}", "token_params": {"a": []}}],
            "body_format": "xml",
        }),
        assertion(&json!({"type": "jwt", "key": "k", "header": {"alg": "PS256"}})),
        assertion(&json!({
            "type": "saml", "key": "k", "issuer": "i", "nameIdentifier": "n", "audiences": "a",
            "lifetimeInSeconds": "315360000", "attributes": {"a": true},
        })),
        assertion(&json!({
            "type": "saml", "key": "k", "issuer": "i", "nameIdentifier": "n", "audiences": ["a"],
        })),
        json!({"integration_config": {
            "mode": {"enum": ["simple", "own"]},
            "url": {"visible_when": {"field": "mode", "equals": "own"}},
            "key": {"visible_when": {"field": "mode", "equals": ["own", "simple"]}},
        }}),
        json!({"proxy": {"headers": {"authorization": "Basic ${base64(${apiKey}:)}"}}}),
        json!({"assertion": ["anything", 1, null]}),
    ] {
        judged(&schema, &own, true);
    }
}
