//! The storage of a refresh object, in memory.

use std::cell::{Cell, RefCell};

use holdfast::{
    domain::timestamp::Timestamp,
    service::journal::{Entry, Journal, JournalError},
};

#[derive(Default)]
pub(crate) struct MemoryJournal {
    /// The entry as the object stores it.
    pub(crate) entry: RefCell<Option<String>>,
    /// When the alarm goes off.
    pub(crate) wake_at: Cell<Option<Timestamp>>,
    /// Makes every write fail.
    pub(crate) is_broken: Cell<bool>,
}

impl Journal for MemoryJournal {
    fn read(&self) -> Result<Option<Entry>, JournalError> {
        let entry = self.entry.borrow();
        Ok(entry
            .as_ref()
            .map(|entry| serde_json::from_str(entry).unwrap()))
    }

    async fn write(&self, entry: &Entry, wake_at: Timestamp) -> Result<(), JournalError> {
        if self.is_broken.get() {
            return Err(JournalError("the journal is broken".to_owned()));
        }
        self.entry
            .replace(Some(serde_json::to_string(entry).unwrap()));
        self.wake_at.set(Some(wake_at));
        Ok(())
    }

    fn clear(&self, attempt: &str) {
        let kept = self.read().unwrap();
        if kept.is_some_and(|entry| entry.intent().attempt == attempt) {
            self.entry.take();
            self.wake_at.take();
        }
    }
}
