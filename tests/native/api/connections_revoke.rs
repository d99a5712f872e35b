//! `DELETE /connections/:connectionId?revoke=true`

use futures_util::future::join;
use holdfast::oauth2::token_error::Unreachable;
use serde_json::{Value, json};

use crate::support::{
    client::{
        Answered, Call, call, create_integration, deployment_with_github, expired_credentials,
        import,
    },
    connections::{create_plain_integration, put_acme, stored, with},
    deployment::{Deployment, PROD_KEY},
    provider::Answer,
};

const TARGET: &str = "/connections/user-1?provider_config_key=github&revoke=true";
const CLIENT: &str = "client_id=fake-client&client_secret=fake-client-secret";

/// A deployment whose integration `github` is of a provider that revokes, with `fields` over its
/// entry, and whose connection `user-1` has `connection` over the usual fields.
fn deployment_with(fields: &Value, connection: &Value) -> Deployment {
    let deployment = Deployment::new();
    let entry = with(
        json!({"revocation_url": "https://acme.example/revoke"}),
        fields,
    );
    put_acme(&deployment, &entry);
    create_integration(&deployment, "acme", "github");
    let connection = with(expired_credentials(), connection);
    import(&deployment, "user-1", &connection);
    deployment
}

fn deployment() -> Deployment {
    deployment_with(&json!({}), &json!({}))
}

fn revoked() -> Answer {
    Answer::Json(200, json!({}))
}

/// The credentials of an import, with a refresh token of this name.
fn credentials(refresh_token: &str) -> Value {
    json!({"type": "OAUTH2", "access_token": "fake-other-token", "refresh_token": refresh_token})
}

fn import_call(refresh_token: &str) -> Call {
    call("POST", "/connections").body(&json!({
        "provider_config_key": "github", "connection_id": "user-1",
        "credentials": credentials(refresh_token),
    }))
}

/// Deletes `user-1`, and makes `others` while the provider is asked.
fn delete_while(deployment: &Deployment, others: &[Call]) -> Answered {
    let gate = deployment.provider.gate.try_lock().unwrap();
    let delete = call("DELETE", TARGET);
    let meanwhile = async {
        assert_eq!(deployment.provider.seen().len(), 1);
        for other in others {
            other.send(deployment).await.ok();
        }
        drop(gate);
    };
    pollster::block_on(join(delete.send(deployment), meanwhile)).0
}

#[track_caller]
fn is_gone(deployment: &Deployment) {
    let rows = deployment.database.text("select count(*) from connection");
    assert_eq!(rows, "0");
}

/// Deletes `user-1` of a provider that answers `answer`, and expects this report.
#[track_caller]
fn reports(deployment: &Deployment, revocation: &Value) {
    let answer = call("DELETE", TARGET).run(deployment);
    let expected = json!({"success": true, "revocation": revocation});
    assert_eq!(answer.ok(), expected);
    is_gone(deployment);
}

fn bodies(deployment: &Deployment) -> Vec<String> {
    let seen = deployment.provider.seen().into_iter();
    seen.map(|seen| seen.body).collect()
}

#[test]
fn a_connection_is_revoked_and_then_deleted() {
    let deployment = deployment();
    let uid = stored(&deployment, "user-1", "uid");
    deployment.provider.will_answer(revoked());
    reports(&deployment, &json!({"outcome": "revoked"}));
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.url, "https://acme.example/revoke");
    let expected = format!("token=fake-refresh-token&token_type_hint=refresh_token&{CLIENT}");
    assert_eq!(seen.body, expected);
    assert_eq!(*deployment.forgotten.borrow(), [uid]);
}

#[test]
fn the_access_token_is_revoked_where_there_is_no_refresh_token() {
    let only = json!({"credentials": {"type": "OAUTH2", "access_token": "fake-only-token"}});
    let deployment = deployment_with(&json!({}), &only);
    deployment.provider.will_answer(revoked());
    reports(&deployment, &json!({"outcome": "revoked"}));
    let expected = format!("token=fake-only-token&token_type_hint=access_token&{CLIENT}");
    assert_eq!(bodies(&deployment), [expected]);
}

#[test]
fn nobody_is_asked_unless_it_is_asked_for() {
    for option in ["", "&revoke=false"] {
        let deployment = deployment();
        let target = format!("/connections/user-1?provider_config_key=github{option}");
        let answer = call("DELETE", &target).run(&deployment);
        assert_eq!(answer.ok(), json!({"success": true}));
        is_gone(&deployment);
        assert_eq!(deployment.provider.seen().len(), 0);
    }
}

