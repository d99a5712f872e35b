//! The log line of a request: its fields, and what is never in it.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call},
    routes::{self, Access},
    seed::{create_key, seeded},
};

const CANARY: &str = "secret-canary";

fn fields(answer: &Answered) -> Vec<String> {
    answer.log().as_object().unwrap().keys().cloned().collect()
}

/// `value` with the canary in place of every text that is free to choose.
fn with_canaries(value: &Value) -> Value {
    match value {
        Value::String(_) => format!("{CANARY}-value").into(),
        Value::Array(items) => items.iter().map(with_canaries).collect(),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| (key.clone(), with_canaries(value)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

#[track_caller]
fn has_no_canary(text: &str) {
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn a_request_leaves_one_line_with_these_fields() {
    let deployment = seeded();
    let target = "/connections/user-1?provider_config_key=github";
    let answer = call("GET", target).run(&deployment);
    answer.ok();
    assert_eq!(
        answer.log(),
        json!({
            "request.id": "request-1",
            "request.method": "GET",
            "route": "GetConnection",
            "status": 200,
            "environment.id": 1,
            "d1.round_trips": 1,
            "d1.round_trips_in_refresh": 0,
            "duration_ms": 1,
        })
    );
}

#[test]
fn a_refused_request_adds_its_code() {
    let answer = call("POST", "/connections").body(&json!({})).run(&seeded());
    assert_eq!(
        answer.log(),
        json!({
            "request.id": "request-1",
            "request.method": "POST",
            "route": "CreateConnection",
            "status": 400,
            "code": "invalid_body",
            "environment.id": 1,
            "d1.round_trips": 1,
            "d1.round_trips_in_refresh": 0,
            "duration_ms": 1,
        })
    );
}

#[test]
fn an_import_of_a_grant_that_is_held_already_adds_the_number_of_its_holder() {
    let deployment = seeded();
    let body = |name: &str| {
        let credentials =
            json!({"type": "OAUTH2", "access_token": "canary", "refresh_token": "canary"});
        json!({
            "provider_config_key": "github", "connection_id": name, "credentials": credentials,
        })
    };
    let post = |name| call("POST", "/connections").body(&body(name));
    post("canary-1").run(&deployment).ok();
    let answer = post("canary-2").run(&deployment);
    assert_eq!(
        answer.log(),
        json!({
            "request.id": "request-1",
            "request.method": "POST",
            "route": "CreateConnection",
            "status": 200,
            "environment.id": 1,
            "import.duplicate_of": 2,
            "d1.round_trips": 2,
            "d1.round_trips_in_refresh": 0,
            "duration_ms": 1,
        })
    );
}

#[test]
fn a_failure_of_ours_adds_its_cause() {
    let deployment = seeded();
    deployment.database_is_down.set(true);
    let answer = call("GET", "/connections").run(&deployment);
    assert_eq!(
        answer.log(),
        json!({
            "request.id": "request-1",
            "request.method": "GET",
            "route": "ListConnections",
            "status": 500,
            "code": "server_error",
            "error": "the database failed: canary: the database is down",
            "environment.id": null,
            "d1.round_trips": 1,
            "d1.round_trips_in_refresh": 0,
            "duration_ms": 1,
        })
    );
}

#[test]
fn a_path_that_is_no_route_is_logged_without_a_name() {
    let answer = call("GET", "/secret-canary").run(&seeded());
    assert_eq!(answer.log()["route"], Value::Null);
    assert_eq!(answer.log()["code"], "not_found");
    has_no_canary(&answer.log);
}

#[test]
fn every_route_logs_the_same_fields_and_its_own_name() {
    let common = [
        "request.id",
        "request.method",
        "route",
        "status",
        "environment.id",
        "d1.round_trips",
        "d1.round_trips_in_refresh",
        "duration_ms",
    ];
    for route in routes::all() {
        let answer = route.call().run(&seeded());
        assert_eq!(fields(&answer), common, "{}", route.target);
        let name = answer.log()["route"].as_str().unwrap().to_owned();
        assert!(name.chars().all(char::is_alphanumeric), "{name}");
        let environment = match route.access {
            Access::AnyEnvironment | Access::Environment(_) => json!(1),
            Access::Account(_) | Access::Open => Value::Null,
        };
        assert_eq!(
            answer.log()["environment.id"],
            environment,
            "{}",
            route.target
        );
    }
}

#[test]
fn a_request_that_succeeds_leaves_nothing_of_itself_or_of_what_is_stored_in_the_log() {
    for route in routes::all() {
        let deployment = seeded();
        let key = create_key(&deployment, 1, &["environment:*"]);
        let answer = match route.access {
            Access::Environment(_) | Access::AnyEnvironment => route.call().key(&key),
            Access::Account(_) | Access::Open => route.call(),
        }
        .run(&deployment);
        has_no_canary(&answer.log);
        for part in [
            "user-1",
            "github",
            "provider_config_key",
            &key[..10],
            "u@users",
        ] {
            assert!(!answer.log.contains(part), "{part}: {}", answer.log);
        }
    }
}

#[test]
fn a_refused_request_leaves_nothing_of_itself_in_the_log() {
    for route in routes::all() {
        let parameter = format!("/{CANARY}");
        let path = route
            .path()
            .replace("/user-1", &parameter)
            .replace("/github", &parameter);
        let query =
            format!("provider_config_key={CANARY}&{CANARY}={CANARY}&include_creds={CANARY}");
        let body = with_canaries(&route.body.clone().unwrap_or_default());
        for target in [
            path.clone(),
            format!("{path}?{query}"),
            format!("{path}?provider_config_key=github"),
        ] {
            let deployment = seeded();
            let complete = match route.access {
                Access::Account(_) => call(route.method, &target).account(),
                _ => call(route.method, &target),
            };
            has_no_canary(&complete.clone().body(&body).run(&deployment).log);
            has_no_canary(
                &complete
                    .clone()
                    .bytes(CANARY.as_bytes().to_vec())
                    .run(&deployment)
                    .log,
            );
            has_no_canary(&complete.content_type(CANARY).run(&deployment).log);
            let stranger = call(route.method, &target)
                .key(CANARY)
                .provider_config_key(CANARY);
            has_no_canary(&stranger.run(&deployment).log);
        }
    }
}

#[test]
fn a_method_that_nobody_knows_is_logged_cut_short() {
    let answer = call(&"A".repeat(1000), "/connections").run(&seeded());
    assert_eq!(answer.log()["request.method"], "A".repeat(16));
}

#[test]
fn the_round_trips_in_the_log_are_those_of_the_answer() {
    for route in routes::all() {
        let answer = route.call().run(&seeded());
        let expected = format!("d1;desc=\"{}\"", answer.log()["d1.round_trips"]);
        assert_eq!(answer.header("server-timing"), Some(expected.as_str()));
    }
}
