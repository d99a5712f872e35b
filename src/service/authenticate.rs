//! Who asks: from a presented key to an environment and its scopes.

use serde::de::DeserializeOwned;

use super::{error::InternalError, ports::Ports, settings::Settings};
use crate::{
    domain::{environment::Environment, scope::Scope, secret::Secret, timestamp::Timestamp},
    storage::{
        database::{Query, fetch, fetch_both},
        keys::{FoundKey, KeyLookup, find, touch},
    },
    vault::api_key::{Form, digests, form, same_secret},
};

/// A key that was presented and may exist.
#[derive(Clone, Debug)]
pub enum PresentedKey {
    /// The configured key of the account plane.
    Account,
    /// A key of an environment, to be looked up.
    Environment(KeyLookup),
}

/// Why a presented key cannot exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyError {
    /// It does not have the form of a key.
    Malformed,
    /// It has the form of one of our keys, but its checksum is wrong.
    Mistyped,
    /// It has the form of a key and is not ours.
    Unknown,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The environment of the key; none for a key of the account plane.
    pub environment: Option<Environment>,
    scopes: Vec<String>,
}

impl Caller {
    /// Whether the caller was granted `scope`.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        scope.is_granted_by(&self.scopes)
    }
}

/// Recognises a presented key without a look at the database. Configured keys are compared in
/// constant time, all of them, whichever matches.
pub fn recognise(
    settings: &Settings,
    presented: &Secret,
    now: Timestamp,
) -> Result<PresentedKey, KeyError> {
    let ring = &settings.key_ring;
    let is_account = settings
        .account_key
        .as_ref()
        .is_some_and(|key| same_secret(ring, presented, key));
    let mut configured_environment = None;
    for (environment, key) in &settings.environment_keys {
        if same_secret(ring, presented, key) {
            configured_environment = Some(environment.clone());
        }
    }
    if is_account {
        return Ok(PresentedKey::Account);
    }
    if configured_environment.is_some() {
        let lookup = KeyLookup {
            configured_environment,
            digests: Vec::new(),
            now,
        };
        return Ok(PresentedKey::Environment(lookup));
    }
    match form(presented) {
        Form::Key => {
            let digests = digests(ring, presented).into_iter();
            let digests = digests
                .map(|(_, digest)| digest.as_str().to_owned())
                .collect();
            let lookup = KeyLookup {
                configured_environment: None,
                digests,
                now,
            };
            Ok(PresentedKey::Environment(lookup))
        }
        Form::MistypedKey => Err(KeyError::Mistyped),
        Form::Other => Err(KeyError::Malformed),
        Form::UuidV4 => Err(KeyError::Unknown),
    }
}

/// Looks the key up; gives nobody if it is unknown, revoked or expired.
pub async fn authenticate(
    ports: &impl Ports,
    key: &PresentedKey,
) -> Result<Option<Caller>, InternalError> {
    match key {
        PresentedKey::Account => Ok(Some(account())),
        PresentedKey::Environment(lookup) => {
            let found = fetch(ports, find(lookup)).await?;
            Ok(caller(ports, found))
        }
    }
}

/// Looks the key up and reads something in its environment in the same round trip. For a key of
/// the account plane there is no environment to read in, so there are no rows.
pub async fn authenticate_and_fetch<T: DeserializeOwned>(
    ports: &impl Ports,
    key: &PresentedKey,
    query: impl FnOnce(&KeyLookup) -> Query<T>,
) -> Result<Option<(Caller, Vec<T>)>, InternalError> {
    match key {
        PresentedKey::Account => Ok(Some((account(), Vec::new()))),
        PresentedKey::Environment(lookup) => {
            let (found, rows) = fetch_both(ports, find(lookup), query(lookup)).await?;
            Ok(caller(ports, found).map(|caller| (caller, rows)))
        }
    }
}

fn account() -> Caller {
    Caller {
        environment: None,
        scopes: vec!["account:*".to_owned()],
    }
}

fn caller(ports: &impl Ports, found: Vec<FoundKey>) -> Option<Caller> {
    let found = found.into_iter().next()?;
    if let Some(stored) = found.stored {
        let now = ports.now();
        if is_older_than_a_minute(stored.last_used_at, now) {
            ports.after_response(touch(stored.id, now));
        }
    }
    Some(Caller {
        environment: Some(found.environment),
        scopes: found.scopes,
    })
}

/// Whether a time that is kept to the minute is due for a write.
#[must_use]
pub fn is_older_than_a_minute(stored: Option<Timestamp>, now: Timestamp) -> bool {
    stored.is_none_or(|stored| now.millis_since(stored) >= 60_000)
}
