//! Which logs of refreshes are kept, and how many are removed at a time.

use holdfast::service::{
    ports::Ports,
    retention::{Removed, remove_old_logs},
};
use serde_json::json;

use crate::support::{
    client::{deployment_with_github, import},
    deployment::{Deployment, START},
};

const DAY: i64 = 24 * 3600 * 1000;

/// A deployment with one connection and `count` logs, the oldest begun at `oldest` and each
/// further one a millisecond later.
fn deployment_with_logs(count: i64, oldest: i64) -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &json!({}));
    deployment.database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < {count})
        insert into refresh_log (id, connection, trigger, outcome, attempt, started_at, duration)
        select 'log-' || i, 1, 'read', 'refreshed', 1, {oldest} + i, 0 from n"
    ));
    deployment
}

#[track_caller]
fn run(deployment: &Deployment) -> Removed {
    deployment.start_request();
    let removed = pollster::block_on(remove_old_logs(deployment));
    assert!(removed.trouble.is_none(), "{removed:?}");
    removed
}

fn left(deployment: &Deployment) -> Vec<String> {
    let ids = "select id from refresh_log order by started_at";
    deployment.database.texts(ids)
}

fn statements(deployment: &Deployment) -> u32 {
    deployment.round_trips().own
}

#[test]
fn logs_are_kept_for_thirty_days() {
    let deployment = deployment_with_logs(3, START - 30 * DAY - 2);
    assert_eq!(run(&deployment).logs, 2);
    assert_eq!(left(&deployment), ["log-2"]);
    assert_eq!(run(&deployment).logs, 0);
}

#[test]
fn a_log_that_a_connection_points_to_is_kept() {
    let deployment = deployment_with_logs(3, 0);
    deployment
        .database
        .execute("update connection set refresh_failure_log = 'log-1'");
    assert_eq!(run(&deployment).logs, 2);
    assert_eq!(left(&deployment), ["log-1"]);
}

#[test]
fn a_batch_that_is_not_full_is_the_last() {
    let deployment = deployment_with_logs(1500, 0);
    assert_eq!(run(&deployment).logs, 1500);
    assert_eq!(statements(&deployment), 2);
}

#[test]
fn a_run_removes_ten_thousand_logs_and_the_next_one_the_rest() {
    let deployment = deployment_with_logs(10_001, 0);
    assert_eq!(run(&deployment).logs, 10_000);
    assert_eq!(statements(&deployment), 10);
    assert_eq!(left(&deployment), ["log-10000"]);
    assert_eq!(run(&deployment).logs, 1);
}

#[test]
fn without_a_database_it_is_told() {
    let deployment = deployment_with_logs(1, 0);
    deployment.database_is_down.set(true);
    let removed = pollster::block_on(remove_old_logs(&deployment));
    assert!(removed.logs == 0 && removed.trouble.is_some());
}
