//! The exact refresh request at providers that many people use, from their entries in the
//! catalogue. What a GitHub App is asked is elsewhere.

use serde_json::json;

use crate::support::{
    provider::Answer,
    token_requests::{ACCEPT, AGENT, FORM, Refreshing, Sent},
};

const CLIENT: &str = "client_id=fake-client&client_secret=fake-client-secret-0123456789";

/// The request of a refresh that is answered with a token.
#[track_caller]
fn request(provider: &str, config: &serde_json::Value) -> Sent {
    let refreshing = Refreshing::at(provider, &json!({}), config);
    refreshing.force([Answer::token("fake-new-token", None)]);
    refreshing.seen(0)
}

#[test]
fn google_takes_the_refresh_token_and_the_client_in_a_form() {
    request("google", &json!({})).is_form(
        "POST https://oauth2.googleapis.com/token",
        &format!("grant_type=refresh_token&refresh_token=fake-refresh-token&{CLIENT}"),
    );
}

#[test]
fn microsoft_is_asked_where_every_tenant_is() {
    request("microsoft", &json!({})).is_form(
        "POST https://login.microsoftonline.com/common/oauth2/v2.0/token",
        &format!("grant_type=refresh_token&refresh_token=fake-refresh-token&{CLIENT}"),
    );
}

#[test]
fn quickbooks_takes_the_client_in_the_body() {
    request("quickbooks", &json!({"realmId": "1"})).is_form(
        "POST https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        &format!("grant_type=refresh_token&refresh_token=fake-refresh-token&{CLIENT}"),
    );
}

#[test]
fn xero_takes_the_client_in_the_body() {
    request("xero", &json!({})).is_form(
        "POST https://identity.xero.com/connect/token",
        &format!("grant_type=refresh_token&refresh_token=fake-refresh-token&{CLIENT}"),
    );
}

#[test]
fn a_store_of_shopify_is_asked_itself_for_a_token_that_ends() {
    request("shopify", &json!({"subdomain": "fake-store"})).is_form(
        "POST https://fake-store.myshopify.com/admin/oauth/access_token",
        &format!("grant_type=refresh_token&expiring=1&refresh_token=fake-refresh-token&{CLIENT}"),
    );
}

#[test]
fn tiktok_calls_the_identifier_of_the_client_a_key() {
    request("tiktok-personal", &json!({})).is_form(
        "POST https://open.tiktokapis.com/v2/oauth/token/",
        "grant_type=refresh_token&client_key=fake-client&refresh_token=fake-refresh-token\
         &client_secret=fake-client-secret-0123456789",
    );
}

#[test]
fn a_stripe_app_shows_its_secret_where_the_name_of_a_user_would_be() {
    request("stripe-app", &json!({})).is(
        "POST https://api.stripe.com/v1/oauth/token",
        &[
            ACCEPT,
            AGENT,
            // fake-client-secret-0123456789:
            "authorization: Basic ZmFrZS1jbGllbnQtc2VjcmV0LTAxMjM0NTY3ODk6",
            FORM,
        ],
        "grant_type=refresh_token&refresh_token=fake-refresh-token",
    );
}

#[test]
fn slack_refreshes_the_token_of_the_bot_and_then_that_of_its_user() {
    let user =
        json!({"id": "U1", "access_token": "fake-user", "refresh_token": "fake-user-refresh"});
    let raw = json!({"ok": true, "authed_user": user});
    let refreshing = Refreshing::at("slack", &json!({"raw": raw}), &json!({}));
    let of_bot = json!({
        "ok": true, "access_token": "fake-bot-2", "refresh_token": "fake-bot-refresh-2",
        "expires_in": 43200, "bot_user_id": "B1", "team": {"id": "T1"},
    });
    let of_user = json!({
        "ok": true, "access_token": "fake-user-2", "refresh_token": "fake-user-refresh-2",
        "expires_in": 3600,
    });
    let connection = refreshing.force([Answer::Json(200, of_bot), Answer::Json(200, of_user)]);

    let url = "POST https://slack.com/api/oauth.v2.access";
    refreshing.seen(0).is_form(
        url,
        &format!("grant_type=refresh_token&refresh_token=fake-refresh-token&{CLIENT}"),
    );
    refreshing.seen(1).is_form(
        url,
        &format!("grant_type=refresh_token&refresh_token=fake-user-refresh&{CLIENT}"),
    );
    let credentials = &connection["credentials"];
    assert_eq!(credentials["access_token"], "fake-bot-2");
    assert_eq!(credentials["refresh_token"], "fake-bot-refresh-2");
    // The token of the user ends first.
    assert_eq!(credentials["expires_at"], "2026-01-01T01:00:00.000Z");
    let user = &credentials["raw"]["authed_user"];
    assert_eq!(user["id"], "U1");
    assert_eq!(user["access_token"], "fake-user-2");
    assert_eq!(user["refresh_token"], "fake-user-refresh-2");
    let told = json!({"bot_user_id": "B1", "team.id": "T1"});
    assert_eq!(connection["connection_config"], told);
}

#[test]
fn salesforce_is_asked_when_a_session_has_had_its_time_and_never_on_the_way() {
    let config = json!({"hostname": "fake.my.salesforce.com"});
    let refreshing = Refreshing::at("salesforce", &json!({"expires_at": null}), &config);
    // Two hours less the margin.
    refreshing.deployment.advance_seconds(6299);
    refreshing.read("").ok();
    assert_eq!(refreshing.deployment.provider.seen().len(), 0);

    refreshing.deployment.advance_seconds(1);
    let answer = json!({
        "access_token": "fake-new-token", "instance_url": "https://fake.my.salesforce.com",
    });
    refreshing
        .deployment
        .provider
        .will_answer(Answer::Json(200, answer));
    let connection = refreshing.read("").ok();
    assert_eq!(refreshing.deployment.provider.seen().len(), 1);
    refreshing.seen(0).is_form(
        "POST https://fake.my.salesforce.com/services/oauth2/token",
        &format!("grant_type=refresh_token&refresh_token=fake-refresh-token&{CLIENT}"),
    );
    let told = "https://fake.my.salesforce.com";
    assert_eq!(connection["connection_config"]["instance_url"], told);
}