#[test]
fn a_provider_that_does_not_revoke_does_not_keep_a_connection_alive() {
    let failed = |status: u16| json!({"outcome": "failed", "status": status});
    for (answer, expected) in [
        (Answer::error(400, "unsupported_token_type"), failed(400)),
        (Answer::Html(503), failed(503)),
        (Answer::Throttled("60"), failed(429)),
        (Answer::Html(302), failed(302)),
        (
            Answer::Lost(Unreachable::TimedOut),
            json!({"outcome": "failed"}),
        ),
        (
            Answer::Lost(Unreachable::Failed),
            json!({"outcome": "failed"}),
        ),
    ] {
        let deployment = deployment();
        deployment.provider.will_answer(answer);
        reports(&deployment, &expected);
    }
}

#[test]
fn a_provider_that_hangs_is_left_after_the_time_of_a_token_request() {
    for (fields, millis) in [
        (json!({}), 10_000),
        (json!({"token_request_timeout": 3}), 3000),
    ] {
        let deployment = deployment_with(&fields, &json!({}));
        deployment
            .provider
            .will_answer(Answer::Lost(Unreachable::TimedOut));
        reports(&deployment, &json!({"outcome": "failed"}));
        assert_eq!(deployment.provider.seen()[0].timeout_millis, millis);
    }
}

#[test]
fn a_provider_without_the_endpoint_is_not_asked() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    reports(&deployment, &json!({"outcome": "not_supported"}));
}

#[test]
fn credentials_that_are_no_tokens_of_oauth_2_are_not_revoked() {
    let deployment = Deployment::new();
    put_acme(
        &deployment,
        &json!({"auth_mode": "API_KEY", "revocation_url": "https://acme.example/revoke"}),
    );
    create_plain_integration(&deployment, "acme");
    let credentials = json!({"type": "API_KEY", "apiKey": "fake-key"});
    let fields = json!({"provider_config_key": "acme", "credentials": credentials});
    import(&deployment, "user-1", &fields);
    let target = "/connections/user-1?provider_config_key=acme&revoke=true";
    let answer = call("DELETE", target).run(&deployment).ok();
    assert_eq!(answer["revocation"], json!({"outcome": "not_supported"}));
    is_gone(&deployment);
}

#[test]
fn a_token_of_a_client_is_revoked_as_that_client() {
    let deployment = Deployment::new();
    let entry = json!({
        "auth_mode": "OAUTH2_CC", "revocation_url": "https://acme.example/revoke",
        "token_request_auth_method": "basic",
    });
    put_acme(&deployment, &entry);
    create_plain_integration(&deployment, "acme");
    let credentials = json!({
        "type": "OAUTH2_CC", "token": "fake-token", "client_id": "own",
        "client_secret": "fake-secret",
    });
    let fields = json!({"provider_config_key": "acme", "credentials": credentials});
    import(&deployment, "user-1", &fields);
    deployment.provider.will_answer(revoked());
    let target = "/connections/user-1?provider_config_key=acme&revoke=true";
    let answer = call("DELETE", target).run(&deployment).ok();
    assert_eq!(answer["revocation"], json!({"outcome": "revoked"}));
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.body, "token=fake-token&token_type_hint=access_token");
    // own:fake-secret
    let expected = ("authorization", "Basic b3duOmZha2Utc2VjcmV0");
    let (name, value) = &seen.headers[2];
    assert_eq!((name.as_str(), value.as_str()), expected);
}

#[test]
fn a_connection_with_a_client_of_its_own_is_revoked_as_that() {
    let own = with(
        credentials("fake-refresh-token"),
        &json!({"config_override": {"client_id": "own", "client_secret": "fake-own-secret"}}),
    );
    let deployment = deployment_with(&json!({}), &json!({ "credentials": own }));
    deployment.provider.will_answer(revoked());
    reports(&deployment, &json!({"outcome": "revoked"}));
    let body = &bodies(&deployment)[0];
    assert!(body.ends_with("&client_id=own&client_secret=fake-own-secret"));
}

