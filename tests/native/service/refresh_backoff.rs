//! How long a connection is left alone after its refresh failed, and when it is given up.

use serde_json::json;

use crate::support::{
    client::{deployment_with_github, expired_credentials, import},
    connections::{read, stored, with},
    deployment::{Deployment, START},
    provider::Answer,
};

const DAY_SECONDS: i64 = 24 * 3600;

fn deployment_with_expired() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment
}

/// A deployment whose token ends at this time of 2026-01-01.
fn deployment_with_token_until(time: &str) -> Deployment {
    let deployment = deployment_with_github();
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({"expires_at": format!("2026-01-01T{time}Z")}),
    );
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment
}

/// The milliseconds from the start to the next attempt for a connection.
fn retry_in(deployment: &Deployment, name: &str) -> i64 {
    let retry_at: i64 = stored(deployment, name, "refresh_retry_at")
        .parse()
        .unwrap();
    retry_at - START
}

fn force(deployment: &Deployment, name: &str, answer: Answer) -> u16 {
    deployment.provider.will_answer(answer);
    read(deployment, name, "&force_refresh=true").status
}

/// For each of 20 connections, how long it waits after each of seven failures in a row.
fn waits() -> Vec<Vec<i64>> {
    let deployment = deployment_with_github();
    let waits_of = |n: usize| {
        let name = format!("c{n}");
        import(&deployment, &name, &expired_credentials());
        let after_failure = |_| {
            force(&deployment, &name, Answer::Html(500));
            retry_in(&deployment, &name)
        };
        (1..=7).map(after_failure).collect()
    };
    (0..20).map(waits_of).collect()
}

#[test]
fn waits_are_spread_between_half_a_minute_and_a_ceiling_that_doubles() {
    let waits = waits();
    for (at, ceiling) in [30, 60, 120, 240, 480, 900, 900].into_iter().enumerate() {
        let ceiling = ceiling * 1000;
        let of_attempt: Vec<_> = waits.iter().map(|waits| waits[at]).collect();
        assert!(
            of_attempt
                .iter()
                .all(|wait| (30_000..=ceiling).contains(wait)),
            "{of_attempt:?}"
        );
        // As many connections as these leave no quarter of the spread empty.
        let quarter = (ceiling - 30_000) / 4;
        if quarter > 0 {
            assert!(
                of_attempt.iter().any(|wait| *wait < 30_000 + quarter),
                "{of_attempt:?}"
            );
            assert!(
                of_attempt.iter().any(|wait| *wait > ceiling - quarter),
                "{of_attempt:?}"
            );
        }
    }
}

#[test]
fn waits_come_from_the_dice_that_are_given() {
    assert_eq!(waits(), waits());
}

#[test]
fn the_wait_that_a_provider_asks_for_is_kept_unless_it_is_shorter_than_ours_or_than_a_day() {
    for (asked, seconds) in [
        ("1", 30),
        ("31", 31),
        ("7200", 7200),
        ("86401", DAY_SECONDS),
        ("4294967296", DAY_SECONDS),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 120),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 30),
        ("Tue, 01 Jan 2030 00:00:00 GMT", DAY_SECONDS),
        ("soon", 30),
    ] {
        let deployment = deployment_with_expired();
        deployment.provider.will_answer(Answer::Throttled(asked));
        read(&deployment, "user-1", "");
        assert_eq!(retry_in(&deployment, "user-1"), seconds * 1000, "{asked}");
    }
}

#[test]
fn a_fresh_token_is_handed_out_whatever_happened_to_its_refreshes() {
    for (failure, is_exhausted) in [
        (Answer::Html(500), false),
        (Answer::error(400, "invalid_grant"), true),
    ] {
        let deployment = deployment_with_token_until("02:00:00");
        assert_eq!(force(&deployment, "user-1", failure), 400);
        let exhausted_at = stored(&deployment, "user-1", "refresh_exhausted_at");
        assert_eq!(exhausted_at != "null", is_exhausted);
        // Longer than the first wait.
        deployment.advance_seconds(60);
        let connection = read(&deployment, "user-1", "").ok();
        assert_eq!(connection["credentials"]["access_token"], "fake-old-token");
        assert_eq!(deployment.provider.seen().len(), 1);
    }
}

