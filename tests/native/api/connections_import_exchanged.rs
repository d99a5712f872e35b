//! `POST /connections` of credentials that are exchanged for short-lived ones: what is stored and
//! answered when what they were exchanged for comes along, and what is refused.

use serde_json::{Value, json};

use crate::support::{
    client::{Answered, call, create_integration},
    connections::{create_plain_integration, put_acme, with},
    deployment::Deployment,
    keys,
    provider::Answer,
};

/// A deployment with an integration of a provider of this mode.
fn deployment(mode: &str, fields: &Value) -> Deployment {
    let deployment = Deployment::new();
    let mut fields = fields.clone();
    fields["auth_mode"] = mode.into();
    put_acme(&deployment, &fields);
    create_plain_integration(&deployment, "acme");
    deployment
}

fn post(deployment: &Deployment, credentials: &Value) -> Answered {
    let body = json!({
        "provider_config_key": "acme", "connection_id": "user-1", "credentials": credentials,
    });
    call("POST", "/connections").body(&body).run(deployment)
}

/// Imports `credentials`, and expects them and `config` from the import and from a later read.
#[track_caller]
fn keeps(mode: &str, fields: &Value, credentials: &Value, config: &Value) {
    let deployment = deployment(mode, fields);
    let imported = post(&deployment, credentials).ok();
    assert_eq!(imported["credentials"], *credentials);
    assert_eq!(imported["connection_config"], *config);
    let target = "/connections/user-1?provider_config_key=acme&refresh_token=1";
    let read = call("GET", target).run(&deployment).ok();
    assert_eq!(read["credentials"], *credentials);
    assert_eq!(read["connection_config"], *config);
}

const LATER: &str = "2999-01-01T00:00:00.000Z";

#[test]
fn a_jwt_is_kept_with_the_inputs_that_sign_it() {
    let fields = json!({
        "credentials": {"privateKey": {}, "issuerId": {"optional": true}},
        "signature": {"protocol": "HMAC"},
        "token": {"expires_in_ms": 300_000, "signing_key": "${credentials.privateKey.secret}"},
    });
    let sent = json!({
        "type": "JWT", "privateKey": {"id": "1", "secret": "fa4e"},
        "token": "fake-token", "expires_at": LATER,
    });
    keeps("JWT", &fields, &sent, &json!({}));
}

#[test]
fn a_token_of_app_store_connect_is_kept_with_its_key() {
    let sent = json!({
        "type": "APP_STORE", "private_key": keys::EC_SEC1, "privateKeyId": "k", "issuerId": "i",
        "access_token": "fake-token", "expires_at": LATER, "raw": {"a": 1},
    });
    keeps("APP_STORE", &json!({}), &sent, &json!({}));
}

#[test]
fn a_session_of_bill_is_kept_with_its_login() {
    let sent = json!({
        "type": "BILL", "username": "u", "password": "fake-password", "organization_id": "o",
        "dev_key": "fake-dev-key", "session_id": "fake-session", "user_id": "1",
        "expires_at": LATER, "raw": {"a": 1},
    });
    keeps("BILL", &json!({}), &sent, &json!({}));
}

#[test]
fn a_two_step_token_is_kept_with_the_inputs_that_the_provider_declares() {
    let fields = json!({
        "credentials": {"clientId": {}, "clientSecret": {}},
        "token_response": {"token": "token"},
    });
    let sent = json!({
        "type": "TWO_STEP", "clientId": "c", "clientSecret": "fake-secret", "token": "fake-token",
        "refresh_token": "fake-refresh", "expires_at": LATER, "raw": {"a": 1},
    });
    keeps("TWO_STEP", &fields, &sent, &json!({}));
}

#[test]
fn a_signature_is_kept_with_its_user() {
    let sent = json!({
        "type": "SIGNATURE", "username": "u", "password": "fake-password", "token": "fake-token",
        "expires_at": LATER,
    });
    let fields = json!({"signature": {"protocol": "WSSE"}, "token": {"expires_in_ms": 300_000}});
    keeps("SIGNATURE", &fields, &sent, &json!({}));
}

