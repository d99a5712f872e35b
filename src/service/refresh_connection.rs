//! Refreshing the credentials of one connection. Runs where refreshes of that connection are
//! serialised, one at a time.
//!
//! Nothing single-use is sent before the intent is durable, and no new credentials are used
//! before they are durable. Not here: what becomes of an attempt that was cut off, and how new
//! credentials get into the database, which is `pending`'s.

use super::{
    connection::{Connection, grant_fingerprint, open_connection, seal_credentials},
    error::InternalError,
    get_connection::refresh_decision,
    integration::provider_of,
    journal::{Entry, Intent, Journal, Pair},
    pending::{Held, Landing, MAX_TRIES, finish_pending, held, land},
    ports::{Ports, RefreshFailure, RefreshReply, random, random_uuid},
    token_exchange::{
        TokenExchangeError, exchange,
        issued::{Checkpoint, Issued},
    },
};
use crate::{
    domain::{
        attempt::Attempt,
        credentials::Credentials,
        refresh::{Decision, Failure, History, Rotation, Schedule, Trigger},
        timestamp::Timestamp,
    },
    providers::entry,
    storage::{
        connections::ConnectionRecord,
        database::{Query, fetch_one, fetch_one_and},
        integrations::IntegrationRecord,
        refreshes::{count_answer, count_failure, log, store_failure, subject},
    },
};

/// What came of a refresh.
#[derive(Debug)]
pub struct Refresh {
    /// What the caller is told.
    pub reply: RefreshReply,
    /// The attempt that was made, if one was.
    pub attempt: Option<Attempt>,
    /// What broke without harm to the reply.
    pub trouble: Option<InternalError>,
}

impl Refresh {
    fn unattempted(reply: RefreshReply) -> Self {
        Self {
            reply,
            attempt: None,
            trouble: None,
        }
    }
}

/// Refreshes the connection, if that is still due once its row is read again.
pub async fn refresh_connection(
    ports: &impl Ports,
    journal: &impl Journal,
    uid: &str,
    trigger: Trigger,
) -> Result<Refresh, InternalError> {
    if let Some((pair, error)) = finish_pending(ports, journal).await? {
        return Ok(Refresh {
            trouble: Some(error),
            ..Refresh::unattempted(pending(*pair))
        });
    }
    let Some(subject) = fetch_one(ports, subject(uid)).await? else {
        return Ok(Refresh::unattempted(RefreshReply::Gone));
    };
    let integration = subject.integration;
    let connection = open_connection(ports, &integration, subject.connection)?;
    let paused_until = integration.refreshes_paused_until;
    let (Decision::Refresh, Some(credentials)) = (
        refresh_decision(&connection, paused_until, trigger, ports),
        &connection.credentials,
    ) else {
        // Whoever asks may have read the integration before it was paused.
        let history = connection.record.history.paused(paused_until);
        let connection = Box::new(ConnectionRecord {
            history,
            ..connection.record
        });
        return Ok(Refresh::unattempted(RefreshReply::Unchanged { connection }));
    };
    let provider = provider_of(&integration)?;
    let subject = Subject {
        rotation: provider
            .as_ref()
            .map_or(Rotation::Unknown, |it| it.entry.rotation),
        intent: Intent {
            attempt: random_uuid(ports),
            uid: uid.to_owned(),
            trigger,
            credentials_version: connection.record.credentials_version,
            sent: grant_fingerprint(ports, &integration, credentials),
            number: connection.record.history.failures.saturating_add(1),
            started_at: ports.now(),
        },
        credentials,
        connection: &connection,
        integration: &integration,
    };
    let Some(provider) = provider else {
        let failure = TokenExchangeError::unknown_provider();
        return subject.failed(ports, &failure).await;
    };

    let entry = &provider.entry;
    let wake_at = Intent::cut_off_at(entry, subject.intent.started_at);
    let intent = Entry::Intent(subject.intent.clone());
    journal.write(&intent, wake_at).await?;
    let config = &connection.connection_config;
    let between = Between {
        ports,
        journal,
        entry,
        subject: &subject,
    };
    let result = match exchange(ports, entry, &integration, config, credentials, &between).await {
        Ok(issued) => return Ok(subject.refreshed(ports, journal, entry, issued).await),
        Err(TokenExchangeError::Internal(error)) => Err(error),
        Err(failure) => subject.failed(ports, &failure).await,
    };
    journal.clear(&subject.intent.attempt);
    result
}

/// Keeps what the earlier requests of an attempt gave, while the later ones are made.
struct Between<'a, P, J> {
    ports: &'a P,
    journal: &'a J,
    entry: &'a entry::Entry,
    subject: &'a Subject<'a>,
}

