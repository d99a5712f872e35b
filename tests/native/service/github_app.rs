//! Installations of GitHub Apps: the exact request for a token, the app's own token, and the
//! user's token beside it.

use holdfast::oauth2::http::Method;
use serde_json::{Value, json};

use crate::support::{
    client::call,
    connections::with,
    deployment::{Deployment, START},
    exchanges::opened,
    keys,
    provider::{Answer, Seen},
};

const NOW: i64 = START / 1000;

fn deployment(provider: &str, own: &Value) -> Deployment {
    let deployment = Deployment::new();
    let mut client = json!({
        "app_id": "77", "app_link": "https://github.com/apps/fake",
        "private_key": keys::RSA_PKCS1,
    });
    for (name, value) in own.as_object().unwrap() {
        client[name] = value.clone();
    }
    let body = json!({"provider": provider, "unique_key": "app", "credentials": client});
    call("POST", "/integrations")
        .body(&body)
        .run(&deployment)
        .ok();
    deployment
}

fn app() -> Deployment {
    deployment("github-app", &json!({"type": "APP"}))
}

fn app_and_user() -> Deployment {
    let client = json!({
        "type": "CUSTOM", "client_id": "fake-client", "client_secret": "fake-client-secret",
    });
    deployment("github-app-oauth", &client)
}

fn import(deployment: &Deployment, config: &Value) -> Value {
    let body = json!({
        "provider_config_key": "app", "connection_id": "user-1", "connection_config": config,
        "credentials": {"type": "APP", "app_id": "77", "installation_id": "42"},
    });
    call("POST", "/connections")
        .body(&body)
        .run(deployment)
        .ok()
}

#[test]
fn the_installation_of_another_app_is_refused_because_its_token_could_not_be_asked_for() {
    for deployment in [app(), app_and_user()] {
        let body = json!({
            "provider_config_key": "app",
            "credentials": {"type": "APP", "app_id": "78", "installation_id": "42"},
        });
        let refused = call("POST", "/connections").body(&body).run(&deployment);
        let issue = "credentials.app_id custom The integration is another app";
        refused.has_issues("invalid_body", &[issue]);
    }
    let flat = json!({"provider_config_key": "app", "app_id": "78", "installation_id": "42"});
    let refused = call("POST", "/connection").body(&flat).run(&app());
    refused.has_issues(
        "invalid_body",
        &["app_id custom The integration is another app"],
    );
}

fn get(deployment: &Deployment, options: &str) -> Value {
    let target = format!("/connections/user-1?provider_config_key=app{options}");
    call("GET", &target).run(deployment).ok()
}

/// GitHub's answer with a token that ends at `hour`.
fn token(name: &str, hour: i64) -> Answer {
    Answer::Json(
        201,
        json!({
            "token": name, "expires_at": format!("2026-01-01T{hour:02}:00:00Z"),
            "permissions": {"contents": "read"}, "repository_selection": "all",
        }),
    )
}

fn header<'s>(seen: &'s Seen, name: &str) -> &'s str {
    let mut headers = seen.headers.iter();
    let found = headers.find(|(other, _)| other == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// Header and claims of the token that a request shows.
fn bearer(seen: &Seen) -> (Value, Value) {
    let token = header(seen, "authorization").strip_prefix("Bearer ");
    opened(&token.unwrap().into())
}

#[test]
fn an_installation_token_is_asked_for_as_the_documentation_says() {
    let deployment = app();
    deployment.provider.will_answer(token("fake-token", 1));
    let imported = import(&deployment, &json!({}));
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.method, Method::Post);
    assert_eq!(
        seen.url,
        "https://api.github.com/app/installations/42/access_tokens"
    );
    assert_eq!(seen.body, "{}");
    assert_eq!(header(seen, "accept"), "application/vnd.github+json");
    assert_eq!(header(seen, "content-type"), "application/json");
    assert_eq!(header(seen, "user-agent"), "holdfast");
    let (header, claims) = bearer(seen);
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT"}));
    let expected = json!({"iss": "77", "iat": NOW - 60, "exp": NOW + 540});
    assert_eq!(claims, expected);

    let shown = &imported["credentials"];
    assert_eq!(shown["type"], "APP");
    assert_eq!(shown["access_token"], "fake-token");
    assert_eq!(shown["expires_at"], "2026-01-01T01:00:00.000Z");
    assert_eq!(shown["raw"]["permissions"]["contents"], "read");
    assert_eq!(opened(&shown["jwtToken"]).1, expected);
    let config = json!({"app_id": "77", "installation_id": "42"});
    assert_eq!(imported["connection_config"], config);
}

