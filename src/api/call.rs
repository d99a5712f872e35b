//! A request under way: its key, its parameters, and what the log will say of it.

use std::cell::Cell;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    error::ApiError,
    query,
    request::{Body, Request},
    rules::nul_in,
};
use crate::{
    domain::{environment::Environment, scope::Scope, secret::Secret},
    service::{
        authenticate::{
            Caller, KeyError, PresentedKey, authenticate, authenticate_and_fetch, recognise,
        },
        ports::Ports,
    },
    storage::{database::Query, keys::KeyLookup},
    validation::{
        fields::Fields,
        input::{Input, read},
    },
};

/// A request under way.
pub(super) struct Call<'a, P> {
    pub(super) ports: &'a P,
    pub(super) request: &'a Request,
    /// The environment of the caller, once it is known.
    pub(super) environment_id: Cell<Option<i64>>,
    /// The number of a connection that holds the grant that was just imported.
    pub(super) duplicate_of: Cell<Option<i64>>,
}

/// Who asks, for what, and what was read for it in the same round trip.
pub(super) struct Authorized<Q, T> {
    pub(super) caller: Caller,
    pub(super) request: Q,
    pub(super) rows: Vec<T>,
}

impl<P: Ports> Call<'_, P> {
    /// The environment of a key that has one of `scopes`.
    pub(super) async fn authorize(
        &self,
        scopes: &'static [Scope],
    ) -> Result<Environment, ApiError> {
        let caller = self.authenticate(&self.presented_key()?).await?;
        self.permitted(&caller, scopes)
    }

    /// A key of the account plane that has `scope`.
    pub(super) async fn authorize_account(&self, scope: Scope) -> Result<Caller, ApiError> {
        // A key of the account has no form of its own that it could lack.
        let key = self.presented_key().map_err(|error| match error {
            ApiError::KeyMalformed => ApiError::KeyUnknown,
            error => error,
        })?;
        let caller = self.authenticate(&key).await?;
        if caller.has(scope) {
            Ok(caller)
        } else {
            Err(ApiError::missing_scope(scope))
        }
    }

    /// A key of any environment, whatever its scopes.
    pub(super) async fn authorize_any_environment(&self) -> Result<(), ApiError> {
        self.refuse_session_token()?;
        let caller = self.authenticate(&self.presented_key()?).await?;
        self.of_environment(&caller).map(drop)
    }

    /// Refuses a session token in words of its own, where clients may send one. There are no
    /// sessions, so none is known.
    pub(super) fn refuse_session_token(&self) -> Result<(), ApiError> {
        let Some(token) = self.authorization()?.strip_prefix(SESSION_PREFIX) else {
            return Ok(());
        };
        let is_hex = |char: char| matches!(char, '0'..='9' | 'a'..='f');
        let well_formed = token.len() == 64 && token.chars().all(is_hex);
        Err(if well_formed {
            ApiError::UnknownSessionToken
        } else {
            ApiError::InvalidSessionTokenFormat
        })
    }

    /// Like [`Self::authorize`], and reads with `query` in the same round trip what `request`
    /// asks for. Errors keep their order: the key, its scopes, the request.
    pub(super) async fn authorize_and_fetch<Q, T: DeserializeOwned>(
        &self,
        scopes: &'static [Scope],
        request: Result<Q, ApiError>,
        query: impl FnOnce(&KeyLookup, &Q) -> Query<T>,
    ) -> Result<Authorized<Q, T>, ApiError> {
        let key = self.presented_key()?;
        let request = match request {
            Ok(request) => request,
            Err(invalid) => {
                let caller = self.authenticate(&key).await?;
                self.permitted(&caller, scopes)?;
                return Err(invalid);
            }
        };
        let found = authenticate_and_fetch(self.ports, &key, |key| query(key, &request)).await?;
        let (caller, rows) = found.ok_or(ApiError::KeyUnknown)?;
        self.permitted(&caller, scopes)?;
        Ok(Authorized {
            caller,
            request,
            rows,
        })
    }

    /// Reads the body.
    pub(super) fn body<T>(
        &self,
        parse: impl FnOnce(&Input<'_>) -> Option<T>,
    ) -> Result<T, ApiError> {
        let body = self.json_body()?;
        read(body.as_ref(), parse).map_err(ApiError::InvalidBody)
    }

    /// The body as JSON; none if it is empty.
    pub(super) fn json_body(&self) -> Result<Option<Value>, ApiError> {
        let bytes = match &self.request.body {
            Body::TooLarge => return Err(ApiError::PayloadTooLarge),
            Body::Bytes(bytes) if bytes.is_empty() => return Ok(None),
            Body::Bytes(bytes) => bytes,
        };
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| ApiError::InvalidJson(error.to_string()))?;
        if !value.is_object() && !value.is_array() {
            return Err(ApiError::InvalidJson(
                "expected an object or an array".to_owned(),
            ));
        }
        match nul_in(&value) {
            Some(issue) => Err(ApiError::InvalidBody(vec![issue])),
            None => Ok(Some(value)),
        }
    }

    /// Reads the query.
    pub(super) fn query<T>(
        &self,
        parse: impl FnOnce(&Input<'_>) -> Option<T>,
    ) -> Result<T, ApiError> {
        let value = query::parse(&self.request.query).map_err(ApiError::InvalidQuery)?;
        read(Some(&value), parse).map_err(ApiError::InvalidQuery)
    }

    /// Refuses any query parameter.
    pub(super) fn no_query(&self) -> Result<(), ApiError> {
        self.query(|input| input.object().map(Fields::finish))
    }

    fn presented_key(&self) -> Result<PresentedKey, ApiError> {
        let presented = Secret::new(self.authorization()?);
        recognise(self.ports.settings(), &presented, self.ports.now()).map_err(
            |error| match error {
                KeyError::Malformed => ApiError::KeyMalformed,
                KeyError::Mistyped => ApiError::KeyMistyped,
                KeyError::Unknown => ApiError::KeyUnknown,
            },
        )
    }

    /// What stands in the header after the last `Bearer `; the word may be missing.
    fn authorization(&self) -> Result<&str, ApiError> {
        let header = self.request.headers.authorization.as_deref();
        let header = header.ok_or(ApiError::MissingAuthHeader)?;
        Ok(header.rsplit("Bearer ").next().unwrap_or_default().trim())
    }

    async fn authenticate(&self, key: &PresentedKey) -> Result<Caller, ApiError> {
        authenticate(self.ports, key)
            .await?
            .ok_or(ApiError::KeyUnknown)
    }

    fn permitted(
        &self,
        caller: &Caller,
        scopes: &'static [Scope],
    ) -> Result<Environment, ApiError> {
        let environment = self.of_environment(caller);
        match environment {
            Ok(environment) if scopes.iter().any(|scope| caller.has(*scope)) => Ok(environment),
            Ok(_) | Err(_) => Err(ApiError::MissingScope(scopes.to_vec())),
        }
    }

    fn of_environment(&self, caller: &Caller) -> Result<Environment, ApiError> {
        let environment = caller
            .environment
            .clone()
            .ok_or(ApiError::KeyNotOfEnvironment)?;
        self.environment_id.set(Some(environment.id));
        Ok(environment)
    }
}

/// Reads a parameter of the path called `name`.
pub(super) fn path_parameter<T>(
    name: &'static str,
    encoded: &str,
    parse: impl FnOnce(&Input<'_>) -> Option<T>,
) -> Result<T, ApiError> {
    let decoded = query::path_parameter(name, encoded).map_err(ApiError::InvalidUri)?;
    let value = serde_json::json!({ name: decoded });
    read(Some(&value), |input| parse(&input.object()?.field(name))).map_err(ApiError::InvalidUri)
}

const SESSION_PREFIX: &str = "nango_connect_session_";
