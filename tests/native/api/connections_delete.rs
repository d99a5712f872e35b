//! `DELETE /connections/:connectionId`

use serde_json::json;

use crate::support::{
    client::{call, deployment_with_github, import},
    connections::{read, scoped_key, stored},
    deployment::{Deployment, PROD_KEY},
};

const TARGET: &str = "/connections/user-1?provider_config_key=github";

fn deployment_with_connection() -> Deployment {
    let deployment = deployment_with_github();
    let extra = json!({"end_user": {"id": "u1", "email": "u1@users.example"}, "tags": {"a": "b"}});
    import(&deployment, "user-1", &extra);
    deployment
}

#[test]
fn a_deleted_connection_leaves_no_row_no_label_and_no_search_entry() {
    let deployment = deployment_with_connection();
    let deleted = call("DELETE", TARGET).run(&deployment).ok();
    assert_eq!(deleted, json!({"success": true}));
    for table in ["connection", "connection_tag", "connection_search"] {
        let rows = deployment
            .database
            .text(&format!("select count(*) from {table}"));
        assert_eq!(rows, "0", "{table}");
    }
    let found = "select count(*) from connection_search where connection_search match 'user'";
    assert_eq!(deployment.database.text(found), "0");
}

#[test]
fn only_the_connection_that_is_meant_is_deleted() {
    let deployment = deployment_with_connection();
    import(&deployment, "user-2", &json!({"tags": {"a": "b"}}));
    call("DELETE", TARGET).run(&deployment).ok();
    assert_eq!(read(&deployment, "user-2", "").status, 200);
    let list = call("GET", "/connections?tags[a]=b&search=user")
        .run(&deployment)
        .ok();
    assert_eq!(list["connections"][0]["connection_id"], "user-2");
    assert_eq!(list["connections"].as_array().unwrap().len(), 1);
}

#[test]
fn the_object_of_a_deleted_connection_is_told_to_forget_it() {
    let deployment = deployment_with_connection();
    let uid = stored(&deployment, "user-1", "uid");
    call("DELETE", TARGET).run(&deployment).ok();
    assert_eq!(*deployment.forgotten.borrow(), [uid]);
}

#[test]
fn a_deletion_takes_two_round_trips() {
    let answer = call("DELETE", TARGET).run(&deployment_with_connection());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"2\""));
}

#[test]
fn a_deleted_name_can_be_used_again_for_another_connection() {
    let deployment = deployment_with_connection();
    let uid = stored(&deployment, "user-1", "uid");
    call("DELETE", TARGET).run(&deployment).ok();
    let again = import(&deployment, "user-1", &json!({}));
    assert_eq!(again["id"], 2);
    assert_eq!(again["end_user"], json!(null));
    assert_ne!(stored(&deployment, "user-1", "uid"), uid);
}

#[test]
fn an_unknown_connection_is_told_without_a_message() {
    let deployment = deployment_with_connection();
    let expected = json!({"error": {"code": "unknown_connection"}});
    for (target, key) in [
        ("/connections/nobody?provider_config_key=github", None),
        ("/connections/user-1?provider_config_key=nowhere", None),
        (TARGET, Some(PROD_KEY)),
    ] {
        let request = call("DELETE", target);
        let request = key.map_or(request.clone(), |key| request.key(key));
        let answer = request.run(&deployment);
        assert_eq!((answer.status, answer.json()), (400, expected.clone()));
    }
    assert_eq!(*deployment.forgotten.borrow(), Vec::<String>::new());
    assert_eq!(read(&deployment, "user-1", "").status, 200);
}

#[test]
fn the_path_is_checked_before_the_query() {
    let deployment = deployment_with_connection();
    let key = scoped_key(&deployment, &["environment:connections:update"]);
    let target = "/connections/a%3Fb?a=1";
    call("DELETE", target).key(&key).run(&deployment).is_error(
        403,
        "forbidden",
        "Insufficient scope. Required: environment:connections:delete",
    );
    let answer = call("DELETE", target).run(&deployment);
    assert_eq!(answer.json()["error"]["code"], "invalid_uri_params");
    call("DELETE", "/connections/user-1?a=1")
        .run(&deployment)
        .has_issues(
            "invalid_query_params",
            &[
                "provider_config_key invalid_type Invalid input: expected string, received undefined",
                " unrecognized_keys Unrecognized key: \"a\"",
            ],
        );
}

#[test]
fn the_deprecated_path_deletes_too() {
    let deployment = deployment_with_connection();
    let target = "/connection/user-1?provider_config_key=github";
    let deleted = call("DELETE", target).run(&deployment).ok();
    assert_eq!(deleted, json!({"success": true}));
    read(&deployment, "user-1", "").is_error(404, "not_found", "Failed to find connection");
}