#[test]
fn temporary_aws_credentials_are_kept_and_their_role_is_configuration() {
    let config = json!({
        "role_arn": "arn:aws:iam::1:role/r", "external_id": "x", "region": "eu-west-1",
        "service": "s3",
    });
    let sent = json!({
        "type": "AWS_SIGV4", "role_arn": "arn:aws:iam::1:role/r", "region": "eu-west-1",
        "external_id": "x", "service": "s3", "raw": {"a": 1}, "access_key_id": "fake-id", "secret_access_key": "fake-key",
        "session_token": "fake-session", "expires_at": LATER,
    });
    keeps("AWS_SIGV4", &json!({}), &sent, &config);
}

#[test]
fn the_answer_that_a_token_came_from_is_shown_as_an_empty_one_where_none_came_along() {
    let fields = json!({"credentials": {}, "token_response": {"token": "token"}});
    let deployment = deployment("TWO_STEP", &fields);
    let sent = json!({"type": "TWO_STEP", "token": "fake-token"});
    assert_eq!(
        post(&deployment, &sent).ok()["credentials"]["raw"],
        json!({})
    );
}

#[test]
fn an_answer_that_a_token_came_from_is_bounded() {
    let fields = json!({"credentials": {}, "token_response": {"token": "token"}});
    let deployment = deployment("TWO_STEP", &fields);
    let raw = json!({"a": "x".repeat(300_000)});
    refuses(
        &deployment,
        &json!({"type": "TWO_STEP", "token": "fake-token", "raw": raw}),
        &json!([{
            "code": "too_big", "path": ["credentials", "raw"],
            "message": "Too big: expected JSON to have <=131072 bytes",
        }]),
    );
}

#[test]
fn a_public_clients_token_is_an_oauth_2_token() {
    let deployment = deployment("MCP_OAUTH2", &json!({}));
    for kind in ["MCP_OAUTH2", "OAUTH2"] {
        let imported = post(
            &deployment,
            &json!({"type": kind, "access_token": "fake-token"}),
        );
        assert_eq!(imported.ok()["credentials"]["type"], "OAUTH2", "{kind}");
    }
}

#[test]
fn a_token_of_a_discovered_server_is_an_oauth_2_token_that_is_never_due() {
    let deployment = Deployment::new();
    let entry = json!({
        "display_name": "Acme", "docs": "https://docs.acme.example",
        "auth_mode": "MCP_OAUTH2_GENERIC",
    });
    call("PUT", "/providers/acme")
        .account()
        .body(&entry)
        .run(&deployment)
        .ok();
    create_plain_integration(&deployment, "acme");
    for kind in ["MCP_OAUTH2_GENERIC", "MCP_OAUTH2", "OAUTH2"] {
        let credentials = json!({
            "type": kind, "access_token": "fake-token", "refresh_token": "fake-refresh",
            "expires_at": "2026-01-01T00:01:00Z",
        });
        let imported = post(&deployment, &credentials).ok();
        assert_eq!(imported["credentials"]["type"], "OAUTH2", "{kind}");
        let due = "select refresh_due_at is null from connection";
        assert_eq!(deployment.database.text(due), "1");
    }
}

#[test]
fn a_token_of_a_discovered_server_is_refreshed_where_the_entry_says_where() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"auth_mode": "MCP_OAUTH2_GENERIC"}));
    let client = json!({"type": "MCP_OAUTH2_GENERIC", "client_id": "fake-client"});
    let body = json!({"provider": "acme", "unique_key": "acme", "credentials": client});
    let made = call("POST", "/integrations").body(&body);
    made.run(&deployment).ok();
    let target = "/integrations/acme?include=credentials";
    let shown = call("GET", target).run(&deployment).ok();
    assert_eq!(shown["data"]["credentials"]["client_id"], "fake-client");
    let credentials = json!({
        "type": "OAUTH2", "access_token": "fake-token", "refresh_token": "fake-refresh",
        "expires_at": "2026-01-01T00:01:00Z",
    });
    post(&deployment, &credentials).ok();
    deployment
        .provider
        .will_answer(Answer::token("fake-new-token", None));
    let target = "/connections/user-1?provider_config_key=acme";
    let read = call("GET", target).run(&deployment).ok();
    assert_eq!(read["credentials"]["access_token"], "fake-new-token");
}

