//! What else happens while a provider takes its time.

use futures_util::future::{join, join_all};
use holdfast::{
    domain::refresh::Trigger,
    service::ports::{RefreshReply, Refresher},
};
use serde_json::{Value, json};

use crate::support::{
    client::{Answered, Call, call, deployment_with_github, expired_credentials, import},
    connections::{read, stored, with},
    deployment::Deployment,
    provider::Answer,
};

const TARGET: &str = "/connections/user-1?provider_config_key=github";
const FORCED: &str = "/connections/user-1?provider_config_key=github&force_refresh=true";

fn deployment_with_expired() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment
}

/// Reads `user-1`, and makes `others` while the provider is asked.
fn read_while(deployment: &Deployment, others: &[Call]) -> (Answered, Vec<Answered>) {
    let gate = deployment.provider.gate.try_lock().unwrap();
    let read = call("GET", TARGET);
    let meanwhile = async {
        assert_eq!(deployment.provider.seen().len(), 1);
        let mut answers = Vec::new();
        for other in others {
            answers.push(other.send(deployment).await);
        }
        drop(gate);
        answers
    };
    pollster::block_on(join(read.send(deployment), meanwhile))
}

/// Makes all `calls` at once, and opens the provider's gate when all of them wait.
fn together(deployment: &Deployment, calls: &[Call]) -> Vec<Answered> {
    let gate = deployment.provider.gate.try_lock().unwrap();
    let calls = join_all(calls.iter().map(|call| call.send(deployment)));
    pollster::block_on(join(calls, async { drop(gate) })).0
}

fn token(answer: &Answered) -> Value {
    answer.ok()["credentials"]["access_token"].clone()
}

fn import_call(access_token: &str) -> Call {
    let credentials = json!({
        "type": "OAUTH2", "access_token": access_token, "refresh_token": "imported-refresh-token",
        "expires_at": "2027-01-01T00:00:00.000Z",
    });
    call("POST", "/connections").body(&json!({
        "provider_config_key": "github", "connection_id": "user-1", "credentials": credentials,
    }))
}

#[test]
fn a_hundred_readers_of_one_expired_token_make_one_token_call() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("new", None));
    let answers = together(&deployment, &vec![call("GET", TARGET); 100]);
    assert_eq!(answers.len(), 100);
    for answer in &answers {
        assert_eq!(token(answer), "new");
    }
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_hundred_readers_share_one_failure() {
    let deployment = deployment_with_expired();
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    for answer in together(&deployment, &vec![call("GET", TARGET); 100]) {
        assert_eq!(answer.status, 400);
    }
    assert_eq!(stored(&deployment, "user-1", "refresh_failures"), "1");
}

/// A reader may have read the row before a refresh, and ask for another after it.
#[test]
fn a_refresh_that_is_no_longer_due_asks_nobody() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "").ok();
    let uid = stored(&deployment, "user-1", "uid");
    let reply = pollster::block_on(deployment.refresh(&uid, Trigger::Read));
    assert!(matches!(reply.unwrap(), RefreshReply::Unchanged { .. }));
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn each_of_several_connections_is_refreshed_once() {
    let deployment = deployment_with_github();
    let mut calls = Vec::new();
    for n in 0..20 {
        import(&deployment, &format!("c{n}"), &expired_credentials());
        deployment.provider.will_answer(Answer::token("new", None));
        let read = call(
            "GET",
            &format!("/connections/c{n}?provider_config_key=github"),
        );
        calls.extend(vec![read; 5]);
    }
    for answer in together(&deployment, &calls) {
        assert_eq!(token(&answer), "new");
    }
    assert_eq!(deployment.provider.seen().len(), 20);
}

#[test]
fn a_forced_refresh_does_not_join_an_attempt_that_was_under_way() {
    let deployment = deployment_with_expired();
    deployment
        .provider
        .will_answer(Answer::token("first", None));
    deployment
        .provider
        .will_answer(Answer::token("second", None));
    let answers = together(&deployment, &[call("GET", TARGET), call("GET", FORCED)]);
    assert_eq!(token(&answers[0]), "first");
    assert_eq!(token(&answers[1]), "second");
}

#[test]
fn forced_refreshes_share_an_attempt_that_begins_after_both() {
    let deployment = deployment_with_expired();
    deployment
        .provider
        .will_answer(Answer::token("first", None));
    deployment
        .provider
        .will_answer(Answer::token("second", None));
    let mut calls = vec![call("GET", TARGET)];
    calls.extend(vec![call("GET", FORCED); 10]);
    let answers = together(&deployment, &calls);
    for answer in &answers[1..] {
        assert_eq!(token(answer), "second");
    }
    assert_eq!(deployment.provider.seen().len(), 2);
}

