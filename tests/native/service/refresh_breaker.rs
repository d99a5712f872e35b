//! A provider that fails for one connection of an integration after another is left alone for a
//! while.

use holdfast::{
    domain::{refresh::Trigger, timestamp::Timestamp},
    service::{
        keep_alive::keep_alive,
        ports::{RefreshReply, Refresher},
    },
};
use serde_json::{Value, json};

use crate::support::{
    client::{
        Answered, call, create_integration, deployment_with_github, expired_credentials, import,
    },
    connections::{put_acme, read, stored, with},
    deployment::{Deployment, START},
    provider::Answer,
};

const BACKING_OFF: &str = "A recent refresh attempt failed. Backing off before retrying.";

/// Imports `name`, whose token has ended.
fn import_expired(deployment: &Deployment, name: &str) {
    import(deployment, name, &expired_credentials());
}

/// Imports `name`, whose token is due and works for another ten minutes.
fn import_due(deployment: &Deployment, name: &str) {
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({"expires_at": "2026-01-01T00:10:00Z"}),
    );
    import(deployment, name, &json!({ "credentials": credentials }));
}

/// Reads a new connection, whose refresh gets `answer`.
#[track_caller]
fn read_new(deployment: &Deployment, answer: Answer) -> Answered {
    let asked = deployment.provider.seen().len();
    let name = format!("c{asked}");
    import_expired(deployment, &name);
    deployment.provider.will_answer(answer);
    let read = read(deployment, &name, "");
    assert_eq!(deployment.provider.seen().len(), asked + 1, "{}", read.text);
    read
}

/// Lets the refreshes of so many new connections fail.
#[track_caller]
fn fail(deployment: &Deployment, times: usize) {
    for _ in 0..times {
        assert_eq!(read_new(deployment, Answer::Html(503)).status, 400);
    }
}

/// A deployment whose integration `github` is paused from the start of the clock, with nine
/// failures and one.
fn paused() -> Deployment {
    let deployment = deployment_with_github();
    fail(&deployment, 10);
    deployment
}

/// Expects that the provider is not asked for `name`, and gives the answer.
#[track_caller]
fn read_unasked(deployment: &Deployment, name: &str) -> Answered {
    let asked = deployment.provider.seen().len();
    let answer = read(deployment, name, "");
    assert_eq!(deployment.provider.seen().len(), asked);
    answer
}

fn access_token(answer: &Answered) -> Value {
    answer.ok()["credentials"]["access_token"].clone()
}

#[test]
fn after_ten_failures_in_a_row_no_connection_of_the_integration_is_refreshed() {
    let deployment = paused();
    import_expired(&deployment, "other");
    let answer = read_unasked(&deployment, "other");
    assert_eq!(answer.status, 424, "{}", answer.text);
    assert_eq!(answer.json()["error"]["code"], "invalid_credentials");
    assert_eq!(answer.json()["error"]["message"], BACKING_OFF);
}

#[test]
fn nine_failures_pause_nothing() {
    let deployment = deployment_with_github();
    fail(&deployment, 9);
    assert_eq!(
        access_token(&read_new(&deployment, Answer::token("new", None))),
        "new"
    );
}

#[test]
fn the_pause_ends_after_half_a_minute() {
    let deployment = paused();
    import_expired(&deployment, "other");
    deployment.advance_seconds(29);
    assert_eq!(read_unasked(&deployment, "other").status, 424);
    deployment.advance_seconds(1);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(access_token(&read(&deployment, "other", "")), "new");
}

#[test]
fn a_provider_that_fails_again_after_the_pause_is_left_alone_at_once() {
    let deployment = paused();
    deployment.advance_seconds(30);
    fail(&deployment, 1);
    import_expired(&deployment, "other");
    assert_eq!(read_unasked(&deployment, "other").status, 424);
}

#[test]
fn a_token_that_still_works_is_handed_out_during_the_pause() {
    let deployment = paused();
    import_due(&deployment, "due");
    let answer = read_unasked(&deployment, "due");
    assert_eq!(access_token(&answer), "fake-old-token");
}

#[test]
fn a_pause_is_no_failure_of_the_connections_that_wait() {
    let deployment = paused();
    import_due(&deployment, "due");
    read_unasked(&deployment, "due").ok();
    assert_eq!(stored(&deployment, "due", "refresh_failures"), "0");
}

