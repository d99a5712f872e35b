//! What a malformed request gets: the documented refusal with a path, and nothing is stored.

use holdfast::api::request::MAX_BODY_BYTES;
use serde_json::{Value, json};

use crate::support::{
    client::{Answered, Call, call},
    deployment::Deployment,
    routes::{self, Access, Route},
    seed::seeded,
};

/// The routes that read a body.
fn with_body() -> Vec<Route> {
    let mut routes = routes::all();
    routes.retain(|route| route.body.is_some());
    routes
}

/// The routes whose body has fields that are all known.
fn with_strict_body() -> Vec<Route> {
    let mut routes = with_body();
    // The deprecated import ignores what it does not know, and a body that is metadata is free.
    let is_free =
        |route: &Route| route.path() == "/connection" || route.path().ends_with("1/metadata");
    routes.retain(|route| !is_free(route));
    routes
}

/// Sends a request that must be refused, and expects that nothing was stored.
#[track_caller]
fn refused(deployment: &Deployment, request: &Call, name: &str) -> Answered {
    let before = deployment.database.dump();
    let answer = request.run(deployment);
    assert!(
        (400..500).contains(&answer.status),
        "{name}: {}",
        answer.text
    );
    assert_eq!(deployment.database.dump(), before, "{name}");
    answer
}

