//! `GET /health`, `GET /ready`, and a deployment that refuses to serve

use holdfast::service::settings::{Settings, SettingsError};
use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call},
    deployment::{ACCOUNT_KEY, DEV_KEY, Deployment, RING},
    routes,
    seed::{create_key, seeded},
};

const KEY_IN_RING: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

fn ready(deployment: &Deployment) -> Answered {
    call("GET", "/ready").authorization(None).run(deployment)
}

fn refusal(variables: &[(&str, &str)]) -> SettingsError {
    let variables = variables
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Settings::parse(variables).unwrap_err()
}

#[test]
fn a_deployment_lives_whatever_its_database_does() {
    let deployment = Deployment::new();
    deployment.database_is_down.set(true);
    let answer = call("GET", "/health").authorization(None).run(&deployment);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"0\""));
    assert_eq!(answer.ok(), json!({"result": "ok"}));
}

#[test]
fn a_whole_deployment_is_ready() {
    assert_eq!(ready(&Deployment::new()).ok(), json!({"result": "ready"}));
    assert_eq!(ready(&seeded()).ok(), json!({"result": "ready"}));
}

#[test]
fn a_missing_migration_is_named() {
    let deployment = Deployment::new();
    let last = deployment
        .database
        .text("select max(name) from d1_migrations");
    deployment.database.execute("delete from d1_migrations");
    let message = format!("the database lacks the migration {last}; apply the migrations");
    ready(&deployment).is_error(503, "not_ready", &message);
}

#[test]
fn a_database_that_was_never_migrated_lacks_the_migration() {
    let deployment = Deployment::new();
    let last = deployment
        .database
        .text("select max(name) from d1_migrations");
    let message = format!("the database lacks the migration {last}; apply the migrations");
    deployment
        .database
        .execute("drop table d1_migrations; drop table api_key");
    ready(&deployment).is_error(503, "not_ready", &message);
}

#[test]
fn a_database_that_is_ahead_is_ready() {
    let deployment = Deployment::new();
    let sql = "insert into d1_migrations (name) values ('9999_later.sql')";
    deployment.database.execute(sql);
    ready(&deployment).ok();
}

#[test]
fn keys_that_rows_use_and_the_ring_lacks_are_named_by_number() {
    let mut deployment = seeded();
    create_key(&deployment, 1, &["environment:*"]);
    deployment.database.execute(
        "update connection set credentials_key_id = 5; update integration set secrets_key_id = 9",
    );
    let message = "HOLDFAST_ENCRYPTION_KEYS lacks the key ids 5, 9";
    ready(&deployment).is_error(503, "not_ready", message);

    let ring = RING.replace("7:", "8:");
    let variables = [("HOLDFAST_ENCRYPTION_KEYS", ring.as_str())];
    deployment.settings = Deployment::with_settings(&variables).settings;
    let answer = ready(&deployment);
    let message = "HOLDFAST_ENCRYPTION_KEYS lacks the key ids 5, 7, 9";
    answer.is_error(503, "not_ready", message);
    assert_eq!(answer.log()["error"], message);
    assert!(!answer.text.contains(KEY_IN_RING) && !answer.log.contains(KEY_IN_RING));
}

#[test]
fn a_database_that_is_down_is_told_without_its_own_words() {
    let deployment = Deployment::new();
    deployment.database_is_down.set(true);
    let answer = ready(&deployment);
    answer.is_error(503, "not_ready", "the database does not answer");
    let log = answer.log()["error"].as_str().unwrap().to_owned();
    assert!(log.contains("canary: the database is down"), "{log}");
}

#[test]
fn a_deployment_without_a_key_ring_serves_nothing_but_its_health() {
    let error = refusal(&[("HOLDFAST_SECRET_KEY_DEV", DEV_KEY)]);
    let message = "the secret HOLDFAST_ENCRYPTION_KEYS is missing";
    for route in routes::all() {
        let answer = route.call().run_refused(&error);
        if route.target == "/health" {
            assert_eq!(answer.ok(), json!({"result": "ok"}));
        } else {
            answer.is_error(503, "not_ready", message);
        }
    }
}

#[test]
fn every_refusal_is_logged_with_its_reason() {
    let error = refusal(&[]);
    let answer = call("GET", "/connections").run_refused(&error);
    assert_eq!(
        answer.log(),
        json!({
            "request.id": "request-1",
            "request.method": "GET",
            "route": "ListConnections",
            "status": 503,
            "code": "not_ready",
            "error": "the secret HOLDFAST_ENCRYPTION_KEYS is missing",
            "duration_ms": 1,
        })
    );
}

#[test]
fn a_refusal_names_what_is_wrong_without_any_key() {
    let short = "canary-canary-canary";
    let ring = |text: &'static str| vec![("HOLDFAST_ENCRYPTION_KEYS", text)];
    for (variables, said) in [
        (ring("canary-canary"), "is malformed"),
        (ring("1:canary-canary!"), "is malformed"),
        (ring("1:Y2FuYXJ5LWNhbmFyeQ=="), "is malformed"),
        (ring("0:Y2FuYXJ5LWNhbmFyeQ=="), "is malformed"),
        (ring(""), "is malformed"),
        (
            vec![("HOLDFAST_ACCOUNT_KEY", short)],
            "HOLDFAST_ACCOUNT_KEY has fewer than 32",
        ),
        (
            vec![("HOLDFAST_SECRET_KEY_DEV", short)],
            "HOLDFAST_SECRET_KEY_DEV has fewer than 32",
        ),
    ] {
        let answer = call("GET", "/ready").run_refused(&refusal(&variables));
        let message = answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(message.contains(said), "{message}");
        for text in [&answer.text, &answer.log] {
            assert!(!text.contains("canary") && !text.contains("Y2Fu"), "{text}");
        }
    }
}

#[test]
fn readiness_does_not_show_any_configured_key() {
    let deployment = seeded();
    deployment
        .database
        .execute("update connection set credentials_key_id = 5");
    let answer = ready(&deployment);
    for secret in [KEY_IN_RING, ACCOUNT_KEY, DEV_KEY] {
        assert!(!answer.text.contains(secret) && !answer.log.contains(secret));
    }
    assert_eq!(answer.json()["error"].get("payload"), None::<&Value>);
}
