//! `POST /connections?verify=refresh`: what is stored after one refresh, and what is refused.

use holdfast::oauth2::token_error::Unreachable;
use serde_json::{Value, json};

use crate::support::{
    client::{
        Answered, call, create_integration, deployment_with_github, expired_credentials, import,
    },
    connections::{
        create_plain_integration, deployment_with_every_kind, put_acme, read, stored,
        verified_import, with,
    },
    deployment::{DEV_KEY, Deployment, RING},
    provider::Answer,
};

fn rotated() -> Answer {
    Answer::token("fake-new-token", Some("fake-rotated-token"))
}

fn run(deployment: &Deployment, connection_id: &str, fields: &Value) -> Answered {
    verified_import(connection_id, fields).run(deployment)
}

fn connections(deployment: &Deployment) -> String {
    deployment.database.text("select count(*) from connection")
}

#[test]
fn what_the_provider_gives_is_stored_and_answered_in_place_of_what_was_given() {
    let deployment = deployment_with_github();
    deployment.provider.will_answer(rotated());
    let fields = json!({"metadata": {"a": 1}, "tags": {"b": "c"}, "connection_config": {"d": 2}});
    let answer = run(&deployment, "user-1", &fields).ok();
    let expected = json!({
        "type": "OAUTH2", "access_token": "fake-new-token", "refresh_token": "fake-rotated-token",
        "expires_at": "2026-01-01T01:00:00.000Z", "raw": {
            "access_token": "fake-new-token", "refresh_token": "fake-rotated-token",
            "expires_in": 3600,
        },
    });
    assert_eq!(answer["credentials"], expected);
    assert_eq!(answer["metadata"], json!({"a": 1}));
    assert_eq!(answer["tags"], json!({"b": "c"}));
    assert_eq!(answer["connection_config"], json!({"d": 2}));
    let read = read(&deployment, "user-1", "&refresh_token=1").ok();
    assert_eq!(read, answer);
    let seen = deployment.provider.seen();
    assert_eq!((seen.len(), seen[0].timeout_millis), (1, 10_000));
    assert!(seen[0].body.contains("refresh_token=fake-sent-token"));
}

#[test]
fn a_verified_import_is_two_round_trips_and_two_in_the_object_and_leaves_nothing_there() {
    let deployment = deployment_with_github();
    deployment.provider.will_answer(rotated());
    let answer = run(&deployment, "user-1", &json!({}));
    let expected = "d1;desc=\"2\", refresh-d1;desc=\"2\"";
    assert_eq!(answer.header("server-timing"), Some(expected));
    assert_eq!(deployment.keepers(), Vec::<String>::new());
}

#[test]
fn the_attempt_is_logged_and_the_lifetime_counts_from_it() {
    let deployment = deployment_with_github();
    let ten_minutes = json!({"access_token": "new", "expires_in": 600});
    for name in ["user-1", "user-1"] {
        deployment
            .provider
            .will_answer(Answer::Json(201, ten_minutes.clone()));
        run(&deployment, name, &json!({})).ok();
    }
    let due_in = "(refresh_due_at - 1767225600000) / 1000";
    assert_eq!(stored(&deployment, "user-1", due_in), "300");
    let logs = deployment.database.texts(
        "select json_array(connection, trigger, outcome, status, attempt, duration)
        from refresh_log",
    );
    assert_eq!(logs, vec![r#"[1,"import","refreshed",201,1,0]"#; 2]);
}

#[test]
fn a_provider_that_gives_no_refresh_token_leaves_the_one_that_was_given() {
    let deployment = deployment_with_github();
    deployment.provider.will_answer(Answer::token("new", None));
    let answer = run(&deployment, "user-1", &json!({})).ok();
    assert_eq!(answer["credentials"]["refresh_token"], "fake-sent-token");
}

#[test]
fn a_connection_that_is_imported_again_is_no_duplicate_of_itself_and_keeps_its_identity() {
    let deployment = deployment_with_github();
    import(&deployment, "user-0", &json!({}));
    let same = verified_import("user-1", &json!({}));
    for _ in 0..2 {
        deployment.provider.will_answer(Answer::token("new", None));
        assert_eq!(same.run(&deployment).ok()["id"], 2);
    }
    let version = stored(&deployment, "user-1", "credentials_version");
    assert_eq!(
        (connections(&deployment), version),
        ("2".into(), "2".into())
    );
}

#[test]
fn without_a_name_one_is_chosen() {
    let deployment = deployment_with_github();
    deployment.provider.will_answer(rotated());
    let body = json!({
        "provider_config_key": "github",
        "credentials": {"type": "OAUTH2", "access_token": "a", "refresh_token": "b"},
    });
    let answer = call("POST", "/connections?verify=refresh")
        .body(&body)
        .run(&deployment)
        .ok();
    assert_eq!(answer["connection_id"].as_str().unwrap().len(), 36);
}

#[test]
fn the_credentials_of_a_client_are_verified_by_asking_for_a_token() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"auth_mode": "OAUTH2_CC"}));
    create_plain_integration(&deployment, "acme");
    deployment.provider.will_answer(Answer::token("new", None));
    let credentials = json!({
        "type": "OAUTH2_CC", "token": "old", "client_id": "own", "client_secret": "fake-secret",
    });
    let fields = json!({"provider_config_key": "acme", "credentials": credentials});
    let answer = run(&deployment, "user-1", &fields).ok();
    assert_eq!(answer["credentials"]["token"], "new");
}

