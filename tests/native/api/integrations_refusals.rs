//! What creating an integration is refused for beyond its form, in which order; settings that a
//! provider declares.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration},
    deployment::{Deployment, PROD_KEY},
};

fn create(deployment: &Deployment, body: &Value) -> Answered {
    call("POST", "/integrations").body(body).run(deployment)
}

fn oauth2(provider: &str, unique_key: &str) -> Value {
    json!({
        "provider": provider,
        "unique_key": unique_key,
        "credentials": {"type": "OAUTH2", "client_id": "c", "client_secret": "s"},
    })
}

/// A deployment with the provider `configured`, which declares settings.
fn deployment_with_configured() -> Deployment {
    let deployment = Deployment::new();
    let entry = json!({
        "display_name": "Configured",
        "docs": "https://docs.example",
        "auth_mode": "API_KEY",
        "integration_config": {
            "region": {"title": "Region", "enum": ["eu", "us"], "default_value": "eu"},
            "site": {"title": "Site", "format": "uri", "visible_when": {"field": "region", "equals": "us"}},
            "note": {"title": "Note", "optional": true},
        },
    });
    call("PUT", "/providers/configured")
        .account()
        .body(&entry)
        .run(&deployment)
        .ok();
    deployment
}

fn configured(own: &Value) -> Value {
    let mut body = json!({"provider": "configured", "unique_key": "configured"});
    for (key, value) in own.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[test]
fn an_unknown_provider_is_refused() {
    let answer = create(&Deployment::new(), &oauth2("nowhere", "nowhere"));
    answer.has_issues(
        "invalid_body",
        &["provider invalid_string Invalid provider"],
    );
}

#[test]
fn a_key_is_given_once_in_an_environment() {
    let deployment = Deployment::new();
    create_integration(&deployment, "github", "main");
    let answer = create(&deployment, &oauth2("gitlab", "main"));
    answer.has_issues(
        "invalid_body",
        &["uniqueKey invalid_string Unique key already exists"],
    );
    let in_prod = call("POST", "/integrations")
        .key(PROD_KEY)
        .body(&oauth2("gitlab", "main"));
    in_prod.run(&deployment).ok();
}

#[test]
fn a_client_for_other_credentials_is_refused() {
    let message = "incompatible credentials auth type and provider auth";
    for provider in ["twitter", "netsuite-tba", "private-api-basic", "auth0-cc"] {
        let answer = create(&Deployment::new(), &oauth2(provider, "x"));
        answer.is_error(400, "invalid_body", message);
    }
}

#[test]
fn a_provider_that_needs_a_client_is_not_set_up_without() {
    for provider in ["github", "twitter"] {
        let body = json!({"provider": provider, "unique_key": "x"});
        let answer = create(&Deployment::new(), &body);
        answer.is_error(400, "invalid_body", "Missing credentials");
    }
}

#[test]
fn the_provider_is_checked_before_the_client_the_client_before_the_key_the_key_before_settings() {
    let deployment = deployment_with_configured();
    create_integration(&deployment, "github", "taken");
    let codes = |answer: &Answered| {
        let error = answer.json()["error"].clone();
        error["errors"][0]["path"][0]
            .as_str()
            .or(error["message"].as_str())
            .unwrap()
            .to_owned()
    };
    let settings = json!({"unknown": "x"});

    let mut body = oauth2("nowhere", "taken");
    body["integration_config"] = settings.clone();
    assert_eq!(codes(&create(&deployment, &body)), "provider");
    body["provider"] = "configured".into();
    let incompatible = "incompatible credentials auth type and provider auth";
    assert_eq!(codes(&create(&deployment, &body)), incompatible);
    body.as_object_mut().unwrap().remove("credentials");
    assert_eq!(codes(&create(&deployment, &body)), "uniqueKey");
    body["unique_key"] = "free".into();
    let unknown = "Unknown field unknown";
    assert_eq!(codes(&create(&deployment, &body)), unknown);
}

#[test]
fn settings_that_a_provider_declares_are_checked_with_every_mistake_in_one_message() {
    let deployment = deployment_with_configured();
    for (config, message) in [
        (json!({"region": "mars"}), "Region must be one of: eu, us"),
        (json!({"region": "us"}), "Site is required"),
        (
            json!({"region": "us", "site": "x"}),
            "Site must be a valid URL",
        ),
        (
            json!({"region": "us", "site": "ftp://x"}),
            "Site must be an http(s) URL",
        ),
        (
            json!({"region": "mars", "size": "big"}),
            "Unknown field size, Region must be one of: eu, us",
        ),
    ] {
        let answer = create(
            &deployment,
            &configured(&json!({"integration_config": config})),
        );
        answer.is_error(400, "invalid_body", message);
    }
}

#[test]
fn hidden_settings_are_not_asked_for_and_defaults_are_enough() {
    create(&deployment_with_configured(), &configured(&json!({}))).ok();
}

#[test]
fn free_settings_are_refused_where_the_provider_declares_its_own() {
    let body = configured(&json!({"custom": {"region": "eu"}}));
    create(&deployment_with_configured(), &body).is_error(
        400,
        "invalid_body",
        "This provider uses integration_config; set its values there instead of custom",
    );
}

#[test]
fn declared_settings_are_refused_where_the_provider_declares_none() {
    let mut body = oauth2("github", "github");
    body["integration_config"] = json!({"region": "eu"});
    create(&Deployment::new(), &body).is_error(
        400,
        "invalid_body",
        "This provider does not accept integration configuration",
    );
}

#[test]
fn a_setting_has_at_most_8192_characters() {
    let deployment = Deployment::new();
    for field in ["custom", "integration_config"] {
        let mut body = oauth2("github", "github");
        body[field] = json!({"a": "x".repeat(8193)});
        let issue = format!("{field}.a too_big Too big: expected string to have <=8192 characters");
        create(&deployment, &body).has_issues("invalid_body", &[&issue]);
    }
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let deployment = deployment_with_configured();
    create_integration(&deployment, "github", "taken");
    let before = deployment.database.dump();
    for body in [
        oauth2("nowhere", "a"),
        oauth2("twitter", "a"),
        oauth2("gitlab", "taken"),
        json!({"provider": "github", "unique_key": "a"}),
        configured(&json!({"integration_config": {"region": "mars"}})),
        configured(&json!({"custom": {"a": "b"}})),
    ] {
        assert_eq!(create(&deployment, &body).status, 400);
    }
    assert_eq!(deployment.database.dump(), before);
}
