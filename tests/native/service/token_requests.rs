//! Requests of providers whose refresh is not that of the RFC, from their entries in the
//! catalogue: what is asked, and what becomes of the answer.

use serde_json::{Value, json};

use crate::support::{
    provider::Answer,
    token_requests::{ACCEPT, AGENT, BASIC, FORM, JSON, Refreshing},
};

const CLIENT: &str = "client_id=fake-client&client_secret=fake-client-secret-0123456789";
const GRANT: &str = "grant_type=refresh_token&refresh_token=fake-refresh-token";

/// A connection at `provider` after a refresh that was answered with `answer`.
#[track_caller]
fn refreshed(provider: &str, config: &Value, answer: Value) -> (Refreshing, Value) {
    let refreshing = Refreshing::at(provider, &json!({}), config);
    let connection = refreshing.force([Answer::Json(200, answer)]);
    (refreshing, connection["credentials"].clone())
}

fn token() -> Value {
    json!({"access_token": "fake-new-token", "expires_in": 3600})
}

/// The access token, the refresh token and the end.
#[track_caller]
fn has(credentials: &Value, access_token: &str, refresh_token: &str, end: &str) {
    assert_eq!(credentials["access_token"], access_token);
    assert_eq!(credentials["refresh_token"], refresh_token);
    assert_eq!(credentials["expires_at"], end);
}

