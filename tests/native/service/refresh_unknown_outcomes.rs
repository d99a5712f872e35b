//! An attempt that was cut off: what becomes of it depends on what its provider does with a
//! refresh token that is sent twice.

use holdfast::oauth2::token_error::Unreachable;
use serde_json::{Value, json};

use crate::support::{
    client::{call, create_integration, expired_credentials, import},
    connections::{put_acme, read, stored, with},
    deployment::{Deployment, START},
    provider::Answer,
};

const IN_TEN_MINUTES: &str = "2026-01-01T00:10:00.000Z";
const ENDED: &str = "2025-12-31T23:00:00.000Z";

const ATTEMPT: &str = "00000000-0000-4000-8000-000000000001";

/// A deployment with a due connection at a provider that rotates like this, whose last attempt
/// was cut off `seconds_ago`.
fn cut_off(rotation: &Value, expires_at: &str, seconds_ago: i64) -> Deployment {
    let deployment = due(rotation, expires_at);
    leave_intent(&deployment, 1, seconds_ago);
    deployment
}

/// A deployment with a due connection at a provider that rotates like this.
fn due(rotation: &Value, expires_at: &str) -> Deployment {
    let deployment = Deployment::new();
    let fields = match rotation {
        Value::Null => json!({}),
        rotation => json!({ "rotation": rotation }),
    };
    put_acme(&deployment, &fields);
    create_integration(&deployment, "acme", "github");
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({ "expires_at": expires_at }),
    );
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment
}

fn leave_intent(deployment: &Deployment, version: i64, seconds_ago: i64) {
    let uid = stored(deployment, "user-1", "uid");
    let intent = json!({"intent": {
        "attempt": ATTEMPT, "uid": uid, "trigger": "read",
        "credentials_version": version, "number": 1,
        "sent": stored(deployment, "user-1", "grant_fingerprint"),
        "started_at": START - seconds_ago * 1000,
    }});
    let journal = deployment.journal(&uid);
    journal.entry.replace(Some(intent.to_string()));
    journal
        .wake_at
        .set(Some(holdfast::domain::timestamp::Timestamp::from_millis(
            START,
        )));
}

#[track_caller]
fn is_recorded(deployment: &Deployment) {
    let columns = "json_array(refresh_failure_log, refresh_failures)";
    let expected = r#"["00000000-0000-4000-8000-000000000001",1]"#;
    assert_eq!(stored(deployment, "user-1", columns), expected);
    let log = deployment.database.text("select outcome from refresh_log");
    assert_eq!(log, "unknown");
    let uid = stored(deployment, "user-1", "uid");
    assert_eq!(*deployment.journal(&uid).entry.borrow(), None);
}

/// What a read gives, and how often the provider was asked so far.
fn status_and_calls(deployment: &Deployment) -> (u16, usize) {
    let status = read(deployment, "user-1", "").status;
    (status, deployment.provider.seen().len())
}

#[test]
fn the_alarm_records_an_unknown_outcome() {
    let deployment = cut_off(&json!("reuse_revokes"), ENDED, 30);
    let uid = stored(&deployment, "user-1", "uid");
    deployment.ring_alarm(&uid).unwrap();
    is_recorded(&deployment);
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn a_token_that_may_be_sent_twice_is_sent_again_at_once() {
    for rotation in [json!("none"), json!({"grace": 60})] {
        let deployment = cut_off(&rotation, IN_TEN_MINUTES, 59);
        deployment.provider.will_answer(Answer::token("new", None));
        let connection = read(&deployment, "user-1", "").ok();
        assert_eq!(connection["credentials"]["access_token"], "new");
    }
}

#[test]
fn a_token_that_must_not_be_sent_twice_is_kept_while_the_access_token_works() {
    for rotation in [json!("reuse_revokes"), json!({"grace": 60}), Value::Null] {
        let deployment = cut_off(&rotation, IN_TEN_MINUTES, 60);
        assert_eq!(status_and_calls(&deployment), (200, 0), "{rotation}");
        is_recorded(&deployment);
        deployment.advance_seconds(599);
        assert_eq!(status_and_calls(&deployment), (200, 0), "{rotation}");
        // Then there is nothing to lose.
        deployment.advance_seconds(1);
        deployment
            .provider
            .will_answer(Answer::error(400, "invalid_grant"));
        assert_eq!(status_and_calls(&deployment), (400, 1), "{rotation}");
        assert_eq!(status_and_calls(&deployment), (424, 1), "{rotation}");
    }
}

#[test]
fn without_a_known_end_the_access_token_is_used_to_its_assumed_end() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"rotation": "reuse_revokes"}));
    create_integration(&deployment, "acme", "github");
    let credentials = json!({
        "type": "OAUTH2", "access_token": "fake-old-token", "refresh_token": "fake-refresh-token",
    });
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment.advance_seconds(45 * 60);
    leave_intent(&deployment, 1, 30);
    assert_eq!(status_and_calls(&deployment), (200, 0));
    deployment.advance_seconds(15 * 60);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(status_and_calls(&deployment), (200, 1));
}

