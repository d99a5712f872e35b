//! `GET /connections`: pages, and the rules for parameters.

use serde_json::{Value, json};

use crate::support::{
    client::{call, deployment_with_github, import},
    deployment::Deployment,
};

/// The names of the connections that `query` lists, in order.
#[track_caller]
fn listed(deployment: &Deployment, query: &str) -> Vec<String> {
    let list = call("GET", &format!("/connections?{query}"))
        .run(deployment)
        .ok();
    names(&list)
}

fn names(list: &Value) -> Vec<String> {
    let connections = list["connections"].as_array().unwrap().iter();
    connections
        .map(|connection| connection["connection_id"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn refused(query: &str, issues: &[&str]) {
    call("GET", &format!("/connections?{query}"))
        .run(&Deployment::new())
        .has_issues("invalid_query_params", issues);
}

fn deployment_with_many(count: usize) -> Deployment {
    let deployment = deployment_with_github();
    for n in 0..count {
        import(&deployment, &format!("c{n}"), &json!({}));
    }
    deployment
}

#[test]
fn pages_are_counted_from_zero() {
    let deployment = deployment_with_many(5);
    assert_eq!(listed(&deployment, "limit=2"), ["c4", "c3"]);
    assert_eq!(listed(&deployment, "limit=2&page=0"), ["c4", "c3"]);
    assert_eq!(listed(&deployment, "limit=2&page=1"), ["c2", "c1"]);
    assert_eq!(listed(&deployment, "limit=2&page=2"), ["c0"]);
    assert_eq!(listed(&deployment, "limit=2&page=3"), Vec::<String>::new());
    assert_eq!(listed(&deployment, "limit=2.9&page=1.9"), ["c2", "c1"]);
}

#[test]
fn a_hundred_connections_are_listed_unless_asked_otherwise() {
    let deployment = deployment_with_many(101);
    assert_eq!(listed(&deployment, "").len(), 100);
    assert_eq!(listed(&deployment, "page=1"), ["c0"]);
    assert_eq!(listed(&deployment, "limit=2000").len(), 101);
}

#[test]
fn cursors_lead_through_all_connections_while_others_are_added() {
    let deployment = deployment_with_many(5);
    let mut found = Vec::new();
    let mut query = "limit=2".to_owned();
    for n in 0..3 {
        let list = call("GET", &format!("/connections?{query}"))
            .run(&deployment)
            .ok();
        found.extend(names(&list));
        match list["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => query = "no more".to_owned(),
        }
        import(&deployment, &format!("later-{n}"), &json!({}));
    }
    assert_eq!(found, ["c4", "c3", "c2", "c1", "c0"]);
    assert_eq!(query, "no more");
}

#[test]
fn a_full_last_page_has_no_cursor() {
    let deployment = deployment_with_many(2);
    let list = call("GET", "/connections?limit=2").run(&deployment).ok();
    assert_eq!(names(&list), ["c1", "c0"]);
    assert_eq!(list["next_cursor"], json!(null));
}

#[test]
fn parameters_out_of_range_are_refused() {
    refused(
        "limit=0",
        &["limit too_small Too small: expected number to be >=1"],
    );
    refused(
        "limit=2001",
        &["limit too_big Too big: expected number to be <=2000"],
    );
    refused(
        "limit=ten",
        &["limit invalid_type Invalid input: expected number, received NaN"],
    );
    refused(
        "page=-1",
        &["page too_small Too small: expected number to be >=0"],
    );
    refused(
        "page=1e99",
        &["page too_big Too big: expected number to be <=1000000"],
    );
    refused("cursor=%21", &["cursor invalid_format Invalid cursor"]);
    refused("cursor=YQ", &["cursor invalid_format Invalid cursor"]);
}

#[test]
fn texts_to_filter_by_have_1_to_255_characters() {
    for name in [
        "connectionId",
        "search",
        "endUserId",
        "endUserOrganizationId",
    ] {
        let short = format!("{name} too_small Too small: expected string to have >=1 characters");
        refused(&format!("{name}="), &[&short]);
        let long = format!("{name} too_big Too big: expected string to have <=255 characters");
        refused(&format!("{name}={}", "x".repeat(256)), &[&long]);
        let twice = format!("{name} invalid_type Invalid input: expected string, received array");
        refused(&format!("{name}=a&{name}=b"), &[&twice]);
    }
    refused(
        "integrationId=",
        &["integrationId too_small Too small: expected string to have >=1 characters"],
    );
}

#[test]
fn labels_to_filter_by_follow_the_rules_of_labels() {
    refused("tags[1]=a", &["tags.1 invalid_key Invalid key in record"]);
    refused(
        "tags[a]=",
        &["tags.a too_small Too small: expected string to have >=1 characters"],
    );
    refused(
        "tags=a",
        &["tags invalid_type Invalid input: expected record, received string"],
    );
}

#[test]
fn unknown_parameters_are_refused() {
    refused(
        "withError=1",
        &[" unrecognized_keys Unrecognized key: \"withError\""],
    );
}
