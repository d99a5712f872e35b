//! What is kept of each attempt to refresh.

use futures_util::future::{join, join_all};
use holdfast::{
    domain::{refresh::Trigger, timestamp::Timestamp},
    oauth2::token_error::Unreachable,
    service::{
        journal::{Entry, Intent, Journal},
        ports::Refresher,
    },
};
use serde_json::{Value, json};

use crate::support::{
    client::{call, create_integration, deployment_with_github, expired_credentials, import},
    connections::{put_acme, read, refreshes, stored},
    deployment::{Deployment, START},
    provider::Answer,
};

const TARGET: &str = "/connections/user-1?provider_config_key=github";

fn deployment_with_expired() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment
}

/// The one attempt that there was.
#[track_caller]
fn only(deployment: &Deployment) -> Value {
    let attempts = refreshes(deployment, "user-1");
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    attempts[0].clone()
}

/// Expects outcome, status, error and next retry of a read that `answer` came of.
#[track_caller]
fn leaves(answer: Answer, expected: &Value) {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(answer);
    read(&deployment, "user-1", "");
    is_kept(&deployment, expected);
}

#[track_caller]
fn is_kept(deployment: &Deployment, expected: &Value) {
    let log = only(deployment);
    let found = ["outcome", "status", "error", "next_retry_at"].map(|name| log[name].clone());
    assert_eq!(json!(found), *expected);
}

const SOON: &str = "2026-01-01T00:00:30.000Z";

#[test]
fn new_credentials_are_logged_without_an_error() {
    leaves(
        Answer::token("new", None),
        &json!(["refreshed", 200, null, null]),
    );
}

#[test]
fn a_dead_grant_is_logged_without_a_next_attempt() {
    let answer = Answer::Json(
        400,
        json!({"error": "invalid_grant", "error_description": "Token was revoked"}),
    );
    let error = "invalid_grant: Token was revoked";
    leaves(answer, &json!(["invalid_grant", 400, error, null]));
}

#[test]
fn a_refusal_is_logged_in_the_providers_words() {
    let answer = Answer::error(401, "invalid_client");
    leaves(answer, &json!(["rejected", 401, "invalid_client", SOON]));
}

#[test]
fn the_wait_that_a_provider_asks_for_is_logged() {
    let error = "the provider refused with status 429 and error other";
    leaves(
        Answer::Throttled("120"),
        &json!(["rate_limited", 429, error, "2026-01-01T00:02:00.000Z"]),
    );
}

#[test]
fn a_failure_of_the_provider_is_logged_with_its_page() {
    let expected = json!(["provider_error", 502, "<h1>canary</h1>", SOON]);
    leaves(Answer::Html(502), &expected);
}

#[test]
fn an_answer_that_is_no_token_is_logged_without_what_it_says() {
    let error = "the provider's answer with status 200 is no token response";
    leaves(Answer::Html(200), &json!(["malformed", 200, error, SOON]));
    let answer = Answer::Json(200, json!({"token_type": "bearer", "token": "canary"}));
    leaves(answer, &json!(["malformed", 200, error, SOON]));
}

#[test]
fn an_answer_that_did_not_arrive_is_logged_without_a_status() {
    for (lost, outcome, error) in [
        (
            Unreachable::Failed,
            "unreachable",
            "the provider could not be reached",
        ),
        (
            Unreachable::TimedOut,
            "timed_out",
            "the provider did not answer in time",
        ),
        (
            Unreachable::TooLarge { status: 200 },
            "too_large",
            "the provider's answer is too large",
        ),
    ] {
        leaves(Answer::Lost(lost), &json!([outcome, null, error, SOON]));
    }
}

#[test]
fn an_attempt_that_cannot_be_made_is_logged_with_what_is_lacking() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({}));
    create_integration(&deployment, "acme", "github");
    put_acme(
        &deployment,
        &json!({"token_request_auth_method": "private_key_jwt"}),
    );
    import(&deployment, "user-1", &expired_credentials());
    read(&deployment, "user-1", "");
    let error = "the token request cannot be made: \
        there is no private key in PEM form";
    is_kept(&deployment, &json!(["not_possible", null, error, SOON]));
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn an_attempt_at_a_provider_that_is_gone_is_logged() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({}));
    create_integration(&deployment, "acme", "github");
    import(&deployment, "user-1", &expired_credentials());
    deployment.database.execute("delete from provider");
    read(&deployment, "user-1", "");
    let error = "the token request cannot be made: the provider is unknown";
    is_kept(&deployment, &json!(["not_possible", null, error, SOON]));
}

