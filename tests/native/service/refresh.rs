//! When credentials are refreshed, and what is stored of the answer.

use serde_json::{Value, json};

use crate::support::{
    client::{create_integration, deployment_with_github, expired_credentials, import},
    connections::{put_acme, read, stored, with},
    deployment::Deployment,
    provider::Answer,
};

fn deployment_with_expired() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment
}

/// Imports `user-1` with a refresh token, and `fields` over its credentials.
fn import_refreshable(deployment: &Deployment, fields: &Value) {
    let credentials = json!({
        "type": "OAUTH2", "access_token": "fake-old-token", "refresh_token": "fake-refresh-token",
    });
    let credentials = with(credentials, fields);
    import(deployment, "user-1", &json!({ "credentials": credentials }));
}

/// The access token that a read gives, and how often the provider was asked so far.
fn token_and_calls(deployment: &Deployment, options: &str) -> (String, usize) {
    let connection = read(deployment, "user-1", options).ok();
    let token = connection["credentials"]["access_token"].as_str().unwrap();
    (token.to_owned(), deployment.provider.seen().len())
}

#[test]
fn an_expired_token_is_refreshed_and_the_answer_stored() {
    let deployment = deployment_with_expired();
    let answer = Answer::token("fake-new-token", Some("fake-rotated-token"));
    deployment.provider.will_answer(answer);
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    let expected = json!({
        "type": "OAUTH2", "access_token": "fake-new-token", "refresh_token": "fake-rotated-token",
        "expires_at": "2026-01-01T01:00:00.000Z",
        "raw": {
            "access_token": "fake-new-token", "expires_in": 3600,
            "refresh_token": "fake-rotated-token",
        },
    });
    assert_eq!(connection["credentials"], expected);
    assert_eq!(
        read(&deployment, "user-1", "&refresh_token=true").ok(),
        connection
    );
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn the_next_refresh_sends_the_rotated_token() {
    let deployment = deployment_with_expired();
    for n in 1..=3 {
        let (access, refresh) = (format!("a{n}"), format!("r{n}"));
        deployment
            .provider
            .will_answer(Answer::token(&access, Some(&refresh)));
        assert_eq!(
            token_and_calls(&deployment, "&force_refresh=true").0,
            access
        );
    }
    let sent: Vec<_> = deployment
        .provider
        .seen()
        .into_iter()
        .map(|seen| seen.body)
        .collect();
    for (body, token) in sent.iter().zip(["fake-refresh-token", "r1", "r2"]) {
        assert!(body.contains(&format!("refresh_token={token}&")), "{body}");
    }
}

#[test]
fn without_a_new_refresh_token_the_old_one_is_kept() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("new", None));
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    assert_eq!(
        connection["credentials"]["refresh_token"],
        "fake-refresh-token"
    );
}

#[test]
fn the_own_client_survives_a_refresh() {
    let deployment = deployment_with_github();
    let client = json!({"client_id": "own", "client_secret": "fake-own-secret"});
    let fields = json!({"expires_at": "2025-12-31T23:00:00Z", "config_override": client});
    import_refreshable(&deployment, &fields);
    deployment.provider.will_answer(Answer::token("new", None));
    let connection = read(&deployment, "user-1", "").ok();
    assert_eq!(connection["credentials"]["config_override"], client);
}

#[test]
fn a_refresh_takes_one_round_trip_and_two_in_the_object() {
    let deployment = deployment_with_expired();
    deployment.provider.will_answer(Answer::token("new", None));
    let answer = read(&deployment, "user-1", "");
    let expected = "d1;desc=\"1\", refresh-d1;desc=\"2\"";
    assert_eq!(answer.header("server-timing"), Some(expected));
}

#[test]
fn a_success_is_recorded() {
    let deployment = deployment_with_expired();
    deployment.advance_seconds(60);
    deployment.provider.will_answer(Answer::token("new", None));
    let connection = read(&deployment, "user-1", "").ok();
    assert_eq!(connection["updated_at"], "2026-01-01T00:01:00.000Z");
    let columns = "json_array(credentials_version, last_refresh_success_at, expires_at,
        refresh_due_at, refresh_failures)";
    // An hour of lifetime, and due a quarter of an hour before its end.
    let expected = "[2,1767225660000,1767229260000,1767228360000,0]";
    assert_eq!(stored(&deployment, "user-1", columns), expected);
}

#[test]
fn a_fresh_token_is_refreshed_only_if_forced() {
    let deployment = deployment_with_github();
    import_refreshable(&deployment, &json!({"expires_at": "2026-01-01T00:15:01Z"}));
    assert_eq!(
        token_and_calls(&deployment, ""),
        ("fake-old-token".to_owned(), 0)
    );
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(
        token_and_calls(&deployment, "&force_refresh=true"),
        ("new".to_owned(), 1)
    );
    assert_eq!(token_and_calls(&deployment, ""), ("new".to_owned(), 1));
}

#[test]
fn a_token_is_refreshed_a_quarter_of_an_hour_before_its_end() {
    let deployment = deployment_with_github();
    import_refreshable(&deployment, &json!({"expires_at": "2026-01-01T01:00:00Z"}));
    deployment.advance_seconds(44 * 60 + 59);
    assert_eq!(token_and_calls(&deployment, "").1, 0);
    deployment.advance_seconds(1);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(token_and_calls(&deployment, ""), ("new".to_owned(), 1));
}

