//! Refreshes of a provider's own shape, and logging in again where they do not work.

use serde_json::{Value, json};

use crate::support::{
    client::call,
    connections::stored,
    deployment::Deployment,
    provider::Answer,
    refreshes::read_at_while,
    two_step::{deployment, headers, post, read, token},
};

const REFRESH: &str = "https://acme.example/refresh";
const LOGIN: &str = "https://acme.example/token";

fn rules() -> Value {
    json!({
        "refresh_url": REFRESH,
        "refresh_token_params": {"old": "${refresh_token}"},
        "token_response": {"token": "token", "refresh_token": "next"},
        "token_headers": {"x-key": "login"},
    })
}

/// A deployment with `user-1`, whose token has ended, at a provider with `fields`.
fn deployment_with_expired(fields: &Value) -> Deployment {
    let deployment = deployment(fields);
    let issued = json!({
        "token": "fake-old-token", "refresh_token": "fake-refresh-token",
        "expires_at": "2025-12-31T23:00:00.000Z",
    });
    post(&deployment, &issued, &json!({})).ok();
    deployment
}

fn force(deployment: &Deployment) -> u16 {
    let target = "/connections/user-1?provider_config_key=acme&force_refresh=1";
    call("GET", target).run(deployment).status
}

fn urls(deployment: &Deployment) -> Vec<String> {
    let seen = deployment.provider.seen().into_iter();
    seen.map(|seen| seen.url).collect()
}

#[test]
fn a_refresh_token_is_sent_where_the_provider_has_a_refresh_and_stays_without_a_new_one() {
    let deployment = deployment_with_expired(&rules());
    deployment.provider.will_answer(token("fake-new-token"));
    let credentials = read(&deployment).ok()["credentials"].clone();
    assert_eq!(credentials["token"], "fake-new-token");
    assert_eq!(credentials["refresh_token"], "fake-refresh-token");
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.url, REFRESH);
    assert_eq!(seen.body, r#"{"old":"fake-refresh-token"}"#);
    assert_eq!(headers(seen)[2], "x-key: login");
}

#[test]
fn a_new_refresh_token_takes_the_place_of_the_old() {
    let deployment = deployment_with_expired(&rules());
    let answer = json!({"token": "fake-new-token", "next": "fake-next-token"});
    deployment.provider.will_answer(Answer::Json(200, answer));
    assert_eq!(
        read(&deployment).ok()["credentials"]["refresh_token"],
        "fake-next-token"
    );
}

#[test]
fn a_refresh_may_be_made_with_headers_alone_and_goes_to_the_token_url() {
    let deployment = deployment_with_expired(&json!({
        "refresh_token_headers": {"authorization": "Bearer ${refresh_token}"},
    }));
    deployment.provider.will_answer(token("fake-new-token"));
    read(&deployment).ok();
    let seen = &deployment.provider.seen()[0];
    assert_eq!((seen.url.as_str(), seen.body.as_str()), (LOGIN, ""));
    assert_eq!(headers(seen)[2], "authorization: Bearer fake-refresh-token");
}

#[test]
fn without_a_refresh_of_the_provider_the_inputs_log_in_again() {
    let deployment = deployment_with_expired(&json!({}));
    deployment.provider.will_answer(token("fake-new-token"));
    let credentials = read(&deployment).ok()["credentials"].clone();
    assert_eq!(credentials["token"], "fake-new-token");
    assert_eq!(credentials["refresh_token"], "fake-refresh-token");
    assert_eq!(urls(&deployment), [LOGIN]);
}

#[test]
fn where_a_refresh_is_rejected_the_inputs_log_in_within_the_same_attempt() {
    for refusal in [
        Answer::error(400, "invalid_grant"),
        Answer::Html(401),
        Answer::Html(404),
        Answer::error(200, "invalid_grant"),
        Answer::error(200, "expired"),
    ] {
        let deployment = deployment_with_expired(&rules());
        deployment.provider.will_answer(refusal.clone());
        deployment.provider.will_answer(token("fake-new-token"));
        let credentials = read(&deployment).ok()["credentials"].clone();
        assert_eq!(credentials["token"], "fake-new-token", "{refusal:?}");
        assert_eq!(credentials.get("refresh_token"), None, "{refusal:?}");
        assert_eq!(urls(&deployment), [REFRESH, LOGIN]);
    }
}

