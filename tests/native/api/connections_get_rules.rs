//! `GET /connections/:connectionId`: parameters, scopes and errors.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github, expired_credentials, import},
    connections::{read, scoped_key, stored},
    deployment::{Deployment, PROD_KEY},
    provider::Answer,
};

const TARGET: &str = "/connections/user-1?provider_config_key=github";

/// A deployment with the connection `user-1`, which has refresh tokens everywhere.
fn deployment_with_connection() -> Deployment {
    let deployment = deployment_with_github();
    let extra = json!({
        "credentials": {
            "type": "OAUTH2", "access_token": "fake-access-token",
            "refresh_token": "fake-refresh-token", "expires_at": "2027-01-01T00:00:00.000Z",
        },
        "connection_config": {
            "Refresh-Token": "x", "user": [{"refreshToken": "y", "access_token": "z"}],
        },
    });
    import(&deployment, "user-1", &extra);
    deployment
}

fn with_scopes(deployment: &Deployment, scopes: &[&str], options: &str) -> Answered {
    let key = scoped_key(deployment, scopes);
    call("GET", &format!("{TARGET}{options}"))
        .key(&key)
        .run(deployment)
}

#[test]
fn refresh_tokens_are_left_out_at_any_depth() {
    let connection = read(&deployment_with_connection(), "user-1", "").ok();
    let expected = json!({
        "type": "OAUTH2", "access_token": "fake-access-token",
        "expires_at": "2027-01-01T00:00:00.000Z",
        "raw": {
            "type": "OAUTH2", "access_token": "fake-access-token",
            "expires_at": "2027-01-01T00:00:00.000Z",
        },
    });
    assert_eq!(connection["credentials"], expected);
    let expected = json!({"user": [{"access_token": "z"}]});
    assert_eq!(connection["connection_config"], expected);
}

#[test]
fn refresh_tokens_are_shown_if_asked_for() {
    let connection = read(
        &deployment_with_connection(),
        "user-1",
        "&refresh_token=true",
    )
    .ok();
    let credentials = &connection["credentials"];
    assert_eq!(credentials["refresh_token"], "fake-refresh-token");
    assert_eq!(credentials["raw"]["refresh_token"], "fake-refresh-token");
    let expected = json!({
        "Refresh-Token": "x", "user": [{"refreshToken": "y", "access_token": "z"}],
    });
    assert_eq!(connection["connection_config"], expected);
}

#[test]
fn flags_are_understood_in_every_spelling() {
    let deployment = deployment_with_connection();
    for (spellings, is_shown) in [
        (
            ["true", "1", "yes", "on", "y", "enabled", "TRUE", "Yes"],
            true,
        ),
        (
            ["false", "0", "no", "off", "n", "disabled", "FALSE", "Off"],
            false,
        ),
    ] {
        for spelling in spellings {
            let options = format!("&refresh_token={spelling}");
            let connection = read(&deployment, "user-1", &options).ok();
            let is_there = connection["credentials"].get("refresh_token").is_some();
            assert_eq!(is_there, is_shown, "{spelling}");
        }
    }
}

#[test]
fn other_spellings_of_flags_are_refused() {
    let deployment = deployment_with_connection();
    for name in [
        "refresh_token",
        "force_refresh",
        "refresh_github_app_jwt_token",
    ] {
        for value in ["", "2", "t", "wahr"] {
            let issue = format!(
                "{name} invalid_value Invalid option: expected one of \"true\"|\"1\"|\"yes\"|\
                \"on\"|\"y\"|\"enabled\"|\"false\"|\"0\"|\"no\"|\"off\"|\"n\"|\"disabled\""
            );
            read(&deployment, "user-1", &format!("&{name}={value}"))
                .has_issues("invalid_query_params", &[&issue]);
        }
    }
}

#[test]
fn the_query_is_checked_before_the_path() {
    let deployment = deployment_with_connection();
    let key = scoped_key(&deployment, &["environment:connections:list"]);
    let target = "/connections/a%3Fb?a=1&refresh_token=2";
    let required = "Insufficient scope. Required one of: environment:connections:read or \
        environment:connections:read_credentials";
    call("GET", target)
        .key(&key)
        .run(&deployment)
        .is_error(403, "forbidden", required);
    let answer = call("GET", target).run(&deployment);
    assert_eq!(answer.json()["error"]["code"], "invalid_query_params");
    call("GET", "/connections/user-1?a=1")
        .run(&deployment)
        .has_issues(
            "invalid_query_params",
            &[
                "provider_config_key invalid_type Invalid input: expected string, received undefined",
                " unrecognized_keys Unrecognized key: \"a\"",
            ],
        );
    let pattern = r#"connectionId invalid_format Invalid string: must match pattern /^[a-zA-Z0-9,.;:=+~[\]|@${}"'\\/_ -]+$/"#;
    read(&deployment, "a%3Fb", "").has_issues("invalid_uri_params", &[pattern]);
    read(&deployment, &"x".repeat(256), "").has_issues(
        "invalid_uri_params",
        &["connectionId too_big Too big: expected string to have <=255 characters"],
    );
}

#[test]
fn a_name_in_the_path_is_decoded() {
    let deployment = deployment_with_connection();
    import(&deployment, "a/b c+\"", &json!({}));
    let connection = read(&deployment, "a%2Fb%20c+%22", "").ok();
    assert_eq!(connection["connection_id"], "a/b c+\"");
}