#[test]
fn a_short_lived_token_is_refreshed_at_half_its_lifetime() {
    let deployment = deployment_with_expired();
    let answer = |token: &str| Answer::Json(200, json!({"access_token": token, "expires_in": 60}));
    deployment.provider.will_answer(answer("first"));
    assert_eq!(token_and_calls(&deployment, ""), ("first".to_owned(), 1));
    deployment.advance_seconds(29);
    assert_eq!(token_and_calls(&deployment, ""), ("first".to_owned(), 1));
    deployment.advance_seconds(1);
    deployment.provider.will_answer(answer("second"));
    assert_eq!(token_and_calls(&deployment, ""), ("second".to_owned(), 2));
}

#[test]
fn a_token_without_a_refresh_token_is_handed_out_as_it_is_even_if_forced() {
    let deployment = deployment_with_github();
    let credentials = json!({
        "type": "OAUTH2", "access_token": "stale", "expires_at": "2020-01-01T00:00:00Z",
    });
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    assert_eq!(token_and_calls(&deployment, ""), ("stale".to_owned(), 0));
    assert_eq!(
        token_and_calls(&deployment, "&force_refresh=true"),
        ("stale".to_owned(), 0)
    );
}

/// A deployment with the provider `acme` behind the integration `github`.
fn deployment_with_acme(fields: &Value) -> Deployment {
    let deployment = Deployment::new();
    put_acme(&deployment, fields);
    create_integration(&deployment, "acme", "github");
    deployment
}

#[test]
fn a_token_with_a_refresh_token_and_no_end_is_refreshed_within_the_hour() {
    let deployment = deployment_with_acme(&json!({}));
    import_refreshable(&deployment, &json!({}));
    deployment.advance_seconds(44 * 60);
    assert_eq!(token_and_calls(&deployment, "").1, 0);
    deployment.advance_seconds(60);
    let answer = Answer::Json(200, json!({"access_token": "new"}));
    deployment.provider.will_answer(answer);
    let connection = read(&deployment, "user-1", "").ok();
    assert_eq!(connection["credentials"]["access_token"], "new");
    assert_eq!(connection["credentials"].get("expires_at"), None);
}

#[test]
fn a_provider_may_have_a_margin_of_its_own() {
    let deployment = deployment_with_acme(&json!({"token_expiration_buffer": 30}));
    import_refreshable(&deployment, &json!({"expires_at": "2026-01-01T00:01:00Z"}));
    deployment.advance_seconds(29);
    assert_eq!(token_and_calls(&deployment, "").1, 0);
    deployment.advance_seconds(1);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(token_and_calls(&deployment, "").1, 1);
}

#[test]
fn a_provider_may_have_a_lifetime_of_its_own() {
    let deployment = deployment_with_acme(&json!({"default_token_lifetime": 7200}));
    import_refreshable(&deployment, &json!({}));
    deployment.advance_seconds(6299);
    assert_eq!(token_and_calls(&deployment, "").1, 0);
    deployment.advance_seconds(1);
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(token_and_calls(&deployment, "").1, 1);
}

#[test]
fn a_provider_may_want_refreshes_only_when_forced() {
    let deployment = deployment_with_acme(&json!({"refresh_only_when_forced": true}));
    import_refreshable(&deployment, &json!({"expires_at": "2020-01-01T00:00:00Z"}));
    assert_eq!(
        token_and_calls(&deployment, ""),
        ("fake-old-token".to_owned(), 0)
    );
    deployment.provider.will_answer(Answer::token("new", None));
    assert_eq!(
        token_and_calls(&deployment, "&force_refresh=true"),
        ("new".to_owned(), 1)
    );
}

#[test]
fn the_token_may_be_elsewhere_in_the_answer() {
    let fields = json!({"alternate_access_token_response_path": "authed_user"});
    let deployment = deployment_with_acme(&fields);
    import_refreshable(&deployment, &json!({"expires_at": "2020-01-01T00:00:00Z"}));
    let user = json!({"access_token": "new", "refresh_token": "rotated", "expires_in": 60});
    let answer = Answer::Json(200, json!({"ok": true, "authed_user": user}));
    deployment.provider.will_answer(answer);
    let connection = read(&deployment, "user-1", "&refresh_token=true").ok();
    let credentials = &connection["credentials"];
    assert_eq!(credentials["access_token"], "new");
    assert_eq!(credentials["refresh_token"], "rotated");
    assert_eq!(credentials["expires_at"], "2026-01-01T00:01:00.000Z");
}

#[test]
fn a_lifetime_of_nothing_makes_no_refresh_of_each_read() {
    let deployment = deployment_with_expired();
    let body = json!({"access_token": "a1", "expires_in": -5});
    deployment.provider.will_answer(Answer::Json(200, body));
    for _ in 1..=3 {
        assert_eq!(token_and_calls(&deployment, ""), ("a1".to_owned(), 1));
        deployment.advance_seconds(60);
    }
}
