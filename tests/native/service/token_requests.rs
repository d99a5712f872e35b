//! How clients show themselves at providers of the catalogue whose refresh is not that of the RFC:
//! the exact request, from their entries.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{
    client::call,
    keys::{EC_PKCS8, RSA_JWK, RSA_PKCS8},
    provider::Answer,
    token_requests::{
        ACCEPT, AGENT, BASIC, CLIENT, FORM, GRANT, IN_AN_HOUR, JSON, Refreshing, has, refreshed,
        token,
    },
};

#[test]
fn agiloft_takes_the_beginning_of_the_secret_for_the_client() {
    let config = json!({"hostname": "fake.agiloft.com"});
    let (refreshing, credentials) = refreshed("agiloft", &config, token());
    refreshing.seen(0).is_form(
        "POST https://fake.agiloft.com/ewws/otoken",
        "grant_type=refresh_token&md5_secret=fake-client-secret-0\
         &refresh_token=fake-refresh-token",
    );
    has(
        &credentials,
        "fake-new-token",
        "fake-refresh-token",
        IN_AN_HOUR,
    );
}

#[test]
fn absorb_takes_headers_of_the_connection_and_the_scopes_of_the_integration() {
    let settings = json!({"credentials": {
        "type": "OAUTH2", "client_id": "fake-client",
        "client_secret": "fake-client-secret-0123456789", "scopes": "a.v1,b.v1",
    }});
    let config = json!({
        "portalRoute": "fake.myabsorb.com", "restApiKey": "fake-key", "apiVersion": "v1",
    });
    let refreshing = Refreshing::with_settings("absorb-lms", &settings, &json!({}), &config);
    refreshing.force([Answer::Json(200, token())]);
    let seen = &refreshing.deployment.provider.seen()[0];
    let nonce = seen.body.split("&nonce=").nth(1).unwrap();
    let nonce = nonce.split('&').next().unwrap();
    assert_eq!(nonce.len(), 36);
    refreshing.seen(0).is(
        "POST https://fake.myabsorb.com/oauth/token",
        &[
            ACCEPT,
            AGENT,
            "x-api-version: v1",
            "x-api-key: fake-key",
            FORM,
        ],
        &format!(
            "grant_type=refresh_token&scope=a.v1+b.v1&nonce={nonce}\
             &refresh_token=fake-refresh-token&{CLIENT}"
        ),
    );
}

#[test]
fn public_clients_name_themselves_and_show_no_secret() {
    for (provider, config, url) in [
        (
            "heygen",
            json!({}),
            "https://api2.heygen.com/v1/oauth/refresh_token",
        ),
        (
            "posthog-oauth",
            json!({"subdomain": "us"}),
            "https://oauth.posthog.com/oauth/token/",
        ),
    ] {
        let (refreshing, _) = refreshed(provider, &config, token());
        let body = format!("{GRANT}&client_id=fake-client");
        refreshing.seen(0).is_form(&format!("POST {url}"), &body);
    }
}

#[test]
fn a_client_of_an_mcp_server_needs_no_secret() {
    let client = json!({"type": "MCP_OAUTH2", "client_id": "fake-client"});
    let settings = json!({ "credentials": client });
    let imported = json!({"type": "MCP_OAUTH2"});
    for (provider, url) in [
        ("attio-mcp", "https://app.attio.com/oidc/token"),
        ("linear-mcp", "https://mcp.linear.app/token"),
        ("notion-mcp", "https://mcp.notion.com/token"),
    ] {
        let refreshing = Refreshing::with_settings(provider, &settings, &imported, &json!({}));
        let connection = refreshing.force([Answer::token("fake-new-token", Some("fake-rotated"))]);
        let body = format!("{GRANT}&client_id=fake-client");
        refreshing.seen(0).is_form(&format!("POST {url}"), &body);
        has(
            &connection["credentials"],
            "fake-new-token",
            "fake-rotated",
            IN_AN_HOUR,
        );
    }
}

#[test]
fn the_mcp_server_of_slack_takes_the_token_of_a_user() {
    let client = json!({
        "type": "MCP_OAUTH2", "client_id": "fake-client",
        "client_secret": "fake-client-secret-0123456789",
    });
    let settings = json!({ "credentials": client });
    let imported = json!({"type": "MCP_OAUTH2"});
    let refreshing = Refreshing::with_settings("slack-mcp", &settings, &imported, &json!({}));
    let user = json!({
        "access_token": "fake-new-token", "refresh_token": "fake-rotated", "expires_in": 3600,
    });
    let answer = json!({"ok": true, "authed_user": user});
    let connection = refreshing.force([Answer::Json(200, answer)]);
    let url = "POST https://slack.com/api/oauth.v2.user.access";
    refreshing
        .seen(0)
        .is_form(url, &format!("{GRANT}&{CLIENT}"));
    has(
        &connection["credentials"],
        "fake-new-token",
        "fake-rotated",
        IN_AN_HOUR,
    );
}

