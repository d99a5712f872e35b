//! Deployments with something in them.

use serde_json::{Value, json};

use super::{
    client::call,
    deployment::{DEV_KEY, Deployment},
};

/// The entry of a custom provider.
pub(crate) fn acme() -> Value {
    json!({
        "display_name": "Acme",
        "docs": "https://docs.acme.example",
        "auth_mode": "OAUTH2",
        "token_url": "https://acme.example/token",
    })
}

/// A deployment where every request of [`super::routes::all`] succeeds: the custom provider `acme`, and in `dev`
/// the API key number 1, the integration `github` and its connection `user-1`.
pub(crate) fn seeded() -> Deployment {
    let deployment = Deployment::new();
    call("PUT", "/providers/acme")
        .account()
        .body(&acme())
        .run(&deployment)
        .ok();
    let key = json!({"environment_id": 1, "display_name": "canary-dev key"});
    call("POST", "/environment/api-keys")
        .account()
        .body(&key)
        .run(&deployment)
        .ok();
    seed_environment(&deployment, DEV_KEY, "canary-dev");
    deployment
}

/// Makes the integration `github` and its connection `user-1`, with the log of a refresh that is
/// named after the number of the environment. Whatever is free to
/// choose contains `canary`.
pub(crate) fn seed_environment(deployment: &Deployment, key: &str, canary: &str) {
    let integration = json!({
        "provider": "github",
        "unique_key": "github",
        "display_name": format!("{canary} display name"),
        "credentials": {
            "type": "OAUTH2",
            "client_id": format!("{canary}-client"),
            "client_secret": format!("{canary}-client-secret"),
            "scopes": format!("{canary}-scope"),
            "webhook_secret": format!("{canary}-webhook-secret"),
        },
        "custom": {"own": format!("{canary}-custom")},
    });
    call("POST", "/integrations")
        .key(key)
        .body(&integration)
        .run(deployment)
        .ok();
    let connection = json!({
        "provider_config_key": "github",
        "connection_id": "user-1",
        "credentials": {
            "type": "OAUTH2",
            "access_token": format!("{canary}-access-token"),
            "config_override": {
                "client_id": format!("{canary}-own-client"),
                "client_secret": format!("{canary}-own-secret"),
            },
        },
        "connection_config": {"own": format!("{canary}-config")},
        "metadata": {"own": format!("{canary}-metadata")},
        "tags": {"own": format!("{canary}-tag")},
        "end_user": {"id": format!("{canary}-user"), "email": format!("{canary}@users.example")},
    });
    call("POST", "/connections")
        .key(key)
        .body(&connection)
        .run(deployment)
        .ok();
    deployment.database.execute(&format!(
        "insert or ignore into refresh_log
        select printf('00000000-0000-4000-8000-%012d', environment_id), id, 'read', 'rejected',
            400, '{canary} words', 1, 0, 0, null
        from connection"
    ));
}

/// Makes a stored key of an environment.
#[track_caller]
pub(crate) fn create_key(deployment: &Deployment, environment: i64, scopes: &[&str]) -> String {
    let name = format!(
        "key {}",
        deployment.database.text("select count(*) from api_key")
    );
    let body = json!({"environment_id": environment, "display_name": name, "scopes": scopes});
    let created = call("POST", "/environment/api-keys")
        .account()
        .body(&body)
        .run(deployment)
        .ok();
    created["data"]["secret"].as_str().unwrap().to_owned()
}