#[track_caller]
fn is_duplicate_of(answer: &Answered, connection_id: &str) {
    let expected = json!({"error": {
        "code": "duplicate_grant",
        "message": format!("The connection \"{connection_id}\" holds this grant already"),
        "payload": {"connection_id": connection_id},
    }});
    assert_eq!((answer.status, answer.json()), (409, expected));
}

#[test]
fn a_grant_that_another_connection_holds_is_refused_before_the_provider_is_asked() {
    let mut deployment = deployment_with_github();
    let same = json!({"credentials": {
        "type": "OAUTH2", "access_token": "a", "refresh_token": "fake-sent-token",
    }});
    import(&deployment, "user-1", &same);
    let before = deployment.database.dump();
    let answer = run(&deployment, "user-2", &json!({}));
    is_duplicate_of(&answer, "user-1");
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"2\""));

    let ring = format!("8:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=,{RING}");
    let settings = [
        ("HOLDFAST_ENCRYPTION_KEYS", ring.as_str()),
        ("HOLDFAST_SECRET_KEY_DEV", DEV_KEY),
    ];
    deployment.settings = Deployment::with_settings(&settings).settings;
    is_duplicate_of(&run(&deployment, "user-2", &json!({})), "user-1");
    assert_eq!(deployment.provider.seen().len(), 0);
    assert_eq!(deployment.database.dump(), before);
    assert_eq!(deployment.keepers(), Vec::<String>::new());
}

#[test]
fn a_grant_at_another_integration_is_another_grant() {
    let deployment = deployment_with_github();
    create_integration(&deployment, "github", "other");
    for key in ["github", "other"] {
        deployment.provider.will_answer(Answer::token("new", None));
        run(&deployment, "user-1", &json!({"provider_config_key": key})).ok();
    }
    assert_eq!(connections(&deployment), "2");
}

#[test]
fn whatever_a_provider_does_instead_is_told_and_changes_nothing() {
    let (invalid, server) = ("invalid_grant", "server_error");
    for (own_status, answer, outcome, status) in [
        (
            400,
            Answer::error(400, invalid),
            "invalid_grant",
            json!(400),
        ),
        (
            400,
            Answer::error(401, "invalid_client"),
            "rejected",
            json!(401),
        ),
        (
            502,
            Answer::error(500, server),
            "provider_error",
            json!(500),
        ),
        (502, Answer::Throttled("9"), "rate_limited", json!(429)),
        (502, Answer::Html(200), "malformed", json!(200)),
        (
            502,
            Answer::Lost(Unreachable::Failed),
            "unreachable",
            Value::Null,
        ),
        (
            502,
            Answer::Lost(Unreachable::TimedOut),
            "timed_out",
            Value::Null,
        ),
        (
            502,
            Answer::Lost(Unreachable::TooLarge { status: 200 }),
            "too_large",
            Value::Null,
        ),
    ] {
        let deployment = deployment_with_github();
        import(&deployment, "user-1", &expired_credentials());
        let before = deployment.database.dump();
        for name in ["user-1", "user-2"] {
            deployment.provider.will_answer(answer.clone());
            let told = run(&deployment, name, &json!({}));
            assert_eq!(told.status, own_status, "{}", told.text);
            let error = &told.json()["error"];
            assert_eq!(error["code"], "connection_test_failed");
            assert_eq!(error["payload"]["outcome"], outcome);
            assert_eq!(error["payload"]["status"], status);
            assert_eq!(deployment.database.dump(), before, "{outcome}");
            assert_eq!(deployment.keepers(), Vec::<String>::new());
        }
    }
}

