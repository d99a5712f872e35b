//! `PUT /providers/:provider` of entries whose requests can be rendered, or not.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call},
    connections::with,
    deployment::Deployment,
    seed::acme,
};

fn put(deployment: &Deployment, entry: &Value) -> Answered {
    call("PUT", "/providers/acme")
        .account()
        .body(entry)
        .run(deployment)
}

#[test]
fn a_token_request_that_no_inputs_can_render_is_a_mistake() {
    let declared = json!({"site": {}});
    let undeclared =
        |name: &str| format!("custom No input is declared for ${{connectionConfig.{name}}}");
    for (own, issue) in [
        (
            json!({"token_url": "https://${connectionConfig.team}.acme.example/token"}),
            format!("token_url {}", undeclared("team")),
        ),
        (
            json!({"refresh_url": "https://${connectionConfig.team}.acme.example/token"}),
            format!("refresh_url {}", undeclared("team")),
        ),
        (
            json!({"token_params": {"a": "${connectionConfig.team}"}}),
            format!("token_params {}", undeclared("team")),
        ),
        (
            json!({"auth_mode": "OAUTH2_CC", "token_params": {"a": "${connectionConfig.team}"}}),
            format!("token_params {}", undeclared("team")),
        ),
        (
            json!({"revocation_url": "https://${connectionConfig.team}.acme.example/revoke"}),
            format!("revocation_url {}", undeclared("team")),
        ),
        (
            json!({
                "auth_mode": "TWO_STEP", "body_format": "xml", "token_params": {"a": "b", "c": "d"},
                "token_response": {"token": "token"},
            }),
            "body_format custom The parameters cannot be written as XML: expected one element"
                .to_owned(),
        ),
        (
            json!({
                "auth_mode": "TWO_STEP", "token_response": {"token": "token"},
                "token_params": {"user": "${credentials.user}"},
            }),
            "token_params custom No input is declared for ${credentials.user}".to_owned(),
        ),
        (
            json!({
                "auth_mode": "TWO_STEP", "token_response": {"token": "token"},
                "refresh_token_params": {"user": "${credentials.user}"},
            }),
            "refresh_token_params custom No input is declared for ${credentials.user}".to_owned(),
        ),
        (
            json!({
                "auth_mode": "TWO_STEP", "token_response": {"token": "token"},
                "additional_steps": [{"token_url": "https://acme.example/${credentials.user}"}],
            }),
            "additional_steps custom No input is declared for ${credentials.user}".to_owned(),
        ),
        (
            json!({"refresh_token_headers": {"x-team": "${connectionConfig.team}"}}),
            format!("refresh_token_headers {}", undeclared("team")),
        ),
        (
            json!({"token_domains": ["other.example"]}),
            "token_domains custom A token request or revocation leads outside of these domains"
                .to_owned(),
        ),
        (
            json!({
                "token_url": "https://${connectionConfig.site}/token",
                "connection_config": {"site": {"default_value": "acme.example/path"}},
                "token_domains": ["acme.example"],
            }),
            "token_url custom The value of ${connectionConfig.site} does not fit where the \
             template puts it"
                .to_owned(),
        ),
    ] {
        let declaring = with(acme(), &json!({ "connection_config": declared }));
        let entry = with(declaring, &own);
        put(&Deployment::new(), &entry).has_issues("invalid_body", &[&issue]);
    }
}

#[test]
fn a_token_request_that_some_inputs_can_render_is_none() {
    let deployment = Deployment::new();
    for own in [
        json!({
            "token_url": "https://${connectionConfig.team}.acme.example/token",
            "connection_config": {"team": {}},
        }),
        json!({
            "token_url": "${connectionConfig.site}/token",
            "connection_config": {"site": {}},
            "token_domains": ["acme.example"],
        }),
        json!({
            "token_url": "https://${connectionConfig.site}/token",
            "connection_config": {"site": {}},
            "token_domains": ["acme.example"],
        }),
        json!({
            "token_url": "https://${connectionConfig.region}.acme.example || https://acme.example",
        }),
        json!({
            "refresh_url": "${connectionConfig.instance_url}/token",
            "token_response_metadata": ["instance_url"],
        }),
        json!({"auth_mode": "API_KEY", "token_url": "https://${anything}.acme.example"}),
    ] {
        put(&deployment, &with(acme(), &own)).ok();
    }
}
