//! The client of an integration: its shapes, its scopes, and that its secrets are sealed.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration},
    deployment::Deployment,
    keys,
};

fn create(deployment: &Deployment, body: &Value) -> Answered {
    call("POST", "/integrations").body(body).run(deployment)
}

/// An integration of an OAuth 2 provider, with `own` over the usual fields.
fn with(own: &Value) -> Value {
    let mut body = json!({
        "provider": "github",
        "unique_key": "github",
        "credentials": {"type": "OAUTH2", "client_id": "c", "client_secret": "s"},
    });
    for (key, value) in own.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn private_key() -> String {
    keys::RSA_PKCS1.to_owned()
}

/// Defines a provider of a kind that the catalogue does not have.
fn define_provider(deployment: &Deployment, name: &str, own: &Value) {
    let mut entry = json!({
        "display_name": "Own", "docs": "https://docs.example", "auth_mode": "OAUTH2",
        "token_url": "https://own.example/token",
    });
    for (key, value) in own.as_object().unwrap() {
        entry[key] = value.clone();
    }
    let target = format!("/providers/{name}");
    call("PUT", &target)
        .account()
        .body(&entry)
        .run(deployment)
        .ok();
}

fn credentials(deployment: &Deployment, key: &str) -> Value {
    let target = format!("/integrations/{key}?include=credentials");
    call("GET", &target).run(deployment).ok()["data"]["credentials"].clone()
}

#[test]
fn the_client_of_an_oauth_provider_is_kept_in_its_shape() {
    let deployment = Deployment::new();
    for (provider, kind) in [
        ("github", "OAUTH2"),
        ("twitter", "OAUTH1"),
        ("netsuite-tba", "TBA"),
    ] {
        let client = json!({
            "type": kind,
            "client_id": "c",
            "client_secret": "s",
            "scopes": "read,user:email",
            "webhook_secret": "w",
        });
        let body = json!({"provider": provider, "unique_key": provider, "credentials": client});
        create(&deployment, &body).ok();
        assert_eq!(credentials(&deployment, provider), client);
    }
}

#[test]
fn the_client_of_an_app_is_kept_in_its_shape() {
    let deployment = Deployment::new();
    define_provider(&deployment, "app", &json!({"auth_mode": "APP"}));
    let client = json!({
        "type": "APP", "app_id": "1", "private_key": private_key(),
        "app_link": "https://own.example/app",
    });
    let body = json!({"provider": "app", "unique_key": "app", "credentials": client});
    create(&deployment, &body).ok();
    assert_eq!(credentials(&deployment, "app"), client);
}

#[test]
fn the_client_of_an_app_with_a_user_is_kept_in_its_shape() {
    let deployment = Deployment::new();
    let token_url = json!({"OAUTH2": "https://own.example/t", "APP": "https://own.example/a"});
    let own = json!({"auth_mode": "CUSTOM", "token_url": token_url});
    define_provider(&deployment, "custom", &own);
    let client = json!({
        "type": "CUSTOM", "client_id": "c", "client_secret": "s", "app_id": "1",
        "app_link": "https://own.example/app", "private_key": private_key(),
    });
    let body = json!({"provider": "custom", "unique_key": "custom", "credentials": client});
    create(&deployment, &body).ok();
    assert_eq!(credentials(&deployment, "custom"), client);
}

#[test]
fn every_secret_of_an_integration_is_sealed() {
    let deployment = Deployment::new();
    define_provider(&deployment, "app", &json!({"auth_mode": "APP"}));
    let key = format!("canary-private-key\n{}", private_key());
    create(
        &deployment,
        &json!({
            "provider": "app", "unique_key": "app",
            "credentials": {
                "type": "APP", "app_id": "1", "app_link": "https://own.example/app",
                "private_key": key,
            },
        }),
    )
    .ok();
    create(
        &deployment,
        &with(&json!({
            "credentials": {
                "type": "OAUTH2", "client_id": "c", "client_secret": "canary-client-secret",
                "webhook_secret": "canary-webhook-secret",
            },
            "custom": {"region": "canary-custom"},
        })),
    )
    .ok();
    let fields = json!({"integration_config": {"region": {"title": "Region"}}});
    define_provider(&deployment, "configured", &fields);
    create(
        &deployment,
        &with(&json!({
            "provider": "configured",
            "unique_key": "configured",
            "integration_config": {"region": "canary-integration-config"},
        })),
    )
    .ok();
    let dump = deployment.database.dump().join("\n");
    assert!(!dump.contains("canary"), "{dump}");
}

#[test]
fn an_integration_without_scopes_gets_those_of_its_provider() {
    let deployment = Deployment::new();
    create_integration(&deployment, "xero", "without");
    let client = json!({"type": "OAUTH2", "client_id": "c", "client_secret": "s", "scopes": ""});
    let empty = json!({"provider": "xero", "unique_key": "empty", "credentials": client});
    create(&deployment, &empty).ok();
    for key in ["without", "empty"] {
        assert_eq!(
            credentials(&deployment, key)["scopes"],
            "offline_access,openid"
        );
    }
}

#[test]
fn the_scopes_of_an_integration_go_before_those_of_its_provider() {
    let deployment = Deployment::new();
    let client = json!({"type": "OAUTH2", "client_id": "c", "client_secret": "s", "scopes": "a"});
    let body = json!({"provider": "xero", "unique_key": "xero", "credentials": client});
    create(&deployment, &body).ok();
    assert_eq!(credentials(&deployment, "xero")["scopes"], "a");
}

#[test]
fn nothing_is_asked_for_where_nobody_names_scopes() {
    let deployment = Deployment::new();
    create_integration(&deployment, "github", "github");
    assert_eq!(credentials(&deployment, "github")["scopes"], Value::Null);
}
