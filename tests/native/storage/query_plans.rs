//! Every statement finds its rows by an index, as `explain query plan` tells.

mod of_refreshes;

use std::{collections::BTreeSet, fs};

use holdfast::{
    domain::{auth_mode::AuthMode, refresh::Schedule, timestamp::Timestamp},
    providers::filter::ProviderFilter,
    storage::{
        connections::{self, ConnectionAddress, PatchConnection},
        database::Statement,
        environments,
        imports::{self, OnUpdate, Turn, UpsertConnection},
        integrations::{self, IntegrationRecord, IntegrationValues},
        keys::{self, KeyLookup, NewApiKey},
        metadata::{self, ConnectionSet},
        providers::{self, IfUsed, ListProviders},
        readiness, upkeep,
    },
    vault::envelope::Sealed,
};
use serde_json::json;

use self::of_refreshes::{attempt, of_refreshes, of_revocations};
use crate::support::database::SqliteDatabase;

const NOW: Timestamp = Timestamp::EPOCH;

pub(super) fn key() -> KeyLookup {
    KeyLookup {
        configured_environment: Some("dev".to_owned()),
        digests: vec!["digest".to_owned()],
        now: NOW,
    }
}

fn sealed() -> Sealed {
    Sealed::from_stored(String::new())
}

/// The tables that grow without a bound.
const LARGE: [&str; 6] = [
    "api_key",
    "connection",
    "connection_tag",
    "integration",
    "provider",
    "refresh_log",
];

/// Expects that no step reads a large table from end to end. A subquery may be named like the
/// table that it reads, and is then scanned instead of the table.
#[track_caller]
pub(super) fn is_indexed(name: &str, plan: &[String]) {
    for table in LARGE {
        let count = |step: &str| {
            let named = [step.to_owned(), format!("{step} USING")];
            let is_named = |line: &&String| **line == named[0] || line.starts_with(&named[1]);
            plan.iter().filter(is_named).count()
        };
        let scans = count(&format!("SCAN {table}"));
        let subqueries = count(&format!("CO-ROUTINE {table}"));
        assert!(scans <= subqueries, "{name} {plan:#?}");
    }
}

fn address() -> ConnectionAddress {
    ConnectionAddress {
        environment_id: 1,
        unique_key: "github".to_owned(),
        connection_id: "user-1".to_owned(),
    }
}

fn of_connections() -> Vec<(&'static str, Statement)> {
    let address = address();
    let upsert = UpsertConnection {
        uid: "uid".to_owned(),
        integration_id: 1,
        connection_id: "user-1".to_owned(),
        auth_mode: AuthMode::OAuth2,
        credentials: sealed(),
        connection_config: sealed(),
        grant_fingerprint: None,
        imported_grant_fingerprint: None,
        metadata: OnUpdate::Keep,
        tags: OnUpdate::Keep,
        end_user: None,
        webhook_url_override: None,
        schedule: Schedule::default(),
        first_fetched_at: None,
    };
    let patch = PatchConnection {
        end_user: None,
        tags: None,
        webhook_url_override: None,
    };
    let set = ConnectionSet {
        environment_id: 1,
        unique_key: "github".to_owned(),
        connection_ids: vec!["user-1".to_owned()],
    };
    let later = Turn::Later {
        replaced: Some("uid"),
    };
    let holder = imports::holder(1, "user-1", &["grant".to_owned()]);
    let found = connections::find(&key(), "github", "user-1");
    vec![
        ("connections::find", found.statement().clone()),
        (
            "imports::upsert",
            imports::upsert(&upsert, NOW).statement().clone(),
        ),
        (
            "imports::upsert_issued",
            imports::upsert_issued(&upsert, NOW, later)
                .statement()
                .clone(),
        ),
        (
            "imports::subject",
            imports::subject(1, "user-1", &["grant".to_owned()])
                .statement()
                .clone(),
        ),
        (
            "imports::log_import",
            imports::log_import(&upsert, NOW, &attempt())
                .statement()
                .clone(),
        ),
        ("imports::holder", holder.statement().clone()),
        (
            "connections::patch",
            connections::patch(&address, &patch, NOW)
                .statement()
                .clone(),
        ),
        (
            "connections::delete",
            connections::delete(&address).statement().clone(),
        ),
        (
            "connections::touch",
            connections::touch("uid", NOW).statement().clone(),
        ),
        (
            "metadata::existing",
            metadata::existing(&set).statement().clone(),
        ),
        (
            "metadata::replace",
            metadata::replace(&set, "{}", NOW).statement().clone(),
        ),
        (
            "metadata::merge",
            metadata::merge(&set, "{}", NOW).statement().clone(),
        ),
    ]
}

