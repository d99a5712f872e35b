//! `POST /connections`: what is stored and answered for each kind of credentials, and which of
//! several mistakes is told.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github, import},
    connections::{create_plain_integration, deployment_with_every_kind, put_acme, stored},
    deployment::Deployment,
    exchanges,
    keys::RSA_PKCS8,
};

fn post(deployment: &Deployment, body: &Value) -> Answered {
    call("POST", "/connections").body(body).run(deployment)
}

/// Imports `credentials`, and expects the same answer from the import and from a later read.
#[track_caller]
fn keeps(integration: &str, credentials: &Value, config: &Value, expected: &Value) {
    let deployment = deployment_with_every_kind();
    let body = json!({
        "provider_config_key": integration, "connection_id": "user-1",
        "credentials": credentials, "connection_config": config,
    });
    let imported = post(&deployment, &body).ok();
    assert_eq!(imported["credentials"], *expected);
    let target = format!("/connections/user-1?provider_config_key={integration}&refresh_token=1");
    let read = call("GET", &target).run(&deployment).ok();
    assert_eq!(read["credentials"], *expected);
    assert_eq!(read["connection_config"], *config);
}

#[test]
fn an_oauth_2_token_is_kept_with_all_that_was_sent() {
    let mut sent = json!({
        "type": "OAUTH2", "access_token": "fake-access-token",
        "refresh_token": "fake-refresh-token", "expires_at": "2027-01-01T00:00:00.000Z",
        "config_override": {"client_id": "own-client", "client_secret": "fake-own-secret"},
    });
    let raw = sent.clone();
    let expected = {
        sent["raw"] = raw.clone();
        sent
    };
    keeps("github", &raw, &json!({"own": [1, null]}), &expected);
}

#[test]
fn an_import_may_bring_the_answer_that_its_tokens_came_from() {
    let raw = json!({"ok": true, "authed_user": {"access_token": "fake-user-token"}});
    let expected = json!({"type": "OAUTH2", "access_token": "fake-token", "raw": raw});
    keeps("github", &expected, &json!({}), &expected);
    let expected = json!({
        "type": "OAUTH2_CC", "token": "fake-token", "client_id": "own-client",
        "client_secret": "fake-own-secret", "raw": raw,
    });
    let config = json!({"hostname": "a.example"});
    keeps("auth0-cc", &expected, &config, &expected);
    let expected = json!({
        "type": "OAUTH1", "oauth_token": "fake-token", "oauth_token_secret": "fake-secret",
        "raw": raw,
    });
    keeps("twitter", &expected, &json!({}), &expected);
}

#[test]
fn a_client_credentials_token_is_kept_with_its_client_and_key() {
    let sent = json!({
        "type": "OAUTH2_CC", "token": "fake-token", "expires_at": "2027-01-01T00:00:00.000Z",
        "client_id": "own-client", "client_secret": "fake-own-secret",
        "client_private_key": "fake-private-key",
    });
    let mut expected = sent.clone();
    expected["raw"] = sent.clone();
    keeps(
        "auth0-cc",
        &sent,
        &json!({"hostname": "a.example"}),
        &expected,
    );
}

#[test]
fn a_client_with_a_key_needs_no_secret() {
    let mut sent = json!({
        "type": "OAUTH2_CC", "token": "fake-token", "client_id": "own-client",
        "client_private_key": RSA_PKCS8, "raw": {},
    });
    let mut expected = sent.clone();
    expected["client_secret"] = "".into();
    let entry = json!({
        "auth_mode": "OAUTH2_CC", "token_request_auth_method": "private_key_jwt",
    });
    let deployment = exchanges::deployment_with(&entry, &json!({}));
    let keeps = |sent: &Value| {
        let imported = exchanges::post(&deployment, sent, &json!({})).ok();
        assert_eq!(imported["credentials"], expected);
    };
    keeps(&sent);
    sent["client_secret"] = "".into();
    keeps(&sent);
}

#[test]
fn a_client_that_does_not_sign_needs_a_secret_though_it_has_a_key() {
    let deployment = deployment_with_every_kind();
    let mut credentials = json!({
        "type": "OAUTH2_CC", "token": "fake-token", "client_id": "own-client",
        "client_private_key": "fake-private-key",
    });
    for secret in [None, Some("")] {
        if let Some(secret) = secret {
            credentials["client_secret"] = secret.into();
        }
        let body = json!({"provider_config_key": "auth0-cc", "credentials": credentials});
        let issue = "credentials.client_secret invalid_type Invalid input: expected string, \
                     received undefined";
        post(&deployment, &body).has_issues("invalid_body", &[issue]);
    }
}

#[test]
fn an_oauth_1_token_is_kept() {
    let sent = json!({
        "type": "OAUTH1", "oauth_token": "fake-token", "oauth_token_secret": "fake-secret",
    });
    let mut expected = sent.clone();
    expected["raw"] = sent.clone();
    keeps("twitter", &sent, &json!({}), &expected);
}

#[test]
fn an_api_key_is_kept() {
    let sent = json!({"type": "API_KEY", "apiKey": "fake-api-key"});
    keeps("private-api-bearer", &sent, &json!({}), &sent);
}

