//! Refreshes of several requests: what an earlier one gave survives whatever the later ones do.

use std::{
    pin::pin,
    task::{Context, Waker},
};

use serde_json::{Value, json};

use crate::support::{
    client::{call, create_integration, expired_credentials, import},
    connections::{put_acme, read, refreshes, stored, verified_import, with},
    deployment::{Deployment, START},
    provider::Answer,
    refreshes::{TARGET, read_while, token, uid},
};

/// A provider whose refresh takes two requests: the second gives a token for `botToken`.
fn deployment_with_steps(step: &Value) -> Deployment {
    let deployment = Deployment::new();
    let step = with(
        json!({
            "token_url": "https://acme.example/second",
            "token_params": {"with": "${accessToken}", "client": "${clientId}"},
            "result": "connection_config.botToken",
        }),
        step,
    );
    put_acme(&deployment, &json!({ "refresh_steps": [step] }));
    create_integration(&deployment, "acme", "github");
    deployment
}

fn deployment_with_expired(step: &Value) -> Deployment {
    let deployment = deployment_with_steps(step);
    import(&deployment, "user-1", &expired_credentials());
    deployment
}

fn rotated() -> Answer {
    Answer::token("fake-new-token", Some("fake-rotated-token"))
}

/// A read in a process that dies while the second request is on its way.
fn die_between(deployment: &Deployment) {
    deployment.provider.will_answer(rotated());
    deployment.provider.will_answer(Answer::Never);
    let read = call("GET", TARGET);
    let mut reading = pin!(read.send(deployment));
    let mut context = Context::from_waker(Waker::noop());
    assert!(reading.as_mut().poll(&mut context).is_pending());
    assert_eq!(deployment.provider.seen().len(), 2);
}

fn entry(deployment: &Deployment) -> Value {
    let journal = deployment.journal(&uid(deployment));
    let entry = journal.entry.borrow().clone();
    entry.map_or(Value::Null, |entry| serde_json::from_str(&entry).unwrap())
}

#[test]
fn a_step_finds_the_token_that_it_rotated_in_what_is_kept_of_its_answer() {
    let deployment = deployment_with_steps(&json!({
        "token_params": {"with": "${raw.user.refresh}"},
        "token_response": {"token": "access", "refresh_token": "refresh"},
        "result": "raw.user",
    }));
    let raw = json!({"user": {"access": "fake-1", "refresh": "fake-refresh-1"}});
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({ "raw": raw }),
    );
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    for n in 2..4 {
        deployment
            .provider
            .will_answer(Answer::token("fake-new", None));
        let user = json!({"access": format!("fake-{n}"), "refresh": format!("fake-refresh-{n}")});
        deployment.provider.will_answer(Answer::Json(200, user));
        read(&deployment, "user-1", "").ok();
        deployment.advance_seconds(7200);
    }
    assert_eq!(deployment.provider.seen()[3].body, "with=fake-refresh-2");
}

#[test]
fn a_token_of_unknown_end_is_not_taken_to_live_as_long_as_that_of_a_step() {
    let deployment = Deployment::new();
    let step = json!({
        "token_url": "https://acme.example/second", "token_params": {"with": "${accessToken}"},
        "result": "connection_config.botToken",
    });
    let fields = json!({"refresh_steps": [step], "default_token_lifetime": 3600});
    put_acme(&deployment, &fields);
    create_integration(&deployment, "acme", "github");
    import(&deployment, "user-1", &expired_credentials());
    for answer in [
        json!({"access_token": "fake-new-token"}),
        json!({"access_token": "fake-bot", "expires_in": 86_400}),
    ] {
        deployment.provider.will_answer(Answer::Json(200, answer));
    }
    let credentials = &read(&deployment, "user-1", "").ok()["credentials"];
    assert_eq!(credentials["expires_at"], "2026-01-01T01:00:00.000Z");
}

#[test]
fn all_requests_of_a_refresh_are_made_in_turn() {
    let deployment = deployment_with_expired(&json!({}));
    deployment.provider.will_answer(rotated());
    deployment
        .provider
        .will_answer(Answer::token("fake-bot", None));
    let connection = read(&deployment, "user-1", "").ok();
    assert_eq!(connection["credentials"]["access_token"], "fake-new-token");
    let bot = &connection["connection_config"]["botToken"];
    assert_eq!(bot["access_token"], "fake-bot");
    let seen = deployment.provider.seen();
    assert_eq!(seen[1].url, "https://acme.example/second");
    assert_eq!(seen[1].body, "with=fake-new-token&client=fake-client");
    assert_eq!(entry(&deployment), Value::Null);
}