#[test]
fn the_deprecated_import_takes_an_app_and_keeps_its_configuration() {
    let deployment = app();
    let import = |fields: &Value| {
        let body = json!({"provider_config_key": "app", "connection_id": "user-1"});
        let body = with(body, fields);
        call("POST", "/connection").body(&body).run(&deployment)
    };
    import(&json!({})).is_legacy_error(400, "missing_app_id", "Missing param 'app_id'.");
    import(&json!({"app_id": "77"})).is_legacy_error(
        400,
        "missing_installation_id",
        "Missing param 'installation_id'.",
    );
    let whole = json!({
        "app_id": "77", "installation_id": "42", "connection_config": {"own": "x"},
        "metadata": {"a": 1},
    });
    let refusal = Answer::error(404, "not_found");
    deployment.provider.will_answer(refusal);
    let refused = import(&whole);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"]["code"], "connection_test_failed");
    deployment.provider.will_answer(token("fake-token", 1));
    assert_eq!(import(&whole).ok()["installation_id"], "42");
    let read = get(&deployment, "");
    assert_eq!(read["credentials"]["access_token"], "fake-token");
    let config = json!({"own": "x", "app_id": "77", "installation_id": "42"});
    assert_eq!(read["connection_config"], config);
    assert_eq!(read["metadata"], json!({"a": 1}));

    let numbers = json!({"app_id": 77, "installation_id": 43});
    deployment.provider.will_answer(token("fake-token", 1));
    assert_eq!(import(&numbers).ok()["installation_id"], 43);
    let config = json!({"app_id": "77", "installation_id": "43"});
    assert_eq!(get(&deployment, "")["connection_config"], config);
}

#[test]
fn an_installation_token_is_renewed_a_quarter_of_an_hour_before_its_end_and_not_before() {
    let deployment = app();
    deployment.provider.will_answer(token("fake-first", 1));
    import(&deployment, &json!({}));
    let read = || get(&deployment, "")["credentials"]["access_token"].clone();
    deployment.advance_seconds(45 * 60 - 1);
    assert_eq!(read(), "fake-first");
    deployment.advance_seconds(1);
    deployment.provider.will_answer(token("fake-second", 2));
    assert_eq!(read(), "fake-second");
    assert_eq!(deployment.provider.seen().len(), 2);
}

#[test]
fn a_fresh_token_of_the_app_is_signed_on_request_and_nobody_is_asked() {
    let deployment = app();
    deployment.provider.will_answer(token("fake-token", 1));
    import(&deployment, &json!({}));
    deployment.advance_seconds(1800);
    let read = get(&deployment, "&refresh_github_app_jwt_token=true");
    let fresh = read["credentials"]["jwtToken"].clone();
    assert_eq!(opened(&fresh).1["iat"], NOW + 1740);
    assert_eq!(read["connection_config"]["jwtToken"], fresh);
    assert_eq!(read["credentials"]["access_token"], "fake-token");
    assert_eq!(deployment.provider.seen().len(), 1);
    // It is of that answer alone.
    let later = get(&deployment, "");
    assert_eq!(opened(&later["credentials"]["jwtToken"]).1["iat"], NOW - 60);
    assert_eq!(later["connection_config"].get("jwtToken"), None);
}

