//! New credentials that reached us are kept, whatever breaks afterwards.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{
    client::{
        Answered, Call, call, create_integration, deployment_with_github, expired_credentials,
        import,
    },
    connections::{put_acme, read, stored, with},
    deployment::{Deployment, START},
    provider::Answer,
};

const TARGET: &str = "/connections/user-1?provider_config_key=github";

fn deployment_with_expired() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment
}

/// Reads `user-1`, and does `meanwhile` while the provider is asked.
fn read_while(deployment: &Deployment, meanwhile: impl AsyncFnOnce()) -> Answered {
    let gate = deployment.provider.gate.try_lock().unwrap();
    let read = call("GET", TARGET);
    let meanwhile = async {
        assert_eq!(deployment.provider.seen().len(), 1);
        meanwhile().await;
        drop(gate);
    };
    pollster::block_on(join(read.send(deployment), meanwhile)).0
}

fn token(answer: &Answered) -> Value {
    answer.ok()["credentials"]["access_token"].clone()
}

fn uid(deployment: &Deployment) -> String {
    stored(deployment, "user-1", "uid")
}

fn entry(deployment: &Deployment) -> Option<String> {
    deployment.journal(&uid(deployment)).entry.borrow().clone()
}

/// A deployment whose database failed in the refresh object after the provider rotated the token.
fn deployment_with_waiting_pair() -> Deployment {
    let deployment = deployment_with_expired();
    let answer = Answer::token("fake-new-token", Some("fake-rotated-token"));
    deployment.provider.will_answer(answer);
    let answer = read_while(&deployment, async || {
        deployment.database_is_down_in_refresh.set(true);
    });
    assert_eq!(token(&answer), "fake-new-token");
    deployment
}

fn reimport(refresh_token: &str) -> Call {
    let credentials = json!({
        "type": "OAUTH2", "access_token": "imported", "refresh_token": refresh_token,
        "expires_at": "2025-12-31T23:30:00.000Z",
    });
    call("POST", "/connections").body(&json!({
        "provider_config_key": "github", "connection_id": "user-1", "credentials": credentials,
        "metadata": {"of": "import"},
    }))
}

#[test]
fn the_intent_is_kept_before_the_provider_is_asked_and_gone_after_the_answer() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("new", None));
    read_while(&deployment, async || {
        let entry: Value = serde_json::from_str(&entry(&deployment).unwrap()).unwrap();
        assert_eq!(entry["intent"]["uid"], uid(&deployment));
        assert_eq!(entry["intent"]["credentials_version"], 1);
        let wake_at = deployment.journal(&uid(&deployment)).wake_at.get();
        assert_eq!(wake_at.unwrap().millis(), START + 30_000);
    })
    .ok();
    assert_eq!(entry(&deployment), None);
    assert_eq!(deployment.journal(&uid(&deployment)).wake_at.get(), None);
}

#[test]
fn nothing_is_kept_after_a_failure() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::Html(500));
    assert_eq!(read(&deployment, "user-1", "").status, 400);
    assert_eq!(entry(&deployment), None);
}

#[test]
fn a_single_use_token_is_not_sent_if_nothing_could_be_kept_of_the_answer() {
    let deployment = deployment_with_expired();
    deployment.journal(&uid(&deployment)).is_broken.set(true);
    assert_eq!(read(&deployment, "user-1", "").status, 500);
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn a_token_that_still_works_is_handed_out_though_the_object_is_broken() {
    let deployment = deployment_with_github();
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({"expires_at": "2026-01-01T00:10:00.000Z"}),
    );
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment.journal(&uid(&deployment)).is_broken.set(true);
    assert_eq!(token(&read(&deployment, "user-1", "")), "fake-old-token");
    assert_eq!(deployment.troubles.borrow().len(), 1);
}

