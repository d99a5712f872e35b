//! What every answer carries beside its body.

use crate::support::{
    client::{Answered, Call, call},
    routes::{self, Route},
    seed::seeded,
};

/// An answer of every route for each way to ask: as meant, without a key, malformed, and with
/// the database down.
fn each_answer(check: impl Fn(&Route, &Answered)) {
    for route in routes::all() {
        let deployment = seeded();
        let ways: [fn(&Route) -> Call; 3] = [
            |route| route.call().authorization(None),
            |route| route.call().content_type("text/plain"),
            Route::call,
        ];
        for way in ways {
            check(&route, &way(&route).run(&deployment));
        }
        deployment.database_is_down.set(true);
        check(&route, &route.call().run(&deployment));
    }
}

#[test]
fn every_answer_names_its_request() {
    each_answer(|_, answer| assert_eq!(answer.header("x-request-id"), Some("request-1")));
}

#[test]
fn every_answer_counts_its_round_trips() {
    each_answer(|_, answer| {
        let timing = answer.header("server-timing").unwrap();
        assert!(timing.starts_with("d1;desc=\""), "{timing}");
    });
}

#[test]
fn no_answer_is_kept_by_caches_but_logos_and_the_schema() {
    each_answer(|route, answer| {
        let expected = match (route.path(), answer.status) {
            ("/images/template-logos/github.svg", 200) => "public, max-age=86400",
            ("/providers.schema.json", 200) => "public, max-age=3600",
            _ => "no-store",
        };
        assert_eq!(
            answer.header("cache-control"),
            Some(expected),
            "{}",
            route.target
        );
    });
}

#[test]
fn every_answer_is_guarded_against_sniffing_and_referrers() {
    each_answer(|_, answer| {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("strict-origin"));
    });
}

#[test]
fn every_answer_may_be_read_from_any_origin() {
    each_answer(|_, answer| {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("x-request-id"), "{exposed}");
    });
}

#[test]
fn every_body_is_json_and_says_so_but_logos() {
    each_answer(|route, answer| {
        let expected = match answer.status {
            204 => None,
            200 if route.target.starts_with("/images/") => Some("image/svg+xml"),
            200 if route.target == "/providers.schema.json" => Some("application/schema+json"),
            _ => Some("application/json; charset=utf-8"),
        };
        assert_eq!(answer.header("content-type"), expected, "{}", route.target);
        if expected.is_some_and(|it| it.contains("json")) {
            answer.json();
        }
    });
}

#[test]
fn no_header_is_given_twice() {
    each_answer(|_, answer| {
        let mut names: Vec<_> = answer.headers.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    });
}

#[test]
fn a_browser_may_ask_what_it_may_send() {
    let deployment = seeded();
    for route in routes::all() {
        let answer = call("OPTIONS", route.path())
            .authorization(None)
            .run(&deployment);
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (204, ""),
            "{}",
            route.target
        );
        let methods = answer.header("access-control-allow-methods").unwrap();
        assert!(
            methods.split(", ").any(|method| method == route.method),
            "{methods}"
        );
        let headers = answer.header("access-control-allow-headers").unwrap();
        assert!(
            headers.split(", ").any(|header| header == "authorization"),
            "{headers}"
        );
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
    }
}

#[test]
fn a_path_that_is_no_route_has_nothing_to_say_to_browsers() {
    let answer = call("OPTIONS", "/nowhere").run(&seeded());
    answer.is_error(404, "not_found", "Not found");
}