fn of_integrations() -> Vec<(&'static str, Statement)> {
    let values = IntegrationValues {
        unique_key: "github".to_owned(),
        display_name: None,
        forward_webhooks: true,
        client_id: None,
        scopes: None,
        app_link: None,
    };
    let record: IntegrationRecord = serde_json::from_value(json!({
        "id": 1, "uid": "uid", "environment_id": 1, "unique_key": "github", "provider": "github",
        "display_name": null, "forward_webhooks": 1, "client_id": null, "scopes": null,
        "app_link": null, "secrets": "", "created_at": 0, "updated_at": 0,
        "custom_provider": null,
    }))
    .unwrap();
    let insert = integrations::insert(1, "uid", "github", &values, &sealed(), NOW);
    let update = integrations::update(1, NOW, &values, &sealed(), NOW);
    let obstacles = integrations::rename_obstacles(&record, "other");
    vec![
        (
            "integrations::by_id",
            integrations::by_id(1).statement().clone(),
        ),
        (
            "integrations::list",
            integrations::list(&key()).statement().clone(),
        ),
        (
            "integrations::find",
            integrations::find(&key(), "github").statement().clone(),
        ),
        (
            "integrations::id_of",
            integrations::id_of(1, "github").statement().clone(),
        ),
        ("integrations::insert", insert.statement().clone()),
        ("integrations::update", update.statement().clone()),
        (
            "integrations::rename_obstacles",
            obstacles.statement().clone(),
        ),
        (
            "integrations::delete",
            integrations::delete(1, "github").statement().clone(),
        ),
        (
            "integrations::connections_of",
            integrations::connections_of(1).statement().clone(),
        ),
    ]
}

fn of_the_rest() -> Vec<(&'static str, Statement)> {
    let new_key = NewApiKey {
        environment_id: 1,
        display_name: "key".to_owned(),
        digest: "digest".to_owned(),
        digest_key_id: 1,
        scopes: Vec::new(),
        expires_at: None,
    };
    let delete_provider = providers::delete("acme", IfUsed::Keep);
    vec![
        (
            "environments::insert",
            environments::insert("dev", NOW).statement().clone(),
        ),
        (
            "environments::list",
            environments::list().statement().clone(),
        ),
        (
            "environments::find",
            environments::find(1).statement().clone(),
        ),
        (
            "environments::delete",
            environments::delete(1).statement().clone(),
        ),
        ("keys::find", keys::find(&key()).statement().clone()),
        ("keys::touch", keys::touch(1, NOW).statement().clone()),
        (
            "keys::insert",
            keys::insert(&new_key, NOW).statement().clone(),
        ),
        (
            "keys::insertion",
            keys::insertion(&new_key).statement().clone(),
        ),
        ("keys::list", keys::list(1).statement().clone()),
        ("keys::delete", keys::delete(1, 1).statement().clone()),
        (
            "providers::put",
            providers::put("acme", "{}", NOW).statement().clone(),
        ),
        ("providers::delete", delete_provider.statement().clone()),
        (
            "providers::find",
            providers::find("acme").statement().clone(),
        ),
        ("providers::list", list_providers(&["github"])),
        (
            "readiness::last_migration",
            readiness::last_migration().statement().clone(),
        ),
        (
            "readiness::migrations_table",
            readiness::migrations_table().statement().clone(),
        ),
        (
            "readiness::key_ids_in_use",
            readiness::key_ids_in_use().statement().clone(),
        ),
        (
            "upkeep::delete_logs",
            upkeep::delete_logs(NOW).statement().clone(),
        ),
        (
            "upkeep::due",
            upkeep::due(NOW, upkeep::Standing::Good, None)
                .statement()
                .clone(),
        ),
    ]
}