#[test]
fn the_rotated_token_is_durable_before_the_next_request_is_sent() {
    let deployment = deployment_with_expired(&json!({}));
    die_between(&deployment);
    let pair = &entry(&deployment)["pair"];
    assert_eq!(pair["shortfall"]["outcome"], "unknown");
    // Due again in half a minute, and taken for cut off once the request has had its time.
    assert_eq!(pair["schedule"]["due_at"], START + 30_000);
    let wake_at = deployment.journal(&uid(&deployment)).wake_at.get();
    assert_eq!(wake_at.unwrap().millis(), START + 30_000);
}

#[test]
fn a_refresh_that_is_cut_off_between_its_requests_keeps_the_rotated_token() {
    let deployment = deployment_with_expired(&json!({}));
    die_between(&deployment);
    deployment.ring_alarm(&uid(&deployment)).unwrap();

    assert_eq!(entry(&deployment), Value::Null);
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    let credentials = &connection["credentials"];
    assert_eq!(credentials["refresh_token"], "fake-rotated-token");
    let log = &refreshes(&deployment, "user-1")[0];
    assert_eq!(log["outcome"], "unknown");
    assert_eq!(
        log["error"],
        "the attempt was cut off between its requests: what the earlier ones gave was kept"
    );

    // Half a minute later all requests are made again, with the rotated token.
    deployment.advance_seconds(30);
    deployment.provider.will_answer(rotated());
    deployment
        .provider
        .will_answer(Answer::token("fake-bot", None));
    read(&deployment, "user-1", "").ok();
    let sent = &deployment.provider.seen()[2].body;
    assert!(sent.contains("refresh_token=fake-rotated-token"), "{sent}");
}

#[test]
fn a_failure_of_a_later_request_keeps_what_the_earlier_ones_gave() {
    let deployment = deployment_with_expired(&json!({}));
    deployment.provider.will_answer(rotated());
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    let credentials = &connection["credentials"];
    assert_eq!(credentials["access_token"], "fake-new-token");
    assert_eq!(credentials["refresh_token"], "fake-rotated-token");
    let log = &refreshes(&deployment, "user-1")[0];
    assert_eq!(log["outcome"], "invalid_grant");
    assert_eq!(connection["errors"][0]["log_id"], log["id"]);
    // The grant works, so it is not given up.
    assert_eq!(
        stored(&deployment, "user-1", "refresh_exhausted_at is null"),
        "1"
    );
    assert_eq!(
        stored(&deployment, "user-1", "refresh_due_at"),
        "1767225630000"
    );
    assert_eq!(stored(&deployment, "user-1", "refresh_failures"), "1");
}

#[test]
fn failures_of_a_later_request_add_up() {
    let deployment = deployment_with_expired(&json!({}));
    for failures in ["1", "2"] {
        deployment.provider.will_answer(rotated());
        deployment.provider.will_answer(Answer::Html(500));
        read(&deployment, "user-1", "").ok();
        assert_eq!(stored(&deployment, "user-1", "refresh_failures"), failures);
        deployment.advance_seconds(120);
    }
}

#[test]
fn a_secret_that_was_issued_just_now_is_masked_in_what_a_later_request_is_told() {
    let deployment = deployment_with_expired(&json!({}));
    deployment.provider.will_answer(rotated());
    let said = json!({"error": "x", "error_description": "bad fake-new-token"});
    deployment.provider.will_answer(Answer::Json(400, said));
    read(&deployment, "user-1", "").ok();
    let log = refreshes(&deployment, "user-1").remove(0).to_string();
    assert!(
        log.contains("bad ***") && !log.contains("fake-new-token"),
        "{log}"
    );
}

