//! Failures of ours: what the caller is told, and what neither he nor the log is.

use serde_json::json;

use crate::support::{
    client::{Answered, call},
    deployment::{DEV_KEY, Deployment},
    routes::{self, Access, Route},
    seed::{create_key, seeded},
};

#[track_caller]
fn is_server_error(answer: &Answered) {
    let expected = json!({"error": {
        "code": "server_error",
        "message": "An internal error occurred. Please report this request id.",
        "payload": {"request_id": "request-1"},
    }});
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.status, 500);
    assert_eq!(answer.log()["request.id"], "request-1");
    assert_eq!(answer.log()["code"], "server_error");
    assert!(answer.log()["error"].is_string(), "{}", answer.log);
}

fn needs_database(route: &Route) -> bool {
    route.access != Access::Open
}

#[test]
fn a_database_that_is_down_is_an_internal_error_of_every_route() {
    for route in routes::all().iter().filter(|route| needs_database(route)) {
        let deployment = seeded();
        deployment.database_is_down.set(true);
        let answer = route.call().run(&deployment);
        is_server_error(&answer);
        assert!(!answer.text.contains("canary"), "{}", answer.text);
        assert!(!answer.log.contains("canary-dev"), "{}", answer.log);
    }
}

/// Spoils what is stored and reads it.
fn spoiled(sql: &str, method: &str, target: &str) -> Answered {
    let deployment = seeded();
    deployment.database.execute(sql);
    call(method, target).run(&deployment)
}

const CONNECTION: &str = "/connections/user-1?provider_config_key=github";

#[test]
fn credentials_that_do_not_open_are_an_internal_error() {
    for sql in [
        "update connection set credentials = 'stored-canary'",
        "update connection set credentials = connection_config",
        "update connection set connection_config = 'stored-canary'",
        "update integration set uid = 'another'",
    ] {
        let answer = spoiled(sql, "GET", CONNECTION);
        is_server_error(&answer);
        assert!(!answer.log.contains("canary"), "{}", answer.log);
    }
}

#[test]
fn a_client_that_does_not_open_is_an_internal_error() {
    let sql = "update integration set secrets = 'stored-canary'";
    for target in [
        "/integrations/github?include=credentials",
        "/config/github?include_creds=true",
    ] {
        let answer = spoiled(sql, "GET", target);
        is_server_error(&answer);
        assert!(!answer.log.contains("canary"), "{}", answer.log);
    }
}

#[test]
fn what_needs_no_secret_works_without_opening_one() {
    let sql = "update integration set secrets = 'x'; update connection set credentials = 'x'";
    for target in [
        "/integrations",
        "/integrations/github",
        "/config/github",
        "/connections",
    ] {
        spoiled(sql, "GET", target).ok();
    }
}

#[test]
fn a_row_of_an_unexpected_shape_is_an_internal_error_that_does_not_repeat_it() {
    for (sql, target) in [
        (
            "update connection set tags = '\"stored-canary\"'",
            CONNECTION,
        ),
        (
            "update connection set tags = '[\"stored-canary\"]'",
            CONNECTION,
        ),
        (
            "update connection set end_user_tags = '\"stored-canary\"'",
            CONNECTION,
        ),
        (
            "update connection set auth_mode = 'stored-canary'",
            CONNECTION,
        ),
    ] {
        let deployment = seeded();
        deployment
            .database
            .execute("drop trigger connection_tags_updated");
        deployment.database.execute(sql);
        let answer = call("GET", target).run(&deployment);
        if answer.status != 200 {
            is_server_error(&answer);
        }
        assert!(!answer.log.contains("canary"), "{}", answer.log);
    }
    let deployment = seeded();
    let key = create_key(&deployment, 1, &["environment:*"]);
    deployment
        .database
        .execute("update api_key set scopes = '\"stored-canary\"'");
    let answer = call("GET", "/integrations").key(&key).run(&deployment);
    is_server_error(&answer);
    assert!(!answer.log.contains("canary"), "{}", answer.log);
}

#[test]
fn a_stored_provider_that_is_no_entry_is_an_internal_error_where_it_is_used() {
    let sql = "insert into provider (name, entry, created_at, updated_at)
        values ('github', '{\"docs\":\"stored-canary\"}', 1, 1)";
    let answer = spoiled(sql, "GET", "/integrations/github");
    is_server_error(&answer);
    assert!(!answer.log.contains("canary"), "{}", answer.log);
}

#[test]
fn a_stored_provider_that_is_no_entry_does_not_take_the_list_of_integrations_along() {
    let sql = "insert into provider (name, entry, created_at, updated_at)
        values ('github', '{}', 1, 1)";
    let answer = spoiled(sql, "GET", "/integrations").ok();
    assert_eq!(answer["data"][0]["provider"], "github");
}

#[test]
fn a_key_that_the_ring_has_no_more_does_not_open_what_it_sealed() {
    let mut deployment = seeded();
    let ring = "8:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    let variables = [
        ("HOLDFAST_ENCRYPTION_KEYS", ring),
        ("HOLDFAST_SECRET_KEY_DEV", DEV_KEY),
    ];
    deployment.settings = Deployment::with_settings(&variables).settings;
    is_server_error(&call("GET", CONNECTION).run(&deployment));
}

#[test]
fn an_error_does_not_repeat_the_secrets_of_its_request() {
    let bodies = [
        (
            "/connections",
            json!({
                "provider_config_key": "github",
                "connection_config": {"password": "canary-password"},
                "credentials": {
                    "type": "OAUTH2", "access_token": "canary-access-token",
                    "refresh_token": "canary-refresh-token", "expires_at": "canary-date",
                    "config_override": {"client_secret": "canary-own-secret", "x": "canary"},
                },
                "metadata": [],
            }),
        ),
        (
            "/connection",
            json!({
                "provider_config_key": "github", "access_token": "canary-access-token",
                "refresh_token": ["canary-refresh-token"], "expires_at": "canary-date",
            }),
        ),
        (
            "/integrations",
            json!({
                "provider": "github", "unique_key": "x", "custom": {"a": ["canary-custom"]},
                "credentials": {
                    "type": "APP", "app_id": "", "private_key": "canary-private-key",
                    "client_secret": "canary-client-secret",
                },
            }),
        ),
    ];
    for (target, body) in bodies {
        let deployment = seeded();
        let answer = call("POST", target).body(&body).run(&deployment);
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(!answer.text.contains("canary"), "{}", answer.text);

        let mut broken = body.to_string().into_bytes();
        broken.truncate(broken.len() - 3);
        let answer = call("POST", target).bytes(broken).run(&deployment);
        assert_eq!(answer.json()["error"]["code"], "invalid_json");
        assert!(!answer.text.contains("canary"), "{}", answer.text);
    }
}

#[test]
fn a_refused_key_is_not_repeated() {
    let deployment = seeded();
    for key in ["canary", "hf_canary", "nango_connect_session_canary"] {
        for route in routes::all().iter().filter(|route| needs_database(route)) {
            let answer = route.call().key(key).run(&deployment);
            assert_eq!(answer.status, 401);
            assert!(!answer.text.contains("canary"), "{}", answer.text);
        }
    }
}
