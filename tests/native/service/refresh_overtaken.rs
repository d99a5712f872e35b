//! New credentials that arrive for a connection that was imported again or deleted meanwhile.

use serde_json::json;

use crate::support::{
    client::{Call, call, create_integration, expired_credentials, import},
    connections::{put_acme, read, stored},
    deployment::Deployment,
    provider::Answer,
    refreshes::{
        TARGET, deployment_with_expired, deployment_with_waiting_pair, read_while, token, uid,
    },
};

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
    let journal = deployment.journal(&uid(&deployment));
    assert_eq!(*journal.entry.borrow(), None);
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
