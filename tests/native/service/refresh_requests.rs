//! What a provider is asked: the address, the parameters, the client.

use serde_json::{Value, json};

use crate::support::{
    client::{call, create_integration, deployment_with_github, expired_credentials, import},
    connections::{create_plain_integration, put_acme, read, with},
    deployment::Deployment,
    provider::{Answer, Seen},
};

/// The request of a refresh at a provider with `entry`, of a connection with `connection`.
#[track_caller]
fn request(entry: &Value, connection: &Value) -> Seen {
    let deployment = Deployment::new();
    put_acme(&deployment, entry);
    create_integration(&deployment, "acme", "github");
    import(
        &deployment,
        "user-1",
        &with(expired_credentials(), connection),
    );
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "").ok();
    let mut seen = deployment.provider.seen();
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

fn headers(seen: &Seen) -> Vec<String> {
    let headers = seen.headers.iter();
    headers
        .map(|(name, value)| format!("{name}: {value}"))
        .collect()
}

const CLIENT: &str = "client_id=fake-client&client_secret=fake-client-secret";

#[test]
fn a_refresh_is_the_form_of_the_rfc() {
    let deployment = deployment_with_github();
    import(&deployment, "user-1", &expired_credentials());
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "").ok();
    let seen = &deployment.provider.seen()[0];
    assert_eq!(seen.url, "https://github.com/login/oauth/access_token");
    let expected = format!("grant_type=refresh_token&refresh_token=fake-refresh-token&{CLIENT}");
    assert_eq!(seen.body, expected);
    let expected = [
        "accept: application/json",
        "user-agent: holdfast",
        "content-type: application/x-www-form-urlencoded",
    ];
    assert_eq!(headers(seen), expected);
}

#[test]
fn a_client_may_go_into_the_header() {
    for entry in [
        json!({"authorization_method": "header"}),
        json!({"token_request_auth_method": "basic"}),
    ] {
        let seen = request(&entry, &json!({}));
        assert_eq!(
            seen.body,
            "grant_type=refresh_token&refresh_token=fake-refresh-token"
        );
        // fake-client:fake-client-secret
        let expected = "authorization: Basic ZmFrZS1jbGllbnQ6ZmFrZS1jbGllbnQtc2VjcmV0";
        assert_eq!(headers(&seen)[2], expected);
    }
}

#[test]
fn parameters_may_be_json() {
    let seen = request(&json!({"body_format": "json"}), &json!({}));
    let expected = json!({
        "grant_type": "refresh_token", "refresh_token": "fake-refresh-token",
        "client_id": "fake-client", "client_secret": "fake-client-secret",
    });
    assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), expected);
    assert_eq!(headers(&seen)[2], "content-type: application/json");
}

#[test]
fn a_connection_may_bring_its_own_client() {
    let client = json!({"client_id": "own", "client_secret": "fake-own-secret"});
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({ "config_override": client }),
    );
    let seen = request(&json!({}), &json!({ "credentials": credentials }));
    assert!(
        seen.body
            .ends_with("&client_id=own&client_secret=fake-own-secret"),
        "{}",
        seen.body
    );
}

#[test]
fn half_a_client_of_its_own_is_none() {
    let credentials = with(
        expired_credentials()["credentials"].clone(),
        &json!({"config_override": {"client_id": "own"}}),
    );
    let seen = request(&json!({}), &json!({ "credentials": credentials }));
    assert!(seen.body.ends_with(CLIENT), "{}", seen.body);
}

#[test]
fn a_refresh_goes_to_the_refresh_url_with_its_query() {
    let entry = json!({"refresh_url": "https://refresh.example/r?key=1&key=2"});
    assert_eq!(
        request(&entry, &json!({})).url,
        "https://refresh.example/r?key=1&key=2"
    );
    let entry = json!({"token_url": "https://a.example/t?subscription-key=x"});
    assert_eq!(
        request(&entry, &json!({})).url,
        "https://a.example/t?subscription-key=x"
    );
}

#[test]
fn a_provider_may_be_waited_for_longer_or_shorter_than_usual() {
    assert_eq!(request(&json!({}), &json!({})).timeout_millis, 10_000);
    let entry = json!({"token_request_timeout": 25});
    assert_eq!(request(&entry, &json!({})).timeout_millis, 25_000);
}

#[test]
fn values_of_the_connection_are_filled_into_the_address_and_the_parameters() {
    let entry = json!({
        "token_url": "https://${connectionConfig.subdomain}.acme.example/token",
        "refresh_params": {"resource": "https://${connectionConfig.resource}/x", "fixed": "1"},
    });
    let config = json!({"connection_config": {"subdomain": "team", "resource": "a&b"}});
    let seen = request(&entry, &config);
    assert_eq!(seen.url, "https://team.acme.example/token");
    let expected = format!(
        "grant_type=refresh_token&resource=https%3A%2F%2Fa%26b%2Fx&fixed=1\
        &refresh_token=fake-refresh-token&{CLIENT}"
    );
    assert_eq!(seen.body, expected);
}

