//! `GET /connections/:connectionId`

use serde_json::json;

use crate::support::client::{call, deployment_with_github, import};

#[test]
fn a_fresh_connection_is_answered_with_its_credentials_in_one_round_trip() {
    let deployment = deployment_with_github();
    let imported = import(&deployment, "user-1", &json!({"metadata": {"plan": "pro"}}));
    let answer = call("GET", "/connections/user-1?provider_config_key=github").run(&deployment);
    assert_eq!(answer.header("server-timing"), Some("d1;desc=\"1\""));
    let connection = answer.ok();
    assert_eq!(connection, imported);
    assert_eq!(
        connection,
        json!({
            "id": 1,
            "connection_id": "user-1",
            "provider_config_key": "github",
            "provider": "github",
            "errors": [],
            "end_user": null,
            "tags": {},
            "metadata": {"plan": "pro"},
            "connection_config": {},
            "webhook_url_override": null,
            "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:00.000Z",
            "last_fetched_at": "2026-01-01T00:00:00.000Z",
            "credentials": {
                "type": "OAUTH2",
                "access_token": "fake-access-token",
                "raw": {"type": "OAUTH2", "access_token": "fake-access-token"},
            },
        })
    );
}