#[test]
fn an_answer_that_was_lost_puts_no_working_token_at_risk_where_reuse_revokes() {
    for (rotation, calls) in [(json!("reuse_revokes"), 1), (json!("none"), 2)] {
        for lost in [
            Answer::Lost(Unreachable::TimedOut),
            Answer::Lost(Unreachable::Failed),
            Answer::Html(200),
        ] {
            let deployment = due(&rotation, IN_TEN_MINUTES);
            deployment.provider.will_answer(lost);
            deployment.provider.will_answer(Answer::token("new", None));
            assert_eq!(status_and_calls(&deployment), (200, 1));
            deployment.advance_seconds(60);
            assert_eq!(status_and_calls(&deployment), (200, calls));
            deployment.advance_seconds(540);
            assert_eq!(status_and_calls(&deployment), (200, 2));
        }
    }
}

#[test]
fn a_failure_that_is_on_record_is_not_taken_for_an_unknown_outcome_too() {
    let deployment = due(&json!("none"), ENDED);
    deployment.provider.will_answer(Answer::Throttled("3600"));
    assert_eq!(status_and_calls(&deployment), (400, 1));
    let retry_at = stored(&deployment, "user-1", "refresh_retry_at");
    leave_intent(&deployment, 1, 30);
    let log = stored(&deployment, "user-1", "refresh_failure_log");
    let uid = stored(&deployment, "user-1", "uid");
    let journal = deployment.journal(&uid);
    let entry = journal.entry.take().unwrap().replace(ATTEMPT, &log);
    journal.entry.replace(Some(entry));
    deployment.ring_alarm(&uid).unwrap();
    assert_eq!(*journal.entry.borrow(), None);
    assert_eq!(stored(&deployment, "user-1", "refresh_failures"), "1");
    assert_eq!(stored(&deployment, "user-1", "refresh_retry_at"), retry_at);
}

#[test]
fn with_nothing_left_to_lose_the_token_is_sent_again_at_once() {
    let deployment = cut_off(&json!("reuse_revokes"), ENDED, 30);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(status_and_calls(&deployment), (200, 1));
    assert_eq!(stored(&deployment, "user-1", "refresh_failure_log"), "null");
}

#[test]
fn who_forces_a_refresh_sends_the_token_again() {
    let deployment = cut_off(&json!("reuse_revokes"), IN_TEN_MINUTES, 30);
    deployment.provider.will_answer(Answer::token("new", None));
    let connection = read(&deployment, "user-1", "&force_refresh=true").ok();
    assert_eq!(connection["credentials"]["access_token"], "new");
}

#[test]
fn attempts_that_are_cut_off_again_and_again_wait_like_failures() {
    let deployment = cut_off(&json!("none"), ENDED, 30);
    let uid = stored(&deployment, "user-1", "uid");
    deployment.ring_alarm(&uid).unwrap();
    leave_intent(&deployment, 1, 30);
    let journal = deployment.journal(&uid);
    let entry = journal.entry.take().unwrap().replace(ATTEMPT, "another");
    journal.entry.replace(Some(entry));
    assert_eq!(status_and_calls(&deployment), (424, 0));
}

#[test]
fn what_was_imported_since_is_not_held_back() {
    let deployment = cut_off(&json!("reuse_revokes"), IN_TEN_MINUTES, 30);
    let credentials = json!({
        "type": "OAUTH2", "access_token": "imported", "refresh_token": "fake-other-token",
        "expires_at": IN_TEN_MINUTES,
    });
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(status_and_calls(&deployment), (200, 1));
    let outcomes = "select group_concat(outcome) from (
        select outcome from refresh_log order by started_at)";
    assert_eq!(deployment.database.text(outcomes), "unknown,refreshed");
}

#[test]
fn an_import_of_the_same_token_is_held_back_too() {
    let deployment = cut_off(&json!("reuse_revokes"), IN_TEN_MINUTES, 30);
    let credentials = json!({
        "type": "OAUTH2", "access_token": "imported", "refresh_token": "fake-refresh-token",
        "expires_at": IN_TEN_MINUTES,
    });
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    assert_eq!(status_and_calls(&deployment), (200, 0));
}

#[test]
fn what_was_deleted_since_leaves_nothing_behind() {
    let deployment = cut_off(&json!("none"), ENDED, 30);
    let uid = stored(&deployment, "user-1", "uid");
    call("DELETE", "/connections/user-1?provider_config_key=github")
        .run(&deployment)
        .ok();
    deployment.ring_alarm(&uid).unwrap();
    assert_eq!(*deployment.journal(&uid).entry.borrow(), None);
}

#[test]
fn an_outcome_that_the_database_did_not_take_stays_open() {
    let deployment = cut_off(&json!("none"), ENDED, 30);
    let uid = stored(&deployment, "user-1", "uid");
    deployment.database_is_down_in_refresh.set(true);
    assert!(deployment.ring_alarm(&uid).is_err());
    assert!(deployment.journal(&uid).entry.borrow().is_some());
    deployment.database_is_down_in_refresh.set(false);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(status_and_calls(&deployment), (200, 1));
}
