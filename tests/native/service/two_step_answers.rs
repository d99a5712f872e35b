//! Answers of a provider's own shape: where the token is, when it ends, what else is kept.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{
    connections::stored,
    provider::Answer,
    two_step::{deployment, logged_in, post, read, token},
};

fn answered(fields: &Value, answer: Value) -> Value {
    logged_in(fields, Answer::Json(200, answer))["credentials"].clone()
}

/// A token of the form of a JWT that ends at `exp`.
fn jwt(exp: &str) -> String {
    let payload = URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{exp}}}"));
    format!("e30.{payload}.fake")
}

const HALF_PAST: &str = "1767227400";

#[test]
fn a_whole_answer_may_be_the_token() {
    let fields = json!({"token_response": {"token": ""}});
    let kept = logged_in(&fields, Answer::Text(200, "fake-token\n".to_owned()));
    assert_eq!(kept["credentials"]["token"], "fake-token");
    assert_eq!(kept["credentials"]["raw"], json!({}));
    assert_eq!(
        answered(&fields, json!("fake-token"))["token"],
        "fake-token"
    );
}

#[track_caller]
fn ends(fields: &Value, answer: Value, expected: Option<&str>) {
    let credentials = answered(fields, answer);
    assert_eq!(credentials["expires_at"].as_str(), expected, "{fields}");
}

#[test]
fn a_token_ends_when_the_answer_says() {
    let of = |strategy: &str| {
        json!({"token_response": {
            "token": "t", "token_expiration": "a.end", "token_expiration_strategy": strategy,
        }})
    };
    let one = Some("2026-01-01T01:00:00.000Z");
    ends(&of("expireIn"), json!({"t": "x", "a": {"end": 3600}}), one);
    ends(&of("expireIn"), json!({"t": "x", "a": {"end": "1h"}}), one);
    ends(
        &of("expireAt"),
        json!({"t": "x", "a": {"end": "2026-01-01T01:00:00Z"}}),
        one,
    );
    ends(
        &of("expireAt"),
        json!({"t": jwt(HALF_PAST), "a": {"end": 1_767_229_200}}),
        one,
    );
    ends(&of("expireAt"), json!({"t": "x"}), None);
    // What was issued just now has not ended.
    let over = json!({"t": "x", "a": {"end": "2025-12-31T23:00:00Z"}});
    ends(&of("expireAt"), over, None);
    let mut in_millis = of("expireIn");
    in_millis["expires_in_unit"] = "milliseconds".into();
    ends(&in_millis, json!({"t": "x", "a": {"end": 3_600_000}}), one);
}

#[test]
fn a_token_ends_as_the_entry_says_where_the_answer_says_nothing() {
    let hour = json!({"token_expires_in_ms": 3_600_000});
    ends(
        &hour,
        json!({"token": "x"}),
        Some("2026-01-01T01:00:00.000Z"),
    );
    ends(
        &hour,
        json!({"token": jwt(HALF_PAST)}),
        Some("2026-01-01T00:30:00.000Z"),
    );
    ends(
        &json!({}),
        json!({"token": jwt(HALF_PAST)}),
        Some("2026-01-01T00:30:00.000Z"),
    );
}

#[test]
fn a_refresh_token_that_ends_first_caps_a_lifetime_that_is_a_guess() {
    let fields = json!({
        "token_expires_in_ms": 3_600_000,
        "token_response": {"token": "token", "refresh_token": "refresh_token"},
    });
    let answer = json!({"token": "x", "refresh_token": jwt(HALF_PAST)});
    ends(&fields, answer.clone(), Some("2026-01-01T00:30:00.000Z"));
    // Alone it says nothing of the token.
    let fields = json!({"token_response": {"token": "token", "refresh_token": "refresh_token"}});
    ends(&fields, answer, None);
}

/// The hours until a token is due whose answer does not say when it ends; null if it never is.
fn due_in_hours(fields: &Value) -> String {
    let deployment = deployment(fields);
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, &json!({}), &json!({})).ok();
    let hours = "(refresh_due_at - 1767225600000 + 900000) / 3600000";
    stored(&deployment, "user-1", hours)
}