#[test]
fn an_attempt_that_was_cut_off_is_logged_as_of_unknown_outcome() {
    let deployment = deployment_with_expired();
    let uid = stored(&deployment, "user-1", "uid");
    let started_at = Timestamp::from_millis(START);
    let intent = Intent {
        attempt: "0dce7df3-13f5-4f9a-b6a3-2b1c5f8d9e01".to_owned(),
        uid: uid.clone(),
        trigger: Trigger::Force,
        credentials_version: 1,
        sent: None,
        number: 1,
        started_at,
    };
    let written = deployment.journal(&uid);
    pollster::block_on(written.write(&Entry::Intent(intent), started_at)).unwrap();
    deployment.advance_seconds(7);
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "").ok();
    let attempts = refreshes(&deployment, "user-1");
    let expected = json!({
        "id": "0dce7df3-13f5-4f9a-b6a3-2b1c5f8d9e01", "connection_id": "user-1",
        "provider_config_key": "github", "trigger": "force", "outcome": "unknown", "status": null,
        "error": "the attempt was cut off: whether the provider gave new credentials is unknown",
        "attempt": 1, "started_at": "2026-01-01T00:00:00.000Z", "duration_ms": 7000,
        "next_retry_at": null,
    });
    assert_eq!(attempts[1], expected);
    assert_eq!(
        (&attempts[0]["outcome"], &attempts[0]["attempt"]),
        (&json!("refreshed"), &json!(2))
    );
    assert_eq!(attempts.len(), 2);
}

#[test]
fn a_log_tells_why_and_for_how_long_the_provider_was_asked() {
    let deployment = deployment_with_expired();
    for trigger in [Trigger::Force, Trigger::Read, Trigger::Schedule] {
        import(&deployment, "user-1", &expired_credentials());
        deployment.provider.will_answer(Answer::token("new", None));
        let uid = stored(&deployment, "user-1", "uid");
        let gate = deployment.provider.gate.try_lock().unwrap();
        let answer = async {
            deployment.advance_seconds(2);
            drop(gate);
        };
        let (refresh, ()) = pollster::block_on(join(deployment.refresh(&uid, trigger), answer));
        refresh.unwrap();
    }
    let kept: Vec<_> = refreshes(&deployment, "user-1")
        .iter()
        .map(|log| json!([log["trigger"], log["started_at"], log["duration_ms"]]))
        .collect();
    let expected = json!([
        ["schedule", "2026-01-01T00:00:04.000Z", 2000],
        ["read", "2026-01-01T00:00:02.000Z", 2000],
        ["force", "2026-01-01T00:00:00.000Z", 2000],
    ]);
    assert_eq!(json!(kept), expected);
}

#[test]
fn attempts_are_counted_from_the_last_success() {
    let deployment = deployment_with_expired();
    let failed = || Answer::error(503, "temporarily_unavailable");
    for answer in [failed(), failed(), Answer::token("new", None), failed()] {
        deployment.provider.will_answer(answer);
        read(&deployment, "user-1", "&force_refresh=true");
        deployment.advance_seconds(1);
    }
    let attempts = refreshes(&deployment, "user-1");
    let numbers: Vec<_> = attempts.iter().map(|log| log["attempt"].clone()).collect();
    assert_eq!(json!(numbers), json!([1, 3, 2, 1]));
}

#[test]
fn readers_that_share_an_attempt_share_its_log() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::Html(500));
    let gate = deployment.provider.gate.try_lock().unwrap();
    let read = call("GET", TARGET);
    let reads = join_all((0..100).map(|_| read.send(&deployment)));
    let (answers, ()) = pollster::block_on(join(reads, async { drop(gate) }));
    let expected = json!([{"type": "auth", "log_id": only(&deployment)["id"]}]);
    for answer in answers {
        let shown = &answer.json()["error"]["payload"]["connection"];
        assert_eq!(shown["errors"], expected);
    }
}

#[test]
fn a_read_that_asks_nobody_leaves_no_log() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::Html(500));
    for _ in 0..3 {
        read(&deployment, "user-1", "");
    }
    only(&deployment);
}

#[test]
fn an_attempt_that_an_import_overtook_is_logged_all_the_same() {
    for (answer, outcome) in [
        (
            Answer::token("late", Some("late-refresh-token")),
            "refreshed",
        ),
        (Answer::error(400, "invalid_grant"), "invalid_grant"),
    ] {
        let deployment = deployment_with_expired();
        deployment.provider.will_answer(answer);
        let imported = call("POST", "/connections").body(&json!({
            "provider_config_key": "github", "connection_id": "user-1",
            "credentials": {
                "type": "OAUTH2", "access_token": "imported", "refresh_token": "another",
                "expires_at": "2027-01-01T00:00:00.000Z",
            },
        }));
        let gate = deployment.provider.gate.try_lock().unwrap();
        let overtake = async {
            imported.send(&deployment).await.ok();
            drop(gate);
        };
        let read = call("GET", TARGET);
        let (read, ()) = pollster::block_on(join(read.send(&deployment), overtake));
        assert_eq!(read.ok()["credentials"]["access_token"], "imported");
        assert_eq!(read.ok()["errors"], json!([]));
        assert_eq!(only(&deployment)["outcome"], outcome);
    }
}
