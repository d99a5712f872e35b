//! What breaks while an import is verified, and who else is at it.

use futures_util::future::{Either, join, join_all, select};
use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github, expired_credentials, import},
    connections::{read, verified_import},
    deployment::{Deployment, START},
    provider::Answer,
};

const TARGET: &str = "/connections/user-1?provider_config_key=github";

fn rotated() -> Answer {
    Answer::token("fake-new-token", Some("fake-rotated-token"))
}

/// Verifies an import of `user-1`, and does `meanwhile` while the provider is asked.
fn verify_while(deployment: &Deployment, meanwhile: impl AsyncFnOnce()) -> Answered {
    deployment.provider.will_answer(rotated());
    let gate = deployment.provider.gate.try_lock().unwrap();
    let import = verified_import("user-1", &json!({}));
    let meanwhile = async {
        assert_eq!(deployment.provider.seen().len(), 1);
        meanwhile().await;
        drop(gate);
    };
    pollster::block_on(join(import.send(deployment), meanwhile)).0
}

fn connections(deployment: &Deployment) -> String {
    deployment.database.text("select count(*) from connection")
}

/// The object where an import of `user-1` is verified, by trying it on a twin.
fn object() -> String {
    let (twin, mut object) = (deployment_with_github(), String::new());
    verify_while(&twin, async || object = twin.keepers().remove(0)).ok();
    object
}

fn is_internal(answer: &Answered) {
    assert_eq!(answer.status, 500, "{}", answer.text);
    assert_eq!(answer.json()["error"]["code"], "server_error");
}

#[test]
fn the_intent_is_kept_while_the_provider_is_asked() {
    let deployment = deployment_with_github();
    let object = object();
    verify_while(&deployment, async || {
        assert_eq!(deployment.keepers(), [object.as_str()]);
        let journal = deployment.journal(&object);
        let entry = journal.entry.borrow().clone().unwrap();
        let intent = serde_json::from_str::<Value>(&entry).unwrap()["intent"].clone();
        assert_eq!(intent["trigger"], "import");
        assert!(!entry.contains("fake"), "{entry}");
        assert_eq!(journal.wake_at.get().unwrap().millis(), START + 30_000);
        assert_eq!(connections(&deployment), "0");
    })
    .ok();
    assert_eq!(deployment.keepers(), Vec::<String>::new());
}

#[test]
fn a_refresh_token_is_not_sent_if_nothing_could_be_kept_of_the_answer() {
    let deployment = deployment_with_github();
    deployment.journal(&object()).is_broken.set(true);
    is_internal(&verified_import("user-1", &json!({})).run(&deployment));
    assert_eq!(deployment.provider.seen().len(), 0);
    assert_eq!(connections(&deployment), "0");
}

#[test]
fn a_database_that_is_down_before_the_provider_is_asked_costs_nothing() {
    let deployment = deployment_with_github();
    deployment.database_is_down_in_refresh.set(true);
    is_internal(&verified_import("user-1", &json!({})).run(&deployment));
    assert_eq!(deployment.provider.seen().len(), 0);
    assert_eq!(deployment.keepers(), Vec::<String>::new());
}

#[test]
fn new_credentials_reach_the_database_though_the_object_cannot_keep_them() {
    let deployment = deployment_with_github();
    let object = object();
    verify_while(&deployment, async || {
        deployment.journal(&object).is_broken.set(true);
    })
    .ok();
    assert_eq!(deployment.troubles.borrow().len(), 1);
    let read = read(&deployment, "user-1", "&refresh_token=1").ok();
    assert_eq!(read["credentials"]["refresh_token"], "fake-rotated-token");
}

#[test]
fn nothing_is_promised_if_neither_the_object_nor_the_database_takes_the_credentials() {
    let deployment = deployment_with_github();
    let object = object();
    let answer = verify_while(&deployment, async || {
        deployment.journal(&object).is_broken.set(true);
        deployment.database_is_down_in_refresh.set(true);
    });
    is_internal(&answer);
}

#[test]
fn an_import_that_was_cut_off_is_reported_and_forgotten() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    let before = deployment.database.dump();
    {
        let _gate = deployment.provider.gate.try_lock().unwrap();
        let import = verified_import("user-1", &json!({}));
        let import = import.send(&deployment);
        let once = select(Box::pin(import), Box::pin(async {}));
        assert!(matches!(pollster::block_on(once), Either::Right(_)));
    }
    let keepers = deployment.keepers();
    assert_eq!(keepers.len(), 1);
    deployment.ring_alarm(&keepers[0]).unwrap();
    assert_eq!(deployment.keepers(), Vec::<String>::new());
    let reported = "an import was cut off: whether the provider rotated its refresh token is \
        unknown";
    assert_eq!(*deployment.troubles.borrow(), [reported]);
    assert_eq!(deployment.database.dump(), before);
}

