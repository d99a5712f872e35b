//! `GET /integrations`, `GET /integrations/:uniqueKey`

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration, deployment_with_github},
    deployment::Deployment,
    seed::{acme, create_key},
};

fn read(deployment: &Deployment, target: &str) -> Answered {
    call("GET", target).run(deployment)
}

fn keys(deployment: &Deployment) -> Vec<String> {
    let listed = read(deployment, "/integrations").ok();
    let listed = listed["data"].as_array().unwrap().clone();
    listed
        .iter()
        .map(|it| it["unique_key"].as_str().unwrap().to_owned())
        .collect()
}

/// A deployment with an integration whose provider is in no catalogue any more.
fn deployment_with_orphan() -> Deployment {
    let deployment = Deployment::new();
    call("PUT", "/providers/acme")
        .account()
        .body(&acme())
        .run(&deployment)
        .ok();
    create_integration(&deployment, "acme", "orphan");
    create_integration(&deployment, "github", "github");
    deployment.database.execute("delete from provider");
    deployment
}

#[test]
fn integrations_are_listed_by_provider_and_then_by_age() {
    let deployment = Deployment::new();
    assert_eq!(keys(&deployment), [""; 0]);
    for (provider, key) in [
        ("notion", "a"),
        ("github", "c"),
        ("github", "b"),
        ("asana", "d"),
    ] {
        create_integration(&deployment, provider, key);
        deployment.advance_seconds(1);
    }
    assert_eq!(keys(&deployment), ["d", "c", "b", "a"]);
}

#[test]
fn a_list_takes_one_round_trip_and_shows_no_secret() {
    let answer = read(&deployment_with_github(), "/integrations");
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
    assert_eq!(
        answer.ok(),
        json!({"data": [{
            "unique_key": "github",
            "provider": "github",
            "display_name": "GitHub",
            "logo": "http://holdfast.test/images/template-logos/github.svg",
            "forward_webhooks": true,
            "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:00.000Z",
        }]})
    );
}

#[test]
fn a_list_takes_no_query() {
    let answer = read(&deployment_with_github(), "/integrations?limit=1");
    let issue = " unrecognized_keys Unrecognized key: \"limit\"";
    answer.has_issues("invalid_query_params", &[issue]);
}

#[test]
fn one_whose_provider_left_is_listed_with_what_is_known() {
    let listed = read(&deployment_with_orphan(), "/integrations").ok();
    assert_eq!(listed["data"][0]["unique_key"], "orphan");
    assert_eq!(listed["data"][0]["display_name"], "acme");
    assert_eq!(listed["data"][1]["unique_key"], "github");
}

#[test]
fn one_whose_provider_left_is_not_read_alone() {
    let answer = read(&deployment_with_orphan(), "/integrations/orphan");
    answer.is_error(404, "not_found", "Unknown provider acme");
}

#[test]
fn an_integration_is_read_as_it_is_listed_in_one_round_trip() {
    let deployment = deployment_with_github();
    let listed = read(&deployment, "/integrations").ok();
    let answer = read(&deployment, "/integrations/github");
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
    assert_eq!(answer.ok()["data"], listed["data"][0]);
}

#[test]
fn a_key_in_the_path_is_decoded() {
    let deployment = Deployment::new();
    create_integration(&deployment, "github", "my key@~1");
    let answer = read(&deployment, "/integrations/my%20key%40~1");
    assert_eq!(answer.ok()["data"]["unique_key"], "my key@~1");
}

#[test]
fn an_unknown_integration_is_named() {
    let answer = read(&Deployment::new(), "/integrations/nowhere");
    answer.is_error(404, "not_found", "Integration \"nowhere\" does not exist");
}

#[test]
fn the_query_is_checked_before_the_path() {
    let deployment = Deployment::new();
    let answer = read(&deployment, "/integrations/a%2Fb?include=everything");
    let issue = "include invalid_value Invalid option: expected one of \"webhook\"|\"credentials\"";
    answer.has_issues("invalid_query_params", &[issue]);
    let issue =
        "uniqueKey invalid_format Invalid string: must match pattern /^[a-zA-Z0-9~:.@ _-]+$/";
    read(&deployment, "/integrations/a%2Fb").has_issues("invalid_uri_params", &[issue]);
}

#[test]
fn the_client_is_shown_when_it_is_asked_for() {
    let shown = read(
        &deployment_with_github(),
        "/integrations/github?include=credentials",
    )
    .ok();
    assert_eq!(
        shown["data"]["credentials"],
        json!({
            "type": "OAUTH2",
            "client_id": "fake-client",
            "client_secret": "fake-client-secret",
            "scopes": null,
            "webhook_secret": null,
        })
    );
    assert_eq!(shown["data"].get("webhook_url"), None);
}

#[test]
fn the_webhook_address_is_shown_when_it_is_asked_for() {
    let shown = read(
        &deployment_with_github(),
        "/integrations/github?include=webhook",
    )
    .ok();
    assert_eq!(shown["data"]["webhook_url"], Value::Null);
    assert!(
        shown["data"]
            .as_object()
            .unwrap()
            .contains_key("webhook_url")
    );
    assert_eq!(shown["data"].get("credentials"), None);
}

#[test]
fn both_are_shown_when_both_are_asked_for() {
    let deployment = deployment_with_github();
    for query in [
        "include=webhook&include=credentials",
        "include=credentials&include=webhook",
    ] {
        let shown = read(&deployment, &format!("/integrations/github?{query}")).ok();
        assert_eq!(shown["data"]["credentials"]["client_id"], "fake-client");
        assert!(
            shown["data"]
                .as_object()
                .unwrap()
                .contains_key("webhook_url")
        );
    }
}

#[test]
fn more_than_there_is_cannot_be_asked_for() {
    let deployment = deployment_with_github();
    let query = "include=webhook&include=webhook&include=webhook";
    let answer = read(&deployment, &format!("/integrations/github?{query}"));
    let issue = "include too_big Too big: expected array to have <=2 items";
    answer.has_issues("invalid_query_params", &[issue]);
}

#[test]
fn the_client_is_silently_left_out_for_a_key_without_its_scope() {
    let deployment = deployment_with_github();
    let key = create_key(&deployment, 1, &["environment:integrations:read"]);
    let target = "/integrations/github?include=credentials&include=webhook";
    let shown = call("GET", target).key(&key).run(&deployment).ok();
    assert_eq!(shown["data"].get("credentials"), None);
    assert_eq!(shown["data"]["unique_key"], "github");
}

#[test]
fn the_client_is_shown_to_a_key_with_its_scope_alone() {
    let deployment = deployment_with_github();
    let key = create_key(
        &deployment,
        1,
        &["environment:integrations:read_credentials"],
    );
    let target = "/integrations/github?include=credentials";
    let shown = call("GET", target).key(&key).run(&deployment).ok();
    assert_eq!(
        shown["data"]["credentials"]["client_secret"],
        "fake-client-secret"
    );
}

#[test]
fn credentials_without_a_client_are_shown_as_null() {
    let deployment = Deployment::new();
    let body = json!({"provider": "private-api-basic", "unique_key": "basic"});
    call("POST", "/integrations")
        .body(&body)
        .run(&deployment)
        .ok();
    let shown = read(&deployment, "/integrations/basic?include=credentials").ok();
    assert_eq!(shown["data"]["credentials"], Value::Null);
    assert!(
        shown["data"]
            .as_object()
            .unwrap()
            .contains_key("credentials")
    );
}
