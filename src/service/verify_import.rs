//! Verifying an import by one refresh, all or nothing. Runs in a refresh object, because the
//! credentials that come back are the only ones that still work: like those of any refresh they
//! are durable before they are used.

use super::{
    connection::{grant_fingerprint, open_connection_config, open_credentials, seal_credentials},
    error::InternalError,
    integration::provider_of,
    journal::{Entry, Import, Intent, Journal},
    pending::finish_pending,
    pending_import::store,
    ports::{Ports, VerifyReply, VerifyRequest, random_uuid},
    token_exchange::{
        TokenExchangeError, exchange,
        issued::{Checkpoint, Issued},
    },
};
use crate::{
    domain::{attempt::Attempt, refresh::Trigger},
    providers::entry,
    storage::{
        database::{Query, fetch_one},
        imports::{Holder, ImportSubject, Turn, UpsertConnection, subject},
        integrations::IntegrationRecord,
    },
};

/// What came of a verification.
#[derive(Debug)]
pub struct Verification {
    /// What the caller is told.
    pub reply: VerifyReply,
    /// The attempt that was made, if one was.
    pub attempt: Option<Attempt>,
    /// What broke without harm to the reply.
    pub trouble: Option<InternalError>,
}

impl Verification {
    fn unattempted(reply: VerifyReply) -> Self {
        Self {
            reply,
            attempt: None,
            trouble: None,
        }
    }

    fn failed(attempt: Attempt) -> Self {
        Self {
            reply: VerifyReply::Failed {
                attempt: attempt.clone(),
            },
            attempt: Some(attempt),
            trouble: None,
        }
    }
}

/// Refreshes credentials that are about to be imported, and stores what the provider gives in
/// their place. Nobody is asked if another connection holds the grant, or any a later token of it:
/// asking may end it.
pub async fn verify_import(
    ports: &impl Ports,
    journal: &impl Journal,
    request: &VerifyRequest,
) -> Result<Verification, InternalError> {
    if let Some((_, error)) = finish_pending(ports, journal).await? {
        return Err(error);
    }
    let connection = &request.connection;
    let reply = match fetch_one(ports, subject_of(connection, &request.grants)).await? {
        None => VerifyReply::Gone,
        Some(ImportSubject {
            holder: Some(holder),
            ..
        }) => VerifyReply::Duplicate {
            connection_id: holder.connection_id,
        },
        Some(ImportSubject {
            integration,
            holder: None,
            replaced,
        }) => {
            let replaced = replaced.map(|replaced| replaced.uid);
            return attempt(ports, journal, connection, &integration, replaced).await;
        }
    };
    Ok(Verification::unattempted(reply))
}

async fn attempt(
    ports: &impl Ports,
    journal: &impl Journal,
    connection: &UpsertConnection,
    integration: &IntegrationRecord,
    replaced: Option<String>,
) -> Result<Verification, InternalError> {
    let intent = Intent {
        attempt: random_uuid(ports),
        uid: connection.uid.clone(),
        trigger: Trigger::Import,
        credentials_version: 0,
        sent: connection.grant_fingerprint.clone(),
        number: 1,
        started_at: ports.now(),
    };
    let Some(provider) = provider_of(integration)? else {
        let failure = TokenExchangeError::unknown_provider();
        return Ok(Verification::failed(failure.attempt(&intent, ports.now())));
    };
    let name = &connection.connection_id;
    let credentials = open_credentials(ports, integration, name, &connection.credentials)?;
    let config = open_connection_config(ports, integration, name, &connection.connection_config)?;

    let entry = &provider.entry;
    let wake_at = Intent::cut_off_at(entry, intent.started_at);
    journal
        .write(&Entry::Intent(intent.clone()), wake_at)
        .await?;
    let verified = Verified {
        ports,
        journal,
        entry,
        integration,
        connection,
        replaced,
        intent,
    };
    match exchange(ports, entry, integration, &config, &credentials, &verified).await {
        Ok(issued) => {
            let shortfall = issued.shortfall.as_deref();
            let shortfall = shortfall.map(|error| error.attempt(&verified.intent, ports.now()));
            let import = verified.import(&issued, shortfall);
            land(ports, journal, import).await
        }
        Err(error) => {
            let intent = verified.intent;
            journal.clear(&intent.attempt);
            match error {
                TokenExchangeError::Internal(error) => Err(error),
                failure => Ok(Verification::failed(failure.attempt(&intent, ports.now()))),
            }
        }
    }
}

