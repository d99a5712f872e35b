//! Renewals at providers of the catalogue that take other things than a refresh token, answer in a
//! shape of their own, or are asked twice: the exact requests, from their entries, and what
//! becomes of the answers.

use serde_json::json;

use crate::support::{
    provider::Answer,
    token_requests::{
        ACCEPT, AGENT, CLIENT, GRANT, IN_AN_HOUR, JSON, Refreshing, has, refreshed, token,
    },
};

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
fn the_refresh_token_in_an_answer_of_its_own_shape_is_not_kept_in_it() {
    let config = json!({"hostname": "sentry.io", "installation.uuid": "fake-uuid"});
    let answer = json!({"token": "fake-new-token", "refreshToken": "fake-rotated-token"});
    let (_, credentials) = refreshed("sentry-oauth", &config, answer);
    assert_eq!(credentials["refresh_token"], "fake-rotated-token");
    assert_eq!(credentials["raw"], json!({"token": "fake-new-token"}));
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
fn shopline_takes_a_signature_of_the_time_and_an_empty_body() {
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
            JSON,
            "appkey: fake-client",
            "timestamp: 1767225600000",
            "sign: bcd4b3346804e8f21a2cb119f52eeeea2b84aad5d0868a0fae3c7cdde346575c",
        ],
        "",
    );
    let credentials = &connection["credentials"];
    assert_eq!(credentials["access_token"], "fake-new-token");
    assert_eq!(credentials["expires_at"], "2026-01-01T10:00:00.000Z");
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
fn drives_of_microsoft_bring_a_second_token_to_connections_that_name_their_tenant() {
    for provider in ["one-drive", "sharepoint-online"] {
        let old = json!({"access_token": "fake-old", "expires_at": "2025-12-31T23:00:00.000Z"});
        let config = json!({"tenantId": "fake-tenant", "sharepointAccessToken": old});
        let refreshing = Refreshing::at(provider, &json!({}), &config);
        let second = json!({"access_token": "fake-sharepoint", "expires_in": 3600});
        let connection = refreshing.force([Answer::Json(200, token()), Answer::Json(200, second)]);
        let host = "POST https://login.microsoftonline.com";
        refreshing.seen(0).is_form(
            &format!("{host}/common/oauth2/v2.0/token"),
            &format!("{GRANT}&{CLIENT}"),
        );
        refreshing.seen(1).is_form(
            &format!("{host}/fake-tenant/oauth2/v2.0/token"),
            &format!(
                "{GRANT}&{CLIENT}\
                 &scope=https%3A%2F%2Ffake-tenant.sharepoint.com%2FSites.Read.All"
            ),
        );
        assert_eq!(
            connection["connection_config"]["sharepointAccessToken"],
            json!({"access_token": "fake-sharepoint", "expires_at": IN_AN_HOUR})
        );
    }
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

#[test]
fn a_bot_of_teams_whose_tenant_is_not_known_gets_no_token_of_its_own() {
    let config = json!({"tenantId": "fake-tenant"});
    let (refreshing, _) = refreshed("microsoft-teams-bot", &config, token());
    assert_eq!(refreshing.deployment.provider.seen().len(), 1);
}
