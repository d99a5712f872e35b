//! `PUT` and `DELETE /providers/:provider`

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration, import},
    deployment::Deployment,
    seed::acme,
};

fn put(deployment: &Deployment, name: &str, entry: &Value) -> Answered {
    call("PUT", &format!("/providers/{name}"))
        .account()
        .body(entry)
        .run(deployment)
}

fn delete(deployment: &Deployment, name: &str) -> Answered {
    call("DELETE", &format!("/providers/{name}"))
        .account()
        .run(deployment)
}

/// The usual entry with `own` over it.
fn with(own: &Value) -> Value {
    let mut entry = acme();
    for (key, value) in own.as_object().unwrap() {
        entry[key] = value.clone();
    }
    entry
}

#[test]
fn a_new_provider_is_answered_as_it_is_shown() {
    let deployment = Deployment::new();
    let entry = with(&json!({
        "token_params": {"audience": "${connectionConfig.audience}"},
        "connection_config": {"audience": {}},
    }));
    let answered = put(&deployment, "acme", &entry).ok();
    let shown = call("GET", "/providers/acme").run(&deployment).ok();
    assert_eq!(answered, shown);
    assert_eq!(shown["data"]["token_params"], entry["token_params"]);
}

#[test]
fn a_provider_is_replaced_as_a_whole() {
    let deployment = Deployment::new();
    put(&deployment, "acme", &with(&json!({"categories": ["crm"]}))).ok();
    let replaced = put(&deployment, "acme", &with(&json!({"display_name": "New"}))).ok();
    assert_eq!(replaced["data"]["display_name"], "New");
    assert_eq!(replaced["data"].get("categories"), None);
    assert_eq!(
        deployment.database.text("select count(*) from provider"),
        "1"
    );
}

#[test]
fn a_custom_provider_works_like_one_of_the_catalogue() {
    let deployment = Deployment::new();
    put(&deployment, "acme", &acme()).ok();
    create_integration(&deployment, "acme", "github");
    let connection = import(&deployment, "user-1", &json!({}));
    assert_eq!(connection["provider"], "acme");
}

#[test]
fn a_provider_that_shadows_the_catalogue_decides_what_integrations_take() {
    let deployment = Deployment::new();
    put(
        &deployment,
        "github",
        &with(&json!({"auth_mode": "API_KEY"})),
    )
    .ok();
    let body = json!({"provider": "github", "unique_key": "github"});
    let created = call("POST", "/integrations")
        .body(&body)
        .run(&deployment)
        .ok();
    assert_eq!(created["data"]["display_name"], "Acme");
}

#[test]
fn what_is_required_is_missed_by_name() {
    put(&Deployment::new(), "acme", &json!({"auth_mode": "OAUTH2"})).has_issues(
        "invalid_body",
        &[
            "display_name invalid_type Invalid input: expected string, received undefined",
            "docs invalid_type Invalid input: expected string, received undefined",
            "token_url invalid_type Invalid input: expected string, received undefined",
        ],
    );
}

#[test]
fn a_body_that_is_no_entry_at_all_is_refused() {
    let deployment = Deployment::new();
    let issue = " invalid_type Invalid input: expected object, received array";
    put(&deployment, "acme", &json!([acme()])).has_issues("invalid_body", &[issue]);
    let issue = " invalid_type Invalid input: expected object, received undefined";
    let answer = call("PUT", "/providers/acme").account().run(&deployment);
    answer.has_issues("invalid_body", &[issue]);
}

#[test]
fn every_mistake_has_a_path_however_deep() {
    let url =
        "invalid_format Invalid URL template: expected an https URL with ${name} placeholders";
    put(
        &Deployment::new(),
        "acme",
        &with(&json!({
            "docs": "the docs",
            "token_url": {"OAUTH2": "https://acme.example/token", "APP": "http://acme.example"},
            "connection_config": {"region": {"enum": ["eu", 1], "optional": "yes"}},
            "default_scopes": ["a", null],
            "token_params": {"a": []},
            "integration_config": {"site": {"visible_when": {"field": "nothing", "equals": "x"}}},
            "authorization_url": "acme.example",
            "proxy": {"base_url": "https://acme.example", "retry": {"after": "x"}, "speed": 1},
            "name": "acme",
            "logo_url": "https://acme.example/logo.svg",
        })),
    )
    .has_issues(
        "invalid_body",
        &[
            "docs invalid_format Invalid URL",
            &format!("token_url.APP {url}"),
            "token_params.a invalid_type Invalid input: expected string, received array",
            "default_scopes.1 invalid_type Invalid input: expected string, received null",
            "connection_config.region.enum.1 invalid_type Invalid input: expected string, \
             received number",
            "connection_config.region.optional invalid_type Invalid input: expected boolean, \
             received string",
            "integration_config.site.visible_when.field custom There is no field of this name",
            &format!("authorization_url {url}"),
            "proxy.retry.after invalid_type Invalid input: expected array, received string",
            "proxy unrecognized_keys Unrecognized key: \"speed\"",
            " unrecognized_keys Unrecognized keys: \"name\", \"logo_url\"",
        ],
    );
}

