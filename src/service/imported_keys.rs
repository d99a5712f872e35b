//! Private keys that credentials bring along, read once when they are imported, so that one that
//! cannot sign is told of where it came in.

use std::borrow::Cow;

use crate::{
    domain::{
        credentials::{ClientOverride, Credentials, ExchangeMode, Exchanged, OAuth2},
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::client_authentication::ClientAuthentication,
    providers::{
        entry::Entry,
        jwt_template::UnsignableError,
        step_request,
        template::{TemplateError, Values},
    },
    signing::private_key::{Algorithm, PrivateKey, PrivateKeyError},
    validation::issue::Issue,
};

/// Refuses keys that cannot sign, each at its place in the import. The integration brings
/// `preset`.
pub(super) fn check_keys(
    entry: &Entry,
    credentials: &Credentials,
    preset: &SecretMap,
    connection_config: &SecretMap,
    now: Timestamp,
) -> Result<(), Vec<Issue>> {
    let signs = entry.client_authentication == ClientAuthentication::PrivateKeyJwt;
    let issues = match credentials {
        Credentials::Exchanged(credentials) => {
            let own = step_request::credentials(entry, &credentials.inputs, preset);
            let values = Values {
                credentials: Some(&own),
                ..Values::new(connection_config, now, "")
            };
            of_inputs(entry, credentials, &values)
        }
        Credentials::OAuth2(OAuth2 {
            config_override:
                Some(ClientOverride {
                    client_secret: Some(key),
                    ..
                }),
            ..
        }) if signs => refused(
            PrivateKey::from_text(key),
            &["config_override", "client_secret"],
        ),
        Credentials::OAuth2ClientCredentials(client) if signs => {
            // Without a key of its own the client signs with what it has for a secret.
            let (name, key) = match &client.client_private_key {
                Some(key) => ("client_private_key", key),
                None => ("client_secret", &client.client_secret),
            };
            refused(PrivateKey::from_text(key), &[name])
        }
        _ => Vec::new(),
    };
    if issues.is_empty() {
        Ok(())
    } else {
        Err(issues)
    }
}

fn of_inputs(entry: &Entry, credentials: &Exchanged, values: &Values<'_>) -> Vec<Issue> {
    match credentials.mode {
        ExchangeMode::AppStore => {
            let name = "private_key";
            let key = credentials.inputs.text(name);
            let key = key.unwrap_or_else(|| Secret::new(""));
            refused(PrivateKey::from_pem(&key, Algorithm::Es256), &[name])
        }
        ExchangeMode::Jwt | ExchangeMode::TwoStep => {
            let jwt = entry.jwt.iter();
            let jwt = jwt.map(|it| (it.check_key(values), it.key_places()));
            let assertion = entry.assertion.iter().map(|it| &it.template);
            let assertion = assertion.map(|it| (it.check_key(values), it.key_places()));
            jwt.chain(assertion)
                .flat_map(|(checked, places)| unsignable(credentials.mode, checked, places))
                .collect()
        }
        ExchangeMode::App
        | ExchangeMode::AwsSigV4
        | ExchangeMode::Bill
        | ExchangeMode::Signature => Vec::new(),
    }
}

/// The mistakes at the `places` that bring a key, which was `checked`.
fn unsignable(
    mode: ExchangeMode,
    checked: Result<(), UnsignableError>,
    places: Vec<Vec<String>>,
) -> Vec<Issue> {
    let Err(error) = checked else {
        return Vec::new();
    };
    let is_mistake = match &error {
        UnsignableError::Key(_) | UnsignableError::NotHexadecimal => true,
        // A token that came along may do without one, unless nothing else gives another.
        UnsignableError::Template(TemplateError::Missing(_)) => mode == ExchangeMode::Jwt,
        // What an entry lacks is no mistake of who imports.
        UnsignableError::NotXml | UnsignableError::Template(_) => false,
    };
    let places = places.into_iter().filter(|_| is_mistake);
    places.map(|path| issue(path, error.to_string())).collect()
}

/// The mistake at `place` within the credentials, if what is there is no key.
fn refused(key: Result<PrivateKey, PrivateKeyError>, place: &[&str]) -> Vec<Issue> {
    let place = ["credentials"].iter().chain(place);
    let place = place.map(|&name| name.to_owned()).collect();
    let error = key.err().map(|error| issue(place, error.to_string()));
    error.into_iter().collect()
}

fn issue(path: Vec<String>, message: String) -> Issue {
    Issue {
        code: "invalid_format",
        message: Cow::Owned(message),
        path,
    }
}