fn list_providers(in_catalogue: &[&str]) -> Statement {
    let request = ListProviders {
        filter: ProviderFilter::default(),
        after: String::new(),
        offset: 0,
        limit: Some(100),
    };
    providers::list(&request, in_catalogue).statement().clone()
}

fn all() -> Vec<(&'static str, Statement)> {
    [
        of_connections(),
        of_refreshes(),
        of_revocations(),
        of_integrations(),
        of_the_rest(),
    ]
    .concat()
}

#[test]
fn every_statement_is_served_by_an_index() {
    let database = SqliteDatabase::new();
    for (name, statement) in all() {
        is_indexed(name, &database.query_plan(&statement));
    }
}

/// Among a million connections, those that are due are found without a look at the others.
#[test]
fn connections_that_are_due_come_out_of_their_index_in_order() {
    let plan = SqliteDatabase::new()
        .query_plan(upkeep::due(NOW, upkeep::Standing::Good, None).statement());
    let expected = [
        "SEARCH connection USING INDEX connection_refresh_due (refresh_due_at>? AND refresh_due_at<?)",
        "SEARCH integration USING INTEGER PRIMARY KEY (rowid=?)",
    ];
    assert_eq!(plan, expected);
}

#[test]
fn old_logs_come_out_of_their_index_in_order() {
    let plan = SqliteDatabase::new().query_plan(upkeep::delete_logs(NOW).statement());
    let expected = [
        "SEARCH refresh_log USING INTEGER PRIMARY KEY (rowid=?)",
        "LIST SUBQUERY 2",
        "SEARCH refresh_log USING INDEX refresh_log_age (started_at<?)",
        "CORRELATED SCALAR SUBQUERY 1",
        "SEARCH connection USING INTEGER PRIMARY KEY (rowid=?)",
    ];
    assert_eq!(plan, expected);
}

/// Entries have up to 64 KiB, so they are read for the providers of the page alone.
#[test]
fn a_list_of_providers_is_picked_from_an_index_in_order_without_reading_entries() {
    let plan = SqliteDatabase::new().query_plan(&list_providers(&["github"]));
    let expected = [
        "MATERIALIZE page",
        "MERGE (UNION ALL)",
        "LEFT",
        "SEARCH provider USING COVERING INDEX provider_list (name>?)",
        "CORRELATED SCALAR SUBQUERY 1",
        "SCAN json_each VIRTUAL TABLE INDEX 1:",
        "RIGHT",
        "SCAN listed VIRTUAL TABLE INDEX 1:",
        "CORRELATED SCALAR SUBQUERY 3",
        "SEARCH provider USING COVERING INDEX sqlite_autoindex_provider_1 (name=?)",
        "USE TEMP B-TREE FOR ORDER BY",
        "SCAN page",
        "SEARCH provider USING INDEX sqlite_autoindex_provider_1 (name=?) LEFT-JOIN",
    ];
    assert_eq!(plan, expected);
}

#[test]
fn a_grant_is_found_by_its_fingerprint() {
    let holder = imports::holder(1, "user-1", &["grant".to_owned()]);
    let plan = SqliteDatabase::new().query_plan(holder.statement());
    for column in ["grant", "imported_grant"] {
        let step = format!(
            "SEARCH connection USING INDEX connection_{column} \
            (integration_id=? AND {column}_fingerprint=?)"
        );
        assert!(plan.contains(&step), "{plan:#?}");
    }
}

#[test]
fn no_statement_is_left_out() {
    let mut declared = BTreeSet::from(["connection_list::list".to_owned()]);
    for file in fs::read_dir("src/storage").unwrap() {
        let path = file.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for function in text.split("pub fn ").skip(1) {
            let signature = function.split('{').next().unwrap();
            if signature.contains("-> Query<") {
                let name = signature.split('(').next().unwrap();
                declared.insert(format!("{module}::{name}"));
            }
        }
    }
    let mut tested: BTreeSet<_> = all().iter().map(|(name, _)| (*name).to_owned()).collect();
    tested.insert("connection_list::list".to_owned());
    assert_eq!(declared, tested);
}
