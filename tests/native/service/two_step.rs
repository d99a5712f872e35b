//! Logins of a provider's own shape: what is asked, step by step.

use holdfast::oauth2::http::Method;
use serde_json::{Value, json};

use crate::support::{
    client::call,
    connections::create_plain_integration,
    deployment::Deployment,
    provider::Answer,
    two_step::{deployment, headers, logged_in, login_request, post, read, token},
};

#[test]
fn a_login_posts_the_inputs_as_json() {
    let seen = login_request(&json!({}), &json!({}));
    assert_eq!(
        (seen.method, seen.url.as_str()),
        (Method::Post, "https://acme.example/token")
    );
    assert_eq!(seen.body, r#"{"user":"u","password":"fake-password"}"#);
    assert_eq!(
        headers(&seen),
        [
            "accept: application/json",
            "user-agent: holdfast",
            "content-type: application/json"
        ]
    );
}

#[test]
fn what_a_login_gives_is_kept_with_the_inputs() {
    let expected = json!({
        "type": "TWO_STEP", "user": "u", "password": "fake-password", "token": "fake-token",
        "raw": {"token": "fake-token"},
    });
    let deployment = deployment(&json!({}));
    deployment.provider.will_answer(token("fake-token"));
    let imported = post(&deployment, &json!({}), &json!({})).ok();
    assert_eq!(imported["credentials"], expected);
    assert_eq!(read(&deployment).ok()["credentials"], expected);
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn the_body_may_be_a_form_and_parameters_may_go_into_the_query() {
    let encoded = "user=u&password=fake-password";
    let form = login_request(&json!({"body_format": "form"}), &json!({}));
    assert_eq!(form.body, encoded);
    assert_eq!(
        headers(&form)[2],
        "content-type: application/x-www-form-urlencoded"
    );
    let fields = json!({"body_format": "query", "token_url": "https://acme.example/token?a=1"});
    let query = login_request(&fields, &json!({}));
    assert_eq!(
        query.url,
        format!("https://acme.example/token?a=1&{encoded}")
    );
    assert_eq!((query.method, query.body.as_str()), (Method::Post, ""));
    let get = login_request(&json!({"token_request_method": "GET"}), &json!({}));
    assert_eq!(get.url, format!("https://acme.example/token?{encoded}"));
    assert_eq!((get.method, get.body.as_str()), (Method::Get, ""));
}

#[test]
fn headers_and_urls_are_filled_in_with_functions() {
    let fields = json!({
        "token_url": "https://${connectionConfig.sub}.acme.example/${credentials.user}",
        "token_headers": {
            "Authorization": "Basic ${base64(${credentials.user}:${credentials.password})}",
            "content-type": "application/vnd.acme+json",
        },
    });
    let seen = login_request(&fields, &json!({"sub": "eu"}));
    assert_eq!(seen.url, "https://eu.acme.example/u");
    assert_eq!(
        headers(&seen)[2..],
        [
            "authorization: Basic dTpmYWtlLXBhc3N3b3Jk",
            "content-type: application/vnd.acme+json"
        ]
    );
}

#[test]
fn parameters_may_be_nested_and_keep_their_types() {
    let fields = json!({"token_params": {
        "login": {"names": ["${user}", "x"], "new": true, "n": 1, "none": null},
    }});
    let seen = login_request(&fields, &json!({}));
    assert_eq!(
        seen.body,
        r#"{"login":{"names":["u","x"],"new":true,"n":1,"none":null}}"#
    );
}

#[test]
fn what_lacks_an_optional_input_is_left_out() {
    let fields = json!({
        "token_params": {"a": {"otp": "${credentials.otp}"}, "b": ["${otp}", "x"]},
        "token_headers": {"x-otp": "${credentials.otp}"},
    });
    let seen = login_request(&fields, &json!({}));
    assert_eq!(seen.body, r#"{"a":{},"b":["x"]}"#);
    assert_eq!(headers(&seen).len(), 3);
}

#[test]
fn an_input_that_was_not_given_has_its_default() {
    let fields = json!({
        "credentials": {"user": {}, "password": {}, "client": {"default_value": "public"}},
        "token_params": {"client": "${credentials.client}"},
    });
    assert_eq!(
        login_request(&fields, &json!({})).body,
        r#"{"client":"public"}"#
    );
}

#[test]
fn without_parameters_there_is_no_body() {
    let deployment = Deployment::new();
    let entry = json!({
        "display_name": "Acme", "docs": "https://acme.example", "auth_mode": "TWO_STEP",
        "token_url": "https://acme.example/token", "token_response": {"token": "token"},
        "credentials": {"user": {}, "password": {}},
    });
    call("PUT", "/providers/acme")
        .account()
        .body(&entry)
        .run(&deployment)
        .ok();
    create_plain_integration(&deployment, "acme");
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, &json!({}), &json!({})).ok();
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.body, "");
    assert_eq!(headers(seen).len(), 2);
}

#[test]
fn steps_follow_each_other_and_the_last_answer_has_the_token() {
    let deployment = deployment(&json!({
        "token_request_method": "GET",
        "token_params": {},
        "additional_steps": [
            {"token_url": "${step1.api.url}/found", "token_request_method": "GET"},
            {
                "token_url": "https://acme.example/${step2.path}",
                "token_params": {"password": "${credentials.password}", "id": "${step1.id}"},
                "token_headers": {"authorization": "Bearer ${step2.token}"},
                "body_format": "form",
            },
        ],
    }));
    for answer in [
        json!({"api": {"url": "https://eu.acme.example/v1/"}, "id": 7}),
        json!({"path": "login", "token": "fake-between"}),
        json!({"token": "fake-last"}),
    ] {
        deployment.provider.will_answer(Answer::Json(201, answer));
    }
    let imported = post(&deployment, &json!({}), &json!({})).ok();
    assert_eq!(imported["credentials"]["token"], "fake-last");
    let seen = deployment.provider.seen();
    let urls: Vec<_> = seen.iter().map(|seen| seen.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://acme.example/token",
            "https://eu.acme.example/v1/found",
            "https://acme.example/login"
        ]
    );
    assert_eq!(seen[2].body, "password=fake-password&id=7");
    assert_eq!(headers(&seen[2])[2], "authorization: Bearer fake-between");
}

