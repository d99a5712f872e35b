//! `GET /connections`

use serde_json::{Value, json};

use crate::support::{
    client::{call, create_integration, deployment_with_github, import},
    deployment::{Deployment, PROD_KEY},
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

/// Three connections in `dev`, of which `carol` is the newest, and another `alice` in `prod`.
fn deployment_with_connections() -> Deployment {
    let deployment = deployment_with_github();
    create_integration(&deployment, "gitlab", "gitlab");
    let alice = json!({
        "end_user": {"id": "u-a", "email": "alice@users.example", "display_name": "Alice A"},
        "tags": {"team": "blue", "plan": "pro"},
    });
    import(&deployment, "alice-1", &alice);
    let bob = json!({
        "provider_config_key": "gitlab", "tags": {"team": "blue", "plan": "free"},
        "end_user": {"id": "u-b", "display_name": "Bob 100% \"B_\""},
    });
    import(&deployment, "bob-1", &bob);
    import(
        &deployment,
        "carol",
        &json!({"metadata": {"x": 1}, "tags": {"team": "red"}}),
    );
    deployment.database.texts(
        "update connection set organization_id = 'org-1', organization_display_name = 'Org'
        where connection_id <> 'carol'",
    );
    let github = json!({
        "provider": "github", "unique_key": "github",
        "credentials": {"type": "OAUTH2", "client_id": "c", "client_secret": "s"},
    });
    let of_prod = json!({
        "provider_config_key": "github", "connection_id": "alice-prod",
        "credentials": {"type": "OAUTH2", "access_token": "of-prod"},
        "end_user": {"id": "u-a"}, "tags": {"team": "blue"},
    });
    for (target, body) in [("/integrations", &github), ("/connections", &of_prod)] {
        call("POST", target)
            .key(PROD_KEY)
            .body(body)
            .run(&deployment)
            .ok();
    }
    deployment
}

#[test]
fn connections_are_listed_newest_first_in_one_round_trip() {
    let deployment = deployment_with_connections();
    let answer = call("GET", "/connections").run(&deployment);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
    assert_eq!(names(&answer.ok()), ["carol", "bob-1", "alice-1"]);
    assert_eq!(answer.json()["next_cursor"], json!(null));
}

#[test]
fn an_item_has_everything_but_credentials_and_configuration() {
    let deployment = deployment_with_connections();
    let list = call("GET", "/connections?connectionId=alice-1").run(&deployment);
    let tags = json!({
        "end_user_display_name": "Alice A", "end_user_email": "alice@users.example",
        "end_user_id": "u-a", "plan": "pro", "team": "blue",
    });
    let end_user = json!({
        "id": "u-a", "display_name": "Alice A", "email": "alice@users.example", "tags": null,
        "organization": {"id": "org-1", "display_name": "Org"},
    });
    let item = json!({
        "id": 1, "connection_id": "alice-1", "provider_config_key": "github",
        "provider": "github", "errors": [], "end_user": end_user, "tags": tags,
        "metadata": {}, "created": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!(
        list.ok(),
        json!({"connections": [item], "next_cursor": null})
    );
}

#[test]
fn nothing_found_is_an_empty_list() {
    let list = call("GET", "/connections").run(&Deployment::new()).ok();
    assert_eq!(list, json!({"connections": [], "next_cursor": null}));
}

#[test]
fn the_deprecated_path_lists_the_same() {
    let deployment = deployment_with_connections();
    let list = call("GET", "/connection?connectionId=bob-1").run(&deployment);
    assert_eq!(names(&list.ok()), ["bob-1"]);
}

#[test]
fn each_filter_finds_its_connections_in_its_environment_alone() {
    let deployment = deployment_with_connections();
    for (query, expected) in [
        ("connectionId=alice-1", &["alice-1"][..]),
        ("connectionId=alice", &[]),
        ("connectionId=ALICE-1", &[]),
        ("connectionId=alice-prod", &[]),
        ("integrationId=gitlab", &["bob-1"]),
        (
            "integrationId=gitlab, github",
            &["carol", "bob-1", "alice-1"],
        ),
        ("integrationId=gitlab,,nowhere", &["bob-1"]),
        ("integrationId=nowhere", &[]),
        ("integrationId=,", &[]),
        ("endUserId=u-a", &["alice-1"]),
        ("endUserId=u", &[]),
        ("endUserOrganizationId=org-1", &["bob-1", "alice-1"]),
        ("endUserOrganizationId=org-2", &[]),
        ("tags[team]=blue", &["bob-1", "alice-1"]),
        ("tags[TEAM]=blue", &["bob-1", "alice-1"]),
        ("tags[team]=Blue", &[]),
        ("tags[team]=blue&tags[plan]=free", &["bob-1"]),
        ("tags[team]=blue,red", &[]),
        ("search=bob-1", &["bob-1"]),
    ] {
        let query = query.replace(' ', "%20");
        assert_eq!(listed(&deployment, &query), expected, "{query}");
    }
}

#[test]
fn filters_must_all_hold() {
    let deployment = deployment_with_connections();
    let all = "connectionId=alice-1&integrationId=github,gitlab&endUserId=u-a&\
        endUserOrganizationId=org-1&tags[team]=blue&search=alice";
    assert_eq!(listed(&deployment, all), ["alice-1"]);
    for other in [
        all.replace("connectionId=alice-1", "connectionId=carol"),
        all.replace("github,gitlab", "gitlab"),
        all.replace("u-a", "u-b"),
        all.replace("org-1", "org-2"),
        all.replace("blue", "red"),
        all.replace("search=alice", "search=bob"),
    ] {
        assert_eq!(listed(&deployment, &other), Vec::<String>::new(), "{other}");
    }
}

#[test]
fn a_search_looks_into_names_and_emails_whatever_the_case() {
    let deployment = deployment_with_connections();
    for (search, expected) in [
        ("CAROL", &["carol"][..]),
        ("aro", &["carol"]),
        ("alice@users", &["alice-1"]),
        ("Alice a", &["alice-1"]),
        ("100% ", &["bob-1"]),
        ("\"b_\"", &["bob-1"]),
        ("-1", &["bob-1", "alice-1"]),
        ("A", &["carol", "alice-1"]),
        ("%", &["bob-1"]),
        ("_", &["bob-1"]),
        ("\"", &["bob-1"]),
        ("0%", &["bob-1"]),
        ("a%l", &[]),
        ("c_rol", &[]),
        ("\\", &[]),
        ("rol al", &[]),
        ("carol OR bob", &[]),
        ("prod", &[]),
    ] {
        let query: String = form_urlencoded::byte_serialize(search.as_bytes()).collect();
        let query = format!("search={query}");
        assert_eq!(listed(&deployment, &query), expected, "{search}");
    }
}

#[test]
fn a_cursor_goes_with_filters() {
    let deployment = deployment_with_connections();
    let first = call("GET", "/connections?tags[team]=blue&limit=1").run(&deployment);
    let cursor = first.ok()["next_cursor"].as_str().unwrap().to_owned();
    let query = format!("tags[team]=blue&limit=1&cursor={cursor}");
    assert_eq!(listed(&deployment, &query), ["alice-1"]);
}
