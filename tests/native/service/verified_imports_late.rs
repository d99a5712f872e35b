//! A verified import that the database does not take at first.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github, expired_credentials, import},
    connections::{read, stored, verified_import},
    deployment::Deployment,
    provider::Answer,
};

const TARGET: &str = "/connections/user-1?provider_config_key=github";

/// Verifies an import of `user-1` while the database fails in the refresh object. Gives the
/// answer, and the name of that object.
fn verify_while_down(deployment: &Deployment) -> (Answered, String) {
    let answer = Answer::token("fake-new-token", Some("fake-rotated-token"));
    deployment.provider.will_answer(answer);
    let gate = deployment.provider.gate.try_lock().unwrap();
    let import = verified_import("user-1", &json!({"metadata": {"of": "import"}}));
    let meanwhile = async {
        deployment.database_is_down_in_refresh.set(true);
        drop(gate);
    };
    let (answer, ()) = pollster::block_on(join(import.send(deployment), meanwhile));
    assert_eq!(answer.status, 503, "{}", answer.text);
    let keepers = deployment.keepers();
    assert_eq!(keepers.len(), 1);
    (answer, keepers[0].clone())
}

/// Lets the alarm go off while the database works.
fn ring(deployment: &Deployment, uid: &str) {
    deployment.database_is_down_in_refresh.set(false);
    deployment.advance_seconds(5);
    deployment.ring_alarm(uid).unwrap();
    assert_eq!(deployment.keepers(), Vec::<String>::new());
}

fn token(deployment: &Deployment) -> Value {
    read(deployment, "user-1", "&refresh_token=1").ok()["credentials"]["refresh_token"].clone()
}

fn connections(deployment: &Deployment) -> String {
    deployment.database.text("select count(*) from connection")
}

#[test]
fn the_caller_is_told_that_the_credentials_are_verified_and_not_stored_yet() {
    let deployment = deployment_with_github();
    let (answer, uid) = verify_while_down(&deployment);
    let expected = json!({"error": {
        "code": "import_pending",
        "message":
            "The credentials were verified, and will be stored as soon as the database is back",
        "payload": {"connection_id": "user-1"},
    }});
    assert_eq!(answer.json(), expected);
    assert_eq!(connections(&deployment), "0");
    let journal = deployment.journal(&uid);
    let entry = journal.entry.borrow().clone().unwrap();
    for text in [&answer.text, &answer.log, &entry] {
        assert!(!text.contains("fake"), "{text}");
    }
}

#[test]
fn the_alarm_stores_what_was_verified() {
    let deployment = deployment_with_github();
    let (_, uid) = verify_while_down(&deployment);
    ring(&deployment, &uid);
    assert_eq!(token(&deployment), "fake-rotated-token");
    assert_eq!(stored(&deployment, "user-1", "created_at"), "1767225600000");
    let log = deployment
        .database
        .text("select json_array(trigger, outcome) from refresh_log");
    assert_eq!(log, r#"["import","refreshed"]"#);
    assert_eq!(deployment.provider.seen().len(), 1);
    assert_eq!(
        deployment.troubles.borrow().len(),
        1,
        "that the database failed"
    );
}

#[test]
fn an_alarm_that_finds_the_database_still_down_keeps_what_was_verified() {
    let deployment = deployment_with_github();
    let (_, uid) = verify_while_down(&deployment);
    deployment.ring_alarm(&uid).unwrap_err();
    assert_eq!(deployment.keepers(), [uid]);
}

#[test]
fn it_takes_the_place_of_an_earlier_connection_before_that_is_refreshed_again() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment.advance_seconds(1);
    let (_, object) = verify_while_down(&deployment);
    assert_eq!(stored(&deployment, "user-1", "uid"), object);
    deployment.database_is_down_in_refresh.set(false);
    assert_eq!(token(&deployment), "fake-rotated-token");
    assert_eq!(deployment.provider.seen().len(), 1);
}

/// The database may have taken an import though its answer was lost.
#[test]
fn it_is_stored_once() {
    let deployment = deployment_with_github();
    let (_, uid) = verify_while_down(&deployment);
    let journal = deployment.journal(&uid);
    let (entry, wake_at) = (journal.entry.borrow().clone(), journal.wake_at.get());
    ring(&deployment, &uid);
    let change = json!({
        "connection_id": "user-1", "provider_config_key": "github", "metadata": {"of": "caller"},
    });
    call("POST", "/connections/metadata")
        .body(&change)
        .run(&deployment)
        .done();
    let before = deployment.database.dump();
    journal.entry.replace(entry);
    journal.wake_at.set(wake_at);
    ring(&deployment, &uid);
    assert_eq!(deployment.database.dump(), before);
    assert_eq!(
        deployment.troubles.borrow().len(),
        1,
        "that the database failed"
    );
}

#[test]
fn a_later_import_stands() {
    for exists in [false, true] {
        let deployment = deployment_with_github();
        if exists {
            import(&deployment, "user-1", &expired_credentials());
            deployment.advance_seconds(1);
        }
        let (_, uid) = verify_while_down(&deployment);
        deployment.advance_seconds(1);
        let credentials = json!({
            "type": "OAUTH2", "access_token": "later", "refresh_token": "fake-later-token",
            "expires_at": "2027-01-01T00:00:00Z",
        });
        import(
            &deployment,
            "user-1",
            &json!({ "credentials": credentials }),
        );
        ring(&deployment, &uid);
        assert_eq!(token(&deployment), "fake-later-token");
        let logs = deployment.database.text("select count(*) from refresh_log");
        assert_eq!(logs, "0", "the later import was not verified");
        let reported = deployment.troubles.borrow()[1].clone();
        assert!(reported.contains("imported again or deleted"), "{reported}");
    }
}

#[test]
fn a_connection_that_is_deleted_meanwhile_stays_deleted() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment.advance_seconds(1);
    let (_, uid) = verify_while_down(&deployment);
    call("DELETE", TARGET).run(&deployment).ok();
    ring(&deployment, &uid);
    assert_eq!(connections(&deployment), "0");
    assert_eq!(deployment.troubles.borrow().len(), 2);
}

#[test]
fn an_integration_that_is_deleted_meanwhile_ends_it() {
    let deployment = deployment_with_github();
    let (_, uid) = verify_while_down(&deployment);
    call("DELETE", "/integrations/github").run(&deployment).ok();
    ring(&deployment, &uid);
    let reported = deployment.troubles.borrow()[1].clone();
    assert!(reported.contains("its integration is gone"), "{reported}");
}

#[test]
fn another_connection_that_got_the_same_grant_meanwhile_keeps_it() {
    let deployment = deployment_with_github();
    let (_, uid) = verify_while_down(&deployment);
    let credentials = json!({
        "type": "OAUTH2", "access_token": "a", "refresh_token": "fake-rotated-token",
    });
    import(
        &deployment,
        "user-2",
        &json!({ "credentials": credentials }),
    );
    ring(&deployment, &uid);
    assert_eq!(connections(&deployment), "1");
    let reported = deployment.troubles.borrow()[1].clone();
    assert!(
        reported.ends_with("connection 1 holds the same grant"),
        "{reported}"
    );
}
