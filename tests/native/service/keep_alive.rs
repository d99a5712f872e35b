//! What a scheduled run refreshes, and what it leaves alone.

use futures_util::future::join;
use holdfast::service::keep_alive::{KeptAlive, keep_alive};
use serde_json::{Value, json};

use crate::support::{
    client::{call, create_integration, deployment_with_github, expired_credentials, import},
    connections::{create_plain_integration, put_acme, read, stored, with},
    deployment::Deployment,
    keys::RSA_PKCS1,
    provider::Answer,
};

fn run(deployment: &Deployment) -> KeptAlive {
    pollster::block_on(keep_alive(deployment))
}

/// Expects that nothing broke, and gives the outcomes.
#[track_caller]
fn outcomes(run: &KeptAlive) -> Value {
    assert!(run.trouble.is_none(), "{run:?}");
    json!(run.outcomes)
}

fn will_issue(deployment: &Deployment, answers: usize) {
    for _ in 0..answers {
        deployment.provider.will_answer(Answer::token("new", None));
    }
}

/// Imports connections that are due.
fn import_due(deployment: &Deployment, count: usize) {
    for n in 0..count {
        import(deployment, &format!("c{n}"), &expired_credentials());
    }
}

/// The usual credentials with this end.
fn ending(expires_at: &str) -> Value {
    let credentials = expired_credentials()["credentials"].clone();
    json!({"credentials": with(credentials, &json!({"expires_at": expires_at}))})
}

#[test]
fn what_needs_no_refresh_token_waits_for_a_reader() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"auth_mode": "OAUTH2_CC"}));
    create_plain_integration(&deployment, "acme");
    let credentials = json!({
        "type": "OAUTH2_CC", "token": "fake-token", "client_id": "own-id",
        "client_secret": "fake-secret", "expires_at": "2026-01-01T00:00:01Z",
    });
    let body = json!({"provider_config_key": "acme", "credentials": credentials});
    let import = call("POST", "/connections").body(&body);
    import.run(&deployment).ok();
    assert_eq!(outcomes(&run(&deployment)), json!({}));
}

#[test]
fn an_app_is_refreshed_because_it_may_have_a_user() {
    let deployment = Deployment::new();
    let client = json!({
        "type": "CUSTOM", "client_id": "fake-client", "client_secret": "fake-client-secret",
        "app_id": "77", "app_link": "https://example.com/app", "private_key": RSA_PKCS1,
    });
    let body = json!({"provider": "github-app-oauth", "unique_key": "app", "credentials": client});
    call("POST", "/integrations")
        .body(&body)
        .run(&deployment)
        .ok();
    let of_app = |hour: u8| {
        let end = format!("2026-01-01T0{hour}:00:00Z");
        Answer::Json(201, json!({"token": "fake-token", "expires_at": end}))
    };
    let user = json!({"access_token": "fake-user", "refresh_token": "fake-user-refresh"});
    let body = json!({
        "provider_config_key": "app", "connection_config": {"userCredentials": user},
        "credentials": {"type": "CUSTOM", "app_id": "77", "installation_id": "42"},
    });
    for hour in 1..3 {
        deployment.provider.will_answer(of_app(hour));
        let of_user = Answer::token("fake-user-2", Some("fake-user-refresh-2"));
        deployment.provider.will_answer(of_user);
    }
    call("POST", "/connections")
        .body(&body)
        .run(&deployment)
        .ok();
    deployment.advance_seconds(3000);
    assert_eq!(outcomes(&run(&deployment)), json!({"refreshed": 1}));
    assert_eq!(deployment.provider.seen().len(), 4);
}

#[test]
fn those_that_failed_before_come_last() {
    let deployment = deployment_with_github();
    import_due(&deployment, 5);
    for _ in 0..5 {
        let refusal = Answer::error(400, "invalid_client");
        deployment.provider.will_answer(refusal);
    }
    run(&deployment);
    deployment.advance_seconds(3600);
    let own = json!({"refresh_token": "fake-younger", "expires_at": "2026-01-01T01:00:00Z"});
    let credentials = with(expired_credentials()["credentials"].clone(), &own);
    import(
        &deployment,
        "younger",
        &json!({ "credentials": credentials }),
    );
    let before = deployment.provider.seen().len();
    will_issue(&deployment, 6);
    run(&deployment);
    let seen = &deployment.provider.seen()[before];
    assert!(seen.body.contains("fake-younger"), "{}", seen.body);
}

