//! What is left of an attempt: new credentials that the database does not have yet, or the mere
//! intent to ask, found after a restart.

use super::{
    connection::{has_grant, open_connection_config, open_credentials, seal_credentials},
    error::InternalError,
    integration::provider_of,
    journal::{Entry, Intent, Journal, Pair},
    pending_import::{ImportGivenUp, finish_import},
    ports::{Ports, random},
    revocation::revoke,
};
use crate::{
    domain::{
        attempt::{Attempt, AttemptOutcome},
        credentials::{Credentials, Exchanged, OAuth2},
        refresh::{History, Rotation, Trigger},
        timestamp::Timestamp,
    },
    storage::{
        connections::ConnectionRecord,
        database::{fetch, fetch_one, fetch_one_and},
        imports::holder,
        integrations::{IntegrationRecord, by_id},
        refreshes::{RefreshSubject, Refreshed, count_answer, log, store, store_failure, subject},
    },
    vault::envelope::Sealed,
};

/// Finishes what is pending. Gives the pair that the database still does not take, and why.
pub async fn finish_pending(
    ports: &impl Ports,
    journal: &impl Journal,
) -> Result<Option<(Box<Pair>, InternalError)>, InternalError> {
    match journal.read()? {
        None => Ok(None),
        Some(Entry::Pair(pair)) => match land(ports, journal, pair).await {
            Landing::Waiting(pair, error) => Ok(Some((pair, error))),
            Landing::Gone | Landing::Overtaken(_) | Landing::Stored(_) => Ok(None),
        },
        Some(Entry::Import(import)) => {
            finish_import(ports, journal, &import).await?;
            Ok(None)
        }
        Some(Entry::Intent(intent)) if intent.trigger == Trigger::Import => {
            ports.report(&ImportGivenUp::CutOff.into());
            journal.clear(&intent.attempt);
            Ok(None)
        }
        Some(Entry::Intent(intent)) => {
            record_unknown_outcome(ports, &intent).await?;
            journal.clear(&intent.attempt);
            Ok(None)
        }
    }
}

/// Where a new pair ended up.
#[derive(Debug)]
pub enum Landing {
    /// The connection was deleted.
    Gone,
    /// Another grant was imported meanwhile, and stands.
    Overtaken(Box<ConnectionRecord>),
    /// The database has it.
    Stored(Box<ConnectionRecord>),
    /// The database did not take it: it stays in the journal, and the alarm tries again.
    Waiting(Box<Pair>, InternalError),
}

/// Brings a new pair, which is durable, into the database.
pub async fn land(ports: &impl Ports, journal: &impl Journal, mut pair: Pair) -> Landing {
    match project(ports, &pair).await {
        Ok(landing) => {
            if matches!(landing, Landing::Gone) {
                revoke_pair(ports, &pair).await;
            }
            journal.clear(&pair.intent.attempt);
            landing
        }
        Err(error) => {
            pair.failures = pair.failures.saturating_add(1);
            let retry_at = pair.retry_at(ports.now());
            let kept = journal.write(&Entry::Pair(pair.clone()), retry_at).await;
            Landing::Waiting(
                Box::new(pair),
                kept.err().map_or(error, InternalError::from),
            )
        }
    }
}

/// Revokes the pair of a connection that was deleted meanwhile, as well as that goes, because
/// nobody will ever ask for it. Not if its refresh token is the one that was sent, which others
/// may know, or if another connection was given that one.
async fn revoke_pair(ports: &impl Ports, pair: &Pair) {
    let holder = holder(pair.integration_id, "", pair.intent.sent.as_slice());
    if !pair.is_rotated() || !matches!(fetch_one(ports, holder).await, Ok(None)) {
        return;
    }
    let Ok(Some(integration)) = fetch_one(ports, by_id(pair.integration_id)).await else {
        return;
    };
    let name = &pair.connection_id;
    let config = open_connection_config(ports, &integration, name, &pair.connection_config);
    let credentials = open_credentials(ports, &integration, name, &pair.credentials);
    if let (Ok(config), Ok(credentials)) = (config, credentials) {
        revoke(ports, &integration, &config, &credentials).await;
    }
}

/// Writes the pair over the row that it was issued for: over another version of it too, where an
/// import brought the refresh token that this pair replaces.
async fn project(ports: &impl Ports, pair: &Pair) -> Result<Landing, InternalError> {
    let uid = &pair.intent.uid;
    let mut refreshed = Refreshed {
        uid: uid.clone(),
        credentials_version: pair.intent.credentials_version,
        credentials: pair.credentials.clone(),
        grant_fingerprint: pair.grant_fingerprint.clone(),
        schedule: pair.schedule,
        issued_at: pair.issued_at,
    };
    for _ in 0..MAX_TRIES {
        let mut writes = vec![log(uid, &pair.attempt())];
        // A pair that waited tells nothing of how the provider is now.
        if pair.failures == 0 {
            writes.push(count_answer(uid));
        }
        if let Some(connection) = fetch_one_and(ports, store(&refreshed), writes).await? {
            return Ok(Landing::Stored(Box::new(connection)));
        }
        match held(ports, &pair.intent).await? {
            Held::Gone => return Ok(Landing::Gone),
            Held::Same(current) if pair.is_rotated() => {
                refreshed.credentials_version = current.connection.credentials_version;
                refreshed.credentials = with_client_of(ports, &current, pair)?;
            }
            Held::Same(current) => return Ok(Landing::Overtaken(Box::new(current.connection))),
            Held::Other(connection) => return Ok(Landing::Overtaken(connection)),
        }
    }
    Err(InternalError::RefreshObject(
        "the connection was imported again and again".to_owned(),
    ))
}

