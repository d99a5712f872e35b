//! `GET /providers`, `GET /providers/:provider`, logos

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call},
    deployment::{Deployment, PROD_KEY},
    seed::acme,
};

fn read(deployment: &Deployment, target: &str) -> Answered {
    call("GET", target).run(deployment)
}

fn names(deployment: &Deployment, query: &str) -> Vec<String> {
    let listed = read(deployment, &format!("/providers{query}")).ok();
    let listed = listed["data"].as_array().unwrap().clone();
    listed
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

fn define(deployment: &Deployment, name: &str, entry: &Value) {
    let target = format!("/providers/{name}");
    call("PUT", &target)
        .account()
        .body(entry)
        .run(deployment)
        .ok();
}

#[test]
fn the_whole_catalogue_is_listed_by_name() {
    let names = names(&Deployment::new(), "");
    assert!(names.len() > 30, "{names:?}");
    assert!(names.is_sorted());
    for name in [
        "github",
        "google",
        "twitter",
        "netsuite-tba",
        "unauthenticated",
    ] {
        assert!(names.iter().any(|it| it == name), "{name}");
    }
}

#[test]
fn a_provider_is_shown_with_all_its_fields_its_name_and_its_logo() {
    let deployment = Deployment::new();
    let shown = read(&deployment, "/providers/gitlab").ok()["data"].clone();
    assert_eq!(shown["name"], "gitlab");
    assert_eq!(shown["display_name"], "GitLab");
    assert_eq!(shown["auth_mode"], "OAUTH2");
    assert_eq!(shown["token_url"], "https://gitlab.com/oauth/token");
    assert_eq!(shown["proxy"]["base_url"], "https://gitlab.com");
    let logo = "http://holdfast.test/images/template-logos/gitlab.svg";
    assert_eq!(shown["logo_url"], logo);

    let listed = read(&deployment, "/providers?search=gitlab").ok();
    assert_eq!(listed, json!({"data": [shown]}));
}

#[test]
fn a_search_finds_parts_of_names_in_any_case() {
    let deployment = Deployment::new();
    let google: Vec<String> = names(&deployment, "")
        .into_iter()
        .filter(|name| name.contains("google"))
        .collect();
    assert!(google.len() > 1);
    assert_eq!(names(&deployment, "?search=GooGLE"), google);
    assert_eq!(names(&deployment, "?search=itlab"), ["gitlab"]);
}

#[test]
fn a_dot_in_a_search_stands_for_any_character() {
    let deployment = Deployment::new();
    assert_eq!(names(&deployment, "?search=git.ab"), ["gitlab"]);
    assert_eq!(names(&deployment, "?search=google.drive"), ["google-drive"]);
}

#[test]
fn a_search_looks_at_names_and_display_names_alone_and_may_find_nothing() {
    let deployment = Deployment::new();
    let shown = read(&deployment, "/providers/jira").ok()["data"].clone();
    let elsewhere = shown["token_url"].as_str().unwrap();
    assert!(elsewhere.contains("atlassian"), "{elsewhere}");
    for search in ["nowhere", "atlassian.com", "API_KEY"] {
        assert_eq!(
            names(&deployment, &format!("?search={search}")),
            [""; 0],
            "{search}"
        );
    }
    assert_eq!(
        names(&deployment, "?search=google+cal"),
        ["google-calendar"]
    );
}

#[test]
fn a_search_follows_the_pattern_of_keys() {
    let deployment = Deployment::new();
    let pattern =
        "search invalid_format Invalid string: must match pattern /^[a-zA-Z0-9~:.@ _-]+$/";
    for search in ["", "a*", "a%2Fb", "(", "[", "%5E"] {
        let answer = read(&deployment, &format!("/providers?search={search}"));
        answer.has_issues("invalid_query_params", &[pattern]);
    }
    let long = "search too_big Too big: expected string to have <=255 characters";
    let answer = read(
        &deployment,
        &format!("/providers?search={}", "a".repeat(256)),
    );
    answer.has_issues("invalid_query_params", &[long]);
}

#[test]
fn other_parameters_are_refused() {
    let deployment = Deployment::new();
    for target in ["/providers?sort=1", "/providers/github?sort=1"] {
        let issue = " unrecognized_keys Unrecognized key: \"sort\"";
        read(&deployment, target).has_issues("invalid_query_params", &[issue]);
    }
}

#[test]
fn an_unknown_provider_is_named() {
    let answer = read(&Deployment::new(), "/providers/nowhere");
    answer.is_error(404, "not_found", "Unknown provider nowhere");
}

#[test]
fn a_name_that_cannot_exist_is_refused() {
    let issue = "provider invalid_format Invalid string: must match pattern /^[a-zA-Z0-9_-]+$/";
    read(&Deployment::new(), "/providers/a.b").has_issues("invalid_uri_params", &[issue]);
}

#[test]
fn a_custom_provider_is_listed_and_found_among_the_others_in_every_environment() {
    let deployment = Deployment::new();
    define(&deployment, "acme", &acme());
    assert_eq!(names(&deployment, "?search=acm"), ["acme"]);
    assert!(names(&deployment, "").is_sorted());
    let shown = call("GET", "/providers/acme")
        .key(PROD_KEY)
        .run(&deployment)
        .ok();
    let mut expected = acme();
    expected["name"] = "acme".into();
    expected["logo_url"] = "http://holdfast.test/images/template-logos/acme.svg".into();
    assert_eq!(shown["data"], expected);
}

#[test]
fn a_custom_provider_goes_before_one_of_the_same_name_in_the_catalogue() {
    let deployment = Deployment::new();
    let count = names(&deployment, "").len();
    define(&deployment, "github", &acme());
    assert_eq!(names(&deployment, "").len(), count);
    for target in ["/providers/github", "/providers?search=github"] {
        let shown = read(&deployment, target).ok()["data"].clone();
        let shown = shown.get(0).unwrap_or(&shown);
        assert_eq!(shown["display_name"], "Acme", "{target}");
        assert_eq!(shown.get("proxy"), None, "{target}");
    }
}

#[test]
fn a_logo_is_a_picture_that_caches_may_keep_and_needs_no_key() {
    let answer = call("GET", "/images/template-logos/github.svg")
        .authorization(None)
        .run(&Deployment::new());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("image/svg+xml"));
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=86400")
    );
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"0\""));
    assert!(answer.text.starts_with("<svg") && answer.text.contains("<title>GitHub</title>"));
}