#[test]
fn unknown_integrations_and_connections_are_told_apart() {
    let deployment = deployment_with_connection();
    call("GET", "/connections/user-1?provider_config_key=nowhere")
        .run(&deployment)
        .is_error(400, "unknown_provider_config", "Provider does not exists");
    read(&deployment, "nobody", "").is_error(404, "not_found", "Failed to find connection");
    call("GET", TARGET).key(PROD_KEY).run(&deployment).is_error(
        400,
        "unknown_provider_config",
        "Provider does not exists",
    );
}

#[test]
fn the_deprecated_path_reads_the_same() {
    let deployment = deployment_with_connection();
    let target = "/connection/user-1?provider_config_key=github";
    let legacy = call("GET", target).run(&deployment).ok();
    assert_eq!(legacy, read(&deployment, "user-1", "").ok());
}

#[test]
fn a_key_that_may_read_sees_neither_credentials_nor_tokens_in_the_configuration() {
    let deployment = deployment_with_connection();
    let whole = read(&deployment, "user-1", "").ok();
    let answer = with_scopes(&deployment, &["environment:connections:read"], "");
    let mut expected = whole;
    expected["credentials"] = json!({});
    expected["connection_config"] = json!({"user": [{}]});
    assert_eq!(answer.ok(), expected);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
}

#[test]
fn a_key_that_may_read_neither_fetches_nor_refreshes() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment.advance_seconds(3600);
    let answer = with_scopes(&deployment, &["environment:connections:read"], "").ok();
    assert_eq!(answer["last_fetched_at"], "2026-01-01T00:00:00.000Z");
    assert_eq!(
        stored(&deployment, "user-1", "last_fetched_at"),
        "1767225600000"
    );
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn a_key_that_may_read_has_no_options() {
    let deployment = deployment_with_connection();
    let key = scoped_key(&deployment, &["environment:connections:read"]);
    for option in [
        "refresh_token",
        "force_refresh",
        "refresh_github_app_jwt_token",
    ] {
        let with = |value| {
            call("GET", &format!("{TARGET}&{option}={value}"))
                .key(&key)
                .run(&deployment)
        };
        with("true").is_error(
            403,
            "forbidden",
            "Credential and refresh options require the environment:connections:read_credentials scope",
        );
        assert_eq!(with("false").ok()["credentials"], json!({}));
    }
}

#[test]
fn a_key_that_may_read_credentials_sees_them_with_every_option() {
    let deployment = deployment_with_connection();
    deployment.provider.will_answer(Answer::token("new", None));
    let answer = with_scopes(
        &deployment,
        &["environment:connections:read_credentials"],
        "&refresh_token=true&force_refresh=true&refresh_github_app_jwt_token=true",
    );
    assert_eq!(answer.ok()["credentials"]["access_token"], "new");
    assert_eq!(
        answer.json()["credentials"]["refresh_token"],
        "fake-refresh-token"
    );
}

#[test]
fn the_time_of_the_last_fetch_is_stored_once_a_minute() {
    let deployment = deployment_with_connection();
    for (seconds, shown, kept) in [
        (59, "2026-01-01T00:00:59.000Z", 0),
        (1, "2026-01-01T00:01:00.000Z", 60),
        (59, "2026-01-01T00:01:59.000Z", 60),
        (3600, "2026-01-01T01:01:59.000Z", 3719),
    ] {
        deployment.advance_seconds(seconds);
        assert_eq!(
            read(&deployment, "user-1", "").ok()["last_fetched_at"],
            shown
        );
        let kept = 1_767_225_600_000_i64 + kept * 1000;
        let column = stored(&deployment, "user-1", "last_fetched_at");
        assert_eq!(column, kept.to_string());
    }
}

#[test]
fn a_fetch_is_no_change() {
    let deployment = deployment_with_connection();
    deployment.advance_seconds(3600);
    let connection = read(&deployment, "user-1", "").ok();
    assert_eq!(connection["updated_at"], "2026-01-01T00:00:00.000Z");
}

#[test]
fn an_answer_with_credentials_is_kept_by_nobody() {
    let answer = read(&deployment_with_connection(), "user-1", "");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.log.contains("fake-access-token"));
    assert!(!answer.log.contains("user-1"));
}

#[test]
fn a_failing_database_is_told_without_its_words() {
    let deployment = deployment_with_connection();
    deployment.database_is_down.set(true);
    let answer = read(&deployment, "user-1", "");
    let expected: Value = json!({"error": {
        "code": "server_error",
        "message": "An internal error occurred. Please report this request id.",
        "payload": {"request_id": "request-1"},
    }});
    assert_eq!((answer.status, answer.json()), (500, expected));
    assert!(answer.log.contains("canary: the database is down"));
}

#[test]
fn credentials_that_were_moved_to_another_row_do_not_open() {
    let deployment = deployment_with_connection();
    import(&deployment, "user-2", &json!({}));
    deployment.database.texts(
        "update connection set credentials = (
            select credentials from connection where connection_id = 'user-1')
        where connection_id = 'user-2'",
    );
    let answer = read(&deployment, "user-2", "");
    assert_eq!(answer.status, 500);
    assert!(!answer.text.contains("fake-access-token"));
}
