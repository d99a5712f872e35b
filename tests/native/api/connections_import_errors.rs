//! `POST /connections`: which of several mistakes is told, and what is wrong with credentials of
//! another kind.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration, deployment_with_github},
    connections::{create_plain_integration, deployment_with_every_kind, put_acme, scoped_key},
    deployment::Deployment,
};

fn post(deployment: &Deployment, body: &Value) -> Answered {
    call("POST", "/connections").body(body).run(deployment)
}

#[test]
fn credentials_of_another_kind_than_the_providers_are_refused() {
    let deployment = deployment_with_github();
    let body = json!({
        "provider_config_key": "github", "credentials": {"type": "API_KEY", "apiKey": "k"},
    });
    post(&deployment, &body).is_error(
        400,
        "invalid_body",
        "Provider OAUTH2 does not support API_KEY auth",
    );
    assert_eq!(
        deployment.database.text("select count(*) from connection"),
        "0"
    );
}

#[test]
fn kinds_of_credentials_that_the_provider_does_not_take_are_refused_by_name() {
    let deployment = deployment_with_github();
    for (kind, inputs) in [
        ("APP", json!({"app_id": "1", "installation_id": "2"})),
        ("CUSTOM", json!({"app_id": "1", "installation_id": "2"})),
        ("JWT", json!({"privateKey": "fake-key"})),
        (
            "TWO_STEP",
            json!({"username": "u", "password": "fake-password"}),
        ),
        (
            "SIGNATURE",
            json!({"username": "u", "password": "fake-password"}),
        ),
        ("AWS_SIGV4", json!({"role_arn": "arn:aws:iam::1:role/r"})),
    ] {
        let mut credentials = inputs;
        credentials["type"] = kind.into();
        let body = json!({"provider_config_key": "github", "credentials": credentials});
        let message = format!("Provider OAUTH2 does not support {kind} auth");
        post(&deployment, &body).is_error(400, "invalid_body", &message);
    }
}

#[test]
fn a_tba_token_needs_an_account_in_the_configuration() {
    let deployment = deployment_with_every_kind();
    for config in [
        json!({}),
        json!({"accountId": ""}),
        json!({"accountid": "1"}),
    ] {
        let body = json!({
            "provider_config_key": "netsuite-tba", "connection_config": config,
            "credentials": {"type": "TBA", "token_id": "i", "token_secret": "s"},
        });
        post(&deployment, &body).is_error(
            400,
            "invalid_body",
            "Missing accountId in connection_config. This is required to create a TBA connection.",
        );
    }
}

#[test]
fn a_client_certificate_is_refused_because_it_could_not_be_presented() {
    let deployment = deployment_with_every_kind();
    let refused =
        "Client certificates are not supported: Workers cannot present one per connection";
    let client = json!({
        "type": "OAUTH2_CC", "token": "t", "client_id": "i", "client_secret": "s",
    });
    let mut certified = client.clone();
    certified["client_certificate"] = "fake-certificate".into();
    let body = json!({"provider_config_key": "auth0-cc", "credentials": certified});
    post(&deployment, &body).is_error(400, "invalid_body", refused);

    let entry = json!({"auth_mode": "OAUTH2_CC", "require_client_certificate": true});
    put_acme(&deployment, &entry);
    create_plain_integration(&deployment, "acme");
    let body = json!({"provider_config_key": "acme", "credentials": client});
    post(&deployment, &body).is_error(400, "invalid_body", refused);
}

#[test]
fn a_key_that_cannot_sign_assertions_is_refused_where_the_client_has_to_sign_some() {
    let deployment = deployment_with_every_kind();
    create_plain_integration(&deployment, "okta-cc");
    let credentials = json!({
        "type": "OAUTH2_CC", "token": "t", "client_id": "i", "client_secret": "s",
        "client_private_key": "fake-private-key",
    });
    let body = json!({"provider_config_key": "okta-cc", "credentials": credentials});
    let refused =
        "credentials.client_private_key invalid_format there is no private key in PEM form";
    post(&deployment, &body).has_issues("invalid_body", &[refused]);
}

/// Each request has one mistake less than the one before, and each mistake is told in its turn.
#[test]
fn mistakes_are_told_in_the_documented_order() {
    let deployment = deployment_with_every_kind();
    let key = scoped_key(&deployment, &["environment:connections:list"]);
    put_acme(&deployment, &json!({}));
    create_integration(&deployment, "acme", "acme");
    deployment
        .database
        .texts("delete from provider where name = 'acme'");
    let invalid = json!({"provider_config_key": "nowhere"});
    let body = |integration: &str| {
        let credentials = json!({"type": "TBA", "token_id": "i", "token_secret": "s"});
        json!({"provider_config_key": integration, "credentials": credentials})
    };

    let first = call("POST", "/connections?a=1").body(&invalid);
    first
        .clone()
        .authorization(None)
        .content_type("text/plain")
        .run(&deployment)
        .is_error(
            415,
            "invalid_content_type",
            "Content-Type header must be application/json",
        );
    first.authorization(None).run(&deployment).is_legacy_error(
        401,
        "missing_auth_header",
        "Authentication failed. The request is missing the Authorization header.",
    );
    call("POST", "/connections?a=1")
        .key(&key)
        .body(&invalid)
        .run(&deployment)
        .is_error(
            403,
            "forbidden",
            "Insufficient scope. Required: environment:connections:create",
        );
    call("POST", "/connections?a=1")
        .body(&invalid)
        .run(&deployment)
        .has_issues(
            "invalid_query_params",
            &[" unrecognized_keys Unrecognized key: \"a\""],
        );
    post(&deployment, &invalid).has_issues(
        "invalid_body",
        &["credentials invalid_type Invalid input: expected object, received undefined"],
    );
    post(&deployment, &body("nowhere")).is_error(404, "not_found", "Integration does not exist");
    post(&deployment, &body("acme")).is_error(404, "not_found", "Provider does not exist");
    post(&deployment, &body("github")).is_error(
        400,
        "invalid_body",
        "Provider OAUTH2 does not support TBA auth",
    );
    post(&deployment, &body("netsuite-tba")).is_error(
        400,
        "invalid_body",
        "Missing accountId in connection_config. This is required to create a TBA connection.",
    );
}
