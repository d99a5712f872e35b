//! `GET /providers`: filters and pages.

use serde_json::{Value, json};

use crate::support::{client::call, deployment::Deployment, seed::acme};

fn define(deployment: &Deployment, name: &str, own: &Value) {
    let mut entry = acme();
    let own = own.as_object().unwrap().clone();
    entry.as_object_mut().unwrap().extend(own);
    let target = format!("/providers/{name}");
    call("PUT", &target)
        .account()
        .body(&entry)
        .run(deployment)
        .ok();
}

fn list(deployment: &Deployment, query: &str) -> Value {
    call("GET", &format!("/providers?{query}"))
        .run(deployment)
        .ok()
}

fn names(list: &Value) -> Vec<String> {
    let providers = list["data"].as_array().unwrap().iter();
    providers
        .map(|provider| provider["name"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn lists(deployment: &Deployment, query: &str, expected: &[&str]) {
    assert_eq!(names(&list(deployment, query)), expected, "{query}");
}

/// The names of all pages, by cursor.
fn paged(deployment: &Deployment, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    for _ in 0..1000 {
        let page = list(deployment, &format!("{query}{cursor}"));
        found.extend(names(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
    panic!("the pages of {query} do not end")
}

/// Custom providers before, among and behind those of the catalogue, and in place of one.
fn deployment_with_custom() -> Deployment {
    let deployment = Deployment::new();
    for name in ["0-first", "Upper_Case", "github", "github-2", "zz-last"] {
        let display_name = format!("Own {name}");
        define(&deployment, name, &json!({ "display_name": display_name }));
    }
    deployment
}

#[test]
fn every_filter_finds_custom_providers_and_those_of_the_catalogue() {
    let deployment = Deployment::new();
    let own = json!({"display_name": "Hubble", "auth_mode": "TBA", "categories": ["crm", "odd"]});
    define(&deployment, "acme", &own);
    lists(&deployment, "search=hubspo", &["hubspot"]);
    lists(&deployment, "search=HUBB", &["acme"]);
    lists(&deployment, "search=h.bbl", &["acme"]);
    lists(&deployment, "auth_mode=TBA", &["acme", "netsuite-tba"]);
    lists(&deployment, "category=odd", &["acme"]);
    lists(&deployment, "category=od", &[]);
    let crm = names(&list(&deployment, "category=crm"));
    assert!(crm.contains(&"acme".to_owned()) && crm.contains(&"hubspot".to_owned()));
    assert!(!crm.contains(&"github".to_owned()), "{crm:?}");
    let query = "auth_mode=TBA&category=crm&search=bb";
    lists(&deployment, query, &["acme"]);
}

#[test]
fn a_search_longer_than_a_pattern_may_be_finds_its_text() {
    let deployment = Deployment::new();
    let long = "x".repeat(200);
    define(
        &deployment,
        "acme",
        &json!({"display_name": format!("{long}.y")}),
    );
    lists(&deployment, &format!("search={long}"), &["acme"]);
    lists(&deployment, &format!("search={long}.y"), &["acme"]);
    lists(&deployment, &format!("search={long}..."), &[]);
}

#[test]
fn a_custom_provider_shadows_the_catalogues_even_where_the_filter_leaves_it_out() {
    let deployment = Deployment::new();
    define(&deployment, "github", &json!({"auth_mode": "API_KEY"}));
    lists(&deployment, "search=github&auth_mode=OAUTH2", &[]);
}

#[test]
fn cursors_lead_through_all_providers_in_order() {
    let deployment = deployment_with_custom();
    let all = names(&list(&deployment, ""));
    assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
    assert!(all.len() > 200, "{}", all.len());
    assert_eq!(paged(&deployment, "limit=1"), all);
    assert_eq!(paged(&deployment, "limit=7"), all);
    let git = names(&list(&deployment, "search=git"));
    assert_eq!(paged(&deployment, "search=git&limit=2"), git);
}

#[test]
fn cursors_leave_nothing_out_while_providers_are_added_and_deleted() {
    let deployment = deployment_with_custom();
    let first = list(&deployment, "search=git&limit=2");
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = names(&list(&deployment, &format!("search=git&cursor={cursor}")));
    let last = names(&first).pop().unwrap();
    define(&deployment, "agit", &json!({}));
    let target = format!("/providers/{last}");
    call("DELETE", &target).account().run(&deployment);
    let after = list(&deployment, &format!("search=git&cursor={cursor}"));
    assert_eq!(names(&after), rest);
}

#[test]
fn pages_are_counted_from_zero() {
    let deployment = deployment_with_custom();
    let all = names(&list(&deployment, ""));
    for (query, expected) in [
        ("limit=3", &all[..3]),
        ("limit=3&page=0", &all[..3]),
        ("limit=3&page=1", &all[3..6]),
        ("page=1", &all[100..200]),
        ("limit=3&page=1000", &[]),
    ] {
        assert_eq!(names(&list(&deployment, query)), expected, "{query}");
    }
}

#[test]
fn the_last_page_has_no_cursor_and_a_list_that_is_not_paged_does_not_speak_of_any() {
    let deployment = Deployment::new();
    let list = |query| list(&deployment, query);
    assert!(list("search=git&limit=1")["next_cursor"].is_string());
    let whole = list("search=git&limit=100");
    assert_eq!(whole["next_cursor"], Value::Null);
    assert!(whole.as_object().unwrap().contains_key("next_cursor"));
    assert!(
        !list("search=git")
            .as_object()
            .unwrap()
            .contains_key("next_cursor")
    );
}

#[test]
fn a_list_that_is_not_paged_has_all_providers() {
    let deployment = Deployment::new();
    let before = names(&list(&deployment, "")).len();
    for n in 0..150 {
        define(&deployment, &format!("own-{n}"), &json!({}));
    }
    assert_eq!(names(&list(&deployment, "")).len(), before + 150);
    assert_eq!(names(&list(&deployment, "limit=100")).len(), 100);
}

#[test]
fn an_entry_that_is_put_again_is_found_by_what_it_says_now() {
    let deployment = Deployment::new();
    define(&deployment, "acme", &json!({"categories": ["odd"]}));
    define(&deployment, "acme", &json!({"display_name": "Renamed"}));
    lists(&deployment, "category=odd", &[]);
    lists(&deployment, "search=renamed", &["acme"]);
}

#[test]
fn parameters_out_of_range_are_refused() {
    let modes = "auth_mode invalid_value Invalid option: expected one of";
    for (query, issue) in [
        (
            "limit=0",
            "limit too_small Too small: expected number to be >=1",
        ),
        (
            "limit=101",
            "limit too_big Too big: expected number to be <=100",
        ),
        (
            "page=-1",
            "page too_small Too small: expected number to be >=0",
        ),
        ("cursor=%2B", "cursor invalid_format Invalid cursor"),
        ("cursor=YS5i", "cursor invalid_format Invalid cursor"),
        (
            "category=",
            "category too_small Too small: expected string to have >=1 characters",
        ),
    ] {
        call("GET", &format!("/providers?{query}"))
            .run(&Deployment::new())
            .has_issues("invalid_query_params", &[issue]);
    }
    let answer = call("GET", "/providers?auth_mode=oauth2").run(&Deployment::new());
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains(&modes[24..]), "{}", answer.text);
}