#[test]
fn a_user_name_and_a_password_are_kept_even_if_empty() {
    let sent = json!({"type": "BASIC", "username": "", "password": "fake-password"});
    keeps("private-api-basic", &sent, &json!({}), &sent);
    let sent = json!({"type": "BASIC", "username": "", "password": ""});
    keeps("private-api-basic", &sent, &json!({}), &sent);
}

#[test]
fn a_tba_token_is_kept_and_gets_an_empty_override_if_it_has_none() {
    let config = json!({"accountId": "1234"});
    let sent = json!({
        "type": "TBA", "token_id": "fake-id", "token_secret": "fake-secret",
        "config_override": {"client_id": "own-client", "client_secret": "fake-own-secret"},
    });
    keeps("netsuite-tba", &sent, &config, &sent);
    let sent = json!({"type": "TBA", "token_id": "fake-id", "token_secret": "fake-secret"});
    let mut expected = sent.clone();
    expected["config_override"] = json!({});
    keeps("netsuite-tba", &sent, &config, &expected);
}

#[test]
fn no_credentials_are_kept_as_none_and_were_never_fetched() {
    let deployment = deployment_with_every_kind();
    let body = json!({"provider_config_key": "unauthenticated", "credentials": {"type": "NONE"}});
    let imported = post(&deployment, &body).ok();
    assert_eq!(imported["credentials"], json!({}));
    assert_eq!(imported["last_fetched_at"], Value::Null);
}

#[test]
fn an_import_is_answered_in_full() {
    let deployment = deployment_with_github();
    let end_user = json!({
        "id": "u1", "email": "u1@users.example", "display_name": "User One",
        "tags": {"projectId": "p1"},
    });
    let extra = json!({
        "metadata": {"b": 1, "a": [true, null, "x"]}, "connection_config": {"c": {"d": 1}},
        "webhook_url_override": "https://hooks.example/in", "end_user": end_user,
        "tags": {"Team": "Blue"},
    });
    let answer = import(&deployment, "user-1", &extra);
    let expected = json!({
        "id": 1, "connection_id": "user-1", "provider_config_key": "github",
        "provider": "github", "errors": [],
        "end_user": {
            "id": "u1", "display_name": "User One", "email": "u1@users.example",
            "tags": {"projectId": "p1"}, "organization": null,
        },
        "tags": {
            "end_user_display_name": "User One", "end_user_email": "u1@users.example",
            "end_user_id": "u1", "projectid": "p1", "team": "Blue",
        },
        "metadata": {"b": 1, "a": [true, null, "x"]}, "connection_config": {"c": {"d": 1}},
        "webhook_url_override": "https://hooks.example/in",
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
        "last_fetched_at": "2026-01-01T00:00:00.000Z",
        "credentials": {
            "type": "OAUTH2", "access_token": "fake-access-token",
            "raw": {"type": "OAUTH2", "access_token": "fake-access-token"},
        },
    });
    assert_eq!(answer, expected);
}

#[test]
fn an_import_takes_two_round_trips() {
    let deployment = deployment_with_github();
    let body = json!({
        "provider_config_key": "github",
        "credentials": {"type": "OAUTH2", "access_token": "fake-access-token"},
    });
    let answer = post(&deployment, &body);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"2\""));
}

#[test]
fn an_import_without_an_id_is_given_a_random_uuid() {
    let deployment = deployment_with_github();
    let body = json!({
        "provider_config_key": "github",
        "credentials": {"type": "OAUTH2", "access_token": "fake-access-token"},
    });
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = post(&deployment, &body).ok()["connection_id"].clone();
        let id = id.as_str().unwrap().to_owned();
        let version = uuid::Uuid::parse_str(&id).unwrap().get_version_num();
        assert_eq!((version, id.len()), (4, 36));
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_custom_provider_takes_imports_of_its_kind() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"auth_mode": "API_KEY"}));
    create_plain_integration(&deployment, "acme");
    let body = json!({
        "provider_config_key": "acme", "connection_id": "user-1",
        "credentials": {"type": "API_KEY", "apiKey": "fake-api-key"},
    });
    assert_eq!(post(&deployment, &body).ok()["provider"], "acme");
    assert_eq!(stored(&deployment, "user-1", "auth_mode"), "API_KEY");
}

#[test]
fn nothing_secret_is_in_the_database_in_the_clear() {
    let deployment = deployment_with_github();
    let extra = json!({
        "credentials": {
            "type": "OAUTH2", "access_token": "canary-access-token",
            "refresh_token": "canary-refresh-token",
            "config_override": {"client_id": "canary-id", "client_secret": "canary-secret"},
        },
        "connection_config": {"canary-name": "canary-value"},
    });
    import(&deployment, "user-1", &extra);
    let tables = "select name from sqlite_master where type = 'table'";
    let mut dumped = 0;
    for table in deployment.database.texts(tables) {
        let columns = format!("select name from pragma_table_info('{table}')");
        for column in deployment.database.texts(&columns) {
            let values = format!("select cast(\"{column}\" as text) from \"{table}\"");
            let values = format!("select coalesce(group_concat(v), '') from (select ({values}) v)");
            assert!(!deployment.database.text(&values).contains("canary"));
            dumped += 1;
        }
    }
    assert!(dumped > 60, "{dumped}");
}
