//! Which addresses are never asked for a token.

use serde_json::{Value, json};

use crate::support::{
    client::{create_integration, expired_credentials, import},
    connections::{put_acme, read, with},
    deployment::{ACCOUNT_KEY, DEV_KEY, Deployment},
    provider::Answer,
};

/// Reads an expired connection at a provider with `token_url`, and expects no request.
#[track_caller]
fn not_asked(deployment: &Deployment, token_url: &str, config: &Value) {
    put_acme(deployment, &json!({ "token_url": token_url }));
    create_integration(deployment, "acme", "github");
    let connection = with(
        expired_credentials(),
        &json!({ "connection_config": config }),
    );
    import(deployment, "user-1", &connection);
    let answer = read(deployment, "user-1", "");
    assert_eq!(answer.status, 400, "{}", answer.text);
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "invalid_credentials");
    assert_eq!(error["message"], "Token URL is missing or invalid.");
    assert_eq!(deployment.provider.seen().len(), 0);
}

#[test]
fn addresses_inside_a_network_are_not_asked() {
    not_asked(
        &Deployment::new(),
        "http://127.0.0.1:9000/token",
        &json!({}),
    );
    for host in [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "169.254.169.254",
        "metadata.google.internal",
        "2130706433",
        "a.example:443@127.0.0.1",
        "",
    ] {
        let config = json!({ "host": host });
        not_asked(
            &Deployment::new(),
            "https://${connectionConfig.host}/token",
            &config,
        );
    }
    not_asked(
        &Deployment::new(),
        "https://${connectionConfig.missing}/token",
        &json!({}),
    );
}

#[test]
fn addresses_inside_a_network_are_asked_if_the_deployment_allows_it() {
    let deployment = Deployment::with_settings(&[
        (
            "HOLDFAST_ENCRYPTION_KEYS",
            "7:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        ),
        ("HOLDFAST_ACCOUNT_KEY", ACCOUNT_KEY),
        ("HOLDFAST_SECRET_KEY_DEV", DEV_KEY),
        ("HOLDFAST_ALLOW_PRIVATE_PROVIDERS", "true"),
    ]);
    put_acme(
        &deployment,
        &json!({"token_url": "http://127.0.0.1:9000/token"}),
    );
    create_integration(&deployment, "acme", "github");
    import(&deployment, "user-1", &expired_credentials());
    deployment.provider.will_answer(Answer::token("new", None));
    read(&deployment, "user-1", "").ok();
    assert_eq!(
        deployment.provider.seen()[0].url,
        "http://127.0.0.1:9000/token"
    );
}

#[test]
fn a_provider_that_is_gone_is_not_asked() {
    let deployment = Deployment::new();
    put_acme(&deployment, &json!({}));
    create_integration(&deployment, "acme", "github");
    import(&deployment, "user-1", &expired_credentials());
    deployment.database.texts("delete from provider");
    let answer = read(&deployment, "user-1", "");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["code"], "invalid_credentials");
    assert_eq!(
        answer.json()["error"]["message"],
        "Token URL is missing or invalid."
    );
}

#[test]
fn a_host_that_a_connection_names_stays_within_the_providers_domains() {
    let is_asked = |host: &str| {
        let deployment = Deployment::new();
        create_integration(&deployment, "salesforce", "github");
        let config = json!({"connection_config": { "hostname": host }});
        import(&deployment, "user-1", &with(expired_credentials(), &config));
        deployment.provider.will_answer(Answer::token("new", None));
        read(&deployment, "user-1", "");
        deployment.provider.seen().len() == 1
    };
    assert!(is_asked("acme.my.salesforce.com"));
    assert!(!is_asked("evil.example"));
    assert!(!is_asked("evilsalesforce.com"));
    assert!(!is_asked("salesforce.com.evil.example"));
}
