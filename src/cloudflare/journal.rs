//! The object's own storage, as the journal of its attempts: one row of JSON text.

use std::{cell::RefCell, rc::Rc, time::Duration};

use serde::Deserialize;
use worker::{Delay, SqlStorageValue, Storage};

use super::runtime::now;
use crate::{
    domain::timestamp::Timestamp,
    service::journal::{Entry, Journal, JournalError},
};

/// The journal of one object.
#[derive(Clone)]
pub(super) struct SqlJournal(Rc<Inner>);

struct Inner {
    storage: Storage,
    /// The attempt whose entry is about to be removed.
    cleared: RefCell<Option<String>>,
}

#[derive(Deserialize)]
struct Row {
    entry: String,
}

impl SqlJournal {
    pub(super) fn new(storage: Storage) -> Self {
        Self(Rc::new(Inner {
            storage,
            cleared: RefCell::default(),
        }))
    }

    /// Removes what was cleared, once the answer is on its way: the runtime holds back what is
    /// sent after a write until that write is durable, and nobody needs to wait for this one.
    pub(super) fn take_clearing(&self) -> Option<impl Future<Output = ()> + use<>> {
        let attempt = self.0.cleared.borrow().clone()?;
        let journal = self.clone();
        Some(async move {
            Delay::from(Duration::ZERO).await;
            if let Err(error) = journal.remove(&attempt).await {
                report(&error);
            }
        })
    }

    /// Removes everything, unless credentials wait that the database does not have: those are
    /// dealt with at once, by the alarm.
    pub(super) async fn forget(&self) -> worker::Result<()> {
        if let Ok(Some(Entry::Pair(_))) = self.read() {
            return self.0.storage.set_alarm(Duration::ZERO).await;
        }
        self.0.cleared.take();
        self.0.storage.delete_alarm().await?;
        self.0.storage.delete_all().await
    }

    /// Sets the alarm again after it went off in vain.
    pub(super) async fn wake_in(&self, wait: Duration) -> worker::Result<()> {
        self.0.storage.set_alarm(wait).await
    }

    async fn remove(&self, attempt: &str) -> worker::Result<()> {
        if self.0.cleared.borrow().as_deref() != Some(attempt) {
            return Ok(());
        }
        self.0.cleared.take();
        self.0.storage.sql().exec("delete from journal", None)?;
        self.0.storage.delete_alarm().await
    }

    fn entry(&self) -> worker::Result<Option<String>> {
        let sql = self.0.storage.sql();
        sql.exec(CREATE, None)?;
        let rows: Vec<Row> = sql.exec("select entry from journal", None)?.to_array()?;
        Ok(rows.into_iter().next().map(|row| row.entry))
    }
}

impl Journal for SqlJournal {
    fn read(&self) -> Result<Option<Entry>, JournalError> {
        let text = self.entry().map_err(failed)?;
        let entry: Option<Entry> = text
            .map(|text| serde_json::from_str(&text))
            .transpose()
            // serde's own words repeat the value.
            .map_err(|error| JournalError(format!("malformed at column {}", error.column())))?;
        let cleared = self.0.cleared.borrow();
        Ok(entry.filter(|entry| Some(&entry.intent().attempt) != cleared.as_ref()))
    }

    async fn write(&self, entry: &Entry, wake_at: Timestamp) -> Result<(), JournalError> {
        let text = serde_json::to_string(entry).map_err(failed)?;
        let wait = u64::try_from(wake_at.millis_since(now())).unwrap_or(0);
        // Nothing awaits between the two, so they are one commit.
        let write = || {
            let sql = self.0.storage.sql();
            sql.exec(CREATE, None)?;
            sql.exec(PUT, Some(vec![SqlStorageValue::String(text)]))?;
            Ok(self.0.storage.set_alarm(Duration::from_millis(wait)))
        };
        let alarm = write().map_err(|error: worker::Error| failed(error))?;
        self.0.cleared.take();
        alarm.await.map_err(failed)
    }

    fn clear(&self, attempt: &str) {
        self.0.cleared.replace(Some(attempt.to_owned()));
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
fn failed(error: impl ToString) -> JournalError {
    JournalError(error.to_string())
}

fn report(error: &worker::Error) {
    let error = format!("the journal was not cleared: {error}");
    worker::console_error!("{}", serde_json::json!({ "error": error }));
}

const CREATE: &str = "create table if not exists journal (
    id integer primary key check (id = 1), entry text not null) strict";
const PUT: &str = "insert or replace into journal (id, entry) values (1, ?)";
