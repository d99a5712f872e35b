//! A deployment of holdfast with doubles for everything outside.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use holdfast::{
    domain::{refresh::Trigger, timestamp::Timestamp},
    oauth2::{
        http::{HttpRequest, HttpResponse},
        token_error::Unreachable,
    },
    service::{
        error::InternalError,
        pending::finish_pending,
        ports::{
            Background, Clock, Entropy, HttpClient, Ports, RefreshReply, Refresher, RoundTrips,
            Timer, VerifyReply, VerifyRequest,
        },
        refresh_connection::{refresh_connection, was_attempted},
        settings::Settings,
        single_flight::SingleFlight,
        verify_import::verify_import,
    },
    storage::database::{Database, DatabaseError, Query, Statement},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{database::SqliteDatabase, journal::MemoryJournal, provider::ScriptedProvider};

pub(crate) const ACCOUNT_KEY: &str = "fake-account-key-0000000000000000";
pub(crate) const DEV_KEY: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const PROD_KEY: &str = "22222222-2222-4222-8222-222222222222";
/// The key ring, with one key.
pub(crate) const RING: &str = "7:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// 2026-01-01T00:00:00.000Z
pub(crate) const START: i64 = 1_767_225_600_000;

pub(crate) struct Deployment {
    pub(crate) database: SqliteDatabase,
    pub(crate) provider: ScriptedProvider,
    pub(crate) settings: Settings,
    now: Cell<Timestamp>,
    seed: Cell<u64>,
    round_trips: Cell<u32>,
    in_refresh: Cell<u32>,
    is_in_refresh: Cell<bool>,
    refreshes: RefCell<HashMap<String, Rc<SingleFlight<Outcome>>>>,
    journals: RefCell<HashMap<String, Rc<MemoryJournal>>>,
    pub(crate) forgotten: RefCell<Vec<String>>,
    /// What broke without harm to an answer.
    pub(crate) troubles: RefCell<Vec<String>>,
    /// Makes every statement fail.
    pub(crate) database_is_down: Cell<bool>,
    /// Makes every statement of a refresh object fail.
    pub(crate) database_is_down_in_refresh: Cell<bool>,
    /// How long was waited each time, in milliseconds.
    pub(crate) waits: RefCell<Vec<u32>>,
}

/// What an attempt gave, as a refresh object gives it to all who wait for it.
type Outcome = Result<RefreshReply, String>;

impl Deployment {
    pub(crate) fn new() -> Self {
        Self::with_settings(&[
            ("HOLDFAST_ENCRYPTION_KEYS", RING),
            ("HOLDFAST_ACCOUNT_KEY", ACCOUNT_KEY),
            ("HOLDFAST_SECRET_KEY_DEV", DEV_KEY),
            ("HOLDFAST_SECRET_KEY_PROD", PROD_KEY),
        ])
    }

    pub(crate) fn with_settings(variables: &[(&str, &str)]) -> Self {
        let variables = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Self {
            database: SqliteDatabase::new(),
            provider: ScriptedProvider::default(),
            settings: Settings::parse(variables).unwrap(),
            now: Cell::new(Timestamp::from_millis(START)),
            seed: Cell::new(1),
            round_trips: Cell::new(0),
            in_refresh: Cell::new(0),
            is_in_refresh: Cell::new(false),
            refreshes: RefCell::default(),
            journals: RefCell::default(),
            forgotten: RefCell::default(),
            troubles: RefCell::default(),
            database_is_down: Cell::new(false),
            database_is_down_in_refresh: Cell::new(false),
            waits: RefCell::default(),
        }
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.now.set(self.now.get().plus_seconds(seconds));
    }

    fn flight(&self, uid: &str) -> Rc<SingleFlight<Outcome>> {
        let mut refreshes = self.refreshes.borrow_mut();
        Rc::clone(refreshes.entry(uid.to_owned()).or_default())
    }

    /// What the refresh object of the connection `uid` keeps.
    pub(crate) fn journal(&self, uid: &str) -> Rc<MemoryJournal> {
        let mut journals = self.journals.borrow_mut();
        Rc::clone(journals.entry(uid.to_owned()).or_default())
    }

