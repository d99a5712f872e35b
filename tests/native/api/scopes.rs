//! What a key may do: one scope or the other for every route, and nothing without.

use holdfast::domain::scope::GRANTABLE;
use serde_json::json;

use crate::support::{
    client::{Answered, Call, call},
    deployment::{DEV_KEY, Deployment},
    routes::{self, Access, Route},
    seed::{create_key, seeded},
};

/// What is said to a key without any of `scopes`.
fn denial(scopes: &[&str]) -> String {
    match scopes {
        [scope] => format!("Insufficient scope. Required: {scope}"),
        _ => format!(
            "Insufficient scope. Required one of: {}",
            scopes.join(" or ")
        ),
    }
}

#[track_caller]
fn is_denied(answer: &Answered, route: &Route, scopes: &[&str]) {
    let expected = json!({"error": {"code": "forbidden", "message": denial(scopes)}});
    assert_eq!(answer.json(), expected, "{} {}", route.method, route.target);
    assert_eq!(answer.status, 403);
}

/// Everything but `scopes` and the wildcards over them.
fn all_but(scopes: &[&str]) -> Vec<&'static str> {
    let is_other = |scope: &&&'static str| !scope.ends_with('*') && !scopes.contains(scope);
    GRANTABLE.iter().filter(is_other).copied().collect()
}

fn with_key(route: &Route, key: &str) -> Call {
    route.call().key(key)
}

fn each_environment_route(check: impl Fn(&Deployment, &Route, &'static [&'static str])) {
    for route in routes::of_environments() {
        if let Access::Environment(scopes) = route.access {
            check(&seeded(), &route, scopes);
        }
    }
}

#[test]
fn the_table_of_routes_is_complete() {
    let known = routes::all();
    for (method, path) in routes::declared() {
        let matches = |route: &&Route| {
            let segments = route.path().split('/').zip(path.split('/'));
            let mut same = segments.map(|(known, other)| other.starts_with(':') || known == other);
            route.method == method
                && route.path().split('/').count() == path.split('/').count()
                && same.all(|same| same)
        };
        assert!(known.iter().any(|route| matches(&route)), "{method} {path}");
    }
}

#[test]
fn every_request_of_the_table_succeeds() {
    for route in routes::all() {
        let answer = route.call().run(&seeded());
        let is_success = matches!(answer.status, 200 | 201 | 204);
        assert!(
            is_success,
            "{} {}: {}",
            route.method, route.target, answer.text
        );
    }
}

#[test]
fn a_key_without_the_scope_of_a_route_is_denied_it() {
    each_environment_route(|deployment, route, scopes| {
        let key = create_key(deployment, 1, &all_but(scopes));
        is_denied(&with_key(route, &key).run(deployment), route, scopes);
    });
}

#[test]
fn a_denied_request_changes_nothing() {
    each_environment_route(|deployment, route, scopes| {
        let key = create_key(deployment, 1, &all_but(scopes));
        with_key(route, &key).run(deployment);
        let before = deployment.database.dump();
        with_key(route, &key).run(deployment);
        assert_eq!(
            deployment.database.dump(),
            before,
            "{} {}",
            route.method,
            route.target
        );
    });
}

#[test]
fn a_key_with_nothing_but_one_scope_of_a_route_may_use_it() {
    each_environment_route(|_, route, scopes| {
        for scope in scopes {
            let deployment = seeded();
            let key = create_key(&deployment, 1, &[scope]);
            with_key(route, &key).run(&deployment).done();
        }
    });
}

#[test]
fn a_wildcard_grants_what_is_under_it_and_nothing_else() {
    each_environment_route(|_, route, scopes| {
        let above = match scopes[0].split(':').nth(1).unwrap() {
            "connections" => ["environment:connections:*", "environment:integrations:*"],
            // No wildcard is above this one alone.
            "logs" => ["environment:logs:read", "environment:connections:*"],
            _ => ["environment:integrations:*", "environment:connections:*"],
        };
        for (wildcard, is_granted) in [(above[0], true), ("environment:*", true), (above[1], false)]
        {
            let deployment = seeded();
            let key = create_key(&deployment, 1, &[wildcard]);
            let answer = with_key(route, &key).run(&deployment);
            assert_eq!(
                matches!(answer.status, 200 | 201),
                is_granted,
                "{} {wildcard}",
                route.target
            );
        }
    });
}

#[test]
fn a_denial_comes_before_every_complaint_about_the_request() {
    each_environment_route(|deployment, route, scopes| {
        let key = create_key(deployment, 1, &all_but(scopes));
        let target = format!("{}?unknown=%zz", route.path());
        let broken = call(route.method, &target).bytes(b"{".to_vec()).key(&key);
        is_denied(&broken.run(deployment), route, scopes);
    });
}

#[test]
fn the_account_key_is_denied_every_route_of_environments() {
    each_environment_route(|deployment, route, scopes| {
        is_denied(&route.call().account().run(deployment), route, scopes);
    });
}

#[test]
fn providers_are_shown_to_a_key_of_any_environment_whatever_its_scopes() {
    let deployment = seeded();
    let key = create_key(&deployment, 2, &["environment:logs:read"]);
    for target in ["/providers", "/providers/github"] {
        call("GET", target).key(&key).run(&deployment).ok();
    }
}

#[test]
fn providers_are_not_shown_to_the_account_key() {
    let deployment = seeded();
    for target in ["/providers", "/providers/github"] {
        let answer = call("GET", target).account().run(&deployment);
        answer.is_error(
            403,
            "forbidden",
            "API key is not authorized for an environment",
        );
    }
}

#[test]
fn a_key_of_an_environment_is_denied_every_route_of_the_account() {
    for route in routes::account() {
        let Access::Account(scope) = route.access else {
            continue;
        };
        let deployment = seeded();
        let stored = create_key(&deployment, 1, &["environment:*"]);
        for key in [DEV_KEY, &stored] {
            is_denied(&with_key(&route, key).run(&deployment), &route, &[scope]);
        }
    }
}

#[test]
fn a_denial_of_the_account_comes_before_every_complaint_about_the_request() {
    for route in routes::account() {
        let Access::Account(scope) = route.access else {
            continue;
        };
        let target = format!("{}?unknown=%zz", route.path());
        let broken = call(route.method, &target).bytes(b"{".to_vec());
        is_denied(&broken.run(&seeded()), &route, &[scope]);
    }
}

#[test]
fn nothing_is_answered_without_a_key_but_what_is_open() {
    for route in routes::all() {
        let answer = route.call().authorization(None).run(&seeded());
        let expected = if route.access == Access::Open {
            200
        } else {
            401
        };
        assert_eq!(answer.status, expected, "{} {}", route.method, route.target);
    }
}
