//! What the object of a connection keeps in storage of its own while a refresh is pending, and
//! the port to that storage. It is empty otherwise: the database is the record.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        attempt::{Attempt, AttemptOutcome},
        refresh::{Schedule, Trigger},
        timestamp::Timestamp,
    },
    providers::entry,
    storage::imports::UpsertConnection,
    vault::envelope::Sealed,
};

/// Storage of one entry, in the place where refreshes of a connection are serialised.
#[expect(
    async_fn_in_trait,
    reason = "an isolate has one thread, so no future needs to be `Send`"
)]
pub trait Journal {
    /// The entry, if something is pending.
    fn read(&self) -> Result<Option<Entry>, JournalError>;

    /// Puts `entry` in place of what is there and sets the alarm, in one commit. Nothing that is
    /// sent afterwards leaves before the entry is durable.
    async fn write(&self, entry: &Entry, wake_at: Timestamp) -> Result<(), JournalError>;

    /// Removes the entry of an attempt, and the alarm, once the answer is sent. Until then
    /// [`Self::read`] gives nothing.
    fn clear(&self, attempt: &str);
}

/// Why the storage is of no use. For the log, never for a caller.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the storage of the refresh object failed: {0}")]
pub struct JournalError(pub String);

/// What is pending.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The provider answered with new credentials for an import, which the database may not have
    /// yet.
    Import(Box<Import>),
    /// The provider is about to be asked. Found after a restart, it says that nobody knows
    /// whether the provider rotated the refresh token.
    Intent(Intent),
    /// The provider answered with new credentials, which the database may not have yet.
    Pair(Pair),
}

impl Entry {
    /// The attempt that it belongs to.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        match self {
            Self::Import(import) => &import.intent,
            Self::Intent(intent) | Self::Pair(Pair { intent, .. }) => intent,
        }
    }
}

/// An attempt that begins.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Intent {
    /// Its name, which becomes that of its log.
    pub attempt: String,
    /// The connection.
    pub uid: String,
    /// Why.
    pub trigger: Trigger,
    /// The version of the credentials that it began with.
    pub credentials_version: i64,
    /// The fingerprint of the refresh token that is sent, if one is.
    pub sent: Option<String>,
    /// Counts the attempts since the last success, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
}

impl Intent {
    /// From here on an attempt that sends its next request at `now` is taken for cut off.
    #[must_use]
    pub fn cut_off_at(entry: &entry::Entry, now: Timestamp) -> Timestamp {
        let limit = i64::from(entry.exchange_timeout_millis());
        now.plus_millis(limit + GIVEN_UP_AFTER_MILLIS)
    }

    /// The attempt, of which nobody will know more if it is cut off now, after a first answer.
    #[must_use]
    pub fn cut_off_between(&self, status: Option<u16>, now: Timestamp) -> Attempt {
        Attempt {
            status,
            error: Some(CUT_OFF_BETWEEN.to_owned()),
            ..self.ended(AttemptOutcome::Unknown, now)
        }
    }

    /// The attempt, which ended at `now`.
    #[must_use]
    pub fn ended(&self, outcome: AttemptOutcome, now: Timestamp) -> Attempt {
        Attempt {
            id: self.attempt.clone(),
            trigger: self.trigger,
            outcome,
            status: None,
            error: None,
            attempt: self.number,
            started_at: self.started_at,
            duration: now.millis_since(self.started_at),
            retry_at: None,
        }
    }
}

/// A verified import, ready to be stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Import {
    /// The attempt that verified it.
    pub intent: Intent,
    /// The connection, with the credentials that the provider issued.
    pub connection: UpsertConnection,
    /// The connection whose place it takes, if there was one when the provider was asked.
    pub replaced: Option<String>,
    /// The status code of the provider's answer, if it was asked.
    pub status: Option<u16>,
    /// When the provider issued them.
    pub issued_at: Timestamp,
    /// How the attempt ended, if there is more to tell than that it brought these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<Box<Attempt>>,
}