#[test]
fn a_revocation_goes_nowhere_that_a_token_request_may_not_go() {
    let to = |host: &str| {
        let fields = json!({
            "revocation_url": "https://${connectionConfig.host}/revoke",
            "token_domains": ["acme.example"],
        });
        let config = json!({"connection_config": { "host": host }});
        deployment_with(&fields, &config)
    };
    for host in ["evil.example", "acme.example.evil.example", "127.0.0.1"] {
        let deployment = to(host);
        reports(&deployment, &json!({"outcome": "failed"}));
        assert_eq!(deployment.provider.seen().len(), 0, "{host}");
    }
    let deployment = to("eu.acme.example");
    deployment.provider.will_answer(revoked());
    reports(&deployment, &json!({"outcome": "revoked"}));

    let private = json!({"revocation_url": "http://127.0.0.1:9000/revoke"});
    let deployment = deployment_with(&private, &json!({}));
    reports(&deployment, &json!({"outcome": "failed"}));
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn credentials_that_were_stored_meanwhile_are_revoked_as_well() {
    let deployment = deployment();
    deployment.provider.will_answer(revoked());
    deployment.provider.will_answer(revoked());
    let answer = delete_while(&deployment, &[import_call("newer")]).ok();
    assert_eq!(answer["revocation"], json!({"outcome": "revoked"}));
    is_gone(&deployment);
    let bodies = bodies(&deployment);
    assert!(bodies[0].starts_with("token=fake-refresh-token&"));
    assert!(bodies[1].starts_with("token=newer&"));
    assert_eq!(bodies.len(), 2);
}

#[test]
fn of_several_revocations_a_failure_is_what_is_reported() {
    for answers in [
        [Answer::Html(503), revoked()],
        [revoked(), Answer::Html(503)],
    ] {
        let deployment = deployment();
        for answer in answers {
            deployment.provider.will_answer(answer);
        }
        let answer = delete_while(&deployment, &[import_call("newer")]).ok();
        let expected = json!({"outcome": "failed", "status": 503});
        assert_eq!(answer["revocation"], expected);
    }
}

#[test]
fn a_change_meanwhile_that_leaves_the_credentials_alone_asks_once() {
    let deployment = deployment();
    deployment.provider.will_answer(revoked());
    let target = "/connections/user-1?provider_config_key=github";
    let patch = call("PATCH", target).body(&json!({"tags": {"a": "b"}}));
    delete_while(&deployment, &[patch]).ok();
    is_gone(&deployment);
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_connection_that_was_made_anew_meanwhile_is_revoked_and_deleted_too() {
    let deployment = deployment();
    deployment.provider.will_answer(revoked());
    deployment.provider.will_answer(revoked());
    let delete = call("DELETE", "/connections/user-1?provider_config_key=github");
    delete_while(&deployment, &[delete, import_call("newer")]).ok();
    is_gone(&deployment);
    assert!(bodies(&deployment)[1].starts_with("token=newer&"));
}

#[test]
fn a_connection_that_was_deleted_meanwhile_is_unknown() {
    let deployment = deployment();
    deployment.provider.will_answer(revoked());
    let delete = call("DELETE", "/connections/user-1?provider_config_key=github");
    let answer = delete_while(&deployment, &[delete]);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["code"], "unknown_connection");
}

#[test]
fn what_does_not_open_is_deleted_all_the_same() {
    for sql in [
        "update connection set credentials = 'canary'",
        "update connection set connection_config = 'canary'",
        "update integration set secrets = 'canary'",
        "update provider set entry = '{}'",
    ] {
        let deployment = deployment();
        deployment.database.execute(sql);
        reports(&deployment, &json!({"outcome": "failed"}));
        assert_eq!(deployment.provider.seen().len(), 0, "{sql}");
    }
}

#[test]
fn nobody_is_asked_about_a_connection_of_somebody_else() {
    let deployment = deployment();
    for request in [
        call("DELETE", TARGET).key(PROD_KEY),
        call(
            "DELETE",
            "/connections/nobody?provider_config_key=github&revoke=true",
        ),
        call(
            "DELETE",
            "/connections/user-1?provider_config_key=nowhere&revoke=true",
        ),
    ] {
        let answer = request.run(&deployment);
        let expected = json!({"error": {"code": "unknown_connection"}});
        assert_eq!((answer.status, answer.json()), (400, expected));
    }
    assert_eq!(deployment.provider.seen().len(), 0);
    let rows = deployment.database.text("select count(*) from connection");
    assert_eq!(rows, "1");
}

#[test]
fn the_option_is_a_boolean() {
    let deployment = deployment();
    let target = "/connections/user-1?provider_config_key=github&revoke=maybe";
    let answer = call("DELETE", target).run(&deployment);
    assert_eq!(answer.status, 400);
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "invalid_query_params");
    assert_eq!(error["errors"][0]["path"], json!(["revoke"]));
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn neither_the_reply_nor_the_log_has_a_secret_or_the_words_of_the_provider() {
    for answer in [revoked(), Answer::Html(500), Answer::error(400, "canary")] {
        let deployment = deployment();
        deployment.provider.will_answer(answer);
        let answer = call("DELETE", TARGET).run(&deployment);
        for secret in ["fake-", "canary", "acme.example"] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
            assert!(!answer.log.contains(secret), "{}", answer.log);
        }
    }
}

#[test]
fn a_revocation_takes_three_round_trips() {
    let deployment = deployment();
    deployment.provider.will_answer(revoked());
    let answer = call("DELETE", TARGET).run(&deployment);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"3\""));
}
