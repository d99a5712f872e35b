//! One attempt at a time, and one attempt for all who wait for it.
//!
//! A Durable Object does not serialise what awaits the network, so the refreshes of a connection
//! are serialised here. Whoever waited takes over the result of an attempt that was made
//! meanwhile instead of making another.

use std::cell::Cell;

use futures_util::lock::Mutex;

use crate::domain::refresh::Trigger;

/// Serialises attempts that give a `T`.
#[derive(Debug)]
pub struct SingleFlight<T> {
    last: Mutex<Option<T>>,
    started: Cell<u64>,
    finished: Cell<u64>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self {
            last: Mutex::new(None),
            started: Cell::new(0),
            finished: Cell::new(0),
        }
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Makes an attempt, or takes over the result of one that ended while this call waited. A
    /// forced call takes over only what started after it came, and only if `counts` says that it
    /// was a real attempt.
    pub async fn run(
        &self,
        trigger: Trigger,
        counts: impl Fn(&T) -> bool,
        attempt: impl AsyncFnOnce() -> T,
    ) -> T {
        let (started, finished) = (self.started.get(), self.finished.get());
        let mut last = self.last.lock().await;
        if let Some(result) = last.as_ref() {
            let joins = match trigger {
                Trigger::Force => self.finished.get() > started && counts(result),
                Trigger::Import | Trigger::Read | Trigger::Schedule => {
                    self.finished.get() > finished
                }
            };
            if joins {
                return result.clone();
            }
        }
        self.started.set(self.started.get() + 1);
        let result = attempt().await;
        self.finished.set(self.started.get());
        *last = Some(result.clone());
        result
    }

    /// Runs `work` while no attempt is under way.
    pub async fn alone<U>(&self, work: impl AsyncFnOnce() -> U) -> U {
        let _alone = self.last.lock().await;
        work().await
    }
}