#[test]
fn an_import_during_a_refresh_wins() {
    let deployment = deployment_with_expired();
    deployment
        .provider
        .will_answer(Answer::token("late", Some("late-refresh-token")));
    let (answer, others) = read_while(&deployment, &[import_call("imported")]);
    assert_eq!(token(&others[0]), "imported");
    assert_eq!(token(&answer), "imported");
    let credentials = read(&deployment, "user-1", "&refresh_token=1").ok()["credentials"].clone();
    assert_eq!(credentials["access_token"], "imported");
    assert_eq!(credentials["refresh_token"], "imported-refresh-token");
    assert_eq!(stored(&deployment, "user-1", "credentials_version"), "2");
}

#[test]
fn credentials_that_have_ended_are_not_handed_out_though_an_import_won() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("late", None));
    let ended = with(
        expired_credentials(),
        &json!({"provider_config_key": "github", "connection_id": "user-1"}),
    );
    let import = call("POST", "/connections").body(&ended);
    let (answer, others) = read_while(&deployment, &[import]);
    others[0].ok();
    assert_eq!(answer.status, 400, "{}", answer.text);
}

#[test]
fn a_failure_does_not_count_against_what_was_imported_meanwhile() {
    let deployment = deployment_with_expired();
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    let (answer, _) = read_while(&deployment, &[import_call("imported")]);
    assert_eq!(token(&answer), "imported");
    assert_eq!(stored(&deployment, "user-1", "refresh_failures"), "0");
    assert_eq!(
        stored(&deployment, "user-1", "refresh_exhausted_at"),
        "null"
    );
}

#[test]
fn changes_during_a_refresh_survive_it() {
    for answer in [
        Answer::token("new", None),
        Answer::error(400, "invalid_grant"),
    ] {
        let deployment = deployment_with_expired();
        deployment.provider.will_answer(answer);
        let end_user = json!({"id": "u1", "email": "u1@users.example"});
        let patch = json!({
            "end_user": end_user, "tags": {"a": "b"}, "webhook_url_override": "https://h.example/",
        });
        let metadata = json!({
            "connection_id": "user-1", "provider_config_key": "github", "metadata": {"c": 1},
        });
        let (_, others) = read_while(
            &deployment,
            &[
                call("PATCH", TARGET).body(&patch),
                call("PATCH", "/connections/metadata").body(&metadata),
            ],
        );
        for other in &others {
            other.ok();
        }
        let columns = "json_array(end_user_id, end_user_email, json_extract(tags, '$.a'),
            webhook_url_override, metadata)";
        assert_eq!(
            stored(&deployment, "user-1", columns),
            r#"["u1","u1@users.example","b","https://h.example/","{\"c\":1}"]"#
        );
    }
}

#[test]
fn a_connection_that_is_deleted_during_a_refresh_stays_deleted() {
    for answer in [
        Answer::token("new", None),
        Answer::error(400, "invalid_grant"),
    ] {
        let deployment = deployment_with_expired();
        deployment.provider.will_answer(answer);
        let (answer, others) = read_while(&deployment, &[call("DELETE", TARGET)]);
        others[0].ok();
        answer.is_error(404, "not_found", "Failed to find connection");
        assert_eq!(
            deployment.database.text("select count(*) from connection"),
            "0"
        );
    }
}

#[test]
fn a_connection_that_took_the_name_of_a_deleted_one_is_not_touched() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("late", None));
    let others = [call("DELETE", TARGET), import_call("imported")];
    let (answer, _) = read_while(&deployment, &others);
    answer.is_error(404, "not_found", "Failed to find connection");
    assert_eq!(token(&read(&deployment, "user-1", "")), "imported");
}

#[test]
fn a_connection_whose_integration_is_deleted_during_a_refresh_is_gone() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("late", None));
    let (answer, _) = read_while(&deployment, &[call("DELETE", "/integrations/github")]);
    answer.is_error(404, "not_found", "Failed to find connection");
}

#[test]
fn a_reader_that_goes_away_leaves_the_next_one_free_to_refresh() {
    let deployment = deployment_with_expired();
    {
        let _gate = deployment.provider.gate.try_lock().unwrap();
        let request = call("GET", TARGET);
        let read = request.send(&deployment);
        let once = futures_util::future::select(Box::pin(read), Box::pin(async {}));
        let is_left_over = matches!(
            pollster::block_on(once),
            futures_util::future::Either::Right(_)
        );
        assert!(is_left_over);
    }
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(token(&read(&deployment, "user-1", "")), "new");
}