/// The claims and the header of an assertion in a form, once the rest of it is as expected.
#[track_caller]
fn assertion(refreshing: &Refreshing, line: &str, before: &str, after: &str) -> (Value, Value) {
    let body = &refreshing.deployment.provider.seen()[0].body;
    let rest = body.strip_prefix(before).unwrap();
    let kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
        &client_assertion=";
    let rest = rest.strip_prefix(kind).unwrap();
    let jwt = rest.strip_suffix(after).unwrap();
    refreshing
        .seen(0)
        .is_form(line, &format!("{before}{kind}{jwt}{after}"));
    let parts: Vec<_> = jwt.split('.').collect();
    assert_eq!(parts.len(), 3);
    let [header, claims] = [parts[0], parts[1]].map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&json).unwrap()
    });
    (header, claims)
}

#[test]
fn revolut_takes_an_assertion_from_where_users_come_back_to() {
    let client = json!({
        "type": "OAUTH2", "client_id": "fake-client", "client_secret": RSA_PKCS8,
    });
    let settings = json!({
        "credentials": client, "integration_config": {"issuer": "app.fake.example"},
    });
    let config = json!({
        "authorizeHost": "business.revolut.com", "apiHost": "b2b.revolut.com",
    });
    let refreshing = Refreshing::with_settings("revolut-business", &settings, &json!({}), &config);
    let connection = refreshing.force([Answer::Json(200, token())]);
    let line = "POST https://b2b.revolut.com/api/1.0/auth/token";
    let before = format!("{GRANT}&client_id=fake-client&");
    let (header, mut claims) = assertion(&refreshing, line, &before, "");
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT"}));
    assert_eq!(claims["jti"].take().as_str().unwrap().len(), 36);
    let expected = json!({
        "iss": "app.fake.example", "sub": "fake-client", "aud": "https://revolut.com",
        "iat": 1_767_225_600, "exp": 1_767_225_900, "jti": null,
    });
    assert_eq!(claims, expected);
    let credentials = &connection["credentials"];
    has(
        credentials,
        "fake-new-token",
        "fake-refresh-token",
        IN_AN_HOUR,
    );
}

#[test]
fn an_assertion_that_a_provider_repeats_is_not_in_the_log() {
    let client = json!({
        "type": "OAUTH2", "client_id": "fake-client", "client_secret": RSA_PKCS8,
    });
    let settings = json!({
        "credentials": client, "integration_config": {"issuer": "app.fake.example"},
    });
    let config = json!({
        "authorizeHost": "business.revolut.com", "apiHost": "b2b.revolut.com",
    });
    // The same numbers are drawn in every deployment of a test, so the same assertion is made.
    let asked = |answer| {
        let none = json!({});
        let refreshing = Refreshing::with_settings("revolut-business", &settings, &none, &config);
        refreshing.deployment.provider.will_answer(answer);
        refreshing.read("&force_refresh=true");
        let body = refreshing.deployment.provider.seen()[0].body.clone();
        let assertion = body.split("&client_assertion=").nth(1).unwrap().to_owned();
        (refreshing, assertion)
    };
    let (_, assertion) = asked(Answer::Json(200, token()));
    let words = format!("bad {assertion}");
    let (refreshing, again) = asked(Answer::Json(401, json!({"message": words})));
    assert_eq!(again, assertion);
    let target = "/connections/user-1/refreshes?provider_config_key=revolut-business";
    let log = call("GET", target).run(&refreshing.deployment).ok();
    assert_eq!(log["data"][0]["error"], "bad ***");
}

#[test]
fn a_client_may_sign_with_a_key_that_names_itself() {
    let mut key: Value = serde_json::from_str(RSA_JWK).unwrap();
    key["kid"] = "fake-kid".into();
    let imported = json!({
        "type": "OAUTH2_CC", "token": "fake-old-token", "client_id": "fake-client",
        "client_secret": "unused", "client_private_key": key.to_string(),
        "access_token": null, "refresh_token": null,
    });
    let config = json!({"subdomain": "fake", "oauth_scopes": "okta.users.read"});
    let refreshing =
        Refreshing::with_settings("okta-cc", &json!({"credentials": null}), &imported, &config);
    refreshing.force([Answer::Json(200, token())]);
    let line = "POST https://fake.okta.com/oauth2/v1/token";
    let before = "grant_type=client_credentials&scope=okta.users.read&client_id=fake-client&";
    let (header, claims) = assertion(&refreshing, line, before, "");
    assert_eq!(
        header,
        json!({"alg": "RS256", "typ": "JWT", "kid": "fake-kid"})
    );
    assert_eq!(claims["iss"], "fake-client");
    assert_eq!(claims["aud"], "https://fake.okta.com/oauth2/v1/token");
}

