//! Refreshing the credentials of one connection. Runs where refreshes of that connection are
//! serialised, one at a time.

use super::{
    connection::{open_connection, seal_credentials},
    error::InternalError,
    get_connection::refresh_decision,
    integration::provider_of,
    ports::{Ports, RefreshFailure, RefreshReply, random},
    token_exchange::{TokenExchangeError, exchange},
};
use crate::{
    domain::{
        credentials::Credentials,
        refresh::{Decision, Origin, Trigger, schedule},
    },
    providers::entry::Entry,
    storage::{
        connections::ConnectionRecord,
        database::fetch_one,
        integrations::IntegrationRecord,
        refreshes::{Refreshed, store, store_failure, subject},
    },
};

/// Refreshes the connection, if that is still due once its row is read again.
pub async fn refresh_connection(
    ports: &impl Ports,
    uid: &str,
    trigger: Trigger,
) -> Result<RefreshReply, InternalError> {
    let Some(subject) = fetch_one(ports, subject(uid)).await? else {
        return Ok(RefreshReply::Gone);
    };
    let integration = subject.integration;
    let connection = open_connection(ports, &integration, subject.connection)?;
    let record = connection.record.clone();
    let (Decision::Refresh, Some(credentials)) = (
        refresh_decision(&connection, trigger, ports),
        &connection.credentials,
    ) else {
        return Ok(RefreshReply::Unchanged {
            connection: Box::new(record),
        });
    };
    let Some(provider) = provider_of(&integration)? else {
        let failure = TokenExchangeError::Unaskable(RefreshFailure::TokenUrl);
        return failed(ports, record, credentials, &failure).await;
    };
    let config = &connection.connection_config;
    match exchange(ports, &provider.entry, &integration, config, credentials).await {
        Ok(fresh) => refreshed(ports, &provider.entry, &integration, record, &fresh).await,
        Err(TokenExchangeError::Internal(error)) => Err(error),
        Err(failure) => failed(ports, record, credentials, &failure).await,
    }
}

/// Whether the provider was asked, so that the reply answers a forced refresh.
#[must_use]
pub fn was_attempted(reply: &RefreshReply) -> bool {
    match reply {
        RefreshReply::Failed { .. } | RefreshReply::Refreshed { .. } => true,
        RefreshReply::Gone | RefreshReply::Unchanged { .. } => false,
    }
}

async fn refreshed(
    ports: &impl Ports,
    entry: &Entry,
    integration: &IntegrationRecord,
    record: ConnectionRecord,
    fresh: &Credentials,
) -> Result<RefreshReply, InternalError> {
    let now = ports.now();
    let refreshed = Refreshed {
        uid: record.uid,
        credentials_version: record.credentials_version,
        credentials: seal_credentials(ports, integration, &record.connection_id, fresh),
        schedule: schedule(fresh, entry.refresh_rule(), Origin::Issued, now),
    };
    match fetch_one(ports, store(&refreshed, now)).await? {
        Some(connection) => Ok(RefreshReply::Refreshed {
            connection: Box::new(connection),
        }),
        None => overtaken(ports, &refreshed.uid).await,
    }
}

async fn failed(
    ports: &impl Ports,
    record: ConnectionRecord,
    credentials: &Credentials,
    error: &TokenExchangeError,
) -> Result<RefreshReply, InternalError> {
    let dice = u32::from_be_bytes(random(ports));
    let history = record.history.after(error.failure(), ports.now(), dice);
    let failure = store_failure(&record.uid, record.credentials_version, &history);
    match fetch_one(ports, failure).await? {
        Some(connection) => Ok(RefreshReply::Failed {
            failure: match error {
                TokenExchangeError::Unaskable(failure) => *failure,
                TokenExchangeError::Refused(_) | TokenExchangeError::Internal(_) => {
                    kind_of_failure(credentials)
                }
            },
            connection: Box::new(connection),
        }),
        None => overtaken(ports, &record.uid).await,
    }
}

fn kind_of_failure(credentials: &Credentials) -> RefreshFailure {
    match credentials {
        Credentials::OAuth2ClientCredentials(_) => RefreshFailure::ClientCredentials,
        Credentials::ApiKey { .. }
        | Credentials::Basic { .. }
        | Credentials::None
        | Credentials::OAuth1(_)
        | Credentials::OAuth2(_)
        | Credentials::Tba(_) => RefreshFailure::External,
    }
}

/// Other credentials were stored, or the connection was deleted, while the provider was asked:
/// what is stored now stands.
async fn overtaken(ports: &impl Ports, uid: &str) -> Result<RefreshReply, InternalError> {
    Ok(match fetch_one(ports, subject(uid)).await? {
        Some(subject) => RefreshReply::Unchanged {
            connection: Box::new(subject.connection),
        },
        None => RefreshReply::Gone,
    })
}