#[test]
fn a_fresh_token_of_the_app_never_comes_with_an_access_token_that_has_ended() {
    let deployment = app();
    deployment.provider.will_answer(token("fake-first", 1));
    import(&deployment, &json!({}));
    deployment.advance_seconds(2 * 3600);
    deployment.provider.will_answer(token("fake-second", 3));
    let read = get(&deployment, "&refresh_github_app_jwt_token=true");
    assert_eq!(read["credentials"]["access_token"], "fake-second");
    let claims = opened(&read["credentials"]["jwtToken"]).1;
    assert_eq!(claims["iat"], NOW + 7140);
}

#[test]
fn a_token_of_the_app_is_no_option_for_other_credentials() {
    let deployment = app_and_user();
    let body = json!({
        "provider_config_key": "app", "connection_id": "user-1",
        "credentials": {"type": "OAUTH2", "access_token": "fake-user-token"},
    });
    call("POST", "/connections")
        .body(&body)
        .run(&deployment)
        .ok();
    let read = get(&deployment, "&refresh_github_app_jwt_token=true");
    assert_eq!(read["credentials"].get("jwtToken"), None);
    assert_eq!(read["connection_config"], json!({}));
}

fn user(access_token: &str, refresh_token: &str) -> Value {
    json!({
        "userCredentials": {
            "type": "OAUTH2", "access_token": access_token, "refresh_token": refresh_token,
            "expires_at": "2026-01-01T00:30:00.000Z", "raw": {},
        },
    })
}

#[test]
fn an_app_with_a_user_asks_for_the_app_first_and_then_for_the_user() {
    let deployment = app_and_user();
    deployment.provider.will_answer(token("fake-token", 1));
    deployment
        .provider
        .will_answer(Answer::token("fake-new-user-token", Some("fake-rotated")));
    let imported = import(&deployment, &user("fake-user-token", "fake-user-refresh"));
    let seen = deployment.provider.seen();
    let urls: Vec<_> = seen.iter().map(|seen| seen.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://api.github.com/app/installations/42/access_tokens",
            "https://github.com/login/oauth/access_token",
        ]
    );
    assert_eq!(bearer(&seen[0]).1["iss"], "77");
    assert_eq!(
        seen[1].body,
        "grant_type=refresh_token&refresh_token=fake-user-refresh&client_id=fake-client\
         &client_secret=fake-client-secret"
    );
    assert_eq!(imported["credentials"]["type"], "APP");
    let shown = &imported["connection_config"]["userCredentials"];
    assert_eq!(shown["access_token"], "fake-new-user-token");
    assert_eq!(shown["refresh_token"], "fake-rotated");
    assert_eq!(shown["expires_at"], "2026-01-01T01:00:00.000Z");
    assert_eq!(shown["type"], "OAUTH2");
    // Refresh tokens are shown on request alone.
    let hidden = get(&deployment, "")["connection_config"]["userCredentials"].clone();
    assert_eq!(hidden.get("refresh_token"), None);

    // The next one is asked for with what the last one gave.
    deployment.advance_seconds(3000);
    deployment.provider.will_answer(token("fake-later", 2));
    deployment
        .provider
        .will_answer(Answer::token("fake-later-user-token", None));
    let read = get(&deployment, "&refresh_token=true");
    assert!(deployment.provider.seen()[3].body.contains("fake-rotated"));
    let shown = &read["connection_config"]["userCredentials"];
    assert_eq!(shown["access_token"], "fake-later-user-token");
    assert_eq!(shown["refresh_token"], "fake-rotated");
}

