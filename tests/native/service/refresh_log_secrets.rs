//! No stored secret is in a log, whatever a provider repeats of what it was sent.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_encode_byte;
use proptest::{prelude::*, sample::select};
use serde_json::json;

use crate::support::{
    client::{call, import},
    connections::{read, refreshes},
    deployment::Deployment,
    provider::Answer,
};

/// Where a secret is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    AccessToken,
    ClientSecret,
    ConnectionConfig,
    Custom,
    OwnClientSecret,
    RefreshToken,
    WebhookSecret,
}

const PLACES: &[Place] = &[
    Place::AccessToken,
    Place::ClientSecret,
    Place::ConnectionConfig,
    Place::Custom,
    Place::OwnClientSecret,
    Place::RefreshToken,
    Place::WebhookSecret,
];

/// How a provider writes what it repeats.
#[derive(Clone, Copy, Debug)]
enum Writing {
    Base64,
    BasicHeader,
    Form,
    Html,
    Json,
    Percent,
    Plain,
}

const WRITINGS: &[Writing] = &[
    Writing::Base64,
    Writing::BasicHeader,
    Writing::Form,
    Writing::Html,
    Writing::Json,
    Writing::Percent,
    Writing::Plain,
];

impl Writing {
    fn write(self, secret: &str) -> String {
        let form = || form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
        match self {
            Self::Base64 => STANDARD.encode(secret),
            Self::BasicHeader => STANDARD.encode(format!("fake-client-1:{}", form())),
            Self::Form => form(),
            Self::Html => secret
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('"', "&#34;")
                .replace('\'', "&#x27;"),
            Self::Json => json!(secret).to_string().replace('/', "\\/"),
            Self::Percent => secret
                .bytes()
                .map(|byte| percent_encode_byte(byte).to_lowercase())
                .collect(),
            Self::Plain => secret.to_owned(),
        }
    }
}

/// A deployment with `secret` in one place, and others elsewhere.
fn deployment_with(secret: &str, place: Place) -> Deployment {
    let deployment = Deployment::new();
    let at = |here: Place, other: &str| if place == here { secret } else { other }.to_owned();
    let integration = json!({
        "provider": "github", "unique_key": "github",
        "credentials": {
            "type": "OAUTH2", "client_id": "fake-client-1",
            "client_secret": at(Place::ClientSecret, "fake-client-secret"),
            "webhook_secret": at(Place::WebhookSecret, "fake-webhook-secret"),
        },
        "custom": {"own": at(Place::Custom, "fake-custom")},
    });
    call("POST", "/integrations")
        .body(&integration)
        .run(&deployment)
        .ok();
    let connection = json!({
        "credentials": {
            "type": "OAUTH2", "expires_at": "2025-12-31T23:00:00.000Z",
            "access_token": at(Place::AccessToken, "fake-access-token"),
            "refresh_token": at(Place::RefreshToken, "fake-refresh-token"),
            "config_override": {
                "client_id": "fake-client-1",
                "client_secret": at(Place::OwnClientSecret, "fake-own-secret"),
            },
        },
        "connection_config": {"a": [{"b": at(Place::ConnectionConfig, "fake-config")}]},
    });
    import(&deployment, "user-1", &connection);
    deployment
}

/// Something that a provider says with `words` in it.
fn answers(words: String) -> impl Strategy<Value = Answer> {
    let member = select(&["error", "error_description", "message", "reason"][..]);
    prop_oneof![
        (select(&[200, 400, 401, 500][..]), member).prop_map({
            let words = words.clone();
            move |(status, member)| Answer::Json(status, json!({ member: words }))
        }),
        select(&[400, 429, 502][..]).prop_map(move |status| Answer::Text(status, words.clone())),
    ]
}

/// A place, a secret, its writing and an answer with that somewhere in it.
fn repetitions() -> impl Strategy<Value = (Place, String, Writing, Answer)> {
    // No stars, which stand for what is taken out.
    let secret = "[!-)+-~ü€]{4}[ !-)+-~ü€]{4,40}[!-)+-~ü€]{4}";
    let around = "([ -~\\n\\t]{0,30}|[a-z ]{900,1100})";
    (select(PLACES), secret, select(WRITINGS), around, around).prop_flat_map(
        |(place, secret, writing, before, after)| {
            let written = writing.write(&secret);
            let answer = answers(format!("{before}{written}{after}{written}"));
            (Just(place), Just(secret), Just(writing), answer)
        },
    )
}

proptest! {
    #[test]
    fn no_stored_secret_is_in_a_log(
        (place, secret, writing, answer) in repetitions()
    ) {
        let deployment = deployment_with(&secret, place);
        deployment.provider.will_answer(answer);
        read(&deployment, "user-1", "");
        let error = refreshes(&deployment, "user-1")[0]["error"].as_str().unwrap().to_owned();
        let one_line = secret.split_whitespace().collect::<Vec<_>>().join(" ");
        for form in [&secret, &one_line, &writing.write(&secret)] {
            prop_assert!(!error.contains(form.as_str()), "{form} is in {error}");
        }
        prop_assert!(error.len() <= 1024 && !error.is_empty());
        prop_assert!(!error.contains(char::is_control), "{error:?}");
    }
}