#[test]
fn a_pair_that_the_database_did_not_take_is_handed_out_and_kept_sealed() {
    let deployment = deployment_with_waiting_pair();
    let entry = entry(&deployment).unwrap();
    assert!(entry.starts_with(r#"{"pair":"#), "{entry}");
    for secret in ["fake-new-token", "fake-rotated-token", "fake-refresh-token"] {
        assert!(!entry.contains(secret), "{entry}");
    }
    assert_eq!(stored(&deployment, "user-1", "credentials_version"), "1");
}

#[test]
fn a_pair_that_waits_is_handed_out_again_without_asking_the_provider() {
    let deployment = deployment_with_waiting_pair();
    for options in ["", "&force_refresh=true"] {
        let answer = read(&deployment, "user-1", options);
        assert_eq!(token(&answer), "fake-new-token");
    }
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_pair_that_waited_too_long_is_not_handed_out() {
    let deployment = deployment_with_waiting_pair();
    deployment.advance_seconds(3600);
    assert_eq!(read(&deployment, "user-1", "").status, 424);
}

#[test]
fn the_alarm_brings_a_waiting_pair_into_the_database() {
    let deployment = deployment_with_waiting_pair();
    deployment.database_is_down_in_refresh.set(false);
    deployment.advance_seconds(5);
    deployment.ring_alarm(&uid(&deployment)).unwrap();
    assert_eq!(entry(&deployment), None);
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    let credentials = &connection["credentials"];
    assert_eq!(credentials["access_token"], "fake-new-token");
    assert_eq!(credentials["refresh_token"], "fake-rotated-token");
    assert_eq!(stored(&deployment, "user-1", "credentials_version"), "2");
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn the_alarm_tries_again_and_waits_longer_each_time() {
    let deployment = deployment_with_waiting_pair();
    let uid = uid(&deployment);
    let mut waits = Vec::new();
    for _ in 0..10 {
        let wake_at = deployment.journal(&uid).wake_at.get().unwrap();
        waits.push((wake_at.millis() - START) / 1000);
        deployment.ring_alarm(&uid).unwrap();
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 640, 640, 640]);
}

#[test]
fn a_read_brings_a_waiting_pair_into_the_database() {
    let deployment = deployment_with_waiting_pair();
    deployment.database_is_down_in_refresh.set(false);
    assert_eq!(token(&read(&deployment, "user-1", "")), "fake-new-token");
    assert_eq!(stored(&deployment, "user-1", "credentials_version"), "2");
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_forced_refresh_sends_the_token_of_the_pair_that_waited() {
    let deployment = deployment_with_waiting_pair();
    deployment.database_is_down_in_refresh.set(false);
    deployment
        .provider
        .will_answer(Answer::token("third", None));
    assert_eq!(
        token(&read(&deployment, "user-1", "&force_refresh=true")),
        "third"
    );
    let sent = &deployment.provider.seen()[1].body;
    assert!(sent.contains("refresh_token=fake-rotated-token"), "{sent}");
}

#[test]
fn a_pair_whose_connection_is_deleted_while_it_waits_is_dropped() {
    let deployment = deployment_with_waiting_pair();
    let uid = uid(&deployment);
    call("DELETE", TARGET).run(&deployment).ok();
    deployment.database_is_down_in_refresh.set(false);
    deployment.ring_alarm(&uid).unwrap();
    assert_eq!(*deployment.journal(&uid).entry.borrow(), None);
    assert_eq!(read(&deployment, "user-1", "").status, 404);
}

/// A deployment with an expired connection at a provider that has a place to revoke tokens.
fn deployment_with_revocation() -> Deployment {
    let deployment = Deployment::new();
    let fields = json!({"revocation_url": "https://acme.example/revoke"});
    put_acme(&deployment, &fields);
    create_integration(&deployment, "acme", "github");
    import(&deployment, "user-1", &expired_credentials());
    let answer = Answer::token("fake-new-token", Some("fake-rotated-token"));
    deployment.provider.will_answer(answer);
    deployment
        .provider
        .will_answer(Answer::Json(200, json!({})));
    deployment
}

#[track_caller]
fn rotated_token_was_revoked(deployment: &Deployment) {
    let revocation = &deployment.provider.seen()[1];
    assert_eq!(revocation.url, "https://acme.example/revoke");
    let sent = &revocation.body;
    assert!(sent.contains("token=fake-rotated-token"), "{sent}");
}

#[test]
fn a_pair_that_arrives_for_a_deleted_connection_is_revoked() {
    let deployment = deployment_with_revocation();
    let answer = read_while(&deployment, async || {
        call("DELETE", TARGET).send(&deployment).await.ok();
    });
    assert_eq!(answer.status, 404, "{}", answer.text);
    rotated_token_was_revoked(&deployment);
}

#[test]
fn a_refresh_token_that_was_not_rotated_is_not_revoked_since_others_may_know_it() {
    let deployment = deployment_with_revocation();
    deployment.provider.forget_answers();
    deployment.provider.will_answer(Answer::token("new", None));
    let answer = read_while(&deployment, async || {
        call("DELETE", TARGET).send(&deployment).await.ok();
    });
    assert_eq!(answer.status, 404, "{}", answer.text);
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_grant_that_was_imported_anew_is_not_revoked() {
    let deployment = deployment_with_revocation();
    let answer = read_while(&deployment, async || {
        call("DELETE", TARGET).send(&deployment).await.ok();
        reimport("fake-refresh-token").send(&deployment).await.ok();
    });
    assert_eq!(answer.status, 404, "{}", answer.text);
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_pair_that_waits_for_a_deleted_connection_is_revoked() {
    let deployment = deployment_with_revocation();
    read_while(&deployment, async || {
        deployment.database_is_down_in_refresh.set(true);
    });
    let uid = uid(&deployment);
    call("DELETE", TARGET).run(&deployment).ok();
    deployment.database_is_down_in_refresh.set(false);
    deployment.ring_alarm(&uid).unwrap();
    rotated_token_was_revoked(&deployment);
}

#[test]
fn a_rotated_pair_goes_over_an_import_of_the_token_that_it_replaces() {
    let deployment = deployment_with_expired();
    let answer = Answer::token("fake-new-token", Some("fake-rotated-token"));
    deployment.provider.will_answer(answer);
    let answer = read_while(&deployment, async || {
        reimport("fake-refresh-token").send(&deployment).await.ok();
    });
    assert_eq!(token(&answer), "fake-new-token");
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    assert_eq!(
        connection["credentials"]["refresh_token"],
        "fake-rotated-token"
    );
    assert_eq!(connection["metadata"], json!({"of": "import"}));
    assert_eq!(stored(&deployment, "user-1", "credentials_version"), "3");
}

#[test]
fn a_rotated_pair_leaves_the_client_of_the_import_that_it_goes_over() {
    let deployment = deployment_with_expired();
    let answer = Answer::token("fake-new-token", Some("fake-rotated-token"));
    deployment.provider.will_answer(answer);
    let client = json!({"client_id": "own", "client_secret": "fake-own-secret"});
    read_while(&deployment, async || {
        let credentials = json!({
            "type": "OAUTH2", "access_token": "imported", "refresh_token": "fake-refresh-token",
            "config_override": client,
        });
        let body = json!({
            "provider_config_key": "github", "connection_id": "user-1", "credentials": credentials,
        });
        let import = call("POST", "/connections").body(&body);
        import.send(&deployment).await.ok();
    })
    .ok();
    let credentials = &read(&deployment, "user-1", "&refresh_token=true").ok()["credentials"];
    assert_eq!(credentials["refresh_token"], "fake-rotated-token");
    assert_eq!(credentials["config_override"], client);
}

#[test]
fn a_pair_that_lands_late_does_not_set_the_time_of_the_last_change_back() {
    let deployment = deployment_with_waiting_pair();
    deployment.advance_seconds(60);
    let patch = json!({"tags": {"a": "b"}});
    call("PATCH", TARGET).body(&patch).run(&deployment).ok();
    let changed = stored(&deployment, "user-1", "updated_at");
    deployment.database_is_down_in_refresh.set(false);
    deployment.ring_alarm(&uid(&deployment)).unwrap();
    assert_eq!(stored(&deployment, "user-1", "credentials_version"), "2");
    assert_eq!(stored(&deployment, "user-1", "updated_at"), changed);
}

#[test]
fn a_waiting_pair_goes_over_an_import_of_the_token_that_it_replaces() {
    let deployment = deployment_with_waiting_pair();
    reimport("fake-refresh-token").run(&deployment).ok();
    deployment.database_is_down_in_refresh.set(false);
    deployment.ring_alarm(&uid(&deployment)).unwrap();
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    assert_eq!(
        connection["credentials"]["refresh_token"],
        "fake-rotated-token"
    );
}

#[test]
fn a_waiting_pair_gives_way_to_an_import_of_another_token() {
    let deployment = deployment_with_waiting_pair();
    reimport("fake-other-token").run(&deployment).ok();
    deployment.database_is_down_in_refresh.set(false);
    deployment.ring_alarm(&uid(&deployment)).unwrap();
    assert_eq!(entry(&deployment), None);
    assert_eq!(stored(&deployment, "user-1", "credentials_version"), "2");
}

#[test]
fn an_answer_without_a_new_refresh_token_gives_way_to_any_import() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("late", None));
    read_while(&deployment, async || {
        let fresh = json!({
            "type": "OAUTH2", "access_token": "imported", "refresh_token": "fake-refresh-token",
            "expires_at": "2027-01-01T00:00:00.000Z",
        });
        let body = json!({
            "provider_config_key": "github", "connection_id": "user-1", "credentials": fresh,
        });
        call("POST", "/connections")
            .body(&body)
            .send(&deployment)
            .await
            .ok();
    });
    assert_eq!(token(&read(&deployment, "user-1", "")), "imported");
}

#[test]
fn a_dead_grant_stays_dead_though_it_was_imported_again_meanwhile() {
    let deployment = deployment_with_expired();
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    let answer = read_while(&deployment, async || {
        reimport("fake-refresh-token").send(&deployment).await.ok();
    });
    assert_eq!(answer.status, 400, "{}", answer.text);
    let exhausted = stored(&deployment, "user-1", "refresh_exhausted_at is not null");
    assert_eq!(exhausted, "1");
}

#[test]
fn a_failure_that_the_database_did_not_take_leaves_a_working_token_in_use() {
    let deployment = deployment_with_github();
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({"expires_at": "2026-01-01T00:10:00.000Z"}),
    );
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment.provider.will_answer(Answer::Html(500));
    let answer = read_while(&deployment, async || {
        deployment.database_is_down_in_refresh.set(true);
    });
    assert_eq!(token(&answer), "fake-old-token");
    assert_eq!(entry(&deployment), None);
}

#[test]
fn a_pair_is_handed_out_though_neither_journal_nor_database_takes_it() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("new", None));
    let answer = read_while(&deployment, async || {
        deployment.journal(&uid(&deployment)).is_broken.set(true);
        deployment.database_is_down_in_refresh.set(true);
    });
    assert_eq!(token(&answer), "new");
}
