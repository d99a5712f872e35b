//! Who may ask at all: every way in which a key is refused, and what a good one costs.

use holdfast::api::request::MAX_BODY_BYTES;
use serde_json::json;

use crate::support::{
    client::{Answered, call},
    deployment::{ACCOUNT_KEY, DEV_KEY, Deployment, PROD_KEY, RING},
    seed::create_key,
};

const NOT_A_KEY: &str = "Authentication failed. The provided secret key is not a UUID v4.";
const MISTYPED: &str = "Authentication failed. The provided secret key is mistyped or incomplete.";
const UNKNOWN: &str =
    "Authentication failed. The provided authorization header does not match any account.";

fn authorized_by(deployment: &Deployment, header: Option<&str>) -> Answered {
    call("GET", "/integrations")
        .authorization(header)
        .run(deployment)
}

#[track_caller]
fn used_no_database(answer: &Answered) {
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"0\""));
}

#[test]
fn a_request_without_a_key_is_refused() {
    let answer = authorized_by(&Deployment::new(), None);
    answer.is_legacy_error(
        401,
        "missing_auth_header",
        "Authentication failed. The request is missing the Authorization header.",
    );
    used_no_database(&answer);
}

#[test]
fn a_text_that_is_no_key_is_refused_without_a_look_at_the_database() {
    let deployment = Deployment::new();
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "Basic dTpw",
        "Bearer secret",
        "Bearer hf",
        "Bearer ü",
    ] {
        let answer = authorized_by(&deployment, Some(header));
        answer.is_legacy_error(401, "invalid_secret_key_format", NOT_A_KEY);
        used_no_database(&answer);
    }
}

#[test]
fn a_uuid_that_is_not_a_configured_key_is_unknown() {
    let deployment = Deployment::new();
    let answer = authorized_by(
        &deployment,
        Some("Bearer 9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"),
    );
    answer.is_legacy_error(401, "unknown_account", UNKNOWN);
    used_no_database(&answer);
}

#[test]
fn a_uuid_of_another_version_is_not_a_key() {
    let deployment = Deployment::new();
    for key in [
        "9b1deb4d-3b7d-1bad-9bdd-2b0d7b3dcb6d",
        "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d",
    ] {
        let answer = authorized_by(&deployment, Some(key));
        answer.is_legacy_error(401, "invalid_secret_key_format", NOT_A_KEY);
    }
}

#[test]
fn a_mistyped_key_is_refused_without_a_look_at_the_database() {
    let deployment = Deployment::new();
    let key = create_key(&deployment, 1, &["environment:*"]);
    let swapped = format!("hf_{}{}{}", &key[4..5], &key[3..4], &key[5..]);
    for mistyped in [&key[..20], "hf_", &format!("{key}0"), &swapped] {
        let answer = authorized_by(&deployment, Some(mistyped));
        answer.is_legacy_error(401, "invalid_secret_key_format", MISTYPED);
        used_no_database(&answer);
    }
}

#[test]
fn a_wrong_key_of_the_account_is_unknown_whatever_its_form() {
    let nearly = format!("{ACCOUNT_KEY}x");
    for key in ["fake", "f0f0", &nearly] {
        let call = call("GET", "/environments").authorization(Some(key));
        let answer = call.run(&Deployment::new());
        answer.is_legacy_error(401, "unknown_account", UNKNOWN);
    }
}

#[test]
fn a_well_formed_key_of_another_deployment_is_unknown() {
    let elsewhere = Deployment::new();
    let key = create_key(&elsewhere, 1, &["environment:*"]);
    let answer = authorized_by(&Deployment::new(), Some(&key));
    answer.is_legacy_error(401, "unknown_account", UNKNOWN);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
}

#[test]
fn a_key_needs_no_bearer_before_it() {
    let deployment = Deployment::new();
    let stored = create_key(&deployment, 1, &["environment:*"]);
    for key in [DEV_KEY, stored.as_str()] {
        authorized_by(&deployment, Some(key)).ok();
        authorized_by(&deployment, Some(&format!("Bearer {key}"))).ok();
        authorized_by(&deployment, Some(&format!("Bearer  {key} "))).ok();
    }
}

#[test]
fn a_configured_key_opens_its_own_environment() {
    let deployment = Deployment::new();
    for (key, id) in [(DEV_KEY, 1), (PROD_KEY, 2)] {
        let answer = call("GET", "/integrations").key(key).run(&deployment);
        answer.ok();
        assert_eq!(answer.log()["environment.id"], id);
    }
}

#[test]
fn a_configured_key_is_unknown_until_its_environment_exists() {
    let key = "33333333-3333-4333-8333-333333333333";
    let deployment = Deployment::with_settings(&[
        ("HOLDFAST_ENCRYPTION_KEYS", RING),
        ("HOLDFAST_ACCOUNT_KEY", ACCOUNT_KEY),
        ("HOLDFAST_SECRET_KEY_MY_STAGING", key),
    ]);
    let answer = authorized_by(&deployment, Some(key));
    answer.is_legacy_error(401, "unknown_account", UNKNOWN);

    let environment = json!({"name": "my-staging"});
    call("POST", "/environments")
        .account()
        .body(&environment)
        .run(&deployment)
        .ok();
    authorized_by(&deployment, Some(key)).ok();
}

