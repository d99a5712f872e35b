//! `POST /integrations/:uniqueKey/revoke-all`

use futures_util::future::join;
use holdfast::oauth2::token_error::Unreachable;
use serde_json::{Value, json};

use crate::support::{
    client::{Answered, Call, call, create_integration, import},
    connections::{put_acme, stored},
    deployment::{Deployment, PROD_KEY},
    provider::Answer,
};

const TARGET: &str = "/integrations/github/revoke-all";

/// A deployment whose integration `github` is of a provider that revokes, with this many
/// connections: `c1`, `c2`, …
fn deployment_with(connections: usize) -> Deployment {
    let deployment = Deployment::new();
    put_acme(
        &deployment,
        &json!({"revocation_url": "https://acme.example/revoke"}),
    );
    create_integration(&deployment, "acme", "github");
    for n in 1..=connections {
        import_one(&deployment, &format!("c{n}"), "github");
    }
    deployment
}

fn import_one(deployment: &Deployment, connection_id: &str, integration: &str) {
    let credentials = json!({
        "type": "OAUTH2", "access_token": format!("fake-access-{connection_id}"),
        "refresh_token": format!("fake-refresh-{connection_id}"),
    });
    let fields = json!({"provider_config_key": integration, "credentials": credentials});
    import(deployment, connection_id, &fields);
}

fn will_revoke(deployment: &Deployment, times: usize) {
    for _ in 0..times {
        deployment
            .provider
            .will_answer(Answer::Json(200, json!({})));
    }
}

fn revoke_all(deployment: &Deployment) -> Answered {
    call("POST", TARGET).run(deployment)
}

/// Revokes the next batch, and runs `meanwhile` while the provider is asked.
fn revoke_while(deployment: &Deployment, meanwhile: impl AsyncFnOnce()) -> Answered {
    let gate = deployment.provider.gate.try_lock().unwrap();
    let revocation = call("POST", TARGET);
    let meanwhile = async {
        meanwhile().await;
        drop(gate);
    };
    pollster::block_on(join(revocation.send(deployment), meanwhile)).0
}

/// The refresh tokens that the provider was asked to revoke, in the order of the requests.
fn asked_for(deployment: &Deployment) -> Vec<String> {
    let seen = deployment.provider.seen().into_iter();
    let token = |body: &str| body.split(['=', '&']).nth(1).unwrap().to_owned();
    seen.map(|seen| token(&seen.body)).collect()
}

fn left(deployment: &Deployment) -> Vec<String> {
    deployment
        .database
        .texts("select connection_id from connection order by id")
}

fn all_revoked(deleted: usize, remaining: usize) -> Value {
    json!({"data": {
        "deleted": deleted, "revoked": deleted, "failed": 0, "not_supported": 0,
        "remaining": remaining, "failures": [],
    }})
}

#[test]
fn a_batch_is_revoked_deleted_and_accounted_for() {
    let deployment = deployment_with(4);
    for answer in [
        Answer::Json(200, json!({})),
        Answer::Html(503),
        Answer::Lost(Unreachable::TimedOut),
        Answer::Json(200, json!({})),
    ] {
        deployment.provider.will_answer(answer);
    }
    let expected = json!({"data": {
        "deleted": 4, "revoked": 2, "failed": 2, "not_supported": 0, "remaining": 0,
        "failures": [{"connection_id": "c2", "status": 503}, {"connection_id": "c3"}],
    }});
    assert_eq!(revoke_all(&deployment).ok(), expected);
    assert_eq!(left(&deployment), [""; 0]);
    let expected = ["c1", "c2", "c3", "c4"].map(|name| format!("fake-refresh-{name}"));
    assert_eq!(asked_for(&deployment), expected);
}

#[test]
fn batches_go_on_until_nothing_remains() {
    let deployment = deployment_with(45);
    will_revoke(&deployment, 45);
    assert_eq!(revoke_all(&deployment).ok(), all_revoked(20, 25));
    assert_eq!(left(&deployment)[0], "c21");
    assert_eq!(revoke_all(&deployment).ok(), all_revoked(20, 5));
    assert_eq!(revoke_all(&deployment).ok(), all_revoked(5, 0));
    assert_eq!(revoke_all(&deployment).ok(), all_revoked(0, 0));
    let expected: Vec<_> = (1..=45).map(|n| format!("fake-refresh-c{n}")).collect();
    assert_eq!(asked_for(&deployment), expected);
}

#[test]
fn the_objects_of_deleted_connections_are_told_to_forget_them() {
    let deployment = deployment_with(2);
    let uids = ["c1", "c2"].map(|name| stored(&deployment, name, "uid"));
    will_revoke(&deployment, 2);
    revoke_all(&deployment).ok();
    assert_eq!(*deployment.forgotten.borrow(), uids);
}

#[test]
fn a_provider_is_asked_for_six_at_a_time() {
    let deployment = deployment_with(10);
    will_revoke(&deployment, 10);
    let answer = revoke_while(&deployment, async || {
        assert_eq!(deployment.provider.seen().len(), 6);
    });
    assert_eq!(answer.ok(), all_revoked(10, 0));
}

#[test]
fn a_batch_takes_two_round_trips() {
    let deployment = deployment_with(20);
    will_revoke(&deployment, 20);
    let answer = revoke_all(&deployment);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"2\""));
}