#[test]
fn a_token_inside_the_margin_outlives_an_outage_in_which_the_provider_is_seldom_asked() {
    let deployment = deployment_with_token_until("00:15:00");
    for _ in 0..90 {
        deployment.provider.will_answer(Answer::Html(503));
    }
    for _ in 0..90 {
        let connection = read(&deployment, "user-1", "").ok();
        assert_eq!(connection["credentials"]["access_token"], "fake-old-token");
        deployment.advance_seconds(10);
    }
    let asked = deployment.provider.seen().len();
    assert!((3..=10).contains(&asked), "{asked}");
    let answer = read(&deployment, "user-1", "");
    assert!(matches!(answer.status, 400 | 424), "{}", answer.text);
}

#[test]
fn days_of_failures_need_not_follow_one_another() {
    let deployment = deployment_with_expired();
    for (days_until_next, is_exhausted) in [(5, false), (1, false), (30, false), (1, true)] {
        deployment.provider.will_answer(Answer::Html(500));
        assert_eq!(read(&deployment, "user-1", "").status, 400);
        let exhausted_at = stored(&deployment, "user-1", "refresh_exhausted_at");
        assert_eq!(exhausted_at != "null", is_exhausted);
        deployment.advance_seconds(days_until_next * DAY_SECONDS);
    }
    assert_eq!(read(&deployment, "user-1", "").status, 424);
    assert_eq!(deployment.provider.seen().len(), 4);
}

#[test]
fn a_success_forgets_the_days_of_failures() {
    let deployment = deployment_with_expired();
    for answer in [
        Answer::Html(500),
        Answer::Html(500),
        Answer::Html(500),
        Answer::token("new", None),
        Answer::Html(500),
        Answer::Html(500),
        Answer::Html(500),
    ] {
        deployment.provider.will_answer(answer);
        read(&deployment, "user-1", "");
        deployment.advance_seconds(DAY_SECONDS);
    }
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "").ok();
}

/// Fails on four days, so that the connection is exhausted.
fn deployment_with_exhausted() -> Deployment {
    let deployment = deployment_with_expired();
    for _ in 0..4 {
        deployment.provider.will_answer(Answer::Html(500));
        read(&deployment, "user-1", "");
        deployment.advance_seconds(DAY_SECONDS);
    }
    assert_eq!(read(&deployment, "user-1", "").status, 424);
    deployment
}

#[test]
fn a_forced_refresh_that_fails_leaves_the_connection_exhausted_since_when_it_was() {
    let deployment = deployment_with_exhausted();
    let exhausted_at = stored(&deployment, "user-1", "refresh_exhausted_at");
    assert_eq!(force(&deployment, "user-1", Answer::Html(500)), 400);
    assert_eq!(
        stored(&deployment, "user-1", "refresh_exhausted_at"),
        exhausted_at
    );
    assert_eq!(read(&deployment, "user-1", "").status, 424);
}

#[test]
fn a_provider_that_is_down_revives_no_dead_grant() {
    let deployment = deployment_with_expired();
    for failure in [Answer::error(400, "invalid_grant"), Answer::Html(503)] {
        assert_eq!(force(&deployment, "user-1", failure), 400);
        deployment.advance_seconds(60);
    }
    assert_eq!(
        stored(&deployment, "user-1", "refresh_exhausted_at"),
        START.to_string()
    );
    assert_eq!(read(&deployment, "user-1", "").status, 424);
}

#[test]
fn a_forced_refresh_that_succeeds_makes_a_connection_like_new() {
    let deployment = deployment_with_exhausted();
    let issued = Answer::token("new", None);
    assert_eq!(force(&deployment, "user-1", issued.clone()), 200);
    deployment.advance_seconds(DAY_SECONDS);
    deployment.provider.will_answer(Answer::Html(500));
    assert_eq!(read(&deployment, "user-1", "").status, 400);
    assert_eq!(
        retry_in(&deployment, "user-1"),
        5 * DAY_SECONDS * 1000 + 30_000
    );
    deployment.advance_seconds(30);
    deployment.provider.will_answer(issued);
    read(&deployment, "user-1", "").ok();
}

#[test]
fn an_import_makes_a_connection_like_new() {
    let deployment = deployment_with_exhausted();
    import(&deployment, "user-1", &expired_credentials());
    let columns = "json_array(last_refresh_failure_at, refresh_failures, refresh_failure_days,
        refresh_retry_at, refresh_exhausted_at, refresh_failure_log)";
    assert_eq!(
        stored(&deployment, "user-1", columns),
        "[null,0,0,null,null,null]"
    );
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "").ok();
}
