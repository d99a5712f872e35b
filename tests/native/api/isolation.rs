//! A key of one environment neither sees nor changes what belongs to another.

use serde_json::json;

use crate::support::{
    client::call,
    deployment::{DEV_KEY, Deployment, PROD_KEY},
    routes,
    seed::{create_key, seed_environment, seeded},
};

const DEV: i64 = 1;

/// Runs every route of environments with a key of `prod` against what is in `dev`, each on a
/// deployment of its own.
fn each_route_as_prod(seed: impl Fn(&Deployment)) {
    for route in routes::of_environments() {
        let deployment = seeded();
        seed(&deployment);
        let stored = create_key(&deployment, 2, &["environment:*"]);
        let before = deployment.database.dump_environment(DEV);
        for key in [PROD_KEY, stored.as_str()] {
            let answer = route.call().key(key).run(&deployment);
            let name = format!("{} {}", route.method, route.target);
            assert!(
                !answer.text.contains("canary-dev"),
                "{name}: {}",
                answer.text
            );
            assert!(!answer.log.contains("canary-dev"), "{name}: {}", answer.log);
            assert_eq!(deployment.database.dump_environment(DEV), before, "{name}");
        }
    }
}

#[test]
fn no_route_shows_or_changes_another_environment_that_has_what_this_one_has_not() {
    each_route_as_prod(|_| {});
}

#[test]
fn no_route_shows_or_changes_another_environment_that_has_the_same_names() {
    each_route_as_prod(|deployment| seed_environment(deployment, PROD_KEY, "canary-prod"));
}

#[test]
fn what_another_environment_has_is_as_unknown_as_what_nobody_has() {
    for route in routes::of_environments() {
        let deployment = seeded();
        let elsewhere = route.call().key(PROD_KEY).run(&deployment);
        let nowhere = route.call().key(PROD_KEY).run(&Deployment::new());
        assert_eq!(
            elsewhere.status, nowhere.status,
            "{} {}",
            route.method, route.target
        );
        // The list of providers has the custom one, which all environments share.
        if route.target != "/providers" {
            assert_eq!(
                elsewhere.text, nowhere.text,
                "{} {}",
                route.method, route.target
            );
        }
    }
}

#[test]
fn the_search_of_one_environment_does_not_find_in_another() {
    let deployment = seeded();
    for query in [
        "search=user-1",
        "search=us",
        "search=canary-dev",
        "tags[own]=canary-dev-tag",
    ] {
        let target = format!("/connections?{query}");
        let found = call("GET", &target).key(DEV_KEY).run(&deployment).ok();
        assert_eq!(found["connections"].as_array().unwrap().len(), 1, "{query}");
        let found = call("GET", &target).key(PROD_KEY).run(&deployment).ok();
        assert_eq!(found["connections"], json!([]), "{query}");
    }
}

#[test]
fn the_same_names_in_two_environments_are_two_rows() {
    let deployment = seeded();
    seed_environment(&deployment, PROD_KEY, "canary-prod");
    let target = "/connections/user-1?provider_config_key=github";
    for (key, token) in [
        (DEV_KEY, "canary-dev-access-token"),
        (PROD_KEY, "canary-prod-access-token"),
    ] {
        let connection = call("GET", target).key(key).run(&deployment).ok();
        assert_eq!(connection["credentials"]["access_token"], token);
    }
    call("DELETE", target).key(PROD_KEY).run(&deployment).ok();
    call("GET", target).key(DEV_KEY).run(&deployment).ok();
}

#[test]
fn a_key_of_another_environment_is_not_deleted_by_its_number() {
    let deployment = seeded();
    let body = json!({"environment_id": 2, "key_id": 1});
    let answer = call("DELETE", "/environment/api-keys")
        .account()
        .body(&body)
        .run(&deployment);
    answer.is_error(404, "not_found", "API key not found");
    assert_eq!(
        deployment.database.text("select count(*) from api_key"),
        "1"
    );
}
