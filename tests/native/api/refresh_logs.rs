//! `GET /logs/:id` and `GET /connections/:connectionId/refreshes`.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, deployment_with_github, expired_credentials, import},
    connections::{read, refreshes},
    deployment::{Deployment, PROD_KEY},
    provider::Answer,
    seed::{create_key, seed_environment, seeded},
};

const REFRESHES: &str = "/connections/user-1/refreshes?provider_config_key=github";

/// A deployment with one failed attempt.
fn deployment_with_failure() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment.provider.will_answer(Answer::Throttled("120"));
    assert_eq!(read(&deployment, "user-1", "").status, 400);
    deployment
}

fn log(deployment: &Deployment, id: &str) -> Answered {
    call("GET", &format!("/logs/{id}")).run(deployment)
}

#[track_caller]
fn is_one_round_trip(answer: &Answered) {
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
}

#[test]
fn a_log_is_answered_in_full_in_one_round_trip() {
    let deployment = deployment_with_failure();
    let id = deployment.database.text("select id from refresh_log");
    let answer = log(&deployment, &id);
    is_one_round_trip(&answer);
    let expected = json!({"data": {
        "id": id, "connection_id": "user-1", "provider_config_key": "github",
        "trigger": "read", "outcome": "rate_limited", "status": 429,
        "error": "the provider refused with status 429 and error other",
        "attempt": 1, "started_at": "2026-01-01T00:00:00.000Z", "duration_ms": 0,
        "next_retry_at": "2026-01-01T00:02:00.000Z",
    }});
    assert_eq!(answer.ok(), expected);
}

#[test]
fn the_attempts_of_a_connection_are_listed_as_their_logs_are_in_one_round_trip() {
    let deployment = deployment_with_failure();
    let answer = call("GET", REFRESHES).run(&deployment);
    is_one_round_trip(&answer);
    let id = deployment.database.text("select id from refresh_log");
    let expected = json!({"data": [log(&deployment, &id).ok()["data"]]});
    assert_eq!(answer.ok(), expected);
}

#[test]
fn a_connection_that_was_never_refreshed_has_no_attempts() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &json!({}));
    assert_eq!(refreshes(&deployment, "user-1"), Vec::<Value>::new());
}

#[test]
fn the_newest_fifty_attempts_are_listed_and_the_last_one_comes_first() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    for n in 0..60 {
        deployment.provider.will_answer(Answer::Html(500));
        read(&deployment, "user-1", "&force_refresh=true");
        // Two at a time in one millisecond.
        deployment.advance_seconds(n % 2);
    }
    let attempts = refreshes(&deployment, "user-1");
    let numbers: Vec<_> = attempts
        .iter()
        .map(|log| log["attempt"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (11..=60).rev().collect::<Vec<_>>());
}

#[test]
fn unknown_integrations_connections_and_logs_are_told_apart() {
    let deployment = deployment_with_failure();
    let get = |target| call("GET", target).run(&deployment);
    get("/connections/user-1/refreshes?provider_config_key=gitlab").is_error(
        400,
        "unknown_provider_config",
        "Provider does not exists",
    );
    get("/connections/user-2/refreshes?provider_config_key=github").is_error(
        404,
        "not_found",
        "Failed to find connection",
    );
    let id = "0dce7df3-13f5-4f9a-b6a3-2b1c5f8d9e01";
    log(&deployment, id).is_error(404, "not_found", "Log not found");
}

#[test]
fn a_log_is_named_by_a_uuid_in_any_case() {
    let deployment = deployment_with_failure();
    let id = deployment.database.text("select id from refresh_log");
    assert_eq!(
        log(&deployment, &id.to_uppercase()).ok()["data"]["id"],
        id.as_str()
    );
    for id in ["1", "user-1", &id.replace('-', ""), &format!("%7B{id}%7D")] {
        log(&deployment, id).has_issues("invalid_uri_params", &["id invalid_format Invalid UUID"]);
    }
}

#[test]
fn the_integration_must_be_named_and_nothing_else_is_asked_for() {
    let deployment = deployment_with_failure();
    let without = call("GET", "/connections/user-1/refreshes").run(&deployment);
    without.has_issues(
        "invalid_query_params",
        &["provider_config_key invalid_type Invalid input: expected string, received undefined"],
    );
    let unknown = [" unrecognized_keys Unrecognized key: \"limit\""];
    let more = call("GET", &format!("{REFRESHES}&limit=1")).run(&deployment);
    more.has_issues("invalid_query_params", &unknown);
    let more = call("GET", "/logs/1?limit=1").run(&deployment);
    more.has_issues("invalid_query_params", &unknown);
}

#[test]
fn logs_of_another_environment_are_as_unknown_as_those_of_none() {
    let deployment = seeded();
    let of_dev = call("GET", "/logs/00000000-0000-4000-8000-000000000001");
    of_dev.run(&deployment).ok();
    let stored = create_key(&deployment, 2, &["environment:logs:read"]);
    for key in [PROD_KEY, &stored] {
        let answer = of_dev.clone().key(key).run(&deployment);
        answer.is_error(404, "not_found", "Log not found");
    }
}

#[test]
fn a_connection_of_the_same_name_elsewhere_lists_its_own_attempts() {
    let deployment = seeded();
    seed_environment(&deployment, PROD_KEY, "canary-prod");
    let of_prod = call("GET", REFRESHES).key(PROD_KEY).run(&deployment).ok();
    assert_eq!(of_prod["data"].as_array().unwrap().len(), 1);
    assert_eq!(of_prod["data"][0]["error"], "canary-prod words");
}

#[test]
fn the_deprecated_path_has_no_attempts() {
    let target = REFRESHES.replace("/connections/", "/connection/");
    let answer = call("GET", &target).run(&deployment_with_failure());
    assert_eq!(answer.status, 404);
}