#[test]
fn the_grant_of_the_first_token_request_is_not_repeated() {
    let entry = json!({"token_params": {"grant_type": "authorization_code", "audience": "api"}});
    let expected =
        format!("grant_type=refresh_token&audience=api&refresh_token=fake-refresh-token&{CLIENT}");
    assert_eq!(request(&entry, &json!({})).body, expected);
}

#[test]
fn parameters_of_refreshes_go_in_place_of_those_of_token_requests() {
    let entry = json!({"token_params": {"a": "1"}, "refresh_params": {"b": "2"}});
    let expected =
        format!("grant_type=refresh_token&b=2&refresh_token=fake-refresh-token&{CLIENT}");
    assert_eq!(request(&entry, &json!({})).body, expected);
}

#[test]
fn headers_are_filled_in_from_the_connection_and_the_client() {
    let entry = json!({
        "token_headers": {"X-Key": "${connectionConfig.key}", "x-client": "${clientId}"},
        "connection_config": {"key": {}},
    });
    let seen = request(&entry, &json!({"connection_config": {"key": "fake-key"}}));
    assert_eq!(
        headers(&seen)[2..4],
        ["x-key: fake-key", "x-client: fake-client"]
    );
}

#[test]
fn headers_of_refreshes_go_in_place_of_those_of_token_requests() {
    let entry = json!({
        "token_headers": {"x-first": "1"}, "refresh_token_headers": {"x-second": "2"},
    });
    let seen = request(&entry, &json!({}));
    assert_eq!(headers(&seen)[2], "x-second: 2");
    assert_eq!(headers(&seen).len(), 4);
}

#[test]
fn a_value_that_would_end_a_header_is_not_sent() {
    let entry = json!({
        "token_headers": {"x-key": "${connectionConfig.key}"},
        "connection_config": {"key": {}},
    });
    for key in ["a\r\nx-other: b", "a\u{1}", "\u{e9}"] {
        let deployment = Deployment::new();
        put_acme(&deployment, &entry);
        create_integration(&deployment, "acme", "github");
        let config = json!({"connection_config": {"key": key}});
        import(&deployment, "user-1", &with(expired_credentials(), &config));
        assert_eq!(read(&deployment, "user-1", "").status, 400, "{key:?}");
        assert_eq!(deployment.provider.seen().len(), 0, "{key:?}");
    }
}

#[test]
fn a_client_may_be_sent_under_the_names_of_a_user() {
    let entry = json!({"token_request_auth_method": "custom"});
    let expected = "grant_type=refresh_token&refresh_token=fake-refresh-token\
        &username=fake-client&password=fake-client-secret";
    assert_eq!(request(&entry, &json!({})).body, expected);
}

#[test]
fn the_configuration_cannot_stand_in_for_the_client_or_the_tokens() {
    let entry = json!({"refresh_params": {"a": "${clientId}", "b": "${accessToken}"}});
    let config = json!({"connection_config": {"clientId": "evil", "accessToken": "evil"}});
    let body = request(&entry, &config).body;
    assert!(body.contains("&a=fake-client&b=fake-old-token&"), "{body}");
}

#[test]
fn what_an_answer_tells_of_the_connection_is_in_its_configuration_from_then_on() {
    let deployment = Deployment::new();
    let paths = json!(["instance_url", "team.id", "team"]);
    let told = json!({ "token_response_metadata": paths });
    put_acme(&deployment, &told);
    create_integration(&deployment, "acme", "github");
    let config = json!({"connection_config": {"own": "1", "instance_url": "old"}});
    import(&deployment, "user-1", &with(expired_credentials(), &config));
    let first = json!({
        "access_token": "new", "instance_url": "https://a.example", "team": {"id": 7},
    });
    deployment.provider.will_answer(Answer::Json(200, first));
    let expected = json!({"own": "1", "instance_url": "https://a.example", "team.id": 7});
    let connection = read(&deployment, "user-1", "").ok();
    assert_eq!(connection["connection_config"], expected);

    deployment
        .provider
        .will_answer(Answer::token("third", None));
    let connection = read(&deployment, "user-1", "&force_refresh=true").ok();
    assert_eq!(connection["connection_config"], expected);
}

#[test]
fn what_answers_tell_is_bounded() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"token_response_metadata": ["a", "b"]}));
    create_integration(&deployment, "acme", "github");
    import(&deployment, "user-1", &expired_credentials());
    for name in ["a", "b"] {
        let answer = json!({"access_token": "new", (name): "x".repeat(100_000)});
        deployment.provider.will_answer(Answer::Json(200, answer));
        let connection = read(&deployment, "user-1", "&force_refresh=true").ok();
        let told = connection["connection_config"].as_object().unwrap();
        assert_eq!(told.keys().collect::<Vec<_>>(), ["a"]);
    }
}