/// New credentials, sealed for the connection's row.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Pair {
    /// The attempt that brought them.
    pub intent: Intent,
    /// The number of the integration.
    pub integration_id: i64,
    /// The caller's name for the connection, for which the values here are sealed.
    pub connection_id: String,
    /// The connection's configuration, which a revocation may need.
    pub connection_config: Sealed,
    /// The credentials.
    pub credentials: Sealed,
    /// The fingerprint of their refresh token, if they have one.
    pub grant_fingerprint: Option<String>,
    /// When they are due for refresh, and end.
    pub schedule: Schedule,
    /// The status code of the provider's answer, if it was asked.
    pub status: Option<u16>,
    /// When the provider issued them.
    pub issued_at: Timestamp,
    /// How often the database did not take them.
    pub failures: u32,
    /// How the attempt ended, if there is more to tell than that it brought these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<Box<Attempt>>,
}

impl Pair {
    /// Whether the provider gave a new refresh token in place of the one that was sent.
    #[must_use]
    pub fn is_rotated(&self) -> bool {
        self.grant_fingerprint != self.intent.sent
    }
}

const CUT_OFF_BETWEEN: &str =
    "the attempt was cut off between its requests: what the earlier ones gave was kept";
/// How long after its time limit an attempt is taken for cut off.
const GIVEN_UP_AFTER_MILLIS: i64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// What an earlier release may have left behind. An entry that cannot be read would stop the
    /// refreshes of its connection, so a field that is added later needs a default.
    #[track_caller]
    fn is_read_and_written(text: &str) {
        let entry: Entry = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&entry).unwrap(), text);
    }

    #[test]
    fn an_intent_keeps_its_form() {
        is_read_and_written(concat!(
            r#"{"intent":{"attempt":"a","uid":"u","trigger":"read","credentials_version":1,"#,
            r#""sent":"f","number":1,"started_at":0}}"#
        ));
    }

    #[test]
    fn a_pair_keeps_its_form() {
        is_read_and_written(concat!(
            r#"{"pair":{"intent":{"attempt":"a","uid":"u","trigger":"force","#,
            r#""credentials_version":1,"sent":null,"number":1,"started_at":0},"#,
            r#""integration_id":1,"connection_id":"c","connection_config":"s","credentials":"s","#,
            r#""grant_fingerprint":null,"schedule":{"due_at":1,"expires_at":2},"status":200,"#,
            r#""issued_at":3,"failures":0}}"#
        ));
    }

    #[test]
    fn a_pair_of_an_attempt_that_was_not_finished_keeps_its_form() {
        is_read_and_written(concat!(
            r#"{"pair":{"intent":{"attempt":"a","uid":"u","trigger":"force","#,
            r#""credentials_version":1,"sent":null,"number":1,"started_at":0},"#,
            r#""integration_id":1,"connection_id":"c","connection_config":"s","credentials":"s","#,
            r#""grant_fingerprint":null,"schedule":{"due_at":1,"expires_at":2},"status":200,"#,
            r#""issued_at":3,"failures":0,"shortfall":{"id":"a","trigger":"force","#,
            r#""outcome":"unknown","status":200,"error":"e","attempt":1,"started_at":0,"#,
            r#""duration":3,"retry_at":null}}}"#
        ));
    }

    #[test]
    fn an_import_keeps_its_form() {
        is_read_and_written(concat!(
            r#"{"import":{"intent":{"attempt":"a","uid":"u","trigger":"import","#,
            r#""credentials_version":0,"sent":"f","number":1,"started_at":0},"#,
            r#""connection":{"uid":"u","integration_id":1,"connection_id":"c","#,
            r#""auth_mode":"OAUTH2","credentials":"s","connection_config":"s","#,
            r#""grant_fingerprint":"g","imported_grant_fingerprint":"f","metadata":"keep","#,
            r#""tags":{"replace":{}},"end_user":null,"webhook_url_override":null,"#,
            r#""schedule":{"due_at":null,"expires_at":null},"first_fetched_at":null},"#,
            r#""replaced":null,"status":200,"issued_at":3}}"#
        ));
    }
}