#[test]
fn a_logo_does_not_tell_which_providers_a_deployment_defined() {
    let deployment = Deployment::new();
    let target = "/images/template-logos/acme.svg";
    let before = read(&deployment, target);
    define(&deployment, "acme", &acme());
    assert_eq!(read(&deployment, target).text, before.text);
    assert_eq!(before.status, 200);
}

#[test]
fn a_logo_is_drawn_for_names_of_providers_alone() {
    let deployment = Deployment::new();
    let answer = read(&deployment, "/images/template-logos/github.png");
    answer.is_error(404, "not_found", "Not found");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let issue = "provider invalid_format Invalid string: must match pattern /^[a-zA-Z0-9_-]+$/";
    let answer = read(&deployment, "/images/template-logos/%3Cscript%3E.svg");
    answer.has_issues("invalid_uri_params", &[issue]);
}

#[test]
fn the_schema_of_an_entry_is_served_to_anyone_and_caches_may_keep_it() {
    let answer = call("GET", "/providers.schema.json")
        .authorization(None)
        .run(&Deployment::new());
    assert_eq!(
        answer.header("content-type"),
        Some("application/schema+json")
    );
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"0\""));
    let schema = answer.ok();
    let dialect = "https://json-schema.org/draft/2020-12/schema";
    assert_eq!(schema["$schema"], dialect);
    assert_eq!(
        schema["properties"]["display_name"]["description"],
        "The name to show."
    );
}