#[test]
fn a_step_that_is_refused_ends_the_login_and_no_token_of_it_is_told() {
    let deployment =
        deployment(&json!({"additional_steps": [{"token_url": "https://acme.example/2"}]}));
    deployment.provider.will_answer(token("fake-between"));
    let said = json!({"error": "no", "message": "fake-between of fake-password is bad"});
    deployment.provider.will_answer(Answer::Json(400, said));
    let answer = post(&deployment, &json!({}), &json!({}));
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json()["error"]["payload"],
        json!({"outcome": "rejected", "status": 400, "error": "no: *** of *** is bad"})
    );
}

#[test]
fn every_step_stays_within_the_domains_of_the_provider() {
    let deployment = deployment(&json!({
        "token_domains": ["acme.example"],
        "additional_steps": [{"token_url": "${step1.url}"}],
    }));
    let answer = json!({"url": "https://evil.example"});
    deployment.provider.will_answer(Answer::Json(200, answer));
    let answer = post(&deployment, &json!({}), &json!({}));
    assert_eq!(
        answer.json()["error"]["payload"]["error"],
        "the token request cannot be made: the token URL leads outside the provider's domains"
    );
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn a_value_that_no_header_takes_is_not_sent() {
    let deployment = deployment(&json!({"token_headers": {"x-user": "${credentials.user}"}}));
    for user in ["u\r\nx-admin: 1", "\u{142}"] {
        let answer = post(&deployment, &json!({ "user": user }), &json!({}));
        let outcome = &answer.json()["error"]["payload"]["outcome"];
        assert_eq!(outcome, "not_possible", "{user}");
    }
}

fn with_preset() -> (Deployment, Value) {
    let fields = json!({
        "credentials": {"user": {}, "password": {}, "key": {}},
        "integration_config": {"key": {"optional": true}},
        "token_params": {"key": "${credentials.key}", "user": "${user}"},
    });
    let deployment = deployment(&fields);
    let body = json!({"integration_config": {"key": "fake-preset-key"}});
    call("PATCH", "/integrations/acme")
        .body(&body)
        .run(&deployment)
        .ok();
    (deployment, json!({}))
}

#[test]
fn what_the_integration_brings_is_sent_and_not_kept_with_the_connection() {
    let (deployment, none) = with_preset();
    deployment.provider.will_answer(token("fake-token"));
    let imported = post(&deployment, &none, &none).ok();
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.body, r#"{"key":"fake-preset-key","user":"u"}"#);
    assert_eq!(imported["credentials"].get("key"), None);
}

#[test]
fn what_the_integration_brings_no_connection_brings() {
    let (deployment, none) = with_preset();
    let answer = post(&deployment, &json!({"key": "fake-own-key"}), &none);
    answer.has_issues(
        "invalid_body",
        &["credentials.key custom The integration brings this input"],
    );
}

#[test]
fn the_login_of_toast_is_that_of_its_documentation() {
    let deployment = Deployment::new();
    create_plain_integration(&deployment, "toast");
    let lifetime = json!({"token": {"accessToken": "fake-token", "expiresIn": 18000}});
    deployment.provider.will_answer(Answer::Json(200, lifetime));
    let body = json!({
        "provider_config_key": "toast", "connection_id": "user-1",
        "credentials": {"type": "TWO_STEP", "clientId": "c", "clientSecret": "fake-secret"},
        "connection_config": {"subdomain": "ws-api"},
    });
    let imported = call("POST", "/connections")
        .body(&body)
        .run(&deployment)
        .ok();
    assert_eq!(imported["credentials"]["token"], "fake-token");
    assert_eq!(
        imported["credentials"]["expires_at"],
        "2026-01-01T05:00:00.000Z"
    );
    let seen = &deployment.provider.seen()[0];
    assert_eq!(
        seen.url,
        "https://ws-api.toasttab.com/authentication/v1/authentication/login"
    );
    assert_eq!(
        seen.body,
        r#"{"clientId":"c","clientSecret":"fake-secret","userAccessType":"TOAST_MACHINE_CLIENT"}"#
    );
}

#[test]
fn an_answer_without_a_token_is_no_login() {
    for (answer, outcome) in [
        (json!({"other": "x"}), "malformed"),
        (json!({"error": "locked"}), "rejected"),
    ] {
        let deployment = deployment(&json!({}));
        deployment.provider.will_answer(Answer::Json(200, answer));
        let answer = post(&deployment, &json!({}), &json!({}));
        assert_eq!(answer.json()["error"]["payload"]["outcome"], outcome);
    }
    assert_eq!(
        logged_in(&json!({}), token("a"))["credentials"]["token"],
        "a"
    );
}
