//! What a failed refresh leaves behind, and what callers see of it.

use holdfast::oauth2::token_error::Unreachable;
use serde_json::{Value, json};

use crate::support::{
    client::{
        Answered, call, create_integration, deployment_with_github, expired_credentials, import,
    },
    connections::{create_plain_integration, put_acme, read, refreshes, stored, with},
    deployment::Deployment,
    provider::Answer,
};

const EXTERNAL: &str = "The external API returned an error when trying to refresh the access \
    token. Please try again later.";
const BACKING_OFF: &str = "A recent refresh attempt failed. Backing off before retrying.";
const EXHAUSTED: &str = "The refresh limit has been reached for this connection.";

fn deployment_with_expired() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment
}

/// Expects an error that names the connection.
#[track_caller]
fn fails(answer: &Answered, status: u16, message: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "invalid_credentials");
    assert_eq!(error["message"], message);
    assert_eq!(error["payload"]["connection"]["connection_id"], "user-1");
    assert_eq!(error["payload"]["connection"]["credentials"], json!({}));
}

/// Last success, last failure, failures, days of failures, next attempt, end of all attempts; in
/// seconds after the start.
fn history(deployment: &Deployment) -> Value {
    let seconds = |column: &str| format!("({column} - 1767225600000) / 1000");
    let columns = format!(
        "json_array({}, {}, refresh_failures, refresh_failure_days, {}, {})",
        seconds("last_refresh_success_at"),
        seconds("last_refresh_failure_at"),
        seconds("refresh_retry_at"),
        seconds("refresh_exhausted_at"),
    );
    serde_json::from_str(&stored(deployment, "user-1", &columns)).unwrap()
}

#[test]
fn the_log_of_a_request_that_could_not_be_made_names_what_is_missing() {
    let deployment = Deployment::new();
    let fields = json!({
        "token_url": "https://${connectionConfig.site}.acme.example/token",
        "connection_config": {"site": {}},
    });
    put_acme(&deployment, &fields);
    create_integration(&deployment, "acme", "github");
    import(&deployment, "user-1", &expired_credentials());
    assert_eq!(read(&deployment, "user-1", "").status, 400);
    let log = refreshes(&deployment, "user-1")[0]["error"].clone();
    let log = log.as_str().unwrap().to_owned();
    assert!(log.contains("no value for connectionConfig.site"), "{log}");
}

#[test]
fn a_provider_that_could_not_be_asked_is_never_given_up() {
    let deployment = Deployment::new();
    let fields = json!({
        "token_url": "https://${connectionConfig.domain}/token", "token_domains": ["acme.example"],
        "connection_config": {"domain": {"example": "acme.example"}},
    });
    put_acme(&deployment, &fields);
    create_integration(&deployment, "acme", "github");
    let config = json!({"connection_config": {"domain": "other.example"}});
    import(&deployment, "user-1", &with(expired_credentials(), &config));
    for _ in 0..5 {
        let answer = read(&deployment, "user-1", "");
        fails(&answer, 400, "Token URL is missing or invalid.");
        deployment.advance_seconds(86_400);
    }
    assert_eq!(refreshes(&deployment, "user-1").len(), 5);
    assert!(deployment.provider.seen().is_empty());
    assert_eq!(stored(&deployment, "user-1", "refresh_failure_days"), "0");
}

#[test]
fn the_error_shows_the_connection_without_any_secret() {
    let deployment = deployment_with_github();
    let config = json!({"refresh_token": "canary", "a": 1});
    let connection = with(
        expired_credentials(),
        &json!({"connection_config": config, "metadata": {"b": 2}, "tags": {"c": "3"}}),
    );
    import(&deployment, "user-1", &connection);
    deployment.provider.will_answer(Answer::Html(500));
    let answer = read(&deployment, "user-1", "");
    let errors = json!([{"type": "auth", "log_id": refreshes(&deployment, "user-1")[0]["id"]}]);
    let connection = json!({
        "id": 1, "connection_id": "user-1", "provider_config_key": "github",
        "provider": "github", "errors": errors, "end_user": null, "tags": {"c": "3"},
        "metadata": {"b": 2}, "connection_config": {"a": 1}, "webhook_url_override": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
        "last_fetched_at": "2026-01-01T00:00:00.000Z", "credentials": {},
    });
    let expected = json!({"error": {
        "code": "invalid_credentials", "message": EXTERNAL, "payload": {"connection": connection},
    }});
    assert_eq!((answer.status, answer.json()), (400, expected));
    for secret in [
        "canary",
        "fake-old-token",
        "fake-refresh-token",
        "fake-client-secret",
    ] {
        assert!(
            !answer.text.contains(secret) && !answer.log.contains(secret),
            "{secret}"
        );
    }
}