#[test]
fn nothing_is_deleted_before_it_was_revoked() {
    let deployment = deployment_with(8);
    will_revoke(&deployment, 16);
    let answer = revoke_while(&deployment, async || {
        assert_eq!(left(&deployment).len(), 8);
        deployment.database_is_down.set(true);
    });
    assert_eq!(answer.status, 500);
    assert_eq!(left(&deployment).len(), 8);

    deployment.database_is_down.set(false);
    assert_eq!(revoke_all(&deployment).ok(), all_revoked(8, 0));
    assert_eq!(asked_for(&deployment).len(), 16);
}

#[test]
fn credentials_that_were_stored_meanwhile_are_left_for_the_next_call() {
    let deployment = deployment_with(2);
    will_revoke(&deployment, 3);
    let answer = revoke_while(&deployment, async || {
        let credentials =
            json!({"type": "OAUTH2", "access_token": "fake", "refresh_token": "newer"});
        import_call("c1", &credentials).send(&deployment).await.ok();
    });
    assert_eq!(answer.ok(), all_revoked(1, 1));
    assert_eq!(left(&deployment), ["c1"]);
    assert_eq!(revoke_all(&deployment).ok(), all_revoked(1, 0));
    assert_eq!(asked_for(&deployment)[2], "newer");
}

fn import_call(connection_id: &str, credentials: &Value) -> Call {
    call("POST", "/connections").body(&json!({
        "provider_config_key": "github", "connection_id": connection_id,
        "credentials": credentials,
    }))
}

#[test]
fn connections_that_others_deleted_meanwhile_are_not_counted() {
    let deployment = deployment_with(2);
    will_revoke(&deployment, 2);
    let answer = revoke_while(&deployment, async || {
        let target = "/connections/c1?provider_config_key=github";
        call("DELETE", target).send(&deployment).await.ok();
    });
    assert_eq!(answer.ok(), all_revoked(1, 0));
}

#[test]
fn connections_of_other_integrations_and_environments_are_left_alone() {
    let deployment = deployment_with(1);
    create_integration(&deployment, "acme", "other");
    import_one(&deployment, "c1", "other");
    let client = json!({"type": "OAUTH2", "client_id": "fake", "client_secret": "fake"});
    let integration = json!({"provider": "acme", "unique_key": "github", "credentials": client});
    call("POST", "/integrations")
        .key(PROD_KEY)
        .body(&integration)
        .run(&deployment)
        .ok();
    let credentials = json!({"type": "OAUTH2", "access_token": "fake-prod-token"});
    import_call("c1", &credentials)
        .key(PROD_KEY)
        .run(&deployment)
        .ok();
    will_revoke(&deployment, 1);
    assert_eq!(revoke_all(&deployment).ok(), all_revoked(1, 0));
    assert_eq!(asked_for(&deployment), ["fake-refresh-c1"]);
    let owners = "select integration.unique_key || ' ' || connection.environment_id
        from connection join integration on integration.id = integration_id
        order by connection.id";
    assert_eq!(deployment.database.texts(owners), ["other 1", "github 2"]);
}

#[test]
fn an_unknown_integration_is_not_found() {
    let deployment = deployment_with(1);
    let message = "Integration \"nowhere\" does not exist";
    call("POST", "/integrations/nowhere/revoke-all")
        .run(&deployment)
        .is_error(404, "not_found", message);
    let message = "Integration \"github\" does not exist";
    call("POST", TARGET)
        .key(PROD_KEY)
        .run(&deployment)
        .is_error(404, "not_found", message);
    assert_eq!(left(&deployment), ["c1"]);
}

#[test]
fn connections_that_no_endpoint_revokes_are_deleted_and_counted() {
    let deployment = Deployment::new();
    create_integration(&deployment, "github", "github");
    import_one(&deployment, "c1", "github");
    let expected = json!({"data": {
        "deleted": 1, "revoked": 0, "failed": 0, "not_supported": 1, "remaining": 0,
        "failures": [],
    }});
    assert_eq!(revoke_all(&deployment).ok(), expected);
    assert_eq!(left(&deployment), [""; 0]);
}

#[test]
fn a_connection_that_does_not_open_does_not_stop_the_others() {
    let deployment = deployment_with(2);
    deployment
        .database
        .execute("update connection set credentials = 'canary' where connection_id = 'c1'");
    will_revoke(&deployment, 1);
    let expected = json!({"data": {
        "deleted": 2, "revoked": 1, "failed": 1, "not_supported": 0, "remaining": 0,
        "failures": [{"connection_id": "c1"}],
    }});
    assert_eq!(revoke_all(&deployment).ok(), expected);
}

#[test]
fn neither_the_reply_nor_the_log_has_a_secret_or_the_words_of_the_provider() {
    let deployment = deployment_with(3);
    will_revoke(&deployment, 1);
    deployment.provider.will_answer(Answer::Html(500));
    deployment
        .provider
        .will_answer(Answer::error(400, "canary"));
    let answer = revoke_all(&deployment);
    answer.ok();
    for secret in ["fake-", "canary", "acme.example"] {
        assert!(!answer.text.contains(secret), "{}", answer.text);
        assert!(!answer.log.contains(secret), "{}", answer.log);
    }
}
