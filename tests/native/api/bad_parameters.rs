//! What malformed paths, queries and numbers get, and how deep JSON may be.

use serde_json::{Value, json};

use crate::support::{
    client::{call, deployment_with_github},
    deployment::Deployment,
    routes::{self, Access},
    seed::seeded,
};

/// Routes with a parameter in the path, with the name that mistakes in it have.
const PARAMETERS: [(&str, &str, &str); 15] = [
    (
        "GET",
        "/connections/*?provider_config_key=github",
        "connectionId",
    ),
    (
        "GET",
        "/connection/*?provider_config_key=github",
        "connectionId",
    ),
    (
        "PATCH",
        "/connections/*?provider_config_key=github",
        "connectionId",
    ),
    (
        "DELETE",
        "/connections/*?provider_config_key=github",
        "connectionId",
    ),
    (
        "POST",
        "/connection/*/metadata?provider_config_key=github",
        "connectionId",
    ),
    ("GET", "/integrations/*", "uniqueKey"),
    ("PATCH", "/integrations/*", "uniqueKey"),
    ("DELETE", "/integrations/*", "uniqueKey"),
    ("POST", "/integrations/*/revoke-all", "uniqueKey"),
    ("GET", "/config/*", "providerConfigKey"),
    ("GET", "/providers/*", "provider"),
    ("PUT", "/providers/*", "provider"),
    ("DELETE", "/providers/*", "provider"),
    ("DELETE", "/environments/*", "environmentId"),
    ("GET", "/images/template-logos/*.svg", "provider"),
];

fn with_parameter(method: &str, template: &str, parameter: &str) -> crate::support::client::Call {
    let target = template.replacen('*', parameter, 1);
    let is_account = template.starts_with("/environments")
        || (template.starts_with("/providers") && method != "GET");
    let request = call(method, &target);
    let request = if is_account {
        request.account()
    } else {
        request
    };
    match method {
        "PATCH" | "POST" => request.body(&json!({})),
        "PUT" => request.body(&crate::support::seed::acme()),
        _ => request,
    }
}

#[test]
fn broken_percent_encoding_in_a_path_is_refused_everywhere() {
    let deployment = seeded();
    for (method, template, name) in PARAMETERS {
        for parameter in ["%", "a%4", "%zz", "%ff", "%ed%a0%80", "%c0%af"] {
            let answer = with_parameter(method, template, parameter).run(&deployment);
            let issue = format!("{name} invalid_format Invalid percent-encoding");
            answer.has_issues("invalid_uri_params", &[&issue]);
        }
    }
}

#[test]
fn a_nul_in_a_path_is_refused_everywhere() {
    let deployment = seeded();
    for (method, template, name) in PARAMETERS {
        let answer = with_parameter(method, template, "a%00b").run(&deployment);
        let message = "Invalid string: must not contain a NUL character";
        answer.has_issues(
            "invalid_uri_params",
            &[&format!("{name} invalid_format {message}")],
        );
    }
}

#[test]
fn an_overlong_path_is_refused_everywhere() {
    let deployment = seeded();
    for (method, template, name) in PARAMETERS {
        let answer = with_parameter(method, template, &"7".repeat(256)).run(&deployment);
        let message = match name {
            "environmentId" => "Too big: expected number to be <=9007199254740991",
            _ => "Too big: expected string to have <=255 characters",
        };
        answer.has_issues(
            "invalid_uri_params",
            &[&format!("{name} too_big {message}")],
        );
    }
}

#[test]
fn broken_percent_encoding_in_a_query_is_refused_everywhere() {
    for route in routes::all() {
        if route.access == Access::Open {
            continue;
        }
        for query in ["x=%zz", "x=%", "x=%ff", "x=%00"] {
            let target = format!("{}?{query}", route.path());
            let deployment = seeded();
            let before = deployment.database.dump();
            let answer = route.call_as(route.method, &target).run(&deployment);
            // The deprecated import has no query of its own and looks at none.
            if (route.method, route.path()) == ("POST", "/connection") {
                assert_eq!(answer.status, 200);
                continue;
            }
            let name = format!("{} {} {query}", route.method, route.target);
            let error = answer.json()["error"].clone();
            // Deletions look at the path first, and it is fine.
            assert_eq!(error["code"], "invalid_query_params", "{name} {error}");
            assert_eq!(error["errors"][0]["path"], json!(["x"]), "{name} {error}");
            assert_eq!(deployment.database.dump(), before, "{name}");
        }
    }
}