#[test]
fn no_further_request_is_sent_if_the_rotated_token_cannot_be_kept() {
    let deployment = deployment_with_expired(&json!({}));
    deployment.provider.will_answer(rotated());
    let answer = read_while(&deployment, async || {
        deployment.journal(&uid(&deployment)).is_broken.set(true);
    });
    assert_eq!(token(&answer), "fake-new-token");
    assert_eq!(deployment.provider.seen().len(), 1);
    // The database is the only place left for it.
    deployment.journal(&uid(&deployment)).is_broken.set(false);
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    assert_eq!(
        connection["credentials"]["refresh_token"],
        "fake-rotated-token"
    );
}

#[test]
fn the_failure_of_an_optional_request_is_none() {
    let deployment = deployment_with_expired(&json!({"optional": true}));
    deployment.provider.will_answer(rotated());
    deployment.provider.will_answer(Answer::Html(500));
    let connection = read(&deployment, "user-1", "").ok();
    assert_eq!(connection["credentials"]["access_token"], "fake-new-token");
    assert_eq!(connection["errors"], json!([]));
    assert_eq!(refreshes(&deployment, "user-1")[0]["outcome"], "refreshed");
}

#[test]
fn until_a_request_brings_the_access_token_the_old_one_stays() {
    let step = json!({"result": "access_token", "token_response": {"token": "session"}});
    let deployment = deployment_with_expired(&step);
    deployment.provider.will_answer(rotated());
    deployment.provider.will_answer(Answer::Html(500));
    // It has ended.
    assert_eq!(read(&deployment, "user-1", "").status, 400);
    deployment.advance_seconds(60);
    deployment.provider.will_answer(rotated());
    let session = json!({"session": "fake-session"});
    deployment.provider.will_answer(Answer::Json(200, session));
    assert_eq!(token(&read(&deployment, "user-1", "")), "fake-session");
    let sent = &deployment.provider.seen()[2].body;
    assert!(sent.contains("refresh_token=fake-rotated-token"), "{sent}");
}

#[test]
fn the_token_that_a_later_request_rotates_takes_the_place_of_the_one_it_sent() {
    let step = json!({"token_params": {"refresh_token": "${refreshToken}"}});
    let deployment = deployment_with_expired(&step);
    deployment.provider.will_answer(rotated());
    deployment
        .provider
        .will_answer(Answer::token("fake-bot", Some("fake-third-token")));
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    assert_eq!(
        deployment.provider.seen()[1].body,
        "refresh_token=fake-rotated-token"
    );
    assert_eq!(
        connection["credentials"]["refresh_token"],
        "fake-third-token"
    );
}

#[test]
fn a_token_in_an_earlier_answer_that_was_used_is_not_sent_again() {
    let step = json!({
        "token_params": {"refresh_token": "${raw.user.refresh_token}"},
        "result": "raw.user",
        "optional": true,
    });
    let deployment = deployment_with_steps(&step);
    let raw = json!({"user": {"refresh_token": "fake-refresh-token"}});
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({ "raw": raw }),
    );
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment.provider.will_answer(rotated());
    read(&deployment, "user-1", "").ok();
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_verified_import_that_is_cut_off_between_its_requests_keeps_the_rotated_token() {
    let deployment = deployment_with_steps(&json!({}));
    deployment.provider.will_answer(rotated());
    deployment.provider.will_answer(Answer::Never);
    {
        let import = verified_import("user-1", &json!({}));
        let mut importing = pin!(import.send(&deployment));
        let mut context = Context::from_waker(Waker::noop());
        assert!(importing.as_mut().poll(&mut context).is_pending());
    }
    let object = deployment.keepers().remove(0);
    deployment.ring_alarm(&object).unwrap();
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    let credentials = &connection["credentials"];
    assert_eq!(credentials["refresh_token"], "fake-rotated-token");
    assert_eq!(refreshes(&deployment, "user-1")[0]["outcome"], "unknown");
}

#[test]
fn an_import_that_is_verified_halfway_is_stored_with_the_rotated_token() {
    let deployment = deployment_with_steps(&json!({}));
    deployment.provider.will_answer(rotated());
    deployment.provider.will_answer(Answer::Html(500));
    verified_import("user-1", &json!({})).run(&deployment).ok();
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    assert_eq!(
        connection["credentials"]["refresh_token"],
        "fake-rotated-token"
    );
    assert_eq!(
        stored(&deployment, "user-1", "refresh_due_at"),
        "1767225630000"
    );
    assert_eq!(
        refreshes(&deployment, "user-1")[0]["outcome"],
        "provider_error"
    );
}