const IN_AN_HOUR: &str = "2026-01-01T01:00:00.000Z";

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
    let refreshing = Refreshing::with_settings("attio-mcp", &settings, &imported, &json!({}));
    let connection = refreshing.force([Answer::token("fake-new-token", Some("fake-rotated"))]);
    let body = format!("{GRANT}&client_id=fake-client");
    refreshing
        .seen(0)
        .is_form("POST https://app.attio.com/oidc/token", &body);
    has(
        &connection["credentials"],
        "fake-new-token",
        "fake-rotated",
        IN_AN_HOUR,
    );
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
fn braintree_takes_json_and_the_client_in_the_header() {
    for (provider, host) in [
        ("braintree", "api.braintreegateway.com"),
        ("braintree-sandbox", "api.sandbox.braintreegateway.com"),
    ] {
        let (refreshing, _) = refreshed(provider, &json!({}), token());
        refreshing.seen(0).is(
            &format!("POST https://{host}/oauth/access_tokens"),
            &[ACCEPT, AGENT, BASIC, JSON],
            r#"{"grant_type":"refresh_token","refresh_token":"fake-refresh-token"}"#,
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
fn jobber_is_refreshed_by_the_hour_where_nothing_says_when_a_token_ends() {
    let (refreshing, _) = refreshed("jobber", &json!({}), json!({"access_token": "fake-new"}));
    let url = "POST https://api.getjobber.com/api/oauth/token";
    refreshing
        .seen(0)
        .is_form(url, &format!("{GRANT}&{CLIENT}"));
    refreshing.deployment.advance_seconds(45 * 60);
    refreshing
        .deployment
        .provider
        .will_answer(Answer::token("fake-third", None));
    assert_eq!(
        refreshing.read("").ok()["credentials"]["access_token"],
        "fake-third"
    );
}

#[test]
fn clover_tells_when_a_token_ends_and_takes_no_grant_type() {
    let config = json!({"authorizeHost": "www.clover.com", "apiHost": "api.clover.com"});
    let answer = json!({
        "access_token": "fake-new-token", "access_token_expiration": 1_767_229_200,
        "refresh_token": "fake-rotated-token", "refresh_token_expiration": 1_770_000_000,
    });
    let (refreshing, credentials) = refreshed("clover", &config, answer);
    refreshing.seen(0).is_json(
        "POST https://api.clover.com/oauth/v2/refresh",
        r#"{"refresh_token":"fake-refresh-token","client_id":"fake-client"}"#,
    );
    has(
        &credentials,
        "fake-new-token",
        "fake-rotated-token",
        IN_AN_HOUR,
    );
}

#[test]
fn coros_makes_the_token_that_is_there_live_longer() {
    for (provider, host) in [
        ("coros", "open.coros.com"),
        ("coros-sandbox", "opentest.coros.com"),
    ] {
        let answer = json!({"result": "0000", "message": "OK"});
        let (refreshing, credentials) = refreshed(provider, &json!({}), answer);
        let url = format!("POST https://{host}/oauth2/refresh-token");
        refreshing
            .seen(0)
            .is_form(&url, &format!("{GRANT}&{CLIENT}"));
        assert_eq!(credentials["access_token"], "fake-old-token");
        assert_eq!(credentials["refresh_token"], "fake-refresh-token");
        // Thirty days less the margin.
        refreshing.deployment.advance_seconds(2_592_000 - 901);
        refreshing.read("").ok();
        assert_eq!(refreshing.deployment.provider.seen().len(), 1);
    }
}

#[test]
fn coros_says_with_status_200_that_it_refused() {
    let refreshing = Refreshing::at("coros", &json!({}), &json!({}));
    let answer = json!({"result": "5005", "message": "no"});
    refreshing
        .deployment
        .provider
        .will_answer(Answer::Json(200, answer));
    assert_eq!(refreshing.read("").status, 400);
    let outcome = "select outcome from refresh_log";
    assert_eq!(refreshing.deployment.database.text(outcome), "rejected");
}

#[test]
fn facebook_exchanges_the_access_token_for_another_and_only_when_that_is_forced() {
    let refreshing = without_refresh_token("facebook");
    let connection = refreshing.force([Answer::Json(200, token())]);
    refreshing.seen(0).is(
        &format!(
            "POST https://graph.facebook.com/v22.0/oauth/access_token\
             ?grant_type=fb_exchange_token&fb_exchange_token=fake-old-token&{CLIENT}"
        ),
        &[ACCEPT, AGENT],
        "",
    );
    assert_eq!(connection["credentials"]["access_token"], "fake-new-token");
}

#[test]
fn instagram_and_threads_exchange_the_access_token_by_get_and_show_no_client() {
    for (provider, url) in [
        (
            "instagram",
            "https://graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token",
        ),
        (
            "threads",
            "https://graph.threads.net/refresh_access_token?grant_type=th_refresh_token",
        ),
    ] {
        let refreshing = without_refresh_token(provider);
        refreshing.force([Answer::Json(200, token())]);
        let line = format!("GET {url}&access_token=fake-old-token");
        refreshing.seen(0).is(&line, &[ACCEPT, AGENT], "");
    }
}

/// A connection without a refresh token, that nothing but force refreshes.
#[track_caller]
fn without_refresh_token(provider: &str) -> Refreshing {
    let refreshing = Refreshing::at(provider, &json!({"refresh_token": null}), &json!({}));
    refreshing.read("").ok();
    assert_eq!(refreshing.deployment.provider.seen().len(), 0);
    refreshing
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
fn an_application_that_an_administrator_admitted_asks_for_a_token_of_its_own() {
    let config = json!({"tenantId": "fake-tenant"});
    let refreshing = Refreshing::at("microsoft-admin", &json!({"refresh_token": null}), &config);
    refreshing
        .deployment
        .provider
        .will_answer(Answer::Json(200, token()));
    let connection = refreshing.read("").ok();
    refreshing.seen(0).is_form(
        "POST https://login.microsoftonline.com/fake-tenant/oauth2/v2.0/token",
        &format!(
            "grant_type=client_credentials\
             &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&{CLIENT}"
        ),
    );
    assert_eq!(connection["credentials"]["access_token"], "fake-new-token");
}

#[test]
fn sentry_answers_with_201_and_names_of_its_own() {
    let config = json!({"hostname": "sentry.io", "installation.uuid": "fake-uuid"});
    let refreshing = Refreshing::at("sentry-oauth", &json!({}), &config);
    let answer = json!({
        "token": "fake-new-token", "refreshToken": "fake-rotated-token",
        "expiresAt": "2026-01-01T08:00:00Z",
    });
    let connection = refreshing.force([Answer::Json(201, answer)]);
    refreshing.seen(0).is_json(
        "POST https://sentry.io/api/0/sentry-app-installations/fake-uuid/authorizations/",
        r#"{"grant_type":"refresh_token","refresh_token":"fake-refresh-token","client_id":"fake-client","client_secret":"fake-client-secret-0123456789"}"#,
    );
    let end = "2026-01-01T08:00:00.000Z";
    has(
        &connection["credentials"],
        "fake-new-token",
        "fake-rotated-token",
        end,
    );
}

#[test]
fn shopline_takes_a_signature_of_the_time() {
    let config = json!({"handle": "fake-store"});
    let refreshing = Refreshing::at("shopline-oauth", &json!({"refresh_token": null}), &config);
    let data = json!({
        "accessToken": "fake-new-token", "expireTime": "2026-01-01T10:00:00.000+00:00",
    });
    let answer = json!({"code": 200, "data": data});
    refreshing
        .deployment
        .provider
        .will_answer(Answer::Json(200, answer));
    let connection = refreshing.read("").ok();
    refreshing.seen(0).is(
        "POST https://fake-store.myshopline.com/admin/oauth/token/refresh",
        &[
            ACCEPT,
            AGENT,
            "appkey: fake-client",
            "timestamp: 1767225600000",
            "sign: bcd4b3346804e8f21a2cb119f52eeeea2b84aad5d0868a0fae3c7cdde346575c",
            JSON,
        ],
        "{}",
    );
    let credentials = &connection["credentials"];
    assert_eq!(credentials["access_token"], "fake-new-token");
    assert_eq!(credentials["expires_at"], "2026-01-01T10:00:00.000Z");
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

#[test]
fn tiktok_accounts_have_their_tokens_within_data() {
    let data = json!({
        "access_token": "fake-new-token", "refresh_token": "fake-rotated-token",
        "expires_in": 3600,
    });
    let answer = json!({"code": 0, "message": "OK", "data": data});
    let (refreshing, credentials) = refreshed("tiktok-accounts", &json!({}), answer);
    refreshing.seen(0).is_json(
        "POST https://business-api.tiktok.com/open_api/v1.3/tt_user/oauth2/refresh_token/",
        r#"{"grant_type":"refresh_token","refresh_token":"fake-refresh-token","client_id":"fake-client","client_secret":"fake-client-secret-0123456789"}"#,
    );
    has(
        &credentials,
        "fake-new-token",
        "fake-rotated-token",
        IN_AN_HOUR,
    );
}

#[test]
fn tokens_of_tiktok_ads_are_never_refreshed_unasked() {
    let refreshing = Refreshing::at("tiktok-ads", &json!({}), &json!({}));
    assert_eq!(refreshing.read("").status, 200);
    assert_eq!(refreshing.deployment.provider.seen().len(), 0);
}

#[test]
fn a_session_of_bullhorn_is_opened_with_the_fresh_token() {
    let refreshing = Refreshing::at("bullhorn", &json!({}), &json!({"username": "u"}));
    let first = json!({
        "access_token": "fake-oauth-token", "refresh_token": "fake-rotated-token",
        "expires_in": 600,
    });
    let second = json!({"BhRestToken": "fake-session", "restUrl": "https://rest9.example/"});
    let connection = refreshing.force([Answer::Json(200, first), Answer::Json(200, second)]);
    refreshing.seen(0).is(
        &format!("POST https://auth-west.bullhornstaffing.com/oauth/token?{GRANT}&{CLIENT}"),
        &[ACCEPT, AGENT],
        "",
    );
    refreshing.seen(1).is(
        "POST https://rest-west.bullhornstaffing.com/rest-services/login\
         ?version=*&access_token=fake-oauth-token&ttl=10080",
        &[ACCEPT, AGENT],
        "",
    );
    let in_a_week = "2026-01-08T00:00:00.000Z";
    has(
        &connection["credentials"],
        "fake-session",
        "fake-rotated-token",
        in_a_week,
    );
    assert_eq!(
        connection["connection_config"]["restUrl"],
        "https://rest9.example/"
    );
}

#[test]
fn drives_of_microsoft_bring_a_second_token_where_sharepoint_is_named() {
    for provider in ["one-drive", "sharepoint-online"] {
        let config = json!({"sharepointHostname": "fake.sharepoint.com"});
        let refreshing = Refreshing::at(provider, &json!({}), &config);
        let first = json!({
            "access_token": "fake-graph", "refresh_token": "fake-refresh-2", "expires_in": 3600,
        });
        let second = json!({"access_token": "fake-sharepoint", "expires_in": 3000});
        let connection = refreshing.force([Answer::Json(200, first), Answer::Json(200, second)]);
        let url = "POST https://login.microsoftonline.com/common/oauth2/v2.0/token";
        refreshing
            .seen(0)
            .is_form(url, &format!("{GRANT}&{CLIENT}"));
        refreshing.seen(1).is_form(
            url,
            &format!(
                "grant_type=refresh_token&refresh_token=fake-refresh-2&{CLIENT}\
                 &scope=https%3A%2F%2Ffake.sharepoint.com%2F.default"
            ),
        );
        let end = "2026-01-01T00:50:00.000Z";
        has(
            &connection["credentials"],
            "fake-graph",
            "fake-refresh-2",
            end,
        );
        assert_eq!(
            connection["connection_config"]["sharepointAccessToken"],
            json!({"access_token": "fake-sharepoint", "expires_at": end})
        );
    }
}

#[test]
fn drives_of_microsoft_bring_no_second_token_where_sharepoint_is_not_named() {
    let (refreshing, _) = refreshed("one-drive", &json!({}), token());
    assert_eq!(refreshing.deployment.provider.seen().len(), 1);
}

#[test]
fn a_bot_of_teams_gets_a_token_of_its_own() {
    let config = json!({"tenantId": "fake-tenant", "botHostTenantId": "fake-bot-tenant"});
    let refreshing = Refreshing::at("microsoft-teams-bot", &json!({}), &config);
    let second = json!({"access_token": "fake-bot", "expires_in": 86400});
    let connection = refreshing.force([Answer::Json(200, token()), Answer::Json(200, second)]);
    let host = "POST https://login.microsoftonline.com";
    let line = format!("{host}/fake-tenant/oauth2/v2.0/token");
    refreshing
        .seen(0)
        .is_form(&line, &format!("{GRANT}&{CLIENT}"));
    refreshing.seen(1).is_form(
        &format!("{host}/fake-bot-tenant/oauth2/v2.0/token"),
        &format!(
            "grant_type=client_credentials&{CLIENT}\
             &scope=https%3A%2F%2Fapi.botframework.com%2F.default"
        ),
    );
    assert_eq!(
        connection["connection_config"]["botFrameworkAccessToken"],
        json!({"access_token": "fake-bot", "expires_at": "2026-01-02T00:00:00.000Z"})
    );
}