impl<P: Ports, J: Journal> Checkpoint for Between<'_, P, J> {
    async fn keep(&self, issued: &Issued) -> Result<(), InternalError> {
        let now = self.ports.now();
        let cut_off = self.subject.intent.cut_off_between(issued.status, now);
        let pair = self
            .subject
            .pair(self.ports, self.entry, issued, Some(cut_off));
        let wake_at = Intent::cut_off_at(self.entry, now);
        Ok(self.journal.write(&Entry::Pair(pair), wake_at).await?)
    }
}

/// Whether the provider was asked, so that the reply answers a forced refresh.
#[must_use]
pub fn was_attempted(reply: &RefreshReply) -> bool {
    match reply {
        RefreshReply::Failed { .. }
        | RefreshReply::Pending { .. }
        | RefreshReply::Refreshed { .. } => true,
        RefreshReply::Gone | RefreshReply::Unchanged { .. } => false,
    }
}

fn pending(pair: Pair) -> RefreshReply {
    RefreshReply::Pending {
        credentials: pair.credentials,
        schedule: pair.schedule,
        issued_at: pair.issued_at,
    }
}

/// What an attempt is about.
struct Subject<'a> {
    intent: Intent,
    rotation: Rotation,
    connection: &'a Connection,
    credentials: &'a Credentials,
    integration: &'a IntegrationRecord,
}