#[test]
fn whatever_else_a_provider_does_is_transient() {
    for answer in [
        Answer::error(500, "server_error"),
        Answer::error(401, "invalid_client"),
        Answer::error(400, "invalid_request"),
        Answer::Html(200),
        Answer::Html(502),
        Answer::Json(200, json!({"ok": false, "error": "ratelimited"})),
        Answer::Json(200, json!({"token_type": "bearer"})),
        Answer::Json(200, json!([])),
        Answer::Json(302, json!({"access_token": "stolen"})),
        Answer::Lost(Unreachable::Failed),
        Answer::Lost(Unreachable::TimedOut),
        Answer::Lost(Unreachable::TooLarge { status: 200 }),
    ] {
        let deployment = deployment_with_expired();
        deployment.provider.will_answer(answer);
        fails(&read(&deployment, "user-1", ""), 400, EXTERNAL);
        assert_eq!(history(&deployment), json!([null, 0, 1, 1, 30, null]));
        let read = read(&deployment, "user-1", "");
        fails(&read, 424, BACKING_OFF);
        assert_eq!(read.header("server-timing"), Some("d1;desc=\"1\""));
        assert_eq!(deployment.provider.seen().len(), 1);
    }
}

#[test]
fn a_dead_grant_is_final() {
    for code in ["invalid_grant", "bad_refresh_token", "token_revoked"] {
        let deployment = deployment_with_expired();
        deployment.provider.will_answer(Answer::error(400, code));
        fails(&read(&deployment, "user-1", ""), 400, EXTERNAL);
        assert_eq!(history(&deployment), json!([null, 0, 1, 1, 30, 0]));
        fails(&read(&deployment, "user-1", ""), 424, EXHAUSTED);
        deployment.advance_seconds(30 * 24 * 3600);
        fails(&read(&deployment, "user-1", ""), 424, EXHAUSTED);
        assert_eq!(deployment.provider.seen().len(), 1);
    }
}

#[test]
fn a_failure_keeps_the_credentials() {
    let deployment = deployment_with_expired();
    let before = stored(&deployment, "user-1", "credentials");
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    read(&deployment, "user-1", "");
    assert_eq!(stored(&deployment, "user-1", "credentials"), before);
    assert_eq!(stored(&deployment, "user-1", "updated_at"), "1767225600000");
}

#[test]
fn the_wait_after_a_failure_ends() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::Html(500));
    read(&deployment, "user-1", "");
    deployment.advance_seconds(29);
    fails(&read(&deployment, "user-1", ""), 424, BACKING_OFF);
    deployment.advance_seconds(1);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(
        read(&deployment, "user-1", "").ok()["credentials"]["access_token"],
        "new"
    );
    assert_eq!(history(&deployment), json!([30, null, 0, 0, null, null]));
}

#[test]
fn the_wait_that_a_provider_asks_for_is_kept() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::Throttled("120"));
    fails(&read(&deployment, "user-1", ""), 400, EXTERNAL);
    assert_eq!(history(&deployment), json!([null, 0, 1, 1, 120, null]));
}

#[test]
fn failures_on_four_days_are_final() {
    let deployment = deployment_with_expired();
    for day in 1..=4 {
        deployment.provider.will_answer(Answer::Html(500));
        fails(&read(&deployment, "user-1", ""), 400, EXTERNAL);
        assert_eq!(history(&deployment)[3], day);
        deployment.advance_seconds(24 * 3600);
    }
    assert_eq!(history(&deployment)[5], 3 * 24 * 3600);
    fails(&read(&deployment, "user-1", ""), 424, EXHAUSTED);
}

#[test]
fn a_forced_refresh_that_succeeds_ends_exhaustion() {
    let deployment = deployment_with_expired();
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    read(&deployment, "user-1", "");
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "&force_refresh=true").ok();
    assert_eq!(history(&deployment), json!([0, null, 0, 0, null, null]));
    assert_eq!(
        read(&deployment, "user-1", "").ok()["credentials"]["access_token"],
        "new"
    );
}

#[test]
fn a_forced_refresh_is_attempted_while_backing_off() {
    let deployment = deployment_with_expired();
    for _ in 0..3 {
        deployment.provider.will_answer(Answer::Html(500));
        fails(
            &read(&deployment, "user-1", "&force_refresh=true"),
            400,
            EXTERNAL,
        );
    }
    assert_eq!(deployment.provider.seen().len(), 3);
    assert_eq!(history(&deployment)[2], 3);
}

#[test]
fn another_import_ends_exhaustion() {
    let deployment = deployment_with_expired();
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    read(&deployment, "user-1", "");
    import(&deployment, "user-1", &expired_credentials());
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "").ok();
}

#[test]
fn a_failed_request_for_a_clients_own_token_has_a_message_of_its_own() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"auth_mode": "OAUTH2_CC"}));
    create_plain_integration(&deployment, "acme");
    let credentials = json!({
        "type": "OAUTH2_CC", "token": "old", "expires_at": "2025-12-31T23:00:00Z",
        "client_id": "own", "client_secret": "canary-secret",
    });
    let fields = json!({"provider_config_key": "acme", "credentials": credentials});
    import(&deployment, "user-1", &fields);
    deployment
        .provider
        .will_answer(Answer::error(401, "invalid_client"));
    let target = "/connections/user-1?provider_config_key=acme";
    let answer = call("GET", target).run(&deployment);
    fails(&answer, 400, "Failed to fetch client credentials token");
    assert!(!answer.text.contains("canary"));
}

#[test]
fn a_way_to_authenticate_that_is_not_supported_is_told() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({}));
    create_integration(&deployment, "acme", "github");
    put_acme(
        &deployment,
        &json!({"token_request_auth_method": "private_key_jwt"}),
    );
    import(&deployment, "user-1", &expired_credentials());
    fails(
        &read(&deployment, "user-1", ""),
        400,
        "The integration has no client that the provider's token endpoint accepts.",
    );
}