#[test]
fn a_refresh_that_is_answered_without_a_token_is_followed_by_a_login() {
    let deployment = deployment_with_expired(&rules());
    let without = Answer::Json(200, json!({"success": false}));
    deployment.provider.will_answer(without.clone());
    deployment.provider.will_answer(token("fake-new-token"));
    let credentials = read(&deployment).ok()["credentials"].clone();
    assert_eq!(credentials["token"], "fake-new-token");
    assert_eq!(credentials["refresh_token"], "fake-refresh-token");
    assert_eq!(urls(&deployment), [REFRESH, LOGIN]);

    // A login that is of no use either gives nothing up.
    deployment.provider.will_answer(without);
    deployment
        .provider
        .will_answer(Answer::error(401, "bad_password"));
    assert_eq!(force(&deployment), 400);
    deployment.provider.will_answer(token("fake-newer-token"));
    assert_eq!(force(&deployment), 200);
    assert_eq!(urls(&deployment).last().unwrap(), REFRESH);
}

#[test]
fn a_page_in_place_of_an_answer_is_no_refusal() {
    for page in [
        Answer::Html(200),
        Answer::Html(302),
        Answer::Text(204, String::new()),
    ] {
        let deployment = deployment_with_expired(&rules());
        deployment.provider.will_answer(page);
        assert_eq!(read(&deployment).status, 400);
        assert_eq!(urls(&deployment), [REFRESH]);
    }
}

#[test]
fn a_dead_refresh_token_is_given_up_where_there_is_no_key_to_log_in_with() {
    let fields = json!({
        "credentials": {"user": {}, "password": {}, "assertion": {"automated": true}},
        "assertion": {"type": "jwt", "key": "${assertionOption.key}", "header": {"alg": "RS256"}},
        "assertion_option": {"key": {}},
        "refresh_token_params": {"old": "${refresh_token}"},
    });
    let deployment = deployment(&fields);
    let issued = json!({
        "token": "fake-old-token", "refresh_token": "fake-refresh-token",
        "expires_at": "2025-12-31T23:00:00.000Z", "assertion": "e30.e30.fake",
    });
    post(&deployment, &issued, &json!({})).ok();
    let answer = Answer::error(400, "invalid_grant");
    deployment.provider.will_answer(answer);
    assert_eq!(read(&deployment).status, 400);
    assert!(read(&deployment).text.contains("limit"));
}

#[test]
fn an_answer_that_lacks_what_the_next_request_needs_counts_as_the_providers() {
    let deployment = deployment_with_expired(&json!({
        "additional_steps": [{"token_url": "https://acme.example/${step1.session}"}],
    }));
    deployment
        .provider
        .will_answer(Answer::Json(200, json!({"ok": false})));
    assert_eq!(read(&deployment).status, 400);
    assert_eq!(stored(&deployment, "user-1", "refresh_failure_days"), "1");
}

#[test]
fn where_a_refresh_cannot_be_made_the_inputs_log_in() {
    let fields = json!({
        "refresh_token_params": {"old": "${refresh_token}", "otp": "${credentials.device}"},
        "token_response": {"token": "token"},
        "credentials": {"user": {}, "password": {}, "device": {"automated": true}},
    });
    let deployment = deployment_with_expired(&fields);
    deployment.provider.will_answer(token("fake-new-token"));
    read(&deployment).ok();
    assert_eq!(urls(&deployment), [LOGIN]);
}

#[test]
fn a_refresh_may_send_what_is_signed_here_and_the_refresh_token_by_either_name() {
    let deployment = deployment_with_expired(&json!({
        "signature": {"protocol": "HMAC", "hmac_secret_encoding": "utf8"},
        "token": {"signing_key": "${credentials.password}", "expires_in_ms": 60_000},
        "refresh_token_params": {
            "client": "${token}", "old": "${credentials.refresh_token}", "same": "${refresh_token}",
        },
    }));
    deployment.provider.will_answer(token("fake-new-token"));
    read(&deployment).ok();
    let seen = &deployment.provider.seen()[0];
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body["old"], "fake-refresh-token");
    assert_eq!(body["same"], "fake-refresh-token");
    assert_eq!(body["client"].as_str().unwrap().split('.').count(), 3);
}

