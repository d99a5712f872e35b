//! Private keys that credentials bring along, read once when they are imported, so that one that
//! cannot sign is told of where it came in.

use std::borrow::Cow;

use crate::{
    domain::{
        credentials::{Credentials, ExchangeMode, Exchanged},
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::client_authentication::ClientAuthentication,
    providers::{
        entry::Entry,
        jwt_template::{JwtError, JwtTemplate},
        template::Values,
    },
    signing::private_key::{Algorithm, PrivateKey},
    validation::issue::Issue,
};

/// Refuses keys that cannot sign, each at its place within the credentials.
pub(super) fn check_keys(
    entry: &Entry,
    credentials: &Credentials,
    connection_config: &SecretMap,
    now: Timestamp,
) -> Result<(), Vec<Issue>> {
    let credentials = match credentials {
        Credentials::Exchanged(credentials) => credentials,
        Credentials::OAuth2ClientCredentials(client)
            if entry.client_authentication == ClientAuthentication::PrivateKeyJwt =>
        {
            // Without a key of its own the client signs with what it has for a secret.
            let (name, key) = match &client.client_private_key {
                Some(key) => ("client_private_key", key),
                None => ("client_secret", &client.client_secret),
            };
            return PrivateKey::from_text(key)
                .map(drop)
                .map_err(|error| vec![issue(name, error.to_string())]);
        }
        _ => return Ok(()),
    };
    let issues = match (credentials.mode, &entry.jwt) {
        (ExchangeMode::AppStore, _) => app_store(credentials),
        (ExchangeMode::Jwt | ExchangeMode::TwoStep, jwt) => {
            let values = Values {
                credentials: Some(&credentials.inputs),
                ..Values::new(connection_config, now, "")
            };
            let assertion = entry.assertion.as_ref().map(|it| &it.jwt);
            let templates = jwt.iter().chain(assertion);
            templates.flat_map(|it| of_template(it, &values)).collect()
        }
        _ => Vec::new(),
    };
    if issues.is_empty() {
        Ok(())
    } else {
        Err(issues)
    }
}

fn app_store(credentials: &Exchanged) -> Vec<Issue> {
    let name = "private_key";
    let key = credentials.inputs.text(name);
    let key = key.unwrap_or_else(|| Secret::new(""));
    let parsed = PrivateKey::from_pem(&key, Algorithm::Es256);
    let error = parsed.err().map(|error| issue(name, error.to_string()));
    error.into_iter().collect()
}

fn of_template(template: &JwtTemplate, values: &Values<'_>) -> Vec<Issue> {
    match template.fill(values) {
        Err(error @ (JwtError::Key(_) | JwtError::NotHexadecimal)) => {
            let inputs = template.key_inputs();
            inputs.map(|name| issue(name, error.to_string())).collect()
        }
        // What an entry lacks is no mistake of who imports.
        Err(JwtError::Template(_)) | Ok(_) => Vec::new(),
    }
}

fn issue(name: &str, message: String) -> Issue {
    Issue {
        code: "invalid_format",
        message: Cow::Owned(message),
        path: vec![name.to_owned()],
    }
}
