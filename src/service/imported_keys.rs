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
    providers::{entry::Entry, jwt_template::UnsignableError, template::Values},
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
            let jwt = jwt
                .iter()
                .map(|it| (it.fill(&values).map(drop), it.key_inputs()));
            let assertion = entry.assertion.iter().map(|it| &it.template);
            let assertion = assertion.map(|it| (it.check(&values), it.key_inputs()));
            let templates = jwt.chain(assertion);
            templates
                .flat_map(|(filled, inputs)| of_inputs(filled, inputs))
                .collect()
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

/// The mistakes in the inputs of a key, with which what is signed was `filled`.
fn of_inputs(filled: Result<(), UnsignableError>, inputs: Vec<&str>) -> Vec<Issue> {
    match filled {
        Err(error @ (UnsignableError::Key(_) | UnsignableError::NotHexadecimal)) => inputs
            .into_iter()
            .map(|name| issue(name, error.to_string()))
            .collect(),
        // What an entry lacks is no mistake of who imports.
        Err(UnsignableError::NotXml | UnsignableError::Template(_)) | Ok(()) => Vec::new(),
    }
}

fn issue(name: &str, message: String) -> Issue {
    Issue {
        code: "invalid_format",
        message: Cow::Owned(message),
        path: vec![name.to_owned()],
    }
}