#[test]
fn a_token_that_never_ends_is_not_refreshed_and_one_of_unknown_end_is_after_an_hour() {
    assert_eq!(due_in_hours(&json!({"token_expires_in_ms": 0})), "null");
    assert_eq!(due_in_hours(&json!({"default_token_lifetime": 7200})), "2");
    let both = json!({"token_expires_in_ms": 0, "default_token_lifetime": 7200});
    assert_eq!(due_in_hours(&both), "2");
    assert_eq!(due_in_hours(&json!({})), "1");
}

#[test]
fn cookies_of_all_answers_are_kept_but_for_those_that_one_ends() {
    const FIRST: &[(&str, &str)] = &[
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("set-cookie", "c=3; Max-Age=9"),
    ];
    const SECOND: &[(&str, &str)] = &[
        ("set-cookie", "b=4; Path=/"),
        ("set-cookie", "a=; Path=/; Max-Age=0"),
    ];

    let deployment = deployment(&json!({
        "token_response_headers": ["set-cookie"],
        "additional_steps": [{"token_url": "https://acme.example/2"}],
    }));
    deployment
        .provider
        .will_answer(Answer::JsonWith(FIRST, json!({})));
    let body = json!({"token": "fake-token"});
    deployment
        .provider
        .will_answer(Answer::JsonWith(SECOND, body));
    let credentials = &post(&deployment, &json!({}), &json!({})).ok()["credentials"];
    assert_eq!(credentials["_cookies"], "b=4; c=3");
    assert_eq!(credentials["b"], "4");
    assert_eq!(credentials.get("a"), None);
}

#[test]
fn cookies_and_headers_are_kept_with_the_token() {
    let fields = json!({"token_response_headers": ["set-cookie", "X-Session", "type"]});
    let answer = Answer::JsonWith(
        &[
            ("set-cookie", "sid=fake=1; Path=/; HttpOnly"),
            ("set-cookie", "route=.node2; path=/"),
            ("x-session", "fake-session"),
            ("x-other", "fake-other"),
            ("type", "fake-type"),
        ],
        json!({"token": "fake-token"}),
    );
    assert_eq!(
        logged_in(&fields, answer)["credentials"],
        json!({
            "type": "TWO_STEP", "user": "u", "password": "fake-password", "token": "fake-token",
            "sid": "fake=1", "route": ".node2", "_cookies": "sid=fake=1; route=.node2",
            "X-Session": "fake-session", "raw": {"token": "fake-token"},
        })
    );
}

#[test]
fn a_cookie_does_not_take_the_place_of_an_input_of_its_name() {
    let fields = json!({"token_response_headers": ["set-cookie"]});
    let cookies = &[("set-cookie", "user=another"), ("set-cookie", "sid=fake")];
    let answer = Answer::JsonWith(cookies, json!({"token": "fake-token"}));
    let credentials = &logged_in(&fields, answer)["credentials"];
    assert_eq!(
        (&credentials["user"], &credentials["sid"]),
        (&json!("u"), &json!("fake"))
    );
}

#[test]
fn what_the_answers_tell_of_the_connection_becomes_its_configuration() {
    let fields = json!({
        "token_response_metadata": ["url", "site.id", "site", "sites", "none", "token"],
        "additional_steps": [{"token_url": "https://acme.example/2"}],
    });
    let deployment = deployment(&fields);
    for answer in [
        json!({"url": "https://first.example", "site": {"id": 7}, "sites": [7]}),
        json!({"url": "https://last.example", "token": "fake-token"}),
    ] {
        deployment.provider.will_answer(Answer::Json(200, answer));
    }
    let config = json!({"url": "https://old.example", "own": "x"});
    post(&deployment, &json!({}), &config).ok();
    assert_eq!(
        read(&deployment).ok()["connection_config"],
        json!({"url": "https://last.example", "own": "x", "site.id": 7, "token": "fake-token"})
    );
}

#[test]
fn a_refresh_token_is_not_in_the_raw_answer_whatever_its_name() {
    let fields = json!({"token_response": {"token": "a.key", "refresh_token": "b.0.key"}});
    let answer = json!({"a": {"key": "fake-token"}, "b": [{"key": "fake-refresh", "n": 1}]});
    let credentials = answered(&fields, answer);
    assert_eq!(
        credentials["raw"],
        json!({"a": {"key": "fake-token"}, "b": [{"n": 1}]})
    );

    let fields = json!({"token_response": {"token": "key", "refresh_token": "key"}});
    let credentials = answered(&fields, json!({"key": "fake-token"}));
    assert_eq!(credentials["raw"], json!({"key": "fake-token"}));
}