#[test]
fn a_failure_is_told_in_the_providers_words_without_any_secret() {
    let deployment = deployment_with_github();
    let said = "fake-sent-token of fake-given-token is used up, fake-client-secret";
    let answer = json!({"error": "invalid_grant", "error_description": said});
    deployment.provider.will_answer(Answer::Json(400, answer));
    let answer = run(
        &deployment,
        "user-1",
        &json!({"connection_config": {"a": "canary"}}),
    );
    let error = &answer.json()["error"];
    let message = "The credentials could not be verified, because the provider gave no new ones for them. \
        Nothing was stored.";
    assert_eq!(error["message"], message);
    let said = error["payload"]["error"].as_str().unwrap();
    assert!(said.contains("is used up"), "{said}");
    for text in [&answer.text, &answer.log] {
        assert!(
            !text.contains("fake-") && !text.contains("canary"),
            "{text}"
        );
    }
}

#[test]
fn a_provider_that_cannot_be_asked_is_told() {
    let deployment = Deployment::new();
    let token_url = "https://${connectionConfig.domain}/token";
    put_acme(&deployment, &json!({ "token_url": token_url }));
    create_integration(&deployment, "acme", "acme");
    let answer = run(
        &deployment,
        "user-1",
        &json!({"provider_config_key": "acme"}),
    );
    let payload = &answer.json()["error"]["payload"];
    assert_eq!(payload["outcome"], "not_possible", "{payload}");
    assert_eq!(connections(&deployment), "0");
    assert_eq!(deployment.keepers(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_refreshed_cannot_be_verified() {
    let deployment = deployment_with_every_kind();
    for (integration, credentials) in [
        ("github", json!({"type": "OAUTH2", "access_token": "a"})),
        (
            "twitter",
            json!({"type": "OAUTH1", "oauth_token": "a", "oauth_token_secret": "b"}),
        ),
        (
            "private-api-bearer",
            json!({"type": "API_KEY", "apiKey": "a"}),
        ),
        (
            "private-api-basic",
            json!({"type": "BASIC", "username": "a", "password": "b"}),
        ),
        ("unauthenticated", json!({"type": "NONE"})),
    ] {
        let fields = json!({"provider_config_key": integration, "credentials": credentials});
        run(&deployment, "user-1", &fields).is_error(
            400,
            "invalid_body",
            "These credentials cannot be refreshed, so a refresh cannot verify them",
        );
    }
    assert_eq!(connections(&deployment), "0");
}

#[test]
fn a_verification_of_another_name_is_refused() {
    let deployment = deployment_with_github();
    let invalid = "verify invalid_value Invalid option: expected one of \"none\"|\"refresh\"";
    let unknown = " unrecognized_keys Unrecognized key: \"a\"";
    for (query, issue) in [
        ("verify=", invalid),
        ("verify=true", invalid),
        ("verify=Refresh", invalid),
        ("verify=refresh&verify=refresh", invalid),
        ("verify=refresh&a=1", unknown),
    ] {
        let body = with(
            expired_credentials(),
            &json!({"provider_config_key": "github"}),
        );
        let request = call("POST", &format!("/connections?{query}")).body(&body);
        let answer = request.run(&deployment);
        answer.has_issues("invalid_query_params", &[issue]);
    }
    assert_eq!(connections(&deployment), "0");
}

#[test]
fn the_deprecated_import_verifies_nothing() {
    let deployment = deployment_with_github();
    let body = json!({
        "provider_config_key": "github", "connection_id": "user-1", "access_token": "a",
        "refresh_token": "b", "no_expiration": true,
    });
    let request = call("POST", "/connection?verify=refresh").body(&body);
    request.run(&deployment).ok();
    assert_eq!(deployment.provider.seen().len(), 0);
}
