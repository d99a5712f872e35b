//! The schema after all migrations, name by name, and what a deletion takes along.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use crate::support::{
    client::{call, create_integration, deployment_with_github, import},
    database::SqliteDatabase,
    deployment::{Deployment, PROD_KEY},
};

fn names(database: &SqliteDatabase, kind: &str) -> Vec<String> {
    database.texts(&format!(
        "select name from sqlite_master where type = '{kind}' and name not like 'sqlite_%'
            and name not like 'connection_search_%' and name <> 'd1_migrations' order by name"
    ))
}

#[test]
fn the_tables_and_their_columns_are_these() {
    let database = SqliteDatabase::new();
    let tables = names(&database, "table").into_iter().map(|table| {
        let columns = format!("select name from pragma_table_info('{table}')");
        (table, database.texts(&columns).join(" "))
    });
    let tables: Vec<_> = tables.collect();
    let expected = [
        (
            "api_key",
            "id environment_id display_name digest digest_key_id scopes created_at expires_at \
            last_used_at",
        ),
        (
            "connection",
            "id uid environment_id integration_id connection_id auth_mode credentials \
            credentials_key_id credentials_version connection_config connection_config_key_id \
            metadata tags end_user_id end_user_email end_user_display_name end_user_tags \
            organization_id organization_display_name webhook_url_override last_fetched_at \
            expires_at refresh_due_at last_refresh_success_at last_refresh_failure_at \
            refresh_failures refresh_failure_days refresh_retry_at refresh_exhausted_at \
            created_at updated_at refresh_failure_log grant_fingerprint \
            imported_grant_fingerprint imported_at",
        ),
        (
            "connection_search",
            "connection_id end_user_display_name end_user_email",
        ),
        ("connection_tag", "environment_id key value connection"),
        ("environment", "id name created_at updated_at"),
        (
            "integration",
            "id uid environment_id unique_key provider display_name forward_webhooks client_id \
            scopes app_link secrets secrets_key_id created_at updated_at refresh_failures \
            refresh_failures_since refreshes_paused_until",
        ),
        (
            "provider",
            "name entry created_at updated_at display_name auth_mode categories",
        ),
        (
            "refresh_log",
            "id connection trigger outcome status error attempt started_at duration retry_at",
        ),
    ];
    let expected = expected.map(|(table, columns)| (table.to_owned(), columns.to_owned()));
    assert_eq!(tables, expected);
}

#[test]
fn every_table_is_strict() {
    let lax = "select name from pragma_table_list where schema = 'main' and type = 'table'
        and strict = 0 and name not like 'sqlite_%' and name <> 'd1_migrations'";
    assert_eq!(SqliteDatabase::new().texts(lax), Vec::<String>::new());
}

#[test]
fn the_indexes_are_these() {
    let expected = [
        "api_key_digest_key",
        "connection_config_key",
        "connection_credentials_key",
        "connection_end_user",
        "connection_environment",
        "connection_grant",
        "connection_imported_grant",
        "connection_integration",
        "connection_name",
        "connection_organization",
        "connection_refresh_due",
        "connection_tag_connection",
        "environment_variable",
        "integration_provider",
        "integration_secrets_key",
        "provider_list",
        "refresh_log_age",
        "refresh_log_connection",
    ];
    assert_eq!(names(&SqliteDatabase::new(), "index"), expected);
}

#[test]
fn the_triggers_are_these() {
    let expected = [
        "connection_deleted",
        "connection_end_user_updated",
        "connection_inserted",
        "connection_tags_updated",
    ];
    assert_eq!(names(&SqliteDatabase::new(), "trigger"), expected);
}

#[test]
fn there_are_two_environments_from_the_start() {
    let names =
        SqliteDatabase::new().texts("select id || ' ' || name from environment order by id");
    assert_eq!(names, ["1 dev", "2 prod"]);
}

/// How many connections, labels, search entries and logs there are.
fn counts(deployment: &Deployment) -> String {
    deployment.database.text(
        "select json_array(
            (select count(*) from connection), (select count(*) from connection_tag),
            (select count(*) from connection_search),
            (select count(*) from connection_search where connection_search match 'user'),
            (select count(*) from refresh_log))",
    )
}

/// Two connections with two labels each at `github`, one at `gitlab`, and one in `prod`.
fn deployment_with_connections() -> Deployment {
    let deployment = deployment_with_github();
    create_integration(&deployment, "gitlab", "gitlab");
    let labelled = json!({"end_user": {"id": "u1", "display_name": "User"}});
    import(&deployment, "user-1", &labelled);
    import(&deployment, "user-2", &labelled);
    import(
        &deployment,
        "user-3",
        &json!({"provider_config_key": "gitlab"}),
    );
    let github = json!({
        "provider": "github", "unique_key": "github",
        "credentials": {"type": "OAUTH2", "client_id": "c", "client_secret": "s"},
    });
    let of_prod = json!({
        "provider_config_key": "github", "connection_id": "user-4", "tags": {"a": "b"},
        "credentials": {"type": "OAUTH2", "access_token": "of-prod"},
    });
    for (target, body) in [("/integrations", &github), ("/connections", &of_prod)] {
        call("POST", target)
            .key(PROD_KEY)
            .body(body)
            .run(&deployment)
            .ok();
    }
    deployment.database.execute(
        "insert into refresh_log
        select 'log of ' || connection_id, id, 'read', 'rejected', 400, 'words', 1, 0, 0, null
        from connection",
    );
    assert_eq!(counts(&deployment), "[4,5,4,4,4]");
    deployment
}

#[test]
fn the_deletion_of_an_integration_takes_its_connections_along() {
    let deployment = deployment_with_connections();
    call("DELETE", "/integrations/github").run(&deployment).ok();
    assert_eq!(counts(&deployment), "[2,1,2,2,2]");
}

#[test]
fn the_deletion_of_a_connection_takes_its_logs_along_and_no_others() {
    let deployment = deployment_with_connections();
    let target = "/connections/user-1?provider_config_key=github";
    call("DELETE", target).run(&deployment).ok();
    assert_eq!(counts(&deployment), "[3,3,3,3,3]");
    let left = deployment
        .database
        .texts("select id from refresh_log order by id");
    assert_eq!(left, ["log of user-2", "log of user-3", "log of user-4"]);
}

#[test]
fn providers_of_earlier_versions_are_filtered_by_what_their_entries_say() {
    let database = Connection::open_in_memory().unwrap();
    let migrate = |name: &str| {
        let file = fs::read_to_string(format!("migrations/{name}.sql")).unwrap();
        database.execute_batch(&file).unwrap();
    };
    migrate("0001_initial");
    migrate("0002_refresh_log");
    let entry = r#"{"display_name":"Acme","auth_mode":"NONE","categories":["crm"]}"#;
    let insert = "insert into provider values ('acme', ?1, 0, 0)";
    database.execute(insert, [entry]).unwrap();
    migrate("0003_provider_search");
    let select = "select display_name || ' ' || auth_mode || ' ' || categories from provider";
    let shown: String = database.query_row(select, [], |row| row.get(0)).unwrap();
    assert_eq!(shown, r#"Acme NONE ["crm"]"#);
}

#[test]
fn the_deletion_of_an_environment_takes_everything_in_it_along() {
    let deployment = deployment_with_connections();
    let deleted = call("DELETE", "/environments/1").account().run(&deployment);
    assert!(deleted.status < 300, "{}", deleted.text);
    assert_eq!(counts(&deployment), "[1,1,1,1,1]");
    let integrations = "select count(*) from integration where environment_id = 1";
    assert_eq!(deployment.database.text(integrations), "0");
}
