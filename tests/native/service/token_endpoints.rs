//! Where refreshes go at providers of the catalogue, and with which grant, where that is easily
//! mistaken: the exact request, from their entries.

use serde_json::json;

use crate::support::token_requests::{ACCEPT, AGENT, BASIC, CLIENT, FORM, GRANT, refreshed, token};

#[test]
fn a_refresh_goes_to_the_endpoint_for_refreshes_with_its_query() {
    for (provider, url) in [
        ("bing-webmasters", "https://www.bing.com/webmasters/token"),
        (
            "dropbox-sign",
            "https://app.hellosign.com/oauth/token?refresh",
        ),
    ] {
        let (refreshing, _) = refreshed(provider, &json!({}), token());
        let line = format!("POST {url}");
        refreshing
            .seen(0)
            .is_form(&line, &format!("{GRANT}&{CLIENT}"));
    }
    let (refreshing, _) = refreshed("trustpilot", &json!({}), token());
    refreshing.seen(0).is(
        "POST https://api.trustpilot.com/v1/oauth/oauth-business-users-for-applications/refresh",
        &[ACCEPT, AGENT, BASIC, FORM],
        GRANT,
    );
}

#[test]
fn paycor_takes_the_key_of_a_subscription_in_the_url() {
    for (provider, host) in [
        ("paycor", "apis.paycor.com"),
        ("paycor-sandbox", "apis-sandbox.paycor.com"),
    ] {
        let config = json!({"subscriptionKey": "fake key"});
        let (refreshing, _) = refreshed(provider, &config, token());
        refreshing.seen(0).is_form(
            &format!("POST https://{host}/sts/v1/common/token?subscription-key=fake%20key"),
            &format!("{GRANT}&{CLIENT}"),
        );
    }
}

#[test]
fn dynamics_takes_the_environment_of_the_connection_for_the_resource() {
    let provider = "microsoft-dynamics-365-finance-and-operations";
    let config =
        json!({"tenantId": "fake-tenant", "environmentUrl": "fake.operations.dynamics.com"});
    let (refreshing, _) = refreshed(provider, &config, token());
    refreshing.seen(0).is_form(
        "POST https://login.microsoftonline.com/fake-tenant/oauth2/token",
        &format!(
            "grant_type=refresh_token&resource=https%3A%2F%2Ffake.operations.dynamics.com\
             &refresh_token=fake-refresh-token&{CLIENT}"
        ),
    );
}

#[test]
fn the_grant_of_a_code_is_not_that_of_a_refresh() {
    let config = json!({
        "subdomain": "fake", "storeHash": "fake", "platform": "merlot", "extension": "net",
        "shopDomain": "fake.myshopify.com",
    });
    for provider in [
        "ahrefs",
        "aircall",
        "battlenet",
        "bigcommerce",
        "bing-webmasters",
        "bitly",
        "checkr-partner",
        "checkr-partner-staging",
        "datto-rmm",
        "eventbrite",
        "grain",
        "judgeme-oauth",
        "payfit",
        "survey-monkey",
        "timely",
        "vimeo",
        "webflow",
        "wordpress",
    ] {
        let (refreshing, _) = refreshed(provider, &config, token());
        let body = &refreshing.deployment.provider.seen()[0].body;
        let grants: Vec<_> = body.matches("refresh_token").collect();
        assert_eq!(grants.len(), 2, "{provider}: {body}");
        assert!(!body.contains("authorization_code"), "{provider}: {body}");
    }
}
