//! `POST /connections` of a grant that another connection holds: accepted, and logged.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration, deployment_with_github, import},
    connections::stored,
    deployment::{DEV_KEY, Deployment},
};

/// The ring of [`crate::support::deployment::RING`] behind a newer key.
const NEWER_RING: &str = "8:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=,\
    7:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn post(deployment: &Deployment, connection_id: &str, fields: &Value) -> Answered {
    let mut body = json!({
        "provider_config_key": "github",
        "connection_id": connection_id,
        "credentials": {
            "type": "OAUTH2", "access_token": "fake-token", "refresh_token": "fake-refresh-token",
        },
    });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = call("POST", "/connections").body(&body).run(deployment);
    answer.ok();
    answer
}

fn duplicate_of(answer: &Answered) -> Option<Value> {
    answer.log().get("import.duplicate_of").cloned()
}

#[test]
fn a_grant_that_another_connection_holds_is_accepted_and_the_log_has_its_number() {
    let deployment = deployment_with_github();
    assert_eq!(duplicate_of(&post(&deployment, "user-1", &json!({}))), None);
    let second = post(&deployment, "user-2", &json!({}));
    assert_eq!(duplicate_of(&second), Some(json!(1)));
    assert_eq!(second.log()["d1.round_trips"], 2);
    assert_eq!(stored(&deployment, "user-2", "credentials_version"), "1");
    assert!(!second.log.contains("user-") && !second.log.contains("fake"));
}

#[test]
fn the_deprecated_import_logs_it_too() {
    let deployment = deployment_with_github();
    post(&deployment, "user-1", &json!({}));
    let body = json!({
        "provider_config_key": "github", "connection_id": "user-2", "access_token": "fake-token",
        "refresh_token": "fake-refresh-token", "no_expiration": true,
    });
    let answer = call("POST", "/connection").body(&body).run(&deployment);
    answer.ok();
    assert_eq!(duplicate_of(&answer), Some(json!(1)));
}

#[test]
fn what_is_no_duplicate_is_not_logged_as_one() {
    let deployment = deployment_with_github();
    create_integration(&deployment, "github", "other");
    post(&deployment, "user-1", &json!({}));
    let plain = json!({"type": "OAUTH2", "access_token": "fake-token"});
    let other = json!({"type": "OAUTH2", "access_token": "a", "refresh_token": "another"});
    for (name, fields) in [
        ("user-1", json!({})),
        ("user-2", json!({"provider_config_key": "other"})),
        ("user-3", json!({ "credentials": plain })),
        ("user-4", json!({ "credentials": plain })),
        ("user-5", json!({ "credentials": other })),
    ] {
        assert_eq!(
            duplicate_of(&post(&deployment, name, &fields)),
            None,
            "{name}"
        );
    }
}

#[test]
fn a_grant_that_was_stored_under_an_earlier_key_is_recognised() {
    let mut deployment = deployment_with_github();
    import(&deployment, "user-0", &json!({}));
    post(&deployment, "user-1", &json!({}));
    let settings = [
        ("HOLDFAST_ENCRYPTION_KEYS", NEWER_RING),
        ("HOLDFAST_SECRET_KEY_DEV", DEV_KEY),
    ];
    deployment.settings = Deployment::with_settings(&settings).settings;
    let second = post(&deployment, "user-2", &json!({}));
    assert_eq!(duplicate_of(&second), Some(json!(2)));
}
