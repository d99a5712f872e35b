//! Temporary credentials of AWS roles: the signed request, the request to an endpoint of the
//! integration's own, and what is kept of the answers.

use holdfast::{
    domain::{secret::Secret, timestamp::Timestamp},
    signing::sigv4::{Authorization, Credentials},
};
use serde_json::{Value, json};
use url::Url;

use crate::support::{
    client::{Answered, call},
    deployment::{Deployment, START},
    provider::{Answer, Seen},
};

const ROLE: &str = "arn:aws:iam::123456789012:role/fake";

fn deployment(settings: &Value) -> Deployment {
    let deployment = Deployment::new();
    let mut config = json!({
        "service": "s3", "defaultRegion": "eu-central-1", "awsAccessKeyId": "AKIDFAKE",
        "awsSecretAccessKey": "fake-secret-key",
    });
    for (name, value) in settings.as_object().unwrap() {
        config[name] = value.clone();
    }
    let body = json!({
        "provider": "aws-sigv4", "unique_key": "aws", "integration_config": config,
    });
    call("POST", "/integrations")
        .body(&body)
        .run(&deployment)
        .ok();
    deployment
}

fn post(deployment: &Deployment, own: &Value) -> Answered {
    let mut credentials = json!({"type": "AWS_SIGV4", "role_arn": ROLE});
    for (name, value) in own.as_object().unwrap() {
        credentials[name] = value.clone();
    }
    let body = json!({
        "provider_config_key": "aws", "connection_id": "user-1", "credentials": credentials,
    });
    call("POST", "/connections").body(&body).run(deployment)
}

fn get(deployment: &Deployment, options: &str) -> Answered {
    let target = format!("/connections/user-1?provider_config_key=aws{options}");
    call("GET", &target).run(deployment)
}

/// An answer of the service, whose credentials end at `end`, in seconds.
fn assumed(key: &str, end: i64) -> Answer {
    let credentials = json!({
        "AccessKeyId": key, "SecretAccessKey": "fake-temporary", "SessionToken": "fake-session",
        "Expiration": end,
    });
    let result = json!({"AssumeRoleResult": {"Credentials": credentials}});
    Answer::Json(200, json!({ "AssumeRoleResponse": result }))
}

fn form(seen: &Seen) -> Vec<(String, String)> {
    form_urlencoded::parse(seen.body.as_bytes())
        .into_owned()
        .collect()
}

fn header<'s>(seen: &'s Seen, name: &str) -> Option<&'s str> {
    let mut headers = seen.headers.iter();
    let found = headers.find(|(other, _)| other == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn an_answer_of_the_service_may_be_xml() {
    let deployment = deployment(&json!({}));
    // The shape of the example in the API reference of `AssumeRole`.
    let answer = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <AssumeRoleResult><Credentials><AccessKeyId>ASIAFAKE</AccessKeyId><SecretAccessKey>\
        fake-temporary</SecretAccessKey><SessionToken>fake-session</SessionToken><Expiration>\
        2026-01-01T00:30:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    deployment
        .provider
        .will_answer(Answer::Xml(200, answer.to_owned()));
    let credentials = &post(&deployment, &json!({})).ok()["credentials"];
    assert_eq!(credentials["access_key_id"], "ASIAFAKE");
    assert_eq!(credentials["session_token"], "fake-session");
    assert_eq!(credentials["expires_at"], "2026-01-01T00:30:00.000Z");
}

#[test]
fn a_role_is_assumed_by_a_signed_form() {
    let deployment = deployment(&json!({}));
    deployment
        .provider
        .will_answer(assumed("ASIAFAKE", START / 1000 + 3600));
    let imported = post(&deployment, &json!({"external_id": "fake-external-id"})).ok();
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.url, "https://sts.eu-central-1.amazonaws.com/");
    assert_eq!(header(seen, "accept"), Some("application/json"));
    let form = form(seen);
    let session = form[3].1.clone();
    let hex = session.strip_prefix("holdfast-").unwrap();
    assert!(hex.len() == 16 && hex.chars().all(|char| char.is_ascii_hexdigit()));
    let expected = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", &session),
        ("DurationSeconds", "3600"),
        ("ExternalId", "fake-external-id"),
    ];
    assert_eq!(form, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let signature = Authorization {
        method: "POST",
        url: &Url::parse(&seen.url).unwrap(),
        headers: &[("content-type", "application/x-www-form-urlencoded")],
        body: seen.body.as_bytes(),
        region: "eu-central-1",
        service: "sts",
        credentials: &Credentials {
            access_key_id: "AKIDFAKE".to_owned(),
            secret_access_key: Secret::new("fake-secret-key"),
            session_token: None,
        },
        time: Timestamp::from_millis(START),
    };
    for (name, value) in signature.headers() {
        assert_eq!(header(seen, name), Some(value.expose()), "{name}");
    }

    let config = json!({
        "role_arn": ROLE, "external_id": "fake-external-id", "region": "eu-central-1",
        "service": "s3",
    });
    assert_eq!(imported["connection_config"], config);
    let mut shown = config;
    for (name, value) in [
        ("type", "AWS_SIGV4"),
        ("access_key_id", "ASIAFAKE"),
        ("secret_access_key", "fake-temporary"),
        ("session_token", "fake-session"),
        ("expires_at", "2026-01-01T01:00:00.000Z"),
    ] {
        shown[name] = value.into();
    }
    shown["raw"] = imported["credentials"]["raw"].clone();
    assert_eq!(imported["credentials"], shown);
}