#[test]
fn what_a_plug_in_gave_is_imported_as_basic_authentication() {
    let deployment = deployment("INSTALL_PLUGIN", &json!({}));
    let sent = json!({"type": "BASIC", "username": "u", "password": "fake-password"});
    assert_eq!(post(&deployment, &sent).ok()["credentials"], sent);
}

#[track_caller]
fn refuses(deployment: &Deployment, credentials: &Value, expected: &Value) {
    let answer = post(deployment, credentials);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["errors"], *expected);
    let stored = deployment.database.text("select count(*) from connection");
    assert_eq!(stored, "0");
}

#[test]
fn inputs_and_answers_that_no_row_has_room_for_are_refused() {
    let names = (0..20).map(|at| format!("part{at}"));
    let inputs: Value = names.clone().map(|name| (name, json!({}))).collect();
    let fields = json!({"credentials": inputs, "token_response": {"token": "token"}});
    let deployment = deployment("TWO_STEP", &fields);
    let issue = |path: &[&str]| {
        json!([{
            "code": "too_big", "path": path,
            "message": "Too big: expected JSON to have <=131072 bytes",
        }])
    };
    let parts = names.map(|name| (name, Value::from("x".repeat(10_000))));
    let mut large: Value = parts.collect();
    large["type"] = "TWO_STEP".into();
    large["token"] = "fake-token".into();
    refuses(&deployment, &large, &issue(&["credentials"]));

    let raw = json!({"a": "x".repeat(140_000)});
    let sent = json!({"type": "BILL", "username": "u", "password": "fake-password",
        "organization_id": "o", "dev_key": "fake-dev-key", "raw": raw});
    let issues = issue(&["credentials", "raw"]);
    refuses(&self::deployment("BILL", &json!({})), &sent, &issues);
}

#[test]
fn inputs_are_those_that_the_provider_declares() {
    let fields = json!({
        "credentials": {"clientId": {}, "own": {"optional": true}},
        "token_response": {"token": "token"},
    });
    let deployment = deployment("TWO_STEP", &fields);
    refuses(
        &deployment,
        &json!({"type": "TWO_STEP", "token": "fake-token", "other": "x"}),
        &json!([
            {
                "code": "unrecognized_keys", "path": ["credentials", "other"],
                "message": "The provider asks for no such input",
            },
            {
                "code": "invalid_type", "path": ["credentials", "clientId"],
                "message": "Invalid input: expected string, received undefined",
            },
        ]),
    );
}

#[test]
fn an_object_is_a_key_of_two_parts_and_nothing_else() {
    let fields = json!({
        "credentials": {"key": {}}, "token_response": {"token": "token"},
        "signature": {"protocol": "HMAC"},
        "token": {"expires_in_ms": 300_000, "signing_key": "${credentials.key.secret}"},
    });
    let refused = |mode: &str, key: Value, expected: &[&str]| {
        let sent = json!({"type": mode, "key": key, "token": "fake-token"});
        let deployment = deployment(mode, &fields);
        post(&deployment, &sent).has_issues("invalid_body", expected);
    };
    let no_text = "credentials.key.id invalid_type Invalid input: expected string, received ";
    refused(
        "JWT",
        json!({"secret": "fa4e", "id": {}, "more": "x"}),
        &[
            &format!("{no_text}object"),
            "credentials.key unrecognized_keys Unrecognized key: \"more\"",
        ],
    );
    let missing = format!("{no_text}undefined");
    refused("JWT", json!({"secret": "fa4e"}), &[&missing]);
    refused(
        "TWO_STEP",
        json!({"id": "1", "secret": "fa4e"}),
        &["credentials.key invalid_type Invalid input: expected string, received object"],
    );
}