/// Else it would be told that the provider, which nobody asked, returned an error.
#[test]
fn a_caller_that_read_the_integration_before_its_pause_is_told_of_it() {
    let deployment = paused();
    import_expired(&deployment, "other");
    let uid = stored(&deployment, "other", "uid");
    let reply = pollster::block_on(deployment.refresh(&uid, Trigger::Read)).unwrap();
    let RefreshReply::Unchanged { connection } = reply else {
        panic!("{reply:?}");
    };
    let ends_at = Timestamp::from_millis(START + 30_000);
    assert_eq!(connection.history.retry_at, Some(ends_at));
}

#[test]
fn a_forced_refresh_is_attempted_during_the_pause_and_its_success_ends_it() {
    let deployment = paused();
    for name in ["forced", "other"] {
        import_expired(&deployment, name);
        deployment.provider.will_answer(Answer::token("new", None));
    }
    let forced = read(&deployment, "forced", "&force_refresh=true");
    assert_eq!(access_token(&forced), "new");
    assert_eq!(access_token(&read(&deployment, "other", "")), "new");
}

#[test]
fn forced_refreshes_that_fail_pause_nothing_because_one_connection_can_have_many() {
    let deployment = deployment_with_github();
    for name in ["forced", "other"] {
        import_expired(&deployment, name);
    }
    for _ in 0..20 {
        deployment.provider.will_answer(Answer::Html(503));
        read(&deployment, "forced", "&force_refresh=true");
    }
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(access_token(&read(&deployment, "other", "")), "new");
}

#[test]
fn another_integration_of_the_same_provider_is_not_paused() {
    let deployment = paused();
    create_integration(&deployment, "github", "other");
    let fields = with(
        expired_credentials(),
        &json!({"provider_config_key": "other"}),
    );
    import(&deployment, "user-1", &fields);
    deployment.provider.will_answer(Answer::token("new", None));
    let answer = call("GET", "/connections/user-1?provider_config_key=other").run(&deployment);
    assert_eq!(access_token(&answer), "new");
}

#[test]
fn an_answer_of_the_provider_begins_a_new_row() {
    for (answer, status) in [
        (Answer::token("new", None), 200),
        (Answer::error(400, "invalid_grant"), 400),
    ] {
        let deployment = deployment_with_github();
        fail(&deployment, 9);
        assert_eq!(read_new(&deployment, answer).status, status);
        fail(&deployment, 10);
        import_expired(&deployment, "other");
        assert_eq!(read_unasked(&deployment, "other").status, 424);
    }
}

#[test]
fn failures_of_more_than_a_minute_are_not_in_a_row() {
    let deployment = deployment_with_github();
    fail(&deployment, 9);
    deployment.advance_seconds(60);
    fail(&deployment, 9);
    deployment.advance_seconds(59);
    fail(&deployment, 1);
    import_expired(&deployment, "other");
    assert_eq!(read_unasked(&deployment, "other").status, 424);
}

#[test]
fn a_few_failures_a_minute_pause_nothing() {
    let deployment = deployment_with_github();
    for _ in 0..30 {
        fail(&deployment, 1);
        deployment.advance_seconds(7);
    }
}

#[test]
fn attempts_that_never_reached_the_provider_pause_nothing() {
    let deployment = Deployment::new();
    let unsupported = json!({"token_request_auth_method": "private_key_jwt"});
    put_acme(&deployment, &json!({}));
    create_integration(&deployment, "acme", "github");
    put_acme(&deployment, &unsupported);
    for n in 0..12 {
        let name = format!("c{n}");
        import_expired(&deployment, &name);
        let answer = read_unasked(&deployment, &name);
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
}

#[test]
fn failures_of_scheduled_refreshes_count_too() {
    let deployment = deployment_with_github();
    for n in 0..10 {
        import_due(&deployment, &format!("due-{n}"));
        deployment.provider.will_answer(Answer::Html(503));
    }
    let run = pollster::block_on(keep_alive(&deployment));
    assert_eq!(json!(run.outcomes), json!({"failed": 10}));
    import_expired(&deployment, "other");
    assert_eq!(read_unasked(&deployment, "other").status, 424);
}
