//! Imported credentials, held to what their provider's entry says of them. Not here: whether a
//! private key can sign.

use std::borrow::Cow;

use super::{
    import_connection::{ImportConnection, ImportConnectionError},
    imported_keys::check_keys,
    integration::open_secrets,
    ports::Ports,
    test_credentials::account_of,
    token_exchange::installation::app_of,
};
use crate::{
    domain::{
        credentials::{Credentials, ExchangeMode, Exchanged, OAuth2ClientCredentials},
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::{
        client_authentication::ClientAuthentication, token_answer::AnswerRules,
        token_answers::kept_names,
    },
    providers::{entry::Entry, inputs::check_inputs},
    storage::integrations::IntegrationRecord,
    validation::issue::Issue,
};

/// The credentials of `request` as they are stored, if the provider of `entry` takes them.
pub(super) fn taken(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    entry: &Entry,
    request: &ImportConnection,
    now: Timestamp,
) -> Result<Credentials, ImportConnectionError> {
    let config = &request.connection_config;
    let rules = entry.token_response.as_ref();
    let mut credentials = request.credentials.clone();
    let mut preset = SecretMap::default();
    match &mut credentials {
        Credentials::Exchanged(exchanged) => {
            let secrets = open_secrets(ports, integration)?;
            exchanged.raw = kept(rules, &exchanged.raw);
            if exchanged.mode == ExchangeMode::App {
                check_app(app_of(entry, integration, &secrets), config)?;
            }
            if exchanged.mode.has_declared_inputs() {
                take_issued(entry, exchanged);
                check_inputs(entry, exchanged, &secrets.integration_config)
                    .map_err(ImportConnectionError::InvalidCredentials)?;
            }
            if exchanged.mode == ExchangeMode::AwsSigV4 && !exchanged.issued.is_empty() {
                complete_role(exchanged, config, &secrets.integration_config);
            }
            preset = secrets.integration_config;
        }
        Credentials::OAuth2(oauth2) => {
            oauth2.raw = kept(rules, &oauth2.raw);
            oauth2.renews_without_refresh_token = entry.renews_without_refresh_token;
        }
        Credentials::OAuth2ClientCredentials(client) => {
            client.raw = kept(rules, &client.raw);
            check_client(entry, client)?;
        }
        Credentials::Tba(_) if account_of(config).is_none() => {
            return Err(ImportConnectionError::MissingAccountId);
        }
        Credentials::ApiKey { .. }
        | Credentials::Basic { .. }
        | Credentials::None
        | Credentials::OAuth1(_)
        | Credentials::Tba(_) => {}
    }
    check_keys(entry, &credentials, &preset, config, now)
        .map_err(ImportConnectionError::InvalidCredentials)?;
    Ok(credentials)
}

/// The answer that credentials came from, as it is kept.
fn kept(rules: Option<&AnswerRules>, raw: &SecretMap) -> SecretMap {
    rules.map_or_else(|| raw.clone(), |rules| rules.kept(raw))
}

/// Tells what an answer shows beside the inputs from them, so that it can be imported again.
fn take_issued(entry: &Entry, exchanged: &mut Exchanged) {
    let mut names = kept_names(&entry.token_response_headers, &exchanged.inputs);
    if entry.assertion.as_ref().is_some_and(|it| !it.is_single_use) {
        names.push("assertion".to_owned());
    }
    names.retain(|name| entry.credentials.iter().all(|input| input.name != *name));
    let (issued, inputs) = exchanged
        .inputs
        .split(|name| names.iter().any(|it| it == name));
    exchanged.issued = issued.merged(&exchanged.issued);
    exchanged.inputs = inputs;
}

/// Says of keys of a role that were issued elsewhere what they are for, as the integration has it.
fn complete_role(exchanged: &mut Exchanged, config: &SecretMap, settings: &SecretMap) {
    let own = [("region", "defaultRegion"), ("service", "service")].into_iter();
    let lacking = own.filter(|(name, _)| config.text(name).is_none());
    let told = lacking.filter_map(|(name, setting)| Some((name, settings.text(setting)?)));
    let told = SecretMap::of(told);
    exchanged.issued = told.merged(&exchanged.issued);
    exchanged.derived_config = told;
}

/// Refuses the installation of another app than the integration's, whose tokens it cannot ask for.
fn check_app(own: Option<Secret>, config: &SecretMap) -> Result<(), ImportConnectionError> {
    match own.zip(config.text("app_id")) {
        Some((own, given)) if own.expose() != given.expose() => {
            let message = "The integration is another app";
            Err(refused("custom", message, "app_id"))
        }
        _ => Ok(()),
    }
}

/// Refuses what a client cannot show itself with.
fn check_client(
    entry: &Entry,
    client: &OAuth2ClientCredentials,
) -> Result<(), ImportConnectionError> {
    if entry.require_client_certificate || client.client_certificate.is_some() {
        return Err(ImportConnectionError::ClientCertificate);
    }
    let signs = entry.client_authentication == ClientAuthentication::PrivateKeyJwt;
    if !signs && client.client_secret.is_empty() {
        let message = "Invalid input: expected string, received undefined";
        return Err(refused("invalid_type", message, "client_secret"));
    }
    Ok(())
}

fn refused(code: &'static str, message: &'static str, name: &str) -> ImportConnectionError {
    ImportConnectionError::InvalidCredentials(vec![Issue {
        code,
        message: Cow::Borrowed(message),
        path: vec!["credentials".to_owned(), name.to_owned()],
    }])
}