/// The import that a verification makes.
struct Verified<'a, P, J> {
    ports: &'a P,
    journal: &'a J,
    entry: &'a entry::Entry,
    integration: &'a IntegrationRecord,
    connection: &'a UpsertConnection,
    replaced: Option<String>,
    intent: Intent,
}

impl<P: Ports, J: Journal> Verified<'_, P, J> {
    /// The connection with credentials that the provider issued just now, and how the attempt
    /// ended if they are not all.
    fn import(&self, issued: &Issued, shortfall: Option<Attempt>) -> Import {
        let (ports, integration) = (self.ports, self.integration);
        let (now, fresh) = (ports.now(), &issued.credentials);
        let name = &self.connection.connection_id;
        Import {
            intent: self.intent.clone(),
            connection: UpsertConnection {
                credentials: seal_credentials(ports, integration, name, fresh),
                grant_fingerprint: grant_fingerprint(ports, integration, fresh),
                schedule: issued.schedule(self.entry.refresh_rule(), shortfall.is_some(), now),
                ..self.connection.clone()
            },
            replaced: self.replaced.clone(),
            status: issued.status,
            issued_at: now,
            shortfall: shortfall
                .or_else(|| issued.remarked(&self.intent, now))
                .map(Box::new),
        }
    }
}

impl<P: Ports, J: Journal> Checkpoint for Verified<'_, P, J> {
    async fn keep(&self, issued: &Issued) -> Result<(), InternalError> {
        let now = self.ports.now();
        let cut_off = self.intent.cut_off_between(issued.status, now);
        let import = self.import(issued, Some(cut_off));
        let wake_at = Intent::cut_off_at(self.entry, now);
        let entry = Entry::Import(Box::new(import));
        Ok(self.journal.write(&entry, wake_at).await?)
    }
}

async fn land(
    ports: &impl Ports,
    journal: &impl Journal,
    import: Import,
) -> Result<Verification, InternalError> {
    let attempt = Some(import.attempt());
    let retry_at = import.retry_at();
    let entry = Entry::Import(Box::new(import.clone()));
    // Where the object's storage fails, the database is the only place left for the credentials.
    let written = journal.write(&entry, retry_at).await;
    let (reply, trouble) = match stored(ports, &import).await {
        Ok(reply) => {
            journal.clear(&import.intent.attempt);
            (reply, written.err().map(InternalError::from))
        }
        Err(error) => {
            // The caller is told that they will be stored, which rests on the entry alone.
            if written.is_err() {
                journal.write(&entry, retry_at).await?;
            }
            (VerifyReply::Pending, Some(error))
        }
    };
    Ok(Verification {
        reply,
        attempt,
        trouble,
    })
}

/// Stores an import, or tells what stands in its way.
async fn stored(ports: &impl Ports, import: &Import) -> Result<VerifyReply, InternalError> {
    let connection = &import.connection;
    let grants = connection.grant_fingerprint.as_slice();
    loop {
        if let Some(record) = store(ports, import, Turn::First).await? {
            let connection = Box::new(record);
            return Ok(VerifyReply::Stored { connection });
        }
        let Some(subject) = fetch_one(ports, subject_of(connection, grants)).await? else {
            return Ok(VerifyReply::Gone);
        };
        // A holder that is not there any more stands in nobody's way.
        if let Some(Holder { connection_id, .. }) = subject.holder {
            return Ok(VerifyReply::Duplicate { connection_id });
        }
    }
}

fn subject_of(connection: &UpsertConnection, grants: &[String]) -> Query<ImportSubject> {
    let name = &connection.connection_id;
    subject(connection.integration_id, name, grants)
}