impl Subject<'_> {
    async fn refreshed(
        &self,
        ports: &impl Ports,
        journal: &impl Journal,
        entry: &entry::Entry,
        issued: Issued,
    ) -> Refresh {
        let now = ports.now();
        let shortfall = issued.shortfall.as_deref();
        let fell_short = shortfall.map(|error| error.attempt(&self.intent, now));
        let pair = self.pair(ports, entry, &issued, fell_short);
        let attempt = pair.attempt();
        // Where the object's storage fails, the database is the only place left for the pair.
        let written = journal
            .write(&Entry::Pair(pair.clone()), pair.retry_at(now))
            .await;
        let trouble = written.err().map(InternalError::from);
        let (reply, trouble) = match land(ports, journal, pair).await {
            Landing::Stored(connection) => match shortfall {
                None => (RefreshReply::Refreshed { connection }, trouble),
                Some(error) => {
                    let (reply, failed) = self.fell_short(ports, error, *connection).await;
                    (reply, trouble.or(failed))
                }
            },
            Landing::Overtaken(connection) => (RefreshReply::Unchanged { connection }, trouble),
            Landing::Gone => (RefreshReply::Gone, trouble),
            Landing::Waiting(pair, error) => (pending(*pair), Some(error)),
        };
        Refresh {
            reply,
            attempt: Some(attempt),
            trouble,
        }
    }

    /// Records that a later request of the attempt failed, after what the earlier ones gave was
    /// `stored`. The grant works, so the refresh is not given up whatever the provider said.
    async fn fell_short(
        &self,
        ports: &impl Ports,
        error: &TokenExchangeError,
        stored: ConnectionRecord,
    ) -> (RefreshReply, Option<InternalError>) {
        let now = ports.now();
        let transient = Failure::Transient {
            retry_after_seconds: error.failure().retry_after_seconds(),
        };
        let dice = u32::from_be_bytes(random(ports));
        let history = History {
            failure_log: Some(self.intent.attempt.clone()),
            ..self.connection.record.history.after(transient, now, dice)
        };
        let (version, due_at) = (stored.credentials_version, stored.schedule.due_at);
        let store = store_failure(&stored.uid, version, &history, due_at);
        let (connection, trouble) = match fetch_one(ports, store).await {
            Ok(Some(connection)) => (connection, None),
            // Other credentials were stored since.
            Ok(None) => (stored, None),
            Err(error) => (ConnectionRecord { history, ..stored }, Some(error.into())),
        };
        let reply = RefreshReply::Failed {
            failure: self.kind_of(error),
            connection: Box::new(connection),
        };
        (reply, trouble)
    }

    /// New credentials, ready to be stored, and how the attempt ended if they are not all.
    fn pair(
        &self,
        ports: &impl Ports,
        entry: &entry::Entry,
        issued: &Issued,
        shortfall: Option<Attempt>,
    ) -> Pair {
        let (now, fresh) = (ports.now(), &issued.credentials);
        let record = &self.connection.record;
        Pair {
            intent: self.intent.clone(),
            integration_id: self.integration.id,
            connection_id: record.connection_id.clone(),
            connection_config: record.connection_config.clone(),
            credentials: seal_credentials(ports, self.integration, &record.connection_id, fresh),
            grant_fingerprint: grant_fingerprint(ports, self.integration, fresh),
            schedule: issued.schedule(entry.refresh_rule(), shortfall.is_some(), now),
            status: issued.status,
            issued_at: now,
            failures: 0,
            shortfall: shortfall
                .or_else(|| issued.remarked(&self.intent, now))
                .map(Box::new),
        }
    }

    async fn failed(
        &self,
        ports: &impl Ports,
        error: &TokenExchangeError,
    ) -> Result<Refresh, InternalError> {
        let now = ports.now();
        let record = &self.connection.record;
        let dice = u32::from_be_bytes(random(ports));
        let history = record.history.after(error.failure(), now, dice);
        let attempt = Attempt {
            retry_at: history.next_retry_at(),
            ..error.attempt(&self.intent, now)
        };
        let failure = self.kind_of(error);
        let writes = self.writes_after(error, &attempt, now);
        let stored = self
            .store_failure(ports, error, failure, dice, writes)
            .await;
        let (reply, trouble) = match stored {
            Ok(reply) => (reply, None),
            // Nothing is lost but the count of failures, and the old credentials may still work.
            Err(error) => {
                let connection = Box::new(ConnectionRecord {
                    history,
                    ..record.clone()
                });
                let reply = RefreshReply::Failed {
                    failure,
                    connection,
                };
                (reply, Some(error))
            }
        };
        Ok(Refresh {
            reply,
            attempt: Some(attempt),
            trouble,
        })
    }

    /// Stores the failure over the row that holds what was sent: over another version of it too,
    /// where an import brought the same refresh token meanwhile. Gives the reply.
    async fn store_failure(
        &self,
        ports: &impl Ports,
        error: &TokenExchangeError,
        failure: RefreshFailure,
        dice: u32,
        writes: Vec<Query<()>>,
    ) -> Result<RefreshReply, InternalError> {
        let mut record = self.connection.record.clone();
        let mut writes = Some(writes);
        for _ in 0..MAX_TRIES {
            let mut history = record.history.after(error.failure(), ports.now(), dice);
            history.failure_log = Some(self.intent.attempt.clone());
            let due_at = self.due_at_after(error, record.schedule, ports.now());
            let version = record.credentials_version;
            let store = store_failure(&record.uid, version, &history, due_at);
            let writes = writes.take().unwrap_or_default();
            if let Some(connection) = fetch_one_and(ports, store, writes).await? {
                let connection = Box::new(connection);
                return Ok(RefreshReply::Failed {
                    failure,
                    connection,
                });
            }
            match held(ports, &self.intent).await? {
                Held::Gone => return Ok(RefreshReply::Gone),
                Held::Other(connection) => return Ok(RefreshReply::Unchanged { connection }),
                Held::Same(current) => record = current.connection,
            }
        }
        let connection = Box::new(record);
        Ok(RefreshReply::Unchanged { connection })
    }

    fn kind_of(&self, error: &TokenExchangeError) -> RefreshFailure {
        match error {
            TokenExchangeError::Unaskable { failure, .. } => *failure,
            TokenExchangeError::Refused { .. } | TokenExchangeError::Internal(_) => {
                RefreshFailure::of(self.credentials)
            }
        }
    }

    /// When the credentials are due after a failure. An answer that was lost may have rotated the
    /// refresh token, and where reuse is known to revoke the grant, an access token that still
    /// works is not put at risk by another attempt.
    fn due_at_after(
        &self,
        error: &TokenExchangeError,
        schedule: Schedule,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let is_at_risk = self.intent.sent.is_some()
            && self.rotation == Rotation::ReuseRevokes
            && error.may_have_rotated();
        if !is_at_risk {
            return schedule.due_at;
        }
        let started_at = self.intent.started_at;
        schedule
            .after_unknown_outcome(self.rotation, started_at, now)
            .due_at
    }

    fn writes_after(
        &self,
        error: &TokenExchangeError,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Vec<Query<()>> {
        let uid = &self.intent.uid;
        let mut writes = vec![log(uid, attempt)];
        match error.failure() {
            Failure::Final => writes.push(count_answer(uid)),
            // Who forces refreshes of one connection in a row says nothing of the others.
            Failure::Transient { .. } if self.intent.trigger != Trigger::Force => {
                writes.push(count_failure(uid, now));
            }
            Failure::NotAsked | Failure::Transient { .. } => {}
        }
        writes
    }
}
