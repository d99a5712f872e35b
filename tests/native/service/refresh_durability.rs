//! New credentials that reached us are kept, whatever breaks afterwards.

use serde_json::{Value, json};

use crate::support::{
    client::call,
    connections::{read, stored},
    deployment::{Deployment, START},
    provider::Answer,
    refreshes::{
        TARGET, deployment_with_due, deployment_with_expired, deployment_with_waiting_pair,
        read_while, token, uid,
    },
};

fn entry(deployment: &Deployment) -> Option<String> {
    deployment.journal(&uid(deployment)).entry.borrow().clone()
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
    let deployment = deployment_with_due();
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
fn a_failure_that_the_database_did_not_take_leaves_a_working_token_in_use() {
    let deployment = deployment_with_due();
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
