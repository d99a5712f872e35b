//! Refreshes at servers of the Model Context Protocol that were discovered, from what clients of
//! them keep in the configuration of a connection.

use serde_json::{Value, json};

use crate::support::{
    provider::Answer,
    token_requests::{Refreshing, has, token},
};

fn at(client: &Value, resource: &Value) -> Refreshing {
    let metadata = json!({
        "issuer": "https://auth.acme.example",
        "token_endpoint": "https://auth.acme.example/token",
    });
    let config = json!({
        "mcp_server_url": "https://mcp.acme.example/mcp",
        "oauth_metadata": metadata.to_string(),
        "oauth_client_info": client.to_string(),
        "oauth_resource_url": resource,
    });
    let settings = json!({"credentials": null});
    Refreshing::with_settings("mcp-generic", &settings, &json!({}), &config)
}

#[test]
fn the_token_endpoint_and_the_client_that_were_found_are_asked_with_the_resource() {
    let client = json!({"client_id": "fake-own", "client_secret": "fake-own-secret"});
    let refreshing = at(&client, &json!("https://mcp.acme.example/"));
    let connection = refreshing.force([Answer::Json(200, token())]);
    refreshing.seen(0).is_form(
        "POST https://auth.acme.example/token",
        "grant_type=refresh_token&client_id=fake-own&client_secret=fake-own-secret\
         &resource=https%3A%2F%2Fmcp.acme.example%2F&refresh_token=fake-refresh-token",
    );
    let end = "2026-01-01T01:00:00.000Z";
    let credentials = &connection["credentials"];
    has(credentials, "fake-new-token", "fake-refresh-token", end);
    assert_eq!(credentials["type"], "OAUTH2");
}

#[test]
fn a_public_client_shows_its_identifier_alone() {
    let refreshing = at(&json!({"client_id": "fake-own"}), &json!(null));
    refreshing.force([Answer::Json(200, token())]);
    refreshing.seen(0).is_form(
        "POST https://auth.acme.example/token",
        "grant_type=refresh_token&client_id=fake-own&refresh_token=fake-refresh-token",
    );
}