#[test]
fn what_an_integration_brings_for_a_while_takes_no_input_away() {
    let deployment = deployment(&json!({"integration_config": {"password": {"optional": true}}}));
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, &json!({}), &json!({})).ok();
    let settings = |password: &str| {
        let body = json!({"integration_config": {"password": password}});
        let patch = call("PATCH", "/integrations/acme").body(&body);
        patch.run(&deployment).ok();
    };
    let logged_in_with = || {
        deployment.provider.will_answer(token("fake-token"));
        let target = "/connections/user-1?provider_config_key=acme&force_refresh=1";
        call("GET", target).run(&deployment).ok();
        let seen = deployment.provider.seen();
        let body: Value = serde_json::from_str(&seen.last().unwrap().body).unwrap();
        body["password"].clone()
    };
    settings("fake-preset");
    assert_eq!(logged_in_with(), "fake-preset");
    settings("");
    assert_eq!(logged_in_with(), "fake-password");
}

#[test]
fn a_provider_in_trouble_is_not_asked_again() {
    for trouble in [Answer::Html(500), Answer::Throttled("30")] {
        let deployment = deployment_with_expired(&rules());
        deployment.provider.will_answer(trouble);
        let answer = read(&deployment);
        assert_eq!(answer.status, 400);
        let message = "Failed to fetch two-step credentials token";
        assert_eq!(answer.json()["error"]["message"], message);
        assert_eq!(urls(&deployment), [REFRESH]);
    }
}

/// Whether a login that is answered like this is not tried again.
fn gives_up(answer: Answer) -> bool {
    let deployment = deployment_with_expired(&json!({}));
    deployment.provider.will_answer(answer);
    assert_eq!(read(&deployment).status, 400);
    let read = read(&deployment);
    assert_eq!(read.status, 424);
    read.text.contains("limit")
}

#[test]
fn a_login_is_given_up_where_what_it_is_made_with_is_plainly_wrong() {
    assert!(gives_up(Answer::error(400, "invalid_grant")));
    assert!(gives_up(Answer::error(401, "bad_password")));
    assert!(!gives_up(Answer::error(400, "bad_password")));
    assert!(!gives_up(Answer::Html(401)));
    assert!(!gives_up(Answer::Html(403)));
    assert!(!gives_up(token("")));
}

#[test]
fn a_forced_refresh_logs_in_though_the_token_is_good() {
    let deployment = deployment(&json!({}));
    post(&deployment, &json!({"token": "fake-old-token"}), &json!({})).ok();
    deployment.provider.will_answer(token("fake-new-token"));
    let target = "/connections/user-1?provider_config_key=acme&force_refresh=1";
    let answer = call("GET", target).run(&deployment).ok();
    assert_eq!(answer["credentials"]["token"], "fake-new-token");
}

#[test]
fn nothing_of_a_failed_login_is_told_that_is_a_secret() {
    let deployment = deployment_with_expired(&json!({}));
    let said = json!({"error": "no", "message": "u with fake-password"});
    deployment.provider.will_answer(Answer::Json(403, said));
    read(&deployment);
    let target = "/connections/user-1/refreshes?provider_config_key=acme";
    let logs = call("GET", target).run(&deployment).ok();
    assert_eq!(logs["data"][0]["error"], "no: u with ***");
}

#[test]
fn the_log_of_an_answer_without_a_token_tells_where_one_was_looked_for() {
    let deployment = deployment_with_expired(&json!({}));
    deployment
        .provider
        .will_answer(Answer::Json(200, json!({"nope": 1})));
    read(&deployment);
    let target = "/connections/user-1/refreshes?provider_config_key=acme";
    let logs = call("GET", target).run(&deployment).ok();
    let told = "the provider's answer with status 200 is no token response: there is no token at \
        \"token\"";
    assert_eq!(logs["data"][0]["error"], told);
}

#[test]
fn a_rotated_pair_leaves_the_inputs_of_the_import_that_it_goes_over() {
    let deployment = deployment_with_expired(&rules());
    let answer = json!({"token": "fake-new-token", "next": "fake-next-token"});
    deployment.provider.will_answer(Answer::Json(200, answer));
    let target = "/connections/user-1?provider_config_key=acme";
    read_at_while(target, &deployment, async || {
        let credentials = json!({
            "type": "TWO_STEP", "user": "u", "password": "fake-new-password",
            "token": "fake-old-token", "refresh_token": "fake-refresh-token",
        });
        let body = json!({
            "provider_config_key": "acme", "connection_id": "user-1", "credentials": credentials,
        });
        let import = call("POST", "/connections").body(&body);
        import.send(&deployment).await.ok();
    })
    .ok();
    let credentials = &read(&deployment).ok()["credentials"];
    assert_eq!(credentials["refresh_token"], "fake-next-token");
    assert_eq!(credentials["password"], "fake-new-password");
}