#[test]
fn a_key_in_another_case_is_another_key() {
    let deployment = Deployment::new();
    let key = create_key(&deployment, 1, &["environment:*"]).to_uppercase();
    assert_eq!(authorized_by(&deployment, Some(&key)).status, 401);
}

#[test]
fn a_deleted_key_stops_working() {
    let deployment = Deployment::new();
    let key = create_key(&deployment, 1, &["environment:*"]);
    authorized_by(&deployment, Some(&key)).ok();
    let body = json!({"environment_id": 1, "key_id": 1});
    call("DELETE", "/environment/api-keys")
        .account()
        .body(&body)
        .run(&deployment)
        .ok();
    let answer = authorized_by(&deployment, Some(&key));
    answer.is_legacy_error(401, "unknown_account", UNKNOWN);
}

#[test]
fn an_expired_key_stops_working_at_its_instant() {
    let deployment = Deployment::new();
    let body = json!({
        "environment_id": 1, "display_name": "k", "expires_at": "2026-01-01T00:01:00.000Z",
    });
    let created = call("POST", "/environment/api-keys")
        .account()
        .body(&body)
        .run(&deployment)
        .ok();
    let key = created["data"]["secret"].as_str().unwrap();
    deployment.advance_seconds(59);
    authorized_by(&deployment, Some(key)).ok();
    deployment.advance_seconds(1);
    let answer = authorized_by(&deployment, Some(key));
    answer.is_legacy_error(401, "unknown_account", UNKNOWN);
}

#[test]
fn a_key_made_before_the_ring_got_a_new_active_key_still_works() {
    let mut deployment = Deployment::new();
    let key = create_key(&deployment, 1, &["environment:*"]);
    let rotated = format!("8:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=,{RING}");
    let variables = [("HOLDFAST_ENCRYPTION_KEYS", rotated.as_str())];
    deployment.settings = Deployment::with_settings(&variables).settings;
    authorized_by(&deployment, Some(&key)).ok();
}

#[test]
fn the_use_of_a_key_is_recorded_at_most_once_a_minute() {
    let deployment = Deployment::new();
    let key = create_key(&deployment, 1, &["environment:*"]);
    let last_used = || deployment.database.text("select last_used_at from api_key");
    assert_eq!(last_used(), "null");
    let mut recorded = Vec::new();
    for _ in 0..3 {
        authorized_by(&deployment, Some(&key)).ok();
        recorded.push(last_used());
        deployment.advance_seconds(30);
    }
    assert_eq!(
        recorded,
        ["1767225600000", "1767225600000", "1767225660000"]
    );
}

#[test]
fn the_use_of_a_key_costs_no_round_trip_of_its_own() {
    let deployment = Deployment::new();
    let key = create_key(&deployment, 1, &["environment:*"]);
    let answer = authorized_by(&deployment, Some(&key));
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
}

#[test]
fn a_malformed_session_token_is_named_as_such_where_sessions_may_ask() {
    let deployment = Deployment::new();
    for target in ["/providers", "/providers/github", "/integrations"] {
        for token in ["", "short", &"0123456789ABCDEF".repeat(4), &"0".repeat(65)] {
            let token = format!("Bearer nango_connect_session_{token}");
            let answer = call("GET", target)
                .authorization(Some(&token))
                .run(&deployment);
            answer.is_legacy_error(
                401,
                "invalid_connect_session_token_format",
                "Authentication failed. The provided connect session token is not following \
                 correct format: nango_connect_session_RANDOM)",
            );
            used_no_database(&answer);
        }
    }
}

#[test]
fn a_well_formed_session_token_is_unknown_where_sessions_may_ask() {
    let deployment = Deployment::new();
    let token = format!(
        "Bearer nango_connect_session_{}",
        "0123456789abcdef".repeat(4)
    );
    for target in ["/providers", "/providers/github", "/integrations"] {
        let answer = call("GET", target)
            .authorization(Some(&token))
            .run(&deployment);
        answer.is_legacy_error(
            401,
            "unknown_connect_session_token",
            "Authentication failed. The provided connect session token does not match any account.",
        );
        used_no_database(&answer);
    }
}

#[test]
fn a_session_token_is_no_key_elsewhere() {
    let token = format!(
        "Bearer nango_connect_session_{}",
        "0123456789abcdef".repeat(4)
    );
    let answer = call("GET", "/connections")
        .authorization(Some(&token))
        .run(&Deployment::new());
    answer.is_legacy_error(401, "invalid_secret_key_format", NOT_A_KEY);
}

#[test]
fn who_asks_is_checked_before_what_is_asked() {
    let deployment = Deployment::new();
    let answer = call("POST", "/integrations?x=1")
        .authorization(None)
        .bytes(vec![b'{'; MAX_BODY_BYTES + 1])
        .run(&deployment);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"]["code"], "missing_auth_header");
}