#[test]
fn an_external_identifier_is_made_once_and_stays() {
    let deployment = deployment(&json!({}));
    let end = |hours: i64| START / 1000 + hours * 3600;
    deployment
        .provider
        .will_answer(assumed("ASIAFIRST", end(1)));
    let imported = post(&deployment, &json!({"region": "us-east-1"})).ok();
    let made = imported["connection_config"]["external_id"].clone();
    assert_eq!(made.as_str().unwrap().len(), 36);
    for hours in 2..4 {
        deployment.advance_seconds(3600);
        deployment
            .provider
            .will_answer(assumed("ASIALATER", end(hours)));
        let read = get(&deployment, "").ok();
        assert_eq!(read["credentials"]["access_key_id"], "ASIALATER");
        assert_eq!(read["connection_config"]["external_id"], made);
    }
    for seen in deployment.provider.seen() {
        assert_eq!(form(&seen)[5].1, made.as_str().unwrap());
        assert_eq!(seen.url, "https://sts.us-east-1.amazonaws.com/");
    }
}

#[test]
fn credentials_are_renewed_when_they_are_due_and_not_before() {
    let deployment = deployment(&json!({}));
    deployment
        .provider
        .will_answer(assumed("ASIAFIRST", START / 1000 + 3600));
    post(&deployment, &json!({})).ok();
    deployment.advance_seconds(45 * 60 - 1);
    let read = || get(&deployment, "").ok()["credentials"]["access_key_id"].clone();
    assert_eq!(read(), "ASIAFIRST");
    assert_eq!(deployment.provider.seen().len(), 1);
    deployment.advance_seconds(1);
    let answer = assumed("ASIALATER", START / 1000 + 7200);
    deployment.provider.will_answer(answer);
    assert_eq!(read(), "ASIALATER");
}

#[test]
fn keys_that_come_along_are_for_what_the_integration_says_where_the_import_does_not() {
    let deployment = deployment(&json!({"defaultRegion": "eu-west-1"}));
    let keys = json!({
        "access_key_id": "fake-id", "secret_access_key": "fake-key",
        "session_token": "fake-session", "expires_at": "2026-01-01T01:00:00.000Z",
    });
    let imported = post(&deployment, &keys).ok();
    let read = get(&deployment, "").ok();
    for shown in [imported, read] {
        for shown in [&shown["credentials"], &shown["connection_config"]] {
            assert_eq!(shown["service"], "s3");
            assert_eq!(shown["region"], "eu-west-1");
            assert_eq!(shown.get("external_id"), None);
        }
    }
    assert!(deployment.provider.seen().is_empty());
}

