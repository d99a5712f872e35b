//! Imports whose credentials are tested at their provider: what is stored, and what the caller is
//! told. Not here: what the provider is asked.

use holdfast::oauth2::token_error::Unreachable;
use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call},
    connections::{create_plain_integration, put_acme, stored, with},
    deployment::Deployment,
    provider::Answer,
};

const KEY: &str = "fake-api-key";

const REFUSED: &str = "The provider did not accept the credentials. Check them and try again. \
                       Nothing was stored.";
const NO_ANSWER: &str = "The credentials could not be tested, because the provider gave no \
                         usable answer. Try again, or import them with verify=none. Nothing was \
                         stored.";

/// A deployment with an integration of `acme`, whose keys are tested at three places.
fn deployment() -> Deployment {
    let deployment = Deployment::new();
    put_acme(
        &deployment,
        &json!({
            "auth_mode": "API_KEY",
            "connection_config": {"team": {}},
            "proxy": {
                "base_url": "https://${connectionConfig.team}.acme.example",
                "headers": {"x-api-key": "${apiKey}"},
                "verification": {"endpoints": ["/me", "/users", "/projects", "/never"]},
            },
        }),
    );
    create_plain_integration(&deployment, "acme");
    deployment
}

/// Imports `user-1`; `fields` go over the usual ones.
fn import(deployment: &Deployment, query: &str, fields: &Value) -> Answered {
    let usual = json!({
        "provider_config_key": "acme", "connection_id": "user-1",
        "credentials": {"type": "API_KEY", "apiKey": KEY},
        "connection_config": {"team": "blue"},
    });
    let body = with(usual, fields);
    call("POST", &format!("/connections{query}"))
        .body(&body)
        .run(deployment)
}

fn answers(deployment: &Deployment, answers: impl IntoIterator<Item = Answer>) {
    for answer in answers {
        deployment.provider.will_answer(answer);
    }
}

fn ok() -> Answer {
    Answer::Json(200, json!({}))
}

fn connections(deployment: &Deployment) -> String {
    deployment.database.text("select count(*) from connection")
}

/// Expects that an import whose test is answered like this is refused and nothing stored.
#[track_caller]
fn fails(
    given: impl IntoIterator<Item = Answer>,
    status: u16,
    message: &str,
    payload: &Value,
) -> Answered {
    let deployment = deployment();
    answers(&deployment, given);
    let answer = import(&deployment, "", &json!({}));
    let expected = json!({"error": {
        "code": "connection_test_failed", "message": message, "payload": payload,
    }});
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.status, status);
    assert_eq!(connections(&deployment), "0");
    assert_eq!(answer.log()["verification.outcome"], payload["outcome"]);
    answer
}

#[test]
fn credentials_that_the_provider_accepts_are_stored_in_two_round_trips() {
    let deployment = deployment();
    answers(&deployment, [ok()]);
    let answer = import(&deployment, "", &json!({}));
    assert_eq!(answer.ok()["credentials"]["apiKey"], KEY);
    assert_eq!(answer.log()["d1.round_trips"], 2);
    assert_eq!(stored(&deployment, "user-1", "auth_mode"), "API_KEY");
}

#[test]
fn endpoints_are_tried_until_one_answers_2xx() {
    let deployment = deployment();
    let refused = Answer::error(403, "forbidden");
    answers(
        &deployment,
        [
            refused,
            Answer::Lost(Unreachable::TimedOut),
            Answer::Html(204),
        ],
    );
    import(&deployment, "", &json!({})).ok();
    let seen = deployment.provider.seen();
    let urls: Vec<_> = seen.iter().map(|seen| seen.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://blue.acme.example/me",
            "https://blue.acme.example/users",
            "https://blue.acme.example/projects",
        ]
    );
    assert!(seen.iter().all(|seen| seen.timeout_millis == 10_000));
}

#[test]
fn credentials_that_the_provider_refuses_everywhere_are_not_stored() {
    let answer = Answer::Json(
        401,
        json!({"error": {"message": format!("{KEY} is no key")}}),
    );
    let answer = fails(
        [answer, Answer::Text(403, String::new()), Answer::Html(404)],
        400,
        REFUSED,
        &json!({"outcome": "rejected", "status": 401, "error": "*** is no key"}),
    );
    assert!(!answer.log.contains(KEY) && !answer.text.contains(KEY));
}