#[test]
fn a_token_that_lives_for_ever_is_not_refreshed_unasked() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({"token_expires_in_ms": 0}));
    create_integration(&deployment, "acme", "github");
    let credentials = json!({
        "type": "OAUTH2", "access_token": "fake-old-token", "refresh_token": "fake-refresh-token",
    });
    import(
        &deployment,
        "user-1",
        &json!({ "credentials": credentials }),
    );
    deployment.advance_seconds(10 * 365 * 86_400);
    read(&deployment, "user-1", "").ok();
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn a_client_sends_the_headers_of_token_requests_too() {
    let entry = json!({"token_headers": {"x-client": "${clientId}"}});
    let (seen, _) = client_request(&entry, &json!({}));
    assert_eq!(headers(&seen)[2], "x-client: own id");
}

/// The request for a client's own token at a provider with `entry`, and what is then read.
#[track_caller]
fn client_request(entry: &Value, config: &Value) -> (Seen, Value) {
    let (seen, connection) = client_answered(entry, config, Answer::token("new", None));
    (seen, connection["credentials"].clone())
}

/// The same with an answer, and the whole connection.
#[track_caller]
fn client_answered(entry: &Value, config: &Value, answer: Answer) -> (Seen, Value) {
    let deployment = Deployment::new();
    put_acme(&deployment, &with(json!({"auth_mode": "OAUTH2_CC"}), entry));
    create_plain_integration(&deployment, "acme");
    let credentials = json!({
        "type": "OAUTH2_CC", "token": "old", "expires_at": "2025-12-31T23:00:00Z",
        "client_id": "own id", "client_secret": "fake:secret",
    });
    let fields = json!({
        "provider_config_key": "acme", "credentials": credentials, "connection_config": config,
    });
    import(&deployment, "user-1", &fields);
    deployment.provider.will_answer(answer);
    let target = "/connections/user-1?provider_config_key=acme";
    let connection = call("GET", target).run(&deployment).ok();
    (deployment.provider.seen().remove(0), connection)
}

#[test]
fn a_token_of_a_client_is_found_where_providers_put_it_and_tells_of_the_connection() {
    let entry = json!({
        "expires_in_unit": "milliseconds", "token_response_metadata": ["data.host"],
    });
    for (answer, host) in [
        (json!({"data": {"token": "new", "host": "a.example"}}), true),
        (json!({"token": "new"}), false),
        (json!({"jwt": "new"}), false),
    ] {
        let answer = with(answer, &json!({"expires_in": 3_600_000}));
        let (_, connection) = client_answered(&entry, &json!({}), Answer::Json(200, answer));
        let credentials = &connection["credentials"];
        assert_eq!(credentials["token"], "new");
        assert_eq!(credentials["expires_at"], "2026-01-01T01:00:00.000Z");
        let told = &connection["connection_config"]["data.host"];
        assert_eq!(told.is_string(), host);
    }
}

#[test]
fn a_client_asks_for_a_token_of_its_own() {
    let entry = json!({"token_params": {"audience": "${connectionConfig.audience}"}});
    let (seen, credentials) = client_request(&entry, &json!({"audience": "api"}));
    let expected = "grant_type=client_credentials&audience=api\
        &client_id=own+id&client_secret=fake%3Asecret";
    assert_eq!(seen.body, expected);
    let expected = json!({
        "type": "OAUTH2_CC", "token": "new", "expires_at": "2026-01-01T01:00:00.000Z",
        "client_id": "own id", "client_secret": "fake:secret",
        "raw": {"access_token": "new", "expires_in": 3600},
    });
    assert_eq!(credentials, expected);
}

#[test]
fn a_client_in_the_header_is_form_encoded_first_or_left_as_it_is() {
    for (entry, expected) in [
        // own+id:fake%3Asecret
        (
            json!({"authorization_method": "header"}),
            "b3duK2lkOmZha2UlM0FzZWNyZXQ=",
        ),
        // own id:fake:secret
        (
            json!({"token_request_auth_method": "basic"}),
            "b3duIGlkOmZha2U6c2VjcmV0",
        ),
    ] {
        let (seen, _) = client_request(&entry, &json!({}));
        assert_eq!(seen.body, "grant_type=client_credentials");
        assert_eq!(
            headers(&seen)[2],
            format!("authorization: Basic {expected}")
        );
    }
}

#[test]
fn a_client_asks_for_the_scopes_of_the_connection() {
    let config = json!({"oauth_scopes": "read, write"});
    let (seen, _) = client_request(&json!({}), &config);
    assert!(
        seen.body
            .starts_with("grant_type=client_credentials&scope=read+write&")
    );
}