#[test]
fn what_is_signed_here_waits_for_a_reader() {
    let deployment = Deployment::new();
    let signature = json!({"protocol": "WSSE"});
    let token = json!({"expires_in_ms": 300_000});
    let fields = json!({"auth_mode": "SIGNATURE", "signature": signature, "token": token});
    put_acme(&deployment, &fields);
    create_plain_integration(&deployment, "acme");
    let credentials = json!({
        "type": "SIGNATURE", "username": "u", "password": "fake-password", "token": "fake-token",
        "expires_at": "2026-01-01T00:00:01Z",
    });
    let body = json!({"provider_config_key": "acme", "credentials": credentials});
    let import = call("POST", "/connections").body(&body);
    import.run(&deployment).ok();
    assert_eq!(outcomes(&run(&deployment)), json!({}));
}

#[test]
fn what_is_due_and_read_by_nobody_is_refreshed() {
    let deployment = deployment_with_github();
    import(&deployment, "expired", &expired_credentials());
    import(
        &deployment,
        "inside-margin",
        &ending("2026-01-01T00:15:00Z"),
    );
    will_issue(&deployment, 2);
    let run = run(&deployment);
    assert_eq!(outcomes(&run), json!({"refreshed": 2}));
    assert!(!run.is_cut_short);
    for name in ["expired", "inside-margin"] {
        let connection = read(&deployment, name, "").ok();
        assert_eq!(connection["credentials"]["access_token"], "new");
    }
    let triggers = "select distinct trigger from refresh_log";
    assert_eq!(deployment.database.texts(triggers), ["schedule"]);
}

#[test]
fn what_is_not_due_is_left_alone() {
    let deployment = deployment_with_github();
    import(&deployment, "fresh", &ending("2026-01-01T00:15:01Z"));
    import(&deployment, "without-refresh-token", &json!({}));
    assert_eq!(outcomes(&run(&deployment)), json!({}));
}

#[test]
fn an_exhausted_connection_is_left_alone() {
    let deployment = deployment_with_github();
    import(&deployment, "dead", &expired_credentials());
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    assert_eq!(outcomes(&run(&deployment)), json!({"failed": 1}));
    deployment.advance_seconds(30 * 24 * 3600);
    assert_eq!(outcomes(&run(&deployment)), json!({}));
}

#[test]
fn a_connection_that_backs_off_is_left_alone_until_then() {
    let deployment = deployment_with_github();
    import(&deployment, "failing", &expired_credentials());
    deployment.provider.will_answer(Answer::Html(500));
    assert_eq!(outcomes(&run(&deployment)), json!({"failed": 1}));
    deployment.advance_seconds(29);
    assert_eq!(outcomes(&run(&deployment)), json!({}));
    deployment.advance_seconds(1);
    will_issue(&deployment, 1);
    assert_eq!(outcomes(&run(&deployment)), json!({"refreshed": 1}));
}

#[test]
fn a_paused_integration_is_left_alone_until_then() {
    let deployment = deployment_with_github();
    import(&deployment, "paused", &expired_credentials());
    deployment
        .database
        .execute("update integration set refreshes_paused_until = 1767225600001");
    assert_eq!(outcomes(&run(&deployment)), json!({}));
    deployment.advance_seconds(1);
    will_issue(&deployment, 1);
    assert_eq!(outcomes(&run(&deployment)), json!({"refreshed": 1}));
}

#[test]
fn the_longest_due_comes_first() {
    let deployment = deployment_with_github();
    for (name, expires_at) in [
        ("second", "2025-12-30T00:00:00Z"),
        ("third", "2025-12-31T00:00:00Z"),
        ("first", "2025-12-29T00:00:00Z"),
    ] {
        let token = json!({"refresh_token": format!("{name}-token")});
        let credentials = with(ending(expires_at)["credentials"].clone(), &token);
        import(&deployment, name, &json!({ "credentials": credentials }));
    }
    will_issue(&deployment, 3);
    run(&deployment);
    let seen = deployment.provider.seen();
    for (seen, token) in seen
        .iter()
        .zip(["first-token", "second-token", "third-token"])
    {
        assert!(seen.body.contains(token), "{}", seen.body);
    }
}

#[test]
fn a_failure_stops_nothing_else() {
    let deployment = deployment_with_github();
    for name in ["refused", "broken", "good", "better"] {
        import(&deployment, name, &expired_credentials());
    }
    deployment
        .database
        .execute("update connection set credentials = 'x' where connection_id = 'broken'");
    deployment.provider.will_answer(Answer::Html(500));
    will_issue(&deployment, 2);
    let run = run(&deployment);
    assert_eq!(
        json!(run.outcomes),
        json!({"error": 1, "failed": 1, "refreshed": 2})
    );
    assert!(run.trouble.is_some());
}

#[test]
fn more_failures_than_a_page_keep_nothing_from_being_refreshed() {
    let deployment = deployment_with_github();
    import_due(&deployment, 60);
    deployment
        .database
        .execute("update connection set credentials = 'x'");
    import(&deployment, "good", &ending("2026-01-01T00:10:00Z"));
    will_issue(&deployment, 1);
    let run = run(&deployment);
    assert_eq!(json!(run.outcomes), json!({"error": 60, "refreshed": 1}));
}