#[test]
fn an_input_that_is_not_visible_does_not_count() {
    let fields = json!({
        "credentials": {
            "kind": {"default_value": "simple"},
            "key": {"visible_when": {"field": "kind", "equals": "own"}},
        },
        "token_response": {"token": "token"},
    });
    let deployment = deployment("TWO_STEP", &fields);
    let import = |kind: &str| {
        let sent = json!({"type": "TWO_STEP", "kind": kind, "token": "fake-token"});
        post(&deployment, &sent)
    };
    let missing = "credentials.key invalid_type Invalid input: expected string, received undefined";
    import("own").has_issues("invalid_body", &[missing]);
    import("simple").ok();
    let by_default = json!({"type": "TWO_STEP", "token": "fake-token"});
    post(&deployment, &by_default).ok();
}

#[test]
fn the_refresh_token_in_an_answer_that_comes_along_is_left_out_of_it() {
    let shape = json!({"token": "accessJwt", "refresh_token": "session.refreshJwt"});
    let raw = json!({"accessJwt": "fake-token", "session": {"refreshJwt": "canary", "n": 1}});
    let kept = json!({"accessJwt": "fake-token", "session": {"n": 1}});
    for (mode, own) in [
        ("TWO_STEP", json!({"token": "fake-token"})),
        ("OAUTH2", json!({"access_token": "fake-token"})),
        (
            "OAUTH2_CC",
            json!({"token": "fake-token", "client_id": "c", "client_secret": "fake-secret"}),
        ),
    ] {
        let fields = json!({"credentials": {}, "token_response": shape});
        let deployment = Deployment::new();
        put_acme(&deployment, &with(json!({"auth_mode": mode}), &fields));
        if mode == "OAUTH2" {
            create_integration(&deployment, "acme", "acme");
        } else {
            create_plain_integration(&deployment, "acme");
        }
        let sent = with(own, &json!({"type": mode, "raw": raw}));
        let imported = post(&deployment, &sent);
        assert_eq!(imported.ok()["credentials"]["raw"], kept, "{mode}");
        let target = "/connections/user-1?provider_config_key=acme";
        assert!(!call("GET", target).run(&deployment).text.contains("canary"));
    }
}

#[test]
fn an_answer_with_all_that_was_kept_can_be_imported_again() {
    let fields = json!({
        "credentials": {"user": {}, "sid": {"optional": true}},
        "token_response": {"token": "token"},
        "token_response_headers": ["Set-Cookie", "X-Session"],
        "assertion": {"type": "jwt", "key": "${credentials.key}", "header": {"alg": "RS256"}},
        "assertion_option": {"key": {}},
    });
    let sent = json!({
        "type": "TWO_STEP", "user": "u", "token": "fake-token", "assertion": "fake-assertion",
        "_cookies": "sid=fake=1; route=.node2", "route": ".node2", "sid": "own",
        "X-Session": "fake-session", "expires_at": LATER, "raw": {},
    });
    keeps("TWO_STEP", &fields, &sent, &json!({}));
    let deployment = deployment("TWO_STEP", &fields);
    let sent = with(sent, &json!({"other": "x"}));
    let unknown = "credentials.other unrecognized_keys The provider asks for no such input";
    post(&deployment, &sent).has_issues("invalid_body", &[unknown]);
}

#[test]
fn what_was_issued_comes_whole_or_not_at_all() {
    let deployment = deployment("BILL", &json!({}));
    let message = "Invalid input: expected string, received undefined";
    refuses(
        &deployment,
        &json!({
            "type": "BILL", "username": "u", "password": "fake-password", "organization_id": "o",
            "dev_key": "fake-dev-key", "session_id": "fake-session",
        }),
        &json!([
            {"code": "invalid_type", "path": ["credentials", "user_id"], "message": message},
        ]),
    );
}
