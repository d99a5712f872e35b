//! Making API keys.

use super::{
    error::InternalError,
    ports::{Ports, random},
};
use crate::{
    domain::{secret::Secret, timestamp::Timestamp},
    storage::{
        database::fetch_both,
        keys::{MAX_KEYS_PER_ENVIRONMENT, NewApiKey, insert, insertion},
    },
    vault::api_key::{active_digest, generate},
};

/// A key to make.
#[derive(Debug)]
pub struct CreateApiKey {
    /// The environment that it opens.
    pub environment_id: i64,
    /// Its name, unique in the environment.
    pub display_name: String,
    /// The scopes that it grants.
    pub scopes: Vec<String>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A key just made: the only time that its secret is seen.
#[derive(Debug)]
pub struct CreatedApiKey {
    /// Its number.
    pub id: i64,
    /// The key.
    pub secret: Secret,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Why a key is not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateApiKeyError {
    /// There is no such environment.
    #[error("unknown environment")]
    UnknownEnvironment,
    /// Another key of the environment has this name.
    #[error("the name is taken")]
    NameIsTaken,
    /// The environment has as many keys as it may have.
    #[error("too many keys")]
    TooMany,
    /// Something of ours broke.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// Makes a key.
pub async fn create_api_key(
    ports: &impl Ports,
    request: &CreateApiKey,
) -> Result<CreatedApiKey, CreateApiKeyError> {
    let now = ports.now();
    let secret = generate(random(ports));
    let (key_id, digest) = active_digest(&ports.settings().key_ring, &secret);
    let key = NewApiKey {
        environment_id: request.environment_id,
        display_name: request.display_name.clone(),
        digest: digest.as_str().to_owned(),
        digest_key_id: key_id.number(),
        scopes: request.scopes.clone(),
        expires_at: request.expires_at,
    };
    let (_, insertion) = fetch_both(ports, insert(&key, now), insertion(&key))
        .await
        .map_err(InternalError::from)?;
    match insertion.first() {
        Some(insertion) if insertion.environment_exists == 0 => {
            Err(CreateApiKeyError::UnknownEnvironment)
        }
        Some(insertion) => match insertion.id {
            Some(id) => Ok(CreatedApiKey {
                id,
                secret,
                created_at: now,
            }),
            None if insertion.keys >= MAX_KEYS_PER_ENVIRONMENT => Err(CreateApiKeyError::TooMany),
            None => Err(CreateApiKeyError::NameIsTaken),
        },
        None => Err(CreateApiKeyError::UnknownEnvironment),
    }
}
