//! Which paths and verbs there are, and what all others get.

use crate::support::{client::call, routes, seed::seeded};

#[test]
fn an_unknown_path_is_not_found() {
    for path in [
        "/",
        "",
        "/nowhere",
        "/connections/a/b",
        "/connections/a/metadata",
        "//connections",
        "/Connections",
        "/api/v1/connections",
        "/integrations/a/b",
        "/environment",
        "/environment/api-keys/1",
        "/images/template-logos",
        "/health/live",
        "/%63onnections",
    ] {
        let answer = call("GET", path).run(&seeded());
        answer.is_error(404, "not_found", "Not found");
    }
}

#[test]
fn one_slash_at_the_end_of_a_path_is_as_good_as_none() {
    for route in routes::all() {
        let slashed = format!("{}/", route.path());
        let target = route.target.replacen(route.path(), &slashed, 1);
        let with_slash = route.call_as(route.method, &target).run(&seeded());
        let plain = route.call().run(&seeded());
        assert_eq!(with_slash.status, plain.status, "{}", route.target);
    }
}

#[test]
fn a_wrong_verb_is_told_the_right_ones() {
    for (method, path, allow) in [
        ("PUT", "/connections", "GET, POST"),
        ("DELETE", "/connections", "GET, POST"),
        ("POST", "/connections/a", "GET, PATCH, DELETE"),
        ("PATCH", "/connection/a", "GET, DELETE"),
        ("GET", "/connection/a/metadata", "POST, PATCH"),
        ("PUT", "/integrations/a", "GET, PATCH, DELETE"),
        ("PATCH", "/providers/a", "GET, PUT, DELETE"),
        ("GET", "/environments/1", "DELETE"),
        ("PATCH", "/environment/api-keys", "GET, POST, DELETE"),
        ("POST", "/health", "GET"),
        ("BREW", "/ready", "GET"),
        ("", "/config/a", "GET"),
    ] {
        let answer = call(method, path).run(&seeded());
        answer.is_error(405, "method_not_allowed", "Method not allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
}

#[test]
fn a_head_request_is_answered_like_a_get() {
    for route in routes::all().iter().filter(|route| route.method == "GET") {
        let get = route.call().run(&seeded());
        let head = route.call_as("HEAD", route.target).run(&seeded());
        assert_eq!(
            (head.status, head.headers),
            (get.status, get.headers),
            "{}",
            route.target
        );
    }
}