    /// The refresh objects that keep something.
    pub(crate) fn keepers(&self) -> Vec<String> {
        let journals = self.journals.borrow();
        let keeping = journals
            .iter()
            .filter(|(_, journal)| journal.entry.borrow().is_some());
        keeping.map(|(uid, _)| uid.clone()).collect()
    }

    /// Lets the alarm of the refresh object of `uid` go off, if it is set.
    pub(crate) fn ring_alarm(&self, uid: &str) -> Result<(), InternalError> {
        let journal = self.journal(uid);
        if journal.wake_at.take().is_none() {
            return Ok(());
        }
        self.is_in_refresh.set(true);
        let finished = pollster::block_on(finish_pending(self, &*journal));
        self.is_in_refresh.set(false);
        finished.map(drop)
    }

    /// Forgets the round trips made so far, as the start of a request does.
    pub(crate) fn start_request(&self) {
        self.round_trips.set(0);
        self.in_refresh.set(0);
    }
}

impl Database for Deployment {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<String>>, DatabaseError> {
        let counter = if self.is_in_refresh.get() {
            &self.in_refresh
        } else {
            &self.round_trips
        };
        counter.set(counter.get() + 1);
        let is_down_here = self.is_in_refresh.get() && self.database_is_down_in_refresh.get();
        if self.database_is_down.get() || is_down_here {
            return Err(DatabaseError::Failed(
                "canary: the database is down".to_owned(),
            ));
        }
        self.database.batch(&statements)
    }
}

impl Background for Deployment {
    fn after_response(&self, write: Query<()>) {
        self.database
            .batch(std::slice::from_ref(write.statement()))
            .unwrap();
    }

    fn report(&self, trouble: &InternalError) {
        self.troubles.borrow_mut().push(trouble.to_string());
    }
}

impl Clock for Deployment {
    fn now(&self) -> Timestamp {
        self.now.get()
    }
}

impl Entropy for Deployment {
    /// `SplitMix64`: the same in every run.
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            self.seed
                .set(self.seed.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
            let mut z = self.seed.get();
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z ^ (z >> 31)).to_le_bytes()[0];
        }
    }
}

impl HttpClient for Deployment {
    async fn send(
        &self,
        request: HttpRequest,
        timeout_millis: u32,
    ) -> Result<HttpResponse, Unreachable> {
        self.provider.answer(&request, timeout_millis).await
    }
}

impl Refresher for Deployment {
    async fn refresh(&self, uid: &str, trigger: Trigger) -> Result<RefreshReply, InternalError> {
        let flight = self.flight(uid);
        let journal = self.journal(uid);
        let attempt = async || {
            self.is_in_refresh.set(true);
            let refresh = refresh_connection(self, &*journal, uid, trigger).await;
            self.is_in_refresh.set(false);
            refresh
                .map(|refresh| refresh.reply)
                .map_err(|error| error.to_string())
        };
        let counts = |outcome: &Outcome| outcome.as_ref().is_ok_and(was_attempted);
        let outcome = flight.run(trigger, counts, attempt).await;
        outcome.map_err(InternalError::RefreshObject)
    }

    async fn verify_import(&self, request: VerifyRequest) -> Result<VerifyReply, InternalError> {
        let request: VerifyRequest = sent(&request);
        let journal = self.journal(&request.object);
        let verify = async || {
            self.is_in_refresh.set(true);
            let verified = verify_import(self, &*journal, &request).await;
            self.is_in_refresh.set(false);
            verified
        };
        let verified = self.flight(&request.object).alone(verify).await;
        let verified = verified.map_err(|error| InternalError::RefreshObject(error.to_string()))?;
        self.troubles
            .borrow_mut()
            .extend(verified.trouble.map(|trouble| trouble.to_string()));
        Ok(sent(&verified.reply))
    }

    async fn forget(&self, uid: &str) {
        self.forgotten.borrow_mut().push(uid.to_owned());
    }
}

/// A message as it arrives.
fn sent<T: Serialize + DeserializeOwned>(message: &T) -> T {
    serde_json::from_str(&serde_json::to_string(message).unwrap()).unwrap()
}

impl Ports for Deployment {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn round_trips(&self) -> RoundTrips {
        RoundTrips {
            own: self.round_trips.get(),
            in_refresh: self.in_refresh.get(),
        }
    }
}

impl Timer for Deployment {
    async fn wait(&self, millis: u32) {
        self.waits.borrow_mut().push(millis);
    }
}