#[test]
fn a_refused_import_leaves_the_connection_that_it_would_replace() {
    let deployment = deployment();
    answers(&deployment, [ok()]);
    import(&deployment, "", &json!({})).ok();
    let before = deployment
        .database
        .text("select credentials from connection");
    answers(&deployment, [(); 3].map(|()| Answer::error(401, "bad_key")));
    let credentials = json!({"type": "API_KEY", "apiKey": "fake-other-key"});
    let answer = import(&deployment, "", &json!({ "credentials": credentials }));
    assert_eq!(answer.status, 400);
    let after = deployment
        .database
        .text("select credentials from connection");
    assert_eq!(after, before);
}

#[test]
fn a_provider_that_is_not_reached_or_fails_has_not_refused() {
    let no = || Answer::error(401, "bad_key");
    let nothing = Answer::Lost(Unreachable::Failed);
    for (open, outcome, status) in [
        (nothing, "unreachable", None),
        (Answer::Lost(Unreachable::TimedOut), "timed_out", None),
        (
            Answer::Text(500, String::new()),
            "provider_error",
            Some(500),
        ),
        (Answer::Throttled("1"), "rate_limited", Some(429)),
        (Answer::Text(302, String::new()), "malformed", Some(302)),
    ] {
        let payload = json!({"outcome": outcome, "status": status, "error": null});
        fails([no(), open, no()], 502, NO_ANSWER, &payload);
    }
}

#[test]
fn an_answer_that_is_too_large_to_read_is_told_by_its_status() {
    let too_large = |status| Answer::Lost(Unreachable::TooLarge { status });
    let deployment = deployment();
    answers(&deployment, [too_large(200)]);
    import(&deployment, "", &json!({})).ok();
    let payload = json!({"outcome": "rejected", "status": 401, "error": null});
    fails([(); 3].map(|()| too_large(401)), 400, REFUSED, &payload);
}

#[test]
fn an_input_that_the_test_needs_is_named_and_nobody_is_asked() {
    let deployment = deployment();
    let answer = import(&deployment, "", &json!({"connection_config": {}}));
    let error = &answer.json()["error"];
    assert_eq!(answer.status, 400);
    assert_eq!(
        error["message"],
        "The credentials could not be tested: no value for connectionConfig.team. Correct that, \
         or import them with verify=none. Nothing was stored."
    );
    assert_eq!(error["payload"]["outcome"], "not_possible");
    assert_eq!(connections(&deployment), "0");
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn credentials_that_no_header_can_carry_are_not_sent() {
    let deployment = deployment();
    let credentials = json!({"type": "API_KEY", "apiKey": "fake\r\nkey"});
    let answer = import(&deployment, "", &json!({ "credentials": credentials }));
    let payload = &answer.json()["error"]["payload"];
    assert_eq!(payload["outcome"], "not_possible");
    let unfit = "the value of the header x-api-key does not fit where the template puts it";
    assert_eq!(payload["error"], unfit);
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn an_import_may_do_without_the_test() {
    let deployment = deployment();
    import(&deployment, "?verify=none", &json!({})).ok();
    let legacy = json!({"provider_config_key": "acme", "api_key": KEY, "connection_id": "user-2"});
    call("POST", "/connection")
        .body(&legacy)
        .run(&deployment)
        .ok();
    assert_eq!(connections(&deployment), "2");
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn nobody_is_asked_about_an_import_that_is_refused_anyway() {
    let deployment = deployment();
    let basic = json!({"type": "BASIC", "username": "fake-user", "password": "fake-password"});
    let tags: Value = (0..11).map(|n| (format!("t{n}"), json!("x"))).collect();
    for fields in [
        json!({ "credentials": basic }),
        json!({ "tags": tags }),
        json!({"provider_config_key": "unknown"}),
    ] {
        assert!(import(&deployment, "", &fields).status >= 400);
    }
    let other = call("POST", "/connections").key("11111111-1111-4111-8111-111111111119");
    assert_eq!(other.run(&deployment).status, 401);
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn the_inside_of_a_network_is_not_asked() {
    let deployment = Deployment::new();
    put_acme(
        &deployment,
        &json!({
            "auth_mode": "API_KEY",
            "connection_config": {"host": {}},
            "proxy": {
                "base_url": "https://${connectionConfig.host}",
                "verification": {"endpoints": ["/me"]},
            },
        }),
    );
    create_plain_integration(&deployment, "acme");
    let config = json!({"connection_config": {"host": "169.254.169.254"}});
    let answer = import(&deployment, "", &config);
    let payload = &answer.json()["error"]["payload"];
    assert_eq!(payload["error"], "the host is not public");
    assert_eq!(connections(&deployment), "0");
}