/// The credentials of the pair, sealed with the client or the inputs that were imported meanwhile.
fn with_client_of(
    ports: &impl Ports,
    current: &Holding,
    pair: &Pair,
) -> Result<Sealed, InternalError> {
    let (integration, name) = (&current.integration, &pair.connection_id);
    let fresh = open_credentials(ports, integration, name, &pair.credentials)?;
    let fresh = match (fresh, &current.credentials) {
        (Credentials::OAuth2(fresh), Credentials::OAuth2(imported)) => {
            Credentials::OAuth2(OAuth2 {
                config_override: imported.config_override.clone(),
                ..fresh
            })
        }
        (Credentials::Exchanged(fresh), Credentials::Exchanged(imported)) => {
            Credentials::Exchanged(Exchanged {
                inputs: imported.inputs.clone(),
                ..fresh
            })
        }
        (fresh, _) => fresh,
    };
    Ok(seal_credentials(ports, integration, name, &fresh))
}

/// What a row holds now, compared with the refresh token that an attempt sent.
#[derive(Debug)]
pub enum Held {
    /// There is no such row any more.
    Gone,
    /// Something else.
    Other(Box<ConnectionRecord>),
    /// The same refresh token.
    Same(Box<Holding>),
}

/// A row that holds the refresh token that was sent.
#[derive(Debug)]
pub struct Holding {
    /// The integration.
    pub integration: IntegrationRecord,
    /// The row.
    pub connection: ConnectionRecord,
    /// Its credentials.
    pub credentials: Credentials,
}

/// Reads the row of an attempt again.
pub async fn held(ports: &impl Ports, intent: &Intent) -> Result<Held, InternalError> {
    let subject = fetch_one(ports, subject(&intent.uid)).await?;
    subject.map_or(Ok(Held::Gone), |subject| holds(ports, subject, intent))
}

fn holds(
    ports: &impl Ports,
    subject: RefreshSubject,
    intent: &Intent,
) -> Result<Held, InternalError> {
    let RefreshSubject {
        integration,
        connection,
    } = subject;
    let name = &connection.connection_id;
    let credentials = open_credentials(ports, &integration, name, &connection.credentials)?;
    let is_same = intent
        .sent
        .as_ref()
        .is_some_and(|sent| has_grant(ports, &integration, &credentials, sent));
    Ok(if is_same {
        Held::Same(Box::new(Holding {
            integration,
            connection,
            credentials,
        }))
    } else {
        Held::Other(Box::new(connection))
    })
}

/// Records that nobody knows how an attempt ended. What follows depends on what the provider does
/// with a refresh token that is sent twice.
async fn record_unknown_outcome(ports: &impl Ports, intent: &Intent) -> Result<(), InternalError> {
    let Some(subject) = fetch_one(ports, subject(&intent.uid)).await? else {
        return Ok(());
    };
    // The attempt may have ended before its entry was removed.
    if subject.connection.history.failure_log.as_ref() == Some(&intent.attempt) {
        return Ok(());
    }
    let provider = provider_of(&subject.integration)?;
    let rotation = match (&intent.sent, provider) {
        // Nothing single-use was sent.
        (None, _) => Rotation::None,
        (Some(_), provider) => provider.map_or(Rotation::Unknown, |it| it.entry.rotation),
    };
    let now = ports.now();
    let is_as_before = subject.connection.credentials_version == intent.credentials_version;
    let record = match holds(ports, subject, intent)? {
        Held::Same(current) => Some(current.connection),
        Held::Other(record) if is_as_before => Some(*record),
        Held::Other(_) | Held::Gone => None,
    };
    let dice = u32::from_be_bytes(random(ports));
    let history = record
        .as_ref()
        .map(|record| record.history.after_unknown_outcome(now, dice));
    let attempt = Attempt {
        error: Some(CUT_OFF.to_owned()),
        retry_at: history.as_ref().and_then(History::next_retry_at),
        ..intent.ended(AttemptOutcome::Unknown, now)
    };
    let log = log(&intent.uid, &attempt);
    let (Some(record), Some(mut history)) = (record, history) else {
        fetch(ports, log).await?;
        return Ok(());
    };
    history.failure_log = Some(attempt.id);
    let schedule = record
        .schedule
        .after_unknown_outcome(rotation, intent.started_at, now);
    let version = record.credentials_version;
    let failure = store_failure(&intent.uid, version, &history, schedule.due_at);
    fetch_one_and(ports, failure, [log]).await?;
    Ok(())
}

impl Pair {
    /// The attempt that brought the pair.
    #[must_use]
    pub fn attempt(&self) -> Attempt {
        self.shortfall
            .as_deref()
            .cloned()
            .unwrap_or_else(|| Attempt {
                status: self.status,
                ..self.intent.ended(AttemptOutcome::Refreshed, self.issued_at)
            })
    }

    /// When the database is asked again to take the pair.
    pub(super) fn retry_at(&self, now: Timestamp) -> Timestamp {
        let wait = FIRST_RETRY_MILLIS << self.failures.min(MAX_DOUBLINGS);
        now.plus_millis(wait)
    }
}

/// How often a row that is imported again and again is read anew.
pub(super) const MAX_TRIES: u32 = 5;
const CUT_OFF: &str =
    "the attempt was cut off: whether the provider gave new credentials is unknown";
const FIRST_RETRY_MILLIS: i64 = 5_000;
/// So the longest wait is a little over ten minutes.
const MAX_DOUBLINGS: u32 = 7;
