//! Sessions of BILL: the login, and what is kept of its answer.

use serde_json::{Value, json};

use crate::support::{
    deployment::Deployment,
    exchanges::{deployment_with, get, post, writes},
    provider::Answer,
};

fn deployment() -> Deployment {
    let entry = json!({"auth_mode": "BILL", "token_url": "https://acme.example/login"});
    deployment_with(&entry, &json!({}))
}

fn credentials() -> Value {
    json!({
        "type": "BILL", "username": "u", "password": "fake-password", "organization_id": "o",
        "dev_key": "fake-dev-key",
    })
}

fn session(id: &str) -> Answer {
    Answer::Json(
        200,
        json!({"sessionId": id, "userId": "7", "organizationId": "o"}),
    )
}

#[test]
fn an_import_logs_in_and_shows_the_session() {
    let deployment = deployment();
    deployment.provider.will_answer(session("fake-session"));
    let imported = post(&deployment, &credentials(), &json!({})).ok();
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.url, "https://acme.example/login");
    assert_eq!(
        seen.body,
        r#"{"username":"u","password":"fake-password","organizationId":"o","devKey":"fake-dev-key"}"#
    );
    let expected = ["accept", "user-agent", "content-type"];
    let names: Vec<_> = seen.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, expected);
    let mut shown = credentials();
    shown["session_id"] = "fake-session".into();
    shown["user_id"] = "7".into();
    shown["expires_at"] = "2026-01-01T00:35:00.000Z".into();
    shown["raw"] = json!({"sessionId": "fake-session", "userId": "7", "organizationId": "o"});
    assert_eq!(imported["credentials"], shown);
}

#[test]
fn a_session_is_renewed_when_it_is_due_and_not_before() {
    let deployment = deployment();
    deployment.provider.will_answer(session("fake-first"));
    post(&deployment, &credentials(), &json!({})).ok();
    deployment.advance_seconds(20 * 60 - 1);
    let read = || get(&deployment, "").ok()["credentials"]["session_id"].clone();
    assert_eq!(read(), "fake-first");
    deployment.advance_seconds(1);
    deployment.provider.will_answer(session("fake-second"));
    assert_eq!(read(), "fake-second");
    assert_eq!(read(), "fake-second");
    assert_eq!(writes(&deployment), 1);
}

#[test]
fn a_login_that_is_refused_or_gives_no_session_stores_nothing() {
    for (status, answer) in [
        (
            400,
            Answer::Json(401, json!({"message": "no, fake-password"})),
        ),
        (502, Answer::Json(200, json!({"sessionId": "fake-session"}))),
        (502, Answer::Json(503, json!({}))),
    ] {
        let deployment = deployment();
        deployment.provider.will_answer(answer);
        let refused = post(&deployment, &credentials(), &json!({}));
        assert_eq!(refused.json()["error"]["code"], "connection_test_failed");
        assert_eq!(refused.status, status);
        assert!(!refused.text.contains("fake-password"), "{}", refused.text);
        let count = "select count(*) from connection";
        assert_eq!(deployment.database.text(count), "0");
    }
}
