//! API keys: who may ask, for which environment.

use serde::Deserialize;

use super::database::{Parameter, Query};
use crate::domain::{environment::Environment, timestamp::Timestamp};

/// What identifies the environment of a presented key.
#[derive(Clone, Debug)]
pub struct KeyLookup {
    /// For a key that is configured as `HOLDFAST_SECRET_KEY_<ENVIRONMENT>`: that name in lower
    /// case.
    pub configured_environment: Option<String>,
    /// The digests that a stored key may have, one for each key of the ring.
    pub digests: Vec<String>,
    /// Now; keys that expired before are not found.
    pub now: Timestamp,
}

impl KeyLookup {
    /// Parameters `?1`, `?2` and `?3` of a statement that uses [`ENVIRONMENT_OF_KEY`].
    pub(super) fn parameters(&self) -> Vec<Parameter> {
        let digests = serde_json::Value::from(self.digests.as_slice()).to_string();
        vec![
            self.configured_environment.as_deref().into(),
            digests.into(),
            self.now.millis().into(),
        ]
    }
}

/// The environment of the key in [`KeyLookup::parameters`], as an expression.
pub(super) const ENVIRONMENT_OF_KEY: &str = "(\
    select id from environment where replace(name, '-', '_') = ?1 \
    union all \
    select environment_id from api_key \
    where digest in (select value from json_each(?2)) \
    and (expires_at is null or expires_at > ?3))";

/// A key that was found, with what it grants.
#[derive(Clone, Debug, Deserialize)]
pub struct FoundKey {
    /// The environment that it belongs to.
    pub environment: Environment,
    /// The scopes that it grants.
    pub scopes: Vec<String>,
    /// The stored key; none for a configured one.
    pub stored: Option<StoredKeyUse>,
}

/// When a stored key was last seen in use.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct StoredKeyUse {
    /// The key.
    pub id: i64,
    /// When its use was last recorded.
    pub last_used_at: Option<Timestamp>,
}

/// Finds the key that was presented.
#[must_use]
pub fn find(lookup: &KeyLookup) -> Query<FoundKey> {
    Query::new(
        "select json_object(
            'environment', json_object('id', id, 'name', name),
            'scopes', json_array('environment:*')) as row
        from environment where replace(name, '-', '_') = ?1
        union all
        select json_object(
            'environment', json_object('id', environment.id, 'name', environment.name),
            'scopes', json(api_key.scopes),
            'stored', json_object('id', api_key.id, 'last_used_at', api_key.last_used_at)) as row
        from api_key join environment on environment.id = api_key.environment_id
        where digest in (select value from json_each(?2))
            and (expires_at is null or expires_at > ?3)",
        lookup.parameters(),
    )
}

/// Records that a key was used.
#[must_use]
pub fn touch(id: i64, now: Timestamp) -> Query<()> {
    Query::new(
        "update api_key set last_used_at = ?2 where id = ?1",
        vec![id.into(), now.millis().into()],
    )
}

/// A key to store.
#[derive(Debug)]
pub struct NewApiKey {
    /// The environment that it opens.
    pub environment_id: i64,
    /// Unique in the environment.
    pub display_name: String,
    /// The keyed digest of the key.
    pub digest: String,
    /// The key of the ring that the digest is made with.
    pub digest_key_id: u32,
    /// The scopes that it grants.
    pub scopes: Vec<String>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// What became of a new key.
#[derive(Clone, Debug, Deserialize)]
pub struct Insertion {
    /// The new key's number; none where it was not stored.
    pub id: Option<i64>,
    /// Whether the environment exists.
    pub environment_exists: u8,
    /// How many keys the environment has.
    pub keys: usize,
}

/// The most keys that an environment may have.
pub const MAX_KEYS_PER_ENVIRONMENT: usize = 50;

/// Stores a key, unless its name is taken, its environment is unknown or full. Run it together
/// with [`insertion`], which tells.
#[must_use]
pub fn insert(key: &NewApiKey, now: Timestamp) -> Query<()> {
    Query::new(
        format!(
            "insert into api_key
                (environment_id, display_name, digest, digest_key_id, scopes, created_at, expires_at)
            select id, ?2, ?3, ?4, ?5, ?6, ?7 from environment
            where id = ?1
                and (select count(*) from api_key where environment_id = ?1)
                    < {MAX_KEYS_PER_ENVIRONMENT}
            on conflict do nothing"
        ),
        vec![
            key.environment_id.into(),
            key.display_name.as_str().into(),
            key.digest.as_str().into(),
            i64::from(key.digest_key_id).into(),
            serde_json::Value::from(key.scopes.as_slice()).to_string().into(),
            now.millis().into(),
            key.expires_at.map(Timestamp::millis).into(),
        ],
    )
}

/// What became of [`insert`].
#[must_use]
pub fn insertion(key: &NewApiKey) -> Query<Insertion> {
    Query::new(
        "select json_object(
            'id', (select id from api_key where digest = ?2),
            'environment_exists', exists (select 1 from environment where id = ?1),
            'keys', (select count(*) from api_key where environment_id = ?1)) as row",
        vec![key.environment_id.into(), key.digest.as_str().into()],
    )
}

/// A stored key, without its secret, which nobody has.
#[derive(Clone, Debug, Deserialize)]
pub struct ApiKey {
    /// Its number.
    pub id: i64,
    /// The environment that it opens.
    pub environment_id: i64,
    /// Its name.
    pub display_name: String,
    /// The scopes that it grants.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was last seen in use, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// The keys of an environment, in the order of their making.
#[must_use]
pub fn list(environment_id: i64) -> Query<ApiKey> {
    Query::new(
        "select json_object(
            'id', id, 'environment_id', environment_id, 'display_name', display_name,
            'scopes', json(scopes), 'created_at', created_at, 'expires_at', expires_at,
            'last_used_at', last_used_at) as row
        from api_key where environment_id = ?1 order by id",
        vec![environment_id.into()],
    )
}

/// Deletes a key; gives its number if there was one.
#[must_use]
pub fn delete(environment_id: i64, id: i64) -> Query<i64> {
    Query::new(
        "delete from api_key where id = ?2 and environment_id = ?1 returning cast(id as text) as row",
        vec![environment_id.into(), id.into()],
    )
}
