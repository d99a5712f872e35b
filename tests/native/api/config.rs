//! `GET /config/:providerConfigKey`, deprecated

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration, deployment_with_github, import},
    deployment::{DEV_KEY, Deployment},
    keys,
    seed::{acme, create_key, seed_environment},
};

fn read(deployment: &Deployment, target: &str) -> Answered {
    call("GET", target).run(deployment)
}

#[test]
fn little_is_shown_without_credentials() {
    let answer = read(&deployment_with_github(), "/config/github");
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
    let expected = json!({"config": {
        "unique_key": "github", "provider": "github", "syncs": [], "actions": [],
    }});
    assert_eq!(answer.ok(), expected);
}

#[test]
fn credentials_are_shown_for_the_word_true_alone() {
    let deployment = deployment_with_github();
    let little = read(&deployment, "/config/github").ok();
    for query in [
        "include_creds=1",
        "include_creds=TRUE",
        "include_creds=",
        "include_creds=yes",
    ] {
        assert_eq!(
            read(&deployment, &format!("/config/github?{query}")).ok(),
            little,
            "{query}"
        );
    }
    assert_ne!(
        read(&deployment, "/config/github?include_creds=true").ok(),
        little
    );
}

#[test]
fn other_parameters_are_ignored() {
    read(&deployment_with_github(), "/config/github?other=1").ok();
}

#[test]
fn everything_is_shown_with_credentials() {
    let deployment = Deployment::new();
    seed_environment(&deployment, DEV_KEY, "own");
    let config = read(&deployment, "/config/github?include_creds=true").ok()["config"].clone();
    let expected = json!({
        "unique_key": "github",
        "provider": "github",
        "syncs": [],
        "actions": [],
        "client_id": "own-client",
        "client_secret": "own-client-secret",
        "custom": {"own": "own-custom"},
        "scopes": "own-scope",
        "app_link": null,
        "auth_mode": "OAUTH2",
        "created_at": "2026-01-01T00:00:00.000Z",
        "has_webhook": false,
        "webhook_secret": null,
        "webhook_url": null,
        "has_webhook_user_defined_secret": true,
        "docs": config["docs"],
        "connection_count": 1,
        "connections": [{
            "id": 1,
            "connection_id": "user-1",
            "environment_id": 1,
            "provider_config_key": "github",
        }],
    });
    assert_eq!(config, expected);
    assert!(config["docs"].as_str().unwrap().starts_with("https://"));
}

#[test]
fn the_configuration_of_connections_is_not_shown() {
    let deployment = Deployment::new();
    seed_environment(&deployment, DEV_KEY, "own");
    let answer = read(&deployment, "/config/github?include_creds=true");
    assert!(!answer.text.contains("own-config"), "{}", answer.text);
    assert!(!answer.text.contains("own-access-token"), "{}", answer.text);
}

#[test]
fn all_connections_are_counted_and_the_newest_hundred_shown() {
    let deployment = deployment_with_github();
    for number in 0..103 {
        import(&deployment, &format!("user-{number}"), &json!({}));
    }
    let config = read(&deployment, "/config/github?include_creds=true").ok()["config"].clone();
    assert_eq!(config["connection_count"], 103);
    assert_eq!(config["connections"].as_array().unwrap().len(), 100);
    assert_eq!(config["connections"][0]["connection_id"], "user-102");
}

#[test]
fn an_unknown_integration_is_an_error_of_the_older_kind() {
    read(&Deployment::new(), "/config/nowhere").is_legacy_error(
        400,
        "unknown_provider_config",
        "There is no Provider Configuration matching this key. Please make sure this value exists \
         in the Nango dashboard {}",
    );
}

#[test]
fn an_integration_whose_provider_left_is_an_error_of_the_older_kind() {
    let deployment = Deployment::new();
    call("PUT", "/providers/acme")
        .account()
        .body(&acme())
        .run(&deployment)
        .ok();
    create_integration(&deployment, "acme", "orphan");
    deployment.database.execute("delete from provider");
    read(&deployment, "/config/orphan").is_legacy_error(
        400,
        "unknown_provider_template",
        "No Provider Template matching the 'provider' parameter.",
    );
}

#[test]
fn a_key_without_the_scope_for_credentials_is_told_so_after_the_look_up() {
    let deployment = deployment_with_github();
    let key = create_key(&deployment, 1, &["environment:integrations:read"]);
    let read = |target| call("GET", target).key(&key).run(&deployment);
    read("/config/github").ok();
    read("/config/github?include_creds=true").is_error(
        403,
        "forbidden",
        "Insufficient scope. Required: environment:integrations:read_credentials",
    );
    let unknown = read("/config/nowhere?include_creds=true");
    assert_eq!(unknown.json()["error"]["code"], "unknown_provider_config");
}

#[test]
fn the_content_type_does_not_matter_here() {
    let answer = call("GET", "/config/github")
        .content_type("text/html")
        .run(&deployment_with_github());
    answer.ok();
}

#[test]
fn a_key_that_cannot_exist_is_refused() {
    let answer = read(&Deployment::new(), "/config/a%2Fb");
    let issue = "providerConfigKey invalid_format Invalid string: must match pattern \
                 /^[a-zA-Z0-9~:.@ _-]+$/";
    answer.has_issues("invalid_uri_params", &[issue]);
}

#[test]
fn the_private_key_of_an_app_is_shown_in_place_of_a_client_secret() {
    let deployment = Deployment::new();
    let mut entry = acme();
    entry["auth_mode"] = "APP".into();
    call("PUT", "/providers/acme")
        .account()
        .body(&entry)
        .run(&deployment)
        .ok();
    let key = keys::RSA_PKCS1;
    let body = json!({"provider": "acme", "unique_key": "app", "credentials": {
        "type": "APP", "app_id": "1", "app_link": "https://acme.example", "private_key": key,
    }});
    call("POST", "/integrations")
        .body(&body)
        .run(&deployment)
        .ok();
    let config = read(&deployment, "/config/app?include_creds=true").ok()["config"].clone();
    assert_eq!(config["client_id"], "1");
    assert_eq!(config["client_secret"], Value::from(key));
    assert_eq!(config["app_link"], "https://acme.example");
}
