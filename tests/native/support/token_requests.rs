//! Refreshes at providers of the catalogue: what is asked, and what becomes of the answers.

use serde_json::{Value, json};

use super::{
    client::call,
    connections::with,
    deployment::Deployment,
    provider::{Answer, Seen},
};

/// An integration of the provider of this name, with a connection `user-1` that is due.
pub(crate) struct Refreshing {
    pub(crate) deployment: Deployment,
    provider: String,
}

impl Refreshing {
    /// At `provider`, with a client and `credentials` over the usual ones of `OAUTH2`, where
    /// `null` leaves one out.
    #[track_caller]
    pub(crate) fn at(provider: &str, credentials: &Value, config: &Value) -> Self {
        Self::with_settings(provider, &json!({}), credentials, config)
    }

    /// The same, with fields of the integration over the usual ones.
    #[track_caller]
    pub(crate) fn with_settings(
        provider: &str,
        integration: &Value,
        credentials: &Value,
        config: &Value,
    ) -> Self {
        let deployment = Deployment::new();
        let usual = json!({
            "provider": provider,
            "unique_key": provider,
            "credentials": {
                "type": "OAUTH2", "client_id": "fake-client",
                "client_secret": "fake-client-secret-0123456789",
            },
        });
        let mut usual = with(usual, integration);
        usual
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        call("POST", "/integrations")
            .body(&usual)
            .run(&deployment)
            .ok();
        let usual = json!({
            "type": "OAUTH2",
            "access_token": "fake-old-token",
            "refresh_token": "fake-refresh-token",
            "expires_at": "2025-12-31T23:00:00.000Z",
        });
        let mut given = with(usual, credentials);
        let fields = given.as_object_mut().unwrap();
        fields.retain(|_, value| !value.is_null());
        let body = json!({
            "provider_config_key": provider,
            "connection_id": "user-1",
            "credentials": given,
            "connection_config": config,
        });
        call("POST", "/connections")
            .body(&body)
            .run(&deployment)
            .ok();
        let provider = provider.to_owned();
        Self {
            deployment,
            provider,
        }
    }

    /// Answers in this order, forces a refresh, and gives the connection with all its tokens.
    #[track_caller]
    pub(crate) fn force(&self, answers: impl IntoIterator<Item = Answer>) -> Value {
        for answer in answers {
            self.deployment.provider.will_answer(answer);
        }
        self.read("&refresh_token=true&force_refresh=true").ok()
    }

    /// Reads the connection with further query parameters.
    pub(crate) fn read(&self, options: &str) -> super::client::Answered {
        let provider = &self.provider;
        let target = format!("/connections/user-1?provider_config_key={provider}{options}");
        call("GET", &target).run(&self.deployment)
    }

    /// The number `at` of the requests that the provider saw.
    #[track_caller]
    pub(crate) fn seen(&self, at: usize) -> Sent {
        Sent(self.deployment.provider.seen().remove(at))
    }
}

/// A request as a test compares it.
pub(crate) struct Sent(Seen);

impl Sent {
    /// Holds the request to its first line, all its headers in their order, and its body.
    #[track_caller]
    pub(crate) fn is(&self, line: &str, headers: &[&str], body: &str) {
        let Self(seen) = self;
        let method = format!("{:?}", seen.method).to_uppercase();
        assert_eq!(format!("{method} {}", seen.url), line);
        let found = seen.headers.iter();
        let found: Vec<_> = found
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(found, headers);
        assert_eq!(seen.body, body);
    }

    /// The same for a form with no headers but the usual ones.
    #[track_caller]
    pub(crate) fn is_form(&self, line: &str, body: &str) {
        self.is(line, &[ACCEPT, AGENT, FORM], body);
    }

    /// The same for JSON.
    #[track_caller]
    pub(crate) fn is_json(&self, line: &str, body: &str) {
        self.is(line, &[ACCEPT, AGENT, JSON], body);
    }
}

pub(crate) const ACCEPT: &str = "accept: application/json";
pub(crate) const AGENT: &str = "user-agent: holdfast";
pub(crate) const FORM: &str = "content-type: application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "content-type: application/json";
/// The client of [`Refreshing`] in a header.
pub(crate) const BASIC: &str =
    "authorization: Basic ZmFrZS1jbGllbnQ6ZmFrZS1jbGllbnQtc2VjcmV0LTAxMjM0NTY3ODk=";

pub(crate) const CLIENT: &str = "client_id=fake-client&client_secret=fake-client-secret-0123456789";
pub(crate) const GRANT: &str = "grant_type=refresh_token&refresh_token=fake-refresh-token";

/// A connection at `provider` after a refresh that was answered with `answer`.
#[track_caller]
pub(crate) fn refreshed(provider: &str, config: &Value, answer: Value) -> (Refreshing, Value) {
    let refreshing = Refreshing::at(provider, &json!({}), config);
    let connection = refreshing.force([Answer::Json(200, answer)]);
    (refreshing, connection["credentials"].clone())
}

pub(crate) fn token() -> Value {
    json!({"access_token": "fake-new-token", "expires_in": 3600})
}

/// The access token, the refresh token and the end.
#[track_caller]
pub(crate) fn has(credentials: &Value, access_token: &str, refresh_token: &str, end: &str) {
    assert_eq!(credentials["access_token"], access_token);
    assert_eq!(credentials["refresh_token"], refresh_token);
    assert_eq!(credentials["expires_at"], end);
}

pub(crate) const IN_AN_HOUR: &str = "2026-01-01T01:00:00.000Z";
