//! The one implementor of the ports, made anew for each event.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

use worker::{Date, Env, console_error};

use super::{chance::Chance, d1::D1};
use crate::{
    domain::timestamp::Timestamp,
    service::{
        error::InternalError,
        ports::{Background, Clock, Entropy, Ports, RoundTrips},
        settings::Settings,
    },
    storage::database::{Database, DatabaseError, Query, Statement},
};

/// The ports, for one event.
pub(super) struct Runtime {
    pub(super) env: Env,
    /// Round trips to the database that a refresh object reported.
    pub(super) in_refresh: Cell<u32>,
    settings: Rc<Settings>,
    database: D1,
    deferred_writes: RefCell<Vec<Statement>>,
}

impl Runtime {
    pub(super) fn new(env: Env, settings: Rc<Settings>) -> Self {
        Self {
            database: D1::new(env.clone()),
            deferred_writes: RefCell::default(),
            env,
            in_refresh: Cell::new(0),
            settings,
        }
    }

    /// The writes that nobody waits for, all in one batch; none if there are none.
    pub(super) fn take_deferred_writes(&self) -> Option<impl Future<Output = ()> + use<>> {
        let writes = self.deferred_writes.take();
        if writes.is_empty() {
            return None;
        }
        let database = D1::new(self.env.clone());
        Some(async move {
            if let Err(error) = database.batch(writes).await {
                let error = format!("a write after the response failed: {error}");
                console_error!("{}", serde_json::json!({ "error": error }));
            }
        })
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Runtime(…)")
    }
}

impl Ports for Runtime {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn round_trips(&self) -> RoundTrips {
        RoundTrips {
            own: self.database.round_trips(),
            in_refresh: self.in_refresh.get(),
        }
    }
}

impl Background for Runtime {
    fn after_response(&self, write: Query<()>) {
        self.deferred_writes
            .borrow_mut()
            .push(write.statement().clone());
    }

    fn report(&self, trouble: &InternalError) {
        let error = trouble.to_string();
        console_error!("{}", serde_json::json!({ "error": error }));
    }
}

impl Clock for Runtime {
    fn now(&self) -> Timestamp {
        now()
    }
}

impl Database for Runtime {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<String>>, DatabaseError> {
        self.database.batch(statements).await
    }
}

impl Entropy for Runtime {
    fn fill(&self, bytes: &mut [u8]) {
        Chance.fill(bytes);
    }
}

/// The time. The runtime's clock stands still between one answer from outside and the next.
pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX))
}
