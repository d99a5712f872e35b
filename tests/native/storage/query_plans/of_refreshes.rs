//! The statements of refreshes and revocations.

use holdfast::{
    domain::{
        attempt::{Attempt, AttemptOutcome},
        refresh::{History, Schedule, Trigger},
    },
    storage::{
        database::Statement,
        refresh_logs,
        refreshes::{self, Refreshed},
        revocations,
    },
};

use super::{NOW, address, key, sealed};

pub(super) fn attempt() -> Attempt {
    Attempt {
        id: "attempt".to_owned(),
        trigger: Trigger::Read,
        outcome: AttemptOutcome::Refreshed,
        status: None,
        error: None,
        attempt: 1,
        started_at: NOW,
        duration: 0,
        retry_at: None,
    }
}

pub(super) fn of_refreshes() -> Vec<(&'static str, Statement)> {
    let refreshed = Refreshed {
        uid: "uid".to_owned(),
        credentials_version: 1,
        credentials: sealed(),
        grant_fingerprint: None,
        schedule: Schedule::default(),
        issued_at: NOW,
    };
    let history = History::default();
    let failure = refreshes::store_failure("uid", 1, &history, None);
    let newest = refresh_logs::newest(&key(), "github", "user-1");
    vec![
        (
            "refresh_logs::find",
            refresh_logs::find(&key(), "attempt").statement().clone(),
        ),
        ("refresh_logs::newest", newest.statement().clone()),
        (
            "refreshes::subject",
            refreshes::subject("uid").statement().clone(),
        ),
        (
            "refreshes::store",
            refreshes::store(&refreshed).statement().clone(),
        ),
        ("refreshes::store_failure", failure.statement().clone()),
        (
            "refreshes::log",
            refreshes::log("uid", &attempt()).statement().clone(),
        ),
        (
            "refreshes::count_failure",
            refreshes::count_failure("uid", NOW).statement().clone(),
        ),
        (
            "refreshes::count_answer",
            refreshes::count_answer("uid").statement().clone(),
        ),
    ]
}

pub(super) fn of_revocations() -> Vec<(&'static str, Statement)> {
    let address = address();
    vec![
        (
            "revocations::subject",
            revocations::subject(&address).statement().clone(),
        ),
        (
            "revocations::delete",
            revocations::delete(&address).statement().clone(),
        ),
        (
            "revocations::oldest",
            revocations::oldest(&key(), "github", 20)
                .statement()
                .clone(),
        ),
        (
            "revocations::delete_unchanged",
            revocations::delete_unchanged(&[]).statement().clone(),
        ),
        (
            "revocations::remaining",
            revocations::remaining(1).statement().clone(),
        ),
    ]
}