#[test]
fn a_dry_run_answers_as_a_real_one_and_stores_nothing() {
    let deployment = Deployment::new();
    let before = deployment.database.dump();
    let tried = put(&deployment, "acme?dry_run=true", &acme()).ok();
    let refused = put(&deployment, "acme?dry_run=true", &with(&json!({"docs": 1})));
    let issue = "docs invalid_type Invalid input: expected string, received number";
    refused.has_issues("invalid_body", &[issue]);
    assert_eq!(deployment.database.dump(), before);
    assert_eq!(put(&deployment, "acme?dry_run=false", &acme()).ok(), tried);
    assert_ne!(deployment.database.dump(), before);
}

#[test]
fn an_input_that_no_import_could_bring_is_a_mistake() {
    let entry = json!({
        "auth_mode": "TWO_STEP", "token_response": {"token": "token"},
        "credentials": {"token": {}, "raw": {}, "assertion": {}},
        "assertion_option": {"expires_at": {}},
    });
    let issue = |place: &str| format!("{place} custom Imports have something else under this name");
    let issues = [
        "credentials.raw",
        "credentials.token",
        "assertion_option.expires_at",
    ]
    .map(issue);
    let issues: Vec<_> = issues.iter().map(String::as_str).collect();
    let put = |mode: &str| {
        let mut entry = with(&entry);
        entry["auth_mode"] = mode.into();
        put(&Deployment::new(), "acme", &entry)
    };
    put("TWO_STEP").has_issues("invalid_body", &issues);
    put("OAUTH2").ok();
}

#[test]
fn domains_of_token_requests_are_spelled_as_hosts_are() {
    let refused = |at: usize| {
        format!(
            "token_domains.{at} invalid_format Invalid string: must match pattern /^[a-z0-9-]+(\\.[a-z0-9-]+)+$/"
        )
    };
    let domains = json!([
        "acme.example",
        "Acme.example",
        ".acme.example",
        "https://acme.example"
    ]);
    put(
        &Deployment::new(),
        "acme",
        &with(&json!({ "token_domains": domains })),
    )
    .has_issues("invalid_body", &[&refused(1), &refused(2), &refused(3)]);
}

#[test]
fn an_entry_has_at_most_64_kib() {
    let deployment = Deployment::new();
    let texts: Vec<_> = (0..20)
        .map(|at| (format!("k{at}"), "x".repeat(4000)))
        .collect();
    let params: serde_json::Map<_, _> = texts.into_iter().map(|(k, v)| (k, v.into())).collect();
    let answer = put(&deployment, "acme", &with(&json!({"token_params": params})));
    let issue = " too_big Too big: expected entry to have <=65536 bytes";
    answer.has_issues("invalid_body", &[issue]);
}

#[test]
fn a_refused_entry_leaves_the_stored_one() {
    let deployment = Deployment::new();
    put(&deployment, "acme", &acme()).ok();
    let before = deployment.database.dump();
    assert_eq!(put(&deployment, "acme", &json!({})).status, 400);
    assert_eq!(put(&deployment, "a.b", &acme()).status, 400);
    assert_eq!(deployment.database.dump(), before);
}

#[test]
fn the_name_has_the_form_of_names_of_providers() {
    let deployment = Deployment::new();
    put(&deployment, &"a".repeat(255), &acme()).ok();
    let format = "provider invalid_format Invalid string: must match pattern /^[a-zA-Z0-9_-]+$/";
    let long = "provider too_big Too big: expected string to have <=255 characters";
    for (name, issue) in [
        ("a.b", format),
        ("%C3%BC", format),
        (&"a".repeat(256), long),
    ] {
        put(&deployment, name, &acme()).has_issues("invalid_uri_params", &[issue]);
    }
}

#[test]
fn a_custom_provider_is_deleted_once() {
    let deployment = Deployment::new();
    put(&deployment, "acme", &acme()).ok();
    assert_eq!(delete(&deployment, "acme").ok(), json!({"success": true}));
    let answer = delete(&deployment, "acme");
    answer.is_error(404, "not_found", "Unknown custom provider acme");
}

#[test]
fn a_provider_of_the_catalogue_is_not_deleted() {
    let deployment = Deployment::new();
    let answer = delete(&deployment, "github");
    answer.is_error(404, "not_found", "Unknown custom provider github");
    call("GET", "/providers/github").run(&deployment).ok();
}

#[test]
fn a_provider_that_integrations_use_is_not_deleted() {
    let deployment = Deployment::new();
    put(&deployment, "acme", &acme()).ok();
    create_integration(&deployment, "acme", "acme");
    let answer = delete(&deployment, "acme");
    answer.is_error(409, "conflict", "Integrations use this provider");
    call("GET", "/providers/acme").run(&deployment).ok();

    call("DELETE", "/integrations/acme").run(&deployment).ok();
    delete(&deployment, "acme").ok();
}

#[test]
fn a_provider_in_use_that_shadows_the_catalogue_gives_way_to_it() {
    let deployment = Deployment::new();
    put(&deployment, "github", &acme()).ok();
    create_integration(&deployment, "github", "github");
    delete(&deployment, "github").ok();
    let shown = call("GET", "/integrations/github").run(&deployment).ok();
    assert_eq!(shown["data"]["display_name"], "GitHub");
}

#[test]
fn a_query_is_refused() {
    let deployment = Deployment::new();
    let issue = " unrecognized_keys Unrecognized key: \"x\"";
    put(&deployment, "acme?x=1", &acme()).has_issues("invalid_query_params", &[issue]);
    delete(&deployment, "acme?x=1").has_issues("invalid_query_params", &[issue]);
}
