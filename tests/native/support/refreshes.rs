//! What tests of refreshes under fire begin with: one expired connection, `user-1` at `github`.

use futures_util::future::join;
use serde_json::{Value, json};

use super::{
    client::{Answered, call, deployment_with_github, expired_credentials, import},
    connections::{stored, with},
    deployment::Deployment,
    provider::Answer,
};

pub(crate) const TARGET: &str = "/connections/user-1?provider_config_key=github";

pub(crate) fn deployment_with_expired() -> Deployment {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment
}

/// Reads `user-1`, and does `meanwhile` while the provider is asked.
pub(crate) fn read_while(deployment: &Deployment, meanwhile: impl AsyncFnOnce()) -> Answered {
    read_at_while(TARGET, deployment, meanwhile)
}

/// Reads `target`, and does `meanwhile` while the provider is asked.
pub(crate) fn read_at_while(
    target: &str,
    deployment: &Deployment,
    meanwhile: impl AsyncFnOnce(),
) -> Answered {
    let gate = deployment.provider.gate.try_lock().unwrap();
    let read = call("GET", target);
    let meanwhile = async {
        assert_eq!(deployment.provider.seen().len(), 1);
        meanwhile().await;
        drop(gate);
    };
    pollster::block_on(join(read.send(deployment), meanwhile)).0
}

pub(crate) fn token(answer: &Answered) -> Value {
    answer.ok()["credentials"]["access_token"].clone()
}

pub(crate) fn uid(deployment: &Deployment) -> String {
    stored(deployment, "user-1", "uid")
}

/// A deployment whose database failed in the refresh object after the provider rotated the token.
pub(crate) fn deployment_with_waiting_pair() -> Deployment {
    let deployment = deployment_with_expired();
    let answer = Answer::token("fake-new-token", Some("fake-rotated-token"));
    deployment.provider.will_answer(answer);
    let answer = read_while(&deployment, async || {
        deployment.database_is_down_in_refresh.set(true);
    });
    assert_eq!(token(&answer), "fake-new-token");
    deployment
}

/// A deployment with a token that is inside the margin, so due, and works for ten more minutes.
pub(crate) fn deployment_with_due() -> Deployment {
    let deployment = deployment_with_github();
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({"expires_at": "2026-01-01T00:10:00.000Z"}),
    );
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment
}
