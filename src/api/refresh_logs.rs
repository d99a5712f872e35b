//! Reading what is kept of attempts to refresh.

use serde_json::json;

use super::{
    call::{Authorized, Call, path_parameter},
    connections::provider_config_key_query,
    error::ApiError,
    json::refresh_log::RefreshLogJson,
    reply::Reply,
    rules::connection_id,
};
use crate::{
    domain::scope::Scope,
    service::ports::Ports,
    storage::refresh_logs::{find, newest},
    validation::{
        input::Input,
        text::{Format, Text},
    },
};

/// `GET /logs/:id`
pub(super) async fn get<P: Ports>(call: &Call<'_, P>, id: &str) -> Result<Reply, ApiError> {
    let request = call
        .no_query()
        .and_then(|()| path_parameter("id", id, log_id));
    let Authorized { rows, .. } = call
        .authorize_and_fetch(&[Scope::LogsRead], request, |key, id| find(key, id))
        .await?;
    let log = rows.first().ok_or(ApiError::UnknownLog)?;
    let shown = RefreshLogJson::new(&log.connection_id, &log.provider_config_key, &log.attempt);
    Ok(Reply::ok(&json!({ "data": shown })))
}

/// Attempts are named in lower case.
fn log_id(input: &Input<'_>) -> Option<String> {
    Some(input.text(LOG_ID)?.to_ascii_lowercase())
}

/// `GET /connections/:connectionId/refreshes`
pub(super) async fn list<P: Ports>(call: &Call<'_, P>, id: &str) -> Result<Reply, ApiError> {
    let request = call
        .query(provider_config_key_query)
        .and_then(|unique_key| {
            Ok((
                unique_key,
                path_parameter("connectionId", id, connection_id)?,
            ))
        });
    let Authorized { request, rows, .. } = call
        .authorize_and_fetch(&[Scope::LogsRead], request, |key, (unique_key, id)| {
            newest(key, unique_key.as_str(), id.as_str())
        })
        .await?;
    let (unique_key, connection_id) = request;
    let found = rows.first().ok_or(ApiError::UnknownIntegrationConfig)?;
    let attempts = found.newest.as_ref().ok_or(ApiError::UnknownConnection)?;
    let shown = attempts
        .iter()
        .map(|attempt| RefreshLogJson::new(connection_id.as_str(), unique_key.as_str(), attempt));
    Ok(Reply::ok(&json!({ "data": shown.collect::<Vec<_>>() })))
}

const LOG_ID: Text = Text {
    min: 0,
    max: usize::MAX,
    format: Format::Uuid,
};