#[test]
fn the_service_of_a_region_in_china_is_elsewhere() {
    let deployment = deployment(&json!({}));
    let answer = assumed("ASIAFAKE", START / 1000 + 3600);
    deployment.provider.will_answer(answer);
    post(&deployment, &json!({"region": "cn-north-1"})).ok();
    let url = &deployment.provider.seen()[0].url;
    assert_eq!(url, "https://sts.cn-north-1.amazonaws.com.cn/");
}

#[test]
fn an_endpoint_of_the_integrations_own_is_asked_as_it_wants() {
    let key = json!({"stsAuthType": "api_key", "stsApiKey": "fake-api-key"});
    let named = json!({
        "stsAuthType": "api_key", "stsApiKey": "fake-api-key", "stsAuthHeader": "X-Own",
    });
    let basic = json!({
        "stsAuthType": "basic", "stsAuthUsername": "u", "stsAuthPassword": "fake-password",
    });
    for (auth, name, value) in [
        (key, "x-api-key", Some("fake-api-key")),
        (named, "x-own", Some("fake-api-key")),
        (basic, "authorization", Some("Basic dTpmYWtlLXBhc3N3b3Jk")),
        (json!({}), "authorization", None),
    ] {
        let mut settings = auth;
        settings["stsMode"] = "custom".into();
        settings["stsEndpointUrl"] = "https://sts.acme.example/assume?a=1".into();
        let deployment = deployment(&settings);
        let answer = json!({"credentials": {
            "accessKeyId": "ASIAFAKE", "secretAccessKey": "fake-temporary",
            "sessionToken": "fake-session", "expiration": (START / 1000 + 1800).to_string(),
        }});
        deployment.provider.will_answer(Answer::Json(200, answer));
        let imported = post(&deployment, &json!({"external_id": "fake-external-id"})).ok();
        let seen = &deployment.provider.seen()[0];
        assert_eq!(seen.url, "https://sts.acme.example/assume?a=1");
        assert_eq!(header(seen, name), value);
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        let expected = json!({
            "role_arn": ROLE, "external_id": "fake-external-id", "region": "eu-central-1",
            "service": "s3",
        });
        assert_eq!(body, expected);
        let expires_at = &imported["credentials"]["expires_at"];
        assert_eq!(expires_at, "2026-01-01T00:30:00.000Z");
    }
}

#[test]
fn an_own_endpoint_may_answer_flat_in_snake_case_and_without_an_end() {
    let settings = json!({
        "stsMode": "custom", "stsEndpointUrl": "https://sts.acme.example/assume",
    });
    let deployment = deployment(&settings);
    let answer = json!({
        "access_key_id": "ASIAFAKE", "secret_access_key": "fake-temporary",
        "session_token": "fake-session",
    });
    deployment.provider.will_answer(Answer::Json(200, answer));
    let imported = post(&deployment, &json!({})).ok();
    assert_eq!(imported["credentials"]["access_key_id"], "ASIAFAKE");
    let expires_at = &imported["credentials"]["expires_at"];
    assert_eq!(expires_at, "2026-01-01T01:00:00.000Z");
}

#[test]
fn a_refusal_is_told_as_one_of_the_token_service() {
    let deployment = deployment(&json!({}));
    deployment
        .provider
        .will_answer(assumed("ASIAFIRST", START / 1000 + 3600));
    post(&deployment, &json!({})).ok();
    deployment.advance_seconds(7200);
    let refusal = json!({"Error": {"Code": "AccessDenied", "Message": "no"}});
    deployment.provider.will_answer(Answer::Json(403, refusal));
    let refused = get(&deployment, "");
    assert_eq!(refused.status, 502);
    assert_eq!(refused.json()["error"]["code"], "invalid_credentials");
}

#[test]
fn a_region_that_is_none_is_refused() {
    let deployment = deployment(&json!({}));
    let refused = post(&deployment, &json!({"region": "eu.evil.example/"}));
    let issue = "credentials.region invalid_format Invalid string: must match pattern \
                 /^[a-z0-9-]{1,64}$/";
    refused.has_issues("invalid_body", &[issue]);
}
