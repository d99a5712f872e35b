//! What a row, a page and an answer of a provider may hold in bytes.

use serde_json::{Value, json};

use crate::support::{
    client::{call, create_integration, deployment_with_github, expired_credentials, import},
    connections::read,
    deployment::Deployment,
    provider::Answer,
};

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[test]
fn the_deprecated_import_keeps_no_raw_answer_of_any_size() {
    let deployment = deployment_with_github();
    let body = json!({
        "provider_config_key": "github", "access_token": "fake", "no_expiration": true,
        "anything": long(200_000),
    });
    call("POST", "/connection")
        .body(&body)
        .run(&deployment)
        .has_issues(
            "invalid_body",
            &[" too_big Too big: expected credentials to have <=131072 bytes"],
        );
}

#[test]
fn the_deprecated_import_does_not_keep_metadata_twice() {
    let deployment = deployment_with_github();
    let body = json!({
        "provider_config_key": "github", "connection_id": "user-1", "access_token": "fake",
        "no_expiration": true, "metadata": {"large": long(200_000)},
    });
    call("POST", "/connection")
        .body(&body)
        .run(&deployment)
        .ok();
    let raw = read(&deployment, "user-1", "").ok()["credentials"]["raw"].clone();
    assert_eq!(raw["access_token"], "fake");
    assert_eq!(raw.get("metadata"), None);
}

#[test]
fn settings_of_an_integration_do_not_grow_without_end() {
    let deployment = Deployment::new();
    create_integration(&deployment, "github", "github");
    let custom = |name: &str| {
        let values: serde_json::Map<_, _> = (0..9)
            .map(|n| (format!("{name}{n}"), Value::from(long(8000))))
            .collect();
        call("PATCH", "/integrations/github")
            .body(&json!({ "custom": values }))
            .run(&deployment)
    };
    custom("a").ok();
    custom("b").has_issues(
        "invalid_body",
        &["custom too_big Too big: expected settings to have <=131072 bytes"],
    );
    custom("a").ok();
}

#[test]
fn a_provider_that_answers_at_length_gives_a_token_and_no_raw_answer() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    let answer = json!({"access_token": "new", "refresh_token": "r2", "more": long(500_000)});
    deployment.provider.will_answer(Answer::Json(200, answer));
    let credentials =
        read(&deployment, "user-1", "&refresh_token=true").ok()["credentials"].clone();
    assert_eq!(credentials["access_token"], "new");
    assert_eq!(credentials["refresh_token"], "r2");
    assert_eq!(credentials["raw"], json!({}));
}

#[test]
fn a_token_that_no_row_can_hold_is_a_failed_refresh() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    let answer = json!({ "access_token": long(100_000) });
    deployment.provider.will_answer(Answer::Json(200, answer));
    assert_eq!(read(&deployment, "user-1", "").status, 400);
    assert_eq!(read(&deployment, "user-1", "").status, 424);
}

#[test]
fn a_page_is_cut_where_its_metadata_is_too_much_and_goes_on_by_cursor() {
    let deployment = deployment_with_github();
    for n in 0..40 {
        import(
            &deployment,
            &format!("c{n}"),
            &json!({"metadata": {"large": long(250_000)}}),
        );
    }
    let mut seen = Vec::new();
    let mut target = "/connections".to_owned();
    let mut pages = 0;
    loop {
        let page = call("GET", &target).run(&deployment).ok();
        pages += 1;
        let connections = page["connections"].as_array().unwrap().clone();
        seen.extend(
            connections
                .iter()
                .map(|it| it["connection_id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        target = format!("/connections?cursor={cursor}");
    }
    let expected: Vec<_> = (0..40).rev().map(|n| format!("c{n}")).collect();
    assert_eq!(seen, expected);
    assert_eq!(pages, 2);
}