#[test]
fn without_a_database_nothing_is_asked() {
    let deployment = deployment_with_github();
    import(&deployment, "due", &expired_credentials());
    deployment.database_is_down.set(true);
    let run = run(&deployment);
    assert!(run.outcomes.is_empty() && run.trouble.is_some());
}

#[test]
fn two_runs_at_once_make_one_token_call_for_each_connection() {
    let deployment = deployment_with_github();
    import_due(&deployment, 8);
    will_issue(&deployment, 8);
    let gate = deployment.provider.gate.try_lock().unwrap();
    let runs = join(keep_alive(&deployment), keep_alive(&deployment));
    let ((first, second), ()) = pollster::block_on(join(runs, async { drop(gate) }));
    assert_eq!(outcomes(&first), json!({"refreshed": 8}));
    assert_eq!(second.outcomes.values().sum::<u32>(), 8);
    assert_eq!(deployment.provider.seen().len(), 8);
}

#[test]
fn a_reader_and_a_run_share_an_attempt() {
    let deployment = deployment_with_github();
    import_due(&deployment, 1);
    will_issue(&deployment, 1);
    let gate = deployment.provider.gate.try_lock().unwrap();
    let reader = call("GET", "/connections/c0?provider_config_key=github");
    let both = join(keep_alive(&deployment), reader.send(&deployment));
    let ((run, answer), ()) = pollster::block_on(join(both, async { drop(gate) }));
    assert_eq!(outcomes(&run), json!({"refreshed": 1}));
    assert_eq!(answer.ok()["credentials"]["access_token"], "new");
    assert_eq!(deployment.provider.seen().len(), 1);
}

#[test]
fn six_connections_are_refreshed_at_a_time() {
    let deployment = deployment_with_github();
    import_due(&deployment, 20);
    will_issue(&deployment, 20);
    let gate = deployment.provider.gate.try_lock().unwrap();
    let meanwhile = async {
        assert_eq!(deployment.provider.seen().len(), 6);
        drop(gate);
    };
    let (run, ()) = pollster::block_on(join(keep_alive(&deployment), meanwhile));
    assert_eq!(outcomes(&run), json!({"refreshed": 20}));
}

#[test]
fn refreshes_are_spread_over_half_a_second_each() {
    let deployment = deployment_with_github();
    import_due(&deployment, 40);
    will_issue(&deployment, 40);
    run(&deployment);
    let waits = deployment.waits.borrow();
    assert_eq!(waits.len(), 40);
    assert!(waits.iter().all(|wait| *wait < 500), "{waits:?}");
    let early = waits.iter().filter(|wait| **wait < 250).count();
    assert!((10..=30).contains(&early), "{waits:?}");
}

#[test]
fn nothing_is_begun_after_five_minutes() {
    for (seconds, refreshed) in [(299, 20), (300, 6)] {
        let deployment = deployment_with_github();
        import_due(&deployment, 20);
        will_issue(&deployment, 20);
        let gate = deployment.provider.gate.try_lock().unwrap();
        let meanwhile = async {
            deployment.advance_seconds(seconds);
            drop(gate);
        };
        let (run, ()) = pollster::block_on(join(keep_alive(&deployment), meanwhile));
        assert_eq!(outcomes(&run), json!({"refreshed": refreshed}));
        assert_eq!(run.is_cut_short, refreshed < 20);
    }
}

#[test]
fn a_run_makes_eight_hundred_refreshes_and_the_next_one_the_rest() {
    let deployment = deployment_with_github();
    import_due(&deployment, 801);
    will_issue(&deployment, 801);
    let first = run(&deployment);
    assert_eq!(outcomes(&first), json!({"refreshed": 800}));
    assert!(first.is_cut_short);
    let second = run(&deployment);
    assert_eq!(outcomes(&second), json!({"refreshed": 1}));
    assert!(!second.is_cut_short);
}

/// Those of an integration that is paused after ten failures take the places of one page, and no
/// more.
#[test]
fn a_provider_that_is_down_keeps_no_other_from_being_asked() {
    let deployment = deployment_with_github();
    import_due(&deployment, 200);
    create_integration(&deployment, "gitlab", "gitlab");
    let due_later = with(
        ending("2026-01-01T00:10:00Z"),
        &json!({"provider_config_key": "gitlab"}),
    );
    import(&deployment, "other", &due_later);
    for _ in 0..10 {
        deployment.provider.will_answer(Answer::Html(503));
    }
    will_issue(&deployment, 1);
    assert_eq!(
        outcomes(&run(&deployment)),
        json!({"failed": 10, "refreshed": 1, "unchanged": 40})
    );
    assert_eq!(stored(&deployment, "other", "credentials_version"), "2");
}
