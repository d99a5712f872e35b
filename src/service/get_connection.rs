//! Handing out a connection with credentials that work.

use super::{
    authenticate::is_older_than_a_minute,
    connection::{Connection, open_connection, open_without_credentials},
    error::InternalError,
    ports::{Ports, RefreshFailure, RefreshReply},
};
use crate::{
    domain::{
        refresh::{Decision, History, Refusal, Trigger, decide, is_expired},
        timestamp::Timestamp,
    },
    storage::{
        connections::{ConnectionRecord, FoundConnection, touch},
        integrations::IntegrationRecord,
    },
};

/// Why a connection is not handed out.
#[derive(Debug, thiserror::Error)]
pub enum GetConnectionError {
    /// Its credentials have ended and could not be refreshed.
    #[error("no valid credentials")]
    InvalidCredentials {
        /// Why.
        failure: RefreshFailure,
        /// The connection, without credentials.
        connection: Box<Connection>,
    },
    /// There is no such connection.
    #[error("unknown connection")]
    UnknownConnection,
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// Hands out the connection that was found, refreshed first if it is due or if that is forced.
pub async fn get_connection(
    ports: &impl Ports,
    found: FoundConnection,
    trigger: Trigger,
) -> Result<Connection, GetConnectionError> {
    let FoundConnection {
        integration,
        connection,
    } = found;
    let record = connection.ok_or(GetConnectionError::UnknownConnection)?;
    let connection = open_connection(ports, &integration, record)?;
    let paused_until = integration.refreshes_paused_until;
    let outcome = match refresh_decision(&connection, paused_until, trigger, ports) {
        Decision::Use => Outcome::Works(connection),
        Decision::Refuse(refusal) => Outcome::Ended(refusal.into(), connection),
        Decision::Refresh => {
            let reply = ports.refresh(&connection.record.uid, trigger).await?;
            outcome_of(ports, &integration, connection, reply, trigger)?
        }
    };
    match outcome {
        Outcome::Works(connection) => Ok(handed_out(ports, connection)),
        Outcome::Ended(failure, connection) => {
            let connection = Box::new(Connection {
                credentials: None,
                ..connection
            });
            Err(GetConnectionError::InvalidCredentials {
                failure,
                connection,
            })
        }
    }
}

/// Whether there is something to hand out.
enum Outcome {
    Ended(RefreshFailure, Connection),
    Works(Connection),
}

fn outcome_of(
    ports: &impl Ports,
    integration: &IntegrationRecord,
    before: Connection,
    reply: RefreshReply,
    trigger: Trigger,
) -> Result<Outcome, GetConnectionError> {
    let open = |record: Box<ConnectionRecord>| open_connection(ports, integration, *record);
    Ok(match reply {
        RefreshReply::Gone => return Err(GetConnectionError::UnknownConnection),
        RefreshReply::Pending {
            credentials,
            schedule,
            issued_at,
        } => {
            let history = History {
                last_success_at: Some(issued_at),
                ..History::default()
            };
            let connection = open(Box::new(ConnectionRecord {
                credentials,
                schedule,
                history,
                ..before.record
            }))?;
            if has_ended(&connection, ports) {
                Outcome::Ended(RefreshFailure::BackingOff, connection)
            } else {
                Outcome::Works(connection)
            }
        }
        RefreshReply::Refreshed { connection } => Outcome::Works(open(connection)?),
        RefreshReply::Unchanged { connection } => {
            let connection = open(connection)?;
            let paused_until = integration.refreshes_paused_until;
            match refresh_decision(&connection, paused_until, Trigger::Read, ports) {
                Decision::Refuse(refusal) => Outcome::Ended(refusal.into(), connection),
                // Credentials that were imported meanwhile can have ended already.
                Decision::Refresh if has_ended(&connection, ports) => {
                    Outcome::Ended(RefreshFailure::External, connection)
                }
                Decision::Refresh | Decision::Use => Outcome::Works(connection),
            }
        }
        RefreshReply::Failed {
            failure,
            connection,
        } => {
            let connection = open(connection)?;
            // A token that still works outlives a failed refresh. Who forces a refresh says that
            // it does not work for them.
            if trigger == Trigger::Read && !has_ended(&connection, ports) {
                Outcome::Works(connection)
            } else {
                Outcome::Ended(failure, connection)
            }
        }
    })
}

/// Hands out the connection that was found as it is, without its credentials.
pub fn describe_connection(
    ports: &impl Ports,
    found: FoundConnection,
) -> Result<Connection, GetConnectionError> {
    let record = found
        .connection
        .ok_or(GetConnectionError::UnknownConnection)?;
    Ok(open_without_credentials(ports, &found.integration, record)?)
}

/// What to do with a connection before handing it out. `paused_until` is when unforced refreshes
/// of its integration go on.
pub(super) fn refresh_decision(
    connection: &Connection,
    paused_until: Option<Timestamp>,
    trigger: Trigger,
    ports: &impl Ports,
) -> Decision {
    let Some(credentials) = &connection.credentials else {
        return Decision::Use;
    };
    let record = &connection.record;
    decide(
        credentials,
        record.schedule,
        &record.history.paused(paused_until),
        trigger,
        ports.now(),
    )
}

fn has_ended(connection: &Connection, ports: &impl Ports) -> bool {
    is_expired(connection.record.schedule, ports.now())
}

/// Answers with the present as the time of the last fetch, and stores it once a minute.
fn handed_out(ports: &impl Ports, mut connection: Connection) -> Connection {
    let now = ports.now();
    if is_older_than_a_minute(connection.record.last_fetched_at, now) {
        ports.after_response(touch(&connection.record.uid, now));
    }
    connection.record.last_fetched_at = Some(now);
    connection
}

impl From<Refusal> for RefreshFailure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BackingOff => Self::BackingOff,
            Refusal::Exhausted => Self::Exhausted,
        }
    }
}