#[test]
fn a_parameter_that_is_given_twice_is_refused() {
    let deployment = seeded();
    for (target, issue) in [
        (
            "/connections?limit=1&limit=2",
            "limit invalid_type Invalid input: expected number, received NaN",
        ),
        (
            "/connections?search=a&search=b",
            "search invalid_type Invalid input: expected string, received array",
        ),
        (
            "/connections?tags[a]=1&tags[a]=2",
            "tags.a invalid_type Invalid input: expected string, received array",
        ),
        (
            "/connections?tags=1&tags[a]=2",
            "tags invalid_type Invalid input: expected record, received string",
        ),
        (
            "/connections/user-1?provider_config_key=github&provider_config_key=github",
            "provider_config_key invalid_type Invalid input: expected string, received array",
        ),
        (
            "/providers?search=a&search=a",
            "search invalid_type Invalid input: expected string, received array",
        ),
    ] {
        call("GET", target)
            .run(&deployment)
            .has_issues("invalid_query_params", &[issue]);
    }
}

#[test]
fn numbers_outside_their_range_are_refused() {
    let deployment = seeded();
    let small = |min: i64| format!("too_small Too small: expected number to be >={min}");
    let big = |max: i64| format!("too_big Too big: expected number to be <={max}");
    let nan = || "invalid_type Invalid input: expected number, received NaN".to_owned();
    for (query, issue) in [
        ("limit=0", small(1)),
        ("limit=-1", small(1)),
        ("limit=0.5", small(1)),
        ("limit=2001", big(2000)),
        ("limit=1e300", big(2000)),
        ("limit=99999999999999999999", big(2000)),
        ("limit=", nan()),
        ("limit=ten", nan()),
        ("limit=NaN", nan()),
        ("limit=Infinity", nan()),
        ("limit=1e999", nan()),
        ("page=-1", small(0)),
        ("page=1e300", big(1_000_000)),
    ] {
        let name = query.split('=').next().unwrap();
        let answer = call("GET", &format!("/connections?{query}")).run(&deployment);
        answer.has_issues("invalid_query_params", &[&format!("{name} {issue}")]);
    }
}

#[test]
fn fractions_of_pages_are_cut() {
    let deployment = seeded();
    for query in [
        "limit=1.9",
        "page=0.9",
        "limit=2000",
        "page=1000000",
        "limit=%201%20",
    ] {
        call("GET", &format!("/connections?{query}"))
            .run(&deployment)
            .ok();
    }
}

#[test]
fn a_query_of_ten_thousand_parameters_is_refused_with_a_short_answer() {
    let query: Vec<_> = (0..10_000).map(|number| format!("k{number}=v")).collect();
    let answer = call("GET", &format!("/connections?{}", query.join("&"))).run(&seeded());
    assert_eq!(answer.status, 400);
    assert!(answer.text.len() < 2048, "{}", answer.text.len());
}

/// `depth` objects, one in the other.
fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({"a": 1}), |inner, _| json!({ "a": inner }))
}

#[test]
fn json_of_any_accepted_depth_is_stored_and_read_again() {
    let deployment = deployment_with_github();
    let mut accepted = 0;
    for depth in [1, 50, 100, 120, 124, 125, 126, 127, 128, 200] {
        for field in ["metadata", "connection_config"] {
            let mut body = json!({
                "provider_config_key": "github", "connection_id": "deep",
                "credentials": {"type": "OAUTH2", "access_token": "t"},
            });
            body[field] = nested(depth);
            let answer = call("POST", "/connections").body(&body).run(&deployment);
            if answer.status == 400 {
                assert_eq!(answer.json()["error"]["code"], "invalid_json");
                continue;
            }
            accepted += 1;
            assert_eq!(answer.status, 200, "{depth}: {}", answer.text);
            let target = "/connections/deep?provider_config_key=github";
            for target in [target, "/connections"] {
                let answer = call("GET", target).run(&deployment);
                assert_eq!(answer.status, 200, "{depth}: {}", answer.text);
            }
        }
    }
    assert!(accepted >= 10, "{accepted}");
}

#[test]
fn the_raw_body_of_a_flat_import_may_be_as_deep() {
    let deployment = deployment_with_github();
    for depth in [1, 100, 124, 125, 126, 127] {
        let body = json!({
            "provider_config_key": "github", "connection_id": "deep", "access_token": "t",
            "no_expiration": true, "anything": nested(depth),
        });
        let answer = call("POST", "/connection").body(&body).run(&deployment);
        if answer.status == 400 {
            assert_eq!(answer.json()["error"]["code"], "invalid_json");
            continue;
        }
        assert_eq!(answer.status, 200, "{depth}: {}", answer.text);
        let target = "/connections/deep?provider_config_key=github";
        let answer = call("GET", target).run(&deployment);
        assert_eq!(answer.status, 200, "{depth}: {}", answer.text);
    }
}

#[test]
fn a_path_without_its_parameter_is_another_path() {
    let deployment = Deployment::new();
    let listed = call("GET", "/integrations").run(&deployment).ok();
    assert_eq!(call("GET", "/integrations/").run(&deployment).ok(), listed);
    let answer = call("DELETE", "/integrations/").run(&deployment);
    answer.is_error(405, "method_not_allowed", "Method not allowed");
}