#[test]
fn a_client_may_sign_with_a_key_of_p_256() {
    let imported = json!({
        "type": "OAUTH2_CC", "token": "fake-old-token", "client_id": "fake-client",
        "client_private_key": EC_PKCS8, "access_token": null, "refresh_token": null,
    });
    let config = json!({"subdomain": "fake"});
    let settings = json!({"credentials": null});
    let refreshing = Refreshing::with_settings("okta-cc", &settings, &imported, &config);
    refreshing.force([Answer::Json(200, token())]);
    let line = "POST https://fake.okta.com/oauth2/v1/token";
    let before = "grant_type=client_credentials&client_id=fake-client&";
    let (header, _) = assertion(&refreshing, line, before, "");
    assert_eq!(header, json!({"alg": "ES256", "typ": "JWT"}));
}

#[test]
fn clients_in_the_header_are_not_in_the_body() {
    let workday = json!({
        "authorizationDomain": "impl.workday.com", "tokenDomain": "fake.workday.com",
        "tenant": "fake-tenant",
    });
    for (provider, config, url) in [
        (
            "mercury",
            json!({}),
            "https://oauth2.mercury.com/oauth2/token",
        ),
        ("fanvue", json!({}), "https://auth.fanvue.com/oauth2/token"),
        (
            "followupboss",
            json!({}),
            "https://app.followupboss.com/oauth/token",
        ),
        (
            "workday-oauth",
            workday,
            "https://fake.workday.com/ccx/oauth2/fake-tenant/token",
        ),
    ] {
        let (refreshing, credentials) = refreshed(provider, &config, token());
        let headers = [ACCEPT, AGENT, BASIC, FORM];
        refreshing
            .seen(0)
            .is(&format!("POST {url}"), &headers, GRANT);
        has(
            &credentials,
            "fake-new-token",
            "fake-refresh-token",
            IN_AN_HOUR,
        );
    }
}

#[test]
fn braintree_takes_json_with_the_client_in_the_header_and_answers_in_xml() {
    let answer = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><credentials>\
        <access-token>fake-new-token</access-token>\
        <refresh-token>fake-rotated-token</refresh-token><token-type>bearer</token-type>\
        <expires-at type=\"datetime\">2026-01-01T01:00:00Z</expires-at></credentials>";
    for (provider, host) in [
        ("braintree", "api.braintreegateway.com"),
        ("braintree-sandbox", "api.sandbox.braintreegateway.com"),
    ] {
        let refreshing = Refreshing::at(provider, &json!({}), &json!({}));
        let connection = refreshing.force([Answer::Xml(201, answer.to_owned())]);
        refreshing.seen(0).is(
            &format!("POST https://{host}/oauth/access_tokens"),
            &[
                "accept: application/xml",
                AGENT,
                BASIC,
                "x-apiversion: 6",
                JSON,
            ],
            r#"{"grant_type":"refresh_token","refresh_token":"fake-refresh-token"}"#,
        );
        has(
            &connection["credentials"],
            "fake-new-token",
            "fake-rotated-token",
            IN_AN_HOUR,
        );
    }
}

#[test]
fn walmart_takes_headers_of_its_own() {
    let (refreshing, _) = refreshed("walmart", &json!({"sellerId": "42"}), token());
    let seen = &refreshing.deployment.provider.seen()[0];
    let (_, correlation) = &seen.headers[3];
    assert_eq!(correlation.len(), 36);
    refreshing.seen(0).is(
        "POST https://marketplace.walmartapis.com/v3/token",
        &[
            ACCEPT,
            AGENT,
            BASIC,
            &format!("wm_qos.correlation_id: {correlation}"),
            "wm_svc.name: Walmart Marketplace",
            "wm_partner.id: 42",
            FORM,
        ],
        GRANT,
    );
}

#[test]
fn figma_takes_the_client_in_json_and_no_grant_type() {
    for provider in ["figma", "figjam"] {
        let (refreshing, credentials) = refreshed(provider, &json!({}), token());
        refreshing.seen(0).is_json(
            "POST https://api.figma.com/v1/oauth/refresh",
            r#"{"client_id":"fake-client","client_secret":"fake-client-secret-0123456789","refresh_token":"fake-refresh-token"}"#,
        );
        has(
            &credentials,
            "fake-new-token",
            "fake-refresh-token",
            IN_AN_HOUR,
        );
    }
}

#[test]
fn a_stripe_sandbox_is_asked_as_stripe_is() {
    let config = json!({"appDomain": "fake"});
    let (refreshing, _) = refreshed("stripe-app-sandbox", &config, token());
    let basic = "authorization: Basic ZmFrZS1jbGllbnQtc2VjcmV0LTAxMjM0NTY3ODk6";
    let url = "POST https://api.stripe.com/v1/oauth/token";
    refreshing
        .seen(0)
        .is(url, &[ACCEPT, AGENT, basic, FORM], GRANT);
}