#[track_caller]
fn code(answer: &Answered) -> String {
    answer.json()["error"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn malformed_json_is_refused_everywhere() {
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let malformed: [&[u8]; 12] = [
        b"{",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"{\"a\":1}{}",
        b"null",
        b"true",
        b"\"text\"",
        b"17",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\xff\"}",
        nested.as_bytes(),
    ];
    for route in with_body() {
        let deployment = seeded();
        for bytes in malformed {
            let answer = refused(
                &deployment,
                &route.call().bytes(bytes.to_vec()),
                route.target,
            );
            assert_eq!(code(&answer), "invalid_json", "{}", route.target);
            assert!(answer.json()["error"]["message"].is_string());
        }
    }
}

#[test]
fn a_list_in_place_of_an_object_is_refused_everywhere() {
    for route in with_body() {
        let answer = refused(&seeded(), &route.call().body(&json!([])), route.target);
        let known = ["invalid_body", "missing_provider_config"];
        assert!(
            known.contains(&code(&answer).as_str()),
            "{} {}",
            route.target,
            answer.text
        );
    }
}

#[test]
fn no_body_at_all_is_refused_where_one_is_needed() {
    for route in with_strict_body() {
        let answer = refused(&seeded(), &route.call().bytes(Vec::new()), route.target);
        let issue = " invalid_type Invalid input: expected object, received undefined";
        answer.has_issues("invalid_body", &[issue]);
    }
}

#[test]
fn unknown_fields_are_refused_by_name_after_all_other_mistakes() {
    for route in with_strict_body() {
        let mut body = route.body.clone().unwrap();
        body["unknown"] = json!(1);
        body["ünknown"] = json!(1);
        let answer = refused(&seeded(), &route.call().body(&body), route.target);
        let issue = " unrecognized_keys Unrecognized keys: \"unknown\", \"ünknown\"";
        answer.has_issues("invalid_body", &[issue]);
    }
}

#[test]
fn a_body_of_ten_thousand_fields_is_refused_with_a_short_answer() {
    for route in with_strict_body() {
        let mut body = route.body.clone().unwrap();
        for number in 0..10_000 {
            body[format!("{number}{}", "x".repeat(60))] = json!(1);
        }
        let answer = refused(&seeded(), &route.call().body(&body), route.target);
        assert_eq!(code(&answer), "invalid_body");
        assert!(answer.text.len() < 4096, "{}", answer.text.len());
    }
}

#[test]
fn ten_thousand_keys_in_a_free_object_are_refused() {
    let many: Value = (0..10_000)
        .map(|n| (format!("k{n}"), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let deployment = seeded();
    let cases = [
        ("POST", "/connections", "metadata"),
        ("POST", "/connections", "connection_config"),
        ("POST", "/connections", "tags"),
        (
            "PATCH",
            "/connections/user-1?provider_config_key=github",
            "tags",
        ),
        ("PATCH", "/connections/metadata", "metadata"),
        ("PATCH", "/integrations/github", "custom"),
        ("PATCH", "/integrations/github", "integration_config"),
    ];
    for (method, target, field) in cases {
        let is_it = |route: &Route| (route.method, route.target) == (method, target);
        let route = routes::all().into_iter().find(is_it).unwrap();
        let mut body = route.body.clone().unwrap();
        body[field] = many.clone();
        let answer = refused(&deployment, &route.call().body(&body), target);
        let issue = format!("{field} too_big Too big: expected record to have <=1000 keys");
        answer.has_issues("invalid_body", &[&issue]);
    }
}

#[test]
fn a_nul_in_a_text_or_a_key_is_refused_everywhere() {
    for route in with_body() {
        for place in [json!({"a": "x\0y"}), json!({"x\0y": 1}), json!(["\0"])] {
            let mut body = route.body.clone().unwrap();
            body["deep"] = json!({"place": [place]});
            let answer = refused(&seeded(), &route.call().body(&body), route.target);
            assert_eq!(code(&answer), "invalid_body");
            let issue = answer.json()["error"]["errors"][0].clone();
            assert_eq!(
                issue["message"],
                "Invalid string: must not contain a NUL character"
            );
            assert_eq!(issue["path"][0], "deep");
        }
    }
}

#[test]
fn a_body_of_two_megabytes_is_refused_everywhere() {
    for route in with_body() {
        let request = route.call().bytes(vec![b' '; 2 * MAX_BODY_BYTES]);
        let answer = refused(&seeded(), &request, route.target);
        let message = "The request body is larger than 1 MiB";
        answer.is_error(413, "payload_too_large", message);
    }
}

#[test]
fn a_body_that_is_just_small_enough_is_read() {
    let mut bytes = b"{}".to_vec();
    bytes.resize(MAX_BODY_BYTES, b' ');
    let answer = call("POST", "/integrations").bytes(bytes).run(&seeded());
    assert_eq!(code(&answer), "invalid_body");
}

#[test]
fn every_field_refuses_every_other_type() {
    let wrong = [
        json!(null),
        json!(true),
        json!(1.5),
        json!("x".repeat(20_000)),
        json!([[]]),
    ];
    for route in with_strict_body() {
        let body = route.body.clone().unwrap();
        for field in body.as_object().unwrap().keys() {
            for value in &wrong {
                let mut body = body.clone();
                body[field] = value.clone();
                let name = format!("{} {field} {value:.20}", route.target);
                let answer = refused(&seeded(), &route.call().body(&body), &name);
                let error = answer.json()["error"].clone();
                assert_eq!(error["code"], "invalid_body", "{name}");
                assert_eq!(error["errors"][0]["path"][0], *field, "{name}: {error}");
            }
        }
    }
}

#[test]
fn a_type_other_than_json_is_refused_before_the_key_is_looked_at() {
    for route in routes::all() {
        let has_gate = route.access != Access::Open && !route.path().starts_with("/config");
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "json",
            "*/*",
        ] {
            let request = route.call().content_type(content_type);
            let deployment = seeded();
            if has_gate {
                let answer = refused(&deployment, &request.authorization(None), route.target);
                let message = "Content-Type header must be application/json";
                answer.is_error(415, "invalid_content_type", message);
            } else {
                assert_eq!(request.run(&deployment).status, 200, "{}", route.target);
            }
        }
    }
}

#[test]
fn json_is_json_in_any_case_and_with_any_parameters() {
    let deployment = seeded();
    for content_type in [
        "",
        "application/json",
        "Application/JSON",
        "application/json; charset=x",
    ] {
        let request = call("GET", "/connections").content_type(content_type);
        assert_eq!(request.run(&deployment).status, 200, "{content_type}");
    }
}
