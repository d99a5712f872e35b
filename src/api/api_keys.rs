//! API keys: listing, making, deleting.

use serde_json::{Value, json};

use super::{
    call::Call,
    error::ApiError,
    reply::Reply,
    rules::{SHORT, row_id},
};
use crate::{
    domain::{
        scope::{GRANTABLE, Scope},
        timestamp::Timestamp,
    },
    service::{
        api_keys::{CreateApiKey, CreateApiKeyError, create_api_key},
        error::InternalError,
        ports::Ports,
    },
    storage::{
        database::{fetch_both, fetch_one},
        environments,
        keys::{self, ApiKey},
    },
    validation::input::Input,
};

/// `GET /environment/api-keys?environment_id=`
pub(super) async fn list<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    call.authorize_account(Scope::ApiKeysList).await?;
    let environment_id = call.query(|input| {
        let query = input.object()?;
        let environment_id = row_id(&query.field("environment_id"));
        query.finish();
        environment_id
    })?;
    let (environment, keys) = fetch_both(
        call.ports,
        environments::find(environment_id),
        keys::list(environment_id),
    )
    .await
    .map_err(InternalError::from)?;
    if environment.is_empty() {
        return Err(ApiError::UnknownEnvironment);
    }
    Ok(Reply::ok(
        &json!({ "data": keys.iter().map(shown).collect::<Vec<_>>() }),
    ))
}

fn shown(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "display_name": key.display_name,
        "scopes": key.scopes,
        "created_at": key.created_at.to_iso(),
        "expires_at": key.expires_at.map(Timestamp::to_iso),
        "last_used_at": key.last_used_at.map(Timestamp::to_iso),
    })
}

/// `POST /environment/api-keys`
pub(super) async fn create<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    call.authorize_account(Scope::ApiKeysCreate).await?;
    call.no_query()?;
    let now = call.ports.now();
    let request = call.body(|input| create_body(input, now))?;
    let created = create_api_key(call.ports, &request)
        .await
        .map_err(|error| match error {
            CreateApiKeyError::UnknownEnvironment => ApiError::UnknownEnvironment,
            CreateApiKeyError::NameIsTaken => ApiError::ApiKeyNameTaken,
            CreateApiKeyError::TooMany => ApiError::ApiKeysFull,
            CreateApiKeyError::Internal(error) => ApiError::Internal(error),
        })?;
    Ok(Reply::ok(&json!({ "data": {
        "id": created.id,
        "display_name": request.display_name,
        "scopes": request.scopes,
        "secret": created.secret.expose(),
        "created_at": created.created_at.to_iso(),
        "expires_at": request.expires_at.map(Timestamp::to_iso),
    } })))
}

fn create_body(input: &Input<'_>, now: Timestamp) -> Option<CreateApiKey> {
    let body = input.object()?;
    let environment_id = row_id(&body.field("environment_id"));
    let display_name = body.field("display_name").text(SHORT);
    let scopes = match body.optional("scopes") {
        Some(scopes) => read_scopes(&scopes),
        None => Some(vec!["environment:*".to_owned()]),
    };
    let given_expiry = body
        .optional("expires_at")
        .filter(|expiry| !expiry.is_null());
    let expires_at = given_expiry.as_ref().and_then(Input::instant);
    if let (Some(input), Some(_)) = (given_expiry, expires_at.filter(|expiry| *expiry <= now)) {
        input.refuse("custom", "The date must be in the future");
    }
    body.finish();
    Some(CreateApiKey {
        environment_id: environment_id?,
        display_name: display_name?,
        scopes: scopes?,
        expires_at,
    })
}

fn read_scopes(input: &Input<'_>) -> Option<Vec<String>> {
    let mut scopes = Vec::new();
    for item in input.items(GRANTABLE.len())? {
        match item
            .value()
            .and_then(Value::as_str)
            .filter(|scope| GRANTABLE.contains(scope))
        {
            Some(scope) => scopes.push(scope.to_owned()),
            None => item.refuse(
                "invalid_value",
                "Invalid option: expected a known environment scope",
            ),
        }
    }
    if scopes.is_empty() {
        input.refuse("too_small", "Too small: expected array to have >=1 items");
    }
    Some(scopes)
}

/// `DELETE /environment/api-keys`
pub(super) async fn delete<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    call.authorize_account(Scope::ApiKeysDelete).await?;
    call.no_query()?;
    let (environment_id, key_id) = call.body(|input| {
        let body = input.object()?;
        let environment_id = row_id(&body.field("environment_id"));
        let key_id = row_id(&body.field("key_id"));
        body.finish();
        Some((environment_id?, key_id?))
    })?;
    let deleted = fetch_one(call.ports, keys::delete(environment_id, key_id))
        .await
        .map_err(InternalError::from)?;
    deleted.ok_or(ApiError::UnknownApiKey)?;
    Ok(Reply::ok(&json!({ "success": true })))
}