#[test]
fn a_user_who_is_refused_does_not_keep_the_app_from_its_token() {
    let deployment = app_and_user();
    deployment.provider.will_answer(token("fake-token", 1));
    deployment
        .provider
        .will_answer(Answer::error(400, "bad_refresh_token"));
    let imported = import(&deployment, &user("fake-user-token", "fake-user-refresh"));
    assert_eq!(imported["credentials"]["access_token"], "fake-token");
    let shown = &imported["connection_config"]["userCredentials"];
    assert_eq!(shown["access_token"], "fake-user-token");
}

#[test]
fn a_user_who_is_refused_is_told_of_in_the_log_of_the_refresh() {
    let deployment = app_and_user();
    for answer in [
        token("fake-token", 1),
        Answer::token("fake-user-2", Some("fake-user-refresh-2")),
        token("fake-token-2", 1),
        Answer::error(400, "bad_refresh_token"),
    ] {
        deployment.provider.will_answer(answer);
    }
    import(&deployment, &user("fake-user-token", "fake-user-refresh"));
    let target = "/connections/user-1?provider_config_key=app&force_refresh=1";
    let connection = call("GET", target).run(&deployment).ok();
    assert_eq!(connection["credentials"]["access_token"], "fake-token-2");
    let target = "/connections/user-1/refreshes?provider_config_key=app";
    let log = &call("GET", target).run(&deployment).ok()["data"][0];
    assert_eq!(log["outcome"], "refreshed");
    assert_eq!(log["status"], 201);
    assert_eq!(log["error"], "the tokens of the user: bad_refresh_token");
}

#[test]
fn a_user_is_not_asked_for_where_the_app_is_refused() {
    let deployment = app_and_user();
    deployment
        .provider
        .will_answer(Answer::Json(404, json!({"message": "Not Found"})));
    let body = json!({
        "provider_config_key": "app", "connection_id": "user-1",
        "connection_config": user("fake-user-token", "fake-user-refresh"),
        "credentials": {"type": "CUSTOM", "app_id": "77", "installation_id": "42"},
    });
    let refused = call("POST", "/connections").body(&body).run(&deployment);
    assert_eq!(refused.status, 400);
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_user_whose_app_is_not_installed_yet_is_refreshed_as_any_user() {
    let deployment = app_and_user();
    let body = json!({
        "provider_config_key": "app", "connection_id": "user-1",
        "connection_config": {"pending": true},
        "credentials": {
            "type": "OAUTH2", "access_token": "fake-user-token",
            "refresh_token": "fake-user-refresh", "expires_at": "2025-12-31T23:00:00.000Z",
        },
    });
    call("POST", "/connections")
        .body(&body)
        .run(&deployment)
        .ok();
    deployment
        .provider
        .will_answer(Answer::token("fake-new-user-token", Some("fake-rotated")));
    let read = get(&deployment, "");
    assert_eq!(read["credentials"]["type"], "OAUTH2");
    assert_eq!(read["credentials"]["access_token"], "fake-new-user-token");
    let seen = deployment.provider.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].url, "https://github.com/login/oauth/access_token");
}

#[test]
fn a_token_of_the_app_that_a_provider_repeats_is_not_in_the_log() {
    let deployment = app();
    deployment.provider.will_answer(token("fake-token", 1));
    import(&deployment, &json!({}));
    deployment.advance_seconds(60);
    let fresh = get(&deployment, "&refresh_github_app_jwt_token=true");
    let fresh = fresh["credentials"]["jwtToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let words = json!({"message": format!("Bad token {fresh}")});
    deployment.provider.will_answer(Answer::Json(401, words));
    let target = "/connections/user-1?provider_config_key=app&force_refresh=true";
    call("GET", target).run(&deployment);
    let sent = header(&deployment.provider.seen()[1], "authorization").to_owned();
    assert_eq!(sent, format!("Bearer {fresh}"));
    let target = "/connections/user-1/refreshes?provider_config_key=app";
    let log = call("GET", target).run(&deployment).ok();
    assert_eq!(log["data"][0]["error"], "Bad token ***");
}