#[test]
fn an_integration_that_is_deleted_meanwhile_takes_the_import_along() {
    let deployment = deployment_with_github();
    let answer = verify_while(&deployment, async || {
        call("DELETE", "/integrations/github")
            .send(&deployment)
            .await
            .ok();
    });
    answer.is_error(404, "not_found", "Integration does not exist");
    assert_eq!(connections(&deployment), "0");
    assert_eq!(deployment.keepers(), Vec::<String>::new());
}

#[test]
fn a_connection_that_is_deleted_meanwhile_is_imported_anew() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    let answer = verify_while(&deployment, async || {
        call("DELETE", TARGET).send(&deployment).await.ok();
    });
    assert_eq!(answer.ok()["id"], 2);
}

#[test]
fn of_two_imports_of_one_grant_at_once_the_first_is_stored_and_the_second_sends_nothing() {
    for answer in [rotated(), Answer::token("new", None)] {
        let deployment = deployment_with_github();
        deployment.provider.will_answer(answer);
        let gate = deployment.provider.gate.try_lock().unwrap();
        let imports = ["user-1", "user-2"].map(|name| verified_import(name, &json!({})));
        let imports = join_all(imports.iter().map(|import| import.send(&deployment)));
        let answers = pollster::block_on(join(imports, async { drop(gate) })).0;
        answers[0].ok();
        assert_eq!(answers[1].status, 409, "{}", answers[1].text);
        let holder = &answers[1].json()["error"]["payload"]["connection_id"];
        assert_eq!(holder, "user-1");
        assert_eq!(connections(&deployment), "1");
        assert_eq!(deployment.provider.seen().len(), 1);
        assert_eq!(deployment.keepers(), Vec::<String>::new());
    }
}

#[test]
fn a_token_that_was_rotated_here_is_not_sent_again_under_any_name() {
    let deployment = deployment_with_github();
    deployment.provider.will_answer(rotated());
    verified_import("user-1", &json!({})).run(&deployment).ok();
    for name in ["user-1", "user-2"] {
        let answer = verified_import(name, &json!({})).run(&deployment);
        assert_eq!(answer.status, 409, "{}", answer.text);
        let holder = &answer.json()["error"]["payload"]["connection_id"];
        assert_eq!(holder, "user-1");
    }
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_token_that_a_refresh_is_sending_is_not_sent_by_an_import_of_it() {
    let deployment = deployment_with_github();
    let credentials = json!({
        "type": "OAUTH2", "access_token": "old", "refresh_token": "fake-sent-token",
        "expires_at": "2025-12-31T23:00:00.000Z",
    });
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment.provider.will_answer(rotated());
    let gate = deployment.provider.gate.try_lock().unwrap();
    let (read_call, import) = (call("GET", TARGET), verified_import("user-1", &json!({})));
    let both = join(read_call.send(&deployment), import.send(&deployment));
    let ((refreshed, imported), ()) = pollster::block_on(join(both, async { drop(gate) }));
    refreshed.ok();
    assert_eq!(imported.status, 409, "{}", imported.text);
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn new_credentials_are_stored_though_another_connection_got_the_token_that_was_sent_for_them() {
    let deployment = deployment_with_github();
    verify_while(&deployment, async || {
        let credentials =
            json!({"type": "OAUTH2", "access_token": "a", "refresh_token": "fake-sent-token"});
        let body = json!({
            "provider_config_key": "github", "connection_id": "user-2", "credentials": credentials,
        });
        let request = call("POST", "/connections").body(&body);
        request.send(&deployment).await.ok();
    })
    .ok();
    assert_eq!(connections(&deployment), "2");
}

#[test]
fn a_refresh_waits_for_an_import_in_its_place_and_is_then_not_due() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment.provider.will_answer(rotated());
    let gate = deployment.provider.gate.try_lock().unwrap();
    let (import, read_call) = (verified_import("user-1", &json!({})), call("GET", TARGET));
    let both = join(import.send(&deployment), read_call.send(&deployment));
    let ((imported, read), ()) = pollster::block_on(join(both, async { drop(gate) }));
    imported.ok();
    assert_eq!(read.ok()["credentials"]["access_token"], "fake-new-token");
    assert_eq!(deployment.provider.seen().len(), 1);
}
