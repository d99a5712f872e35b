//! Changing the caller's own data on connections.

use serde_json::{Value, json};

use super::{
    call::{Call, path_parameter},
    error::{ApiError, Several, legacy::LegacyParameter},
    reply::Reply,
    rules::{connection_id, integration_key, metadata},
};
use crate::{
    domain::scope::Scope,
    service::{
        change_metadata::{ChangeMetadataError, MetadataChange, change_metadata},
        ports::Ports,
    },
    storage::metadata::ConnectionSet,
    validation::{
        input::{Input, read},
        wording::too_big,
    },
};

/// `POST` and `PATCH /connections/metadata`
pub(super) async fn change<P: Ports>(
    call: &Call<'_, P>,
    change: MetadataChange,
) -> Result<Reply, ApiError> {
    let environment = call.authorize(&[Scope::ConnectionsUpdate]).await?;
    call.no_query()?;
    let echo = call.json_body()?;
    let body = read(echo.as_ref(), change_body).map_err(ApiError::InvalidBody)?;
    let several = if body.connection_ids.len() > 1 {
        Several::Yes
    } else {
        Several::No
    };
    let set = ConnectionSet {
        environment_id: environment.id,
        unique_key: body.provider_config_key,
        connection_ids: unique(body.connection_ids),
    };
    change_metadata(call.ports, &set, &body.metadata, change)
        .await
        .map_err(|error| match error {
            ChangeMetadataError::TooLarge => ApiError::MergedMetadataTooLarge,
            ChangeMetadataError::UnknownConnection(connection_id) => {
                let provider_config_key = set.unique_key.clone();
                ApiError::UnknownConnectionOfMetadata {
                    connection_id,
                    provider_config_key,
                    several,
                }
            }
            ChangeMetadataError::Internal(error) => ApiError::Internal(error),
        })?;
    Ok(Reply::json(status(change), &echo))
}

struct ChangeBody {
    connection_ids: Vec<String>,
    provider_config_key: String,
    metadata: String,
}

fn change_body(input: &Input<'_>) -> Option<ChangeBody> {
    let body = input.object()?;
    let connection_ids = connection_ids(&body.field("connection_id"));
    let provider_config_key = integration_key(&body.field("provider_config_key"));
    let metadata = metadata(&body.field("metadata"));
    body.finish();
    Some(ChangeBody {
        connection_ids: connection_ids?,
        provider_config_key: provider_config_key?.as_str().to_owned(),
        metadata: metadata?,
    })
}

/// One identifier or a list of them; any mistake in them is one mistake of the field.
fn connection_ids(input: &Input<'_>) -> Option<Vec<String>> {
    let several = match input.value() {
        Some(Value::Array(several)) if several.len() > MAX_CONNECTIONS => {
            input.refuse("too_big", too_big("array", MAX_CONNECTIONS, "items"));
            return None;
        }
        Some(Value::Array(several)) => several.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let ids: Option<Vec<_>> = several
        .iter()
        .map(|id| read(Some(id), connection_id).ok())
        .map(|id| id.map(|id| id.as_str().to_owned()))
        .collect();
    let ids = ids.filter(|_| input.value().is_some());
    if ids.is_none() {
        input.refuse("invalid_union", "Invalid input");
    }
    ids
}

fn unique(mut ids: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

/// `POST` and `PATCH /connection/:connectionId/metadata`, where the body is the metadata.
pub(super) async fn legacy_change<P: Ports>(
    call: &Call<'_, P>,
    id: &str,
    change: MetadataChange,
) -> Result<Reply, ApiError> {
    let environment = call.authorize(&[Scope::ConnectionsUpdate]).await?;
    let id = path_parameter("connectionId", id, connection_id)?;
    let in_query = call.query(|input| {
        let query = input.object()?;
        Some(
            query
                .optional("provider_config_key")
                .and_then(|key| integration_key(&key)),
        )
    })?;
    let provider_config_key = match (in_query, &call.request.headers.provider_config_key) {
        (Some(key), _) => key,
        (None, Some(header)) => {
            let header = json!({ "provider_config_key": header });
            read(Some(&header), |input| {
                integration_key(&input.object()?.field("provider_config_key"))
            })
            .map_err(ApiError::InvalidHeaders)?
        }
        (None, None) => return Err(ApiError::LegacyMissing(LegacyParameter::ProviderConfigKey)),
    };
    let body = call.json_body()?;
    if body.is_none() && change == MetadataChange::Merge {
        return Ok(Reply::ok(&json!({})));
    }
    let metadata = read(body.as_ref(), metadata).map_err(ApiError::InvalidBody)?;
    let set = ConnectionSet {
        environment_id: environment.id,
        unique_key: provider_config_key.as_str().to_owned(),
        connection_ids: vec![id.as_str().to_owned()],
    };
    change_metadata(call.ports, &set, &metadata, change)
        .await
        .map_err(|error| match error {
            ChangeMetadataError::TooLarge => ApiError::MergedMetadataTooLarge,
            ChangeMetadataError::UnknownConnection(connection_id) => {
                let provider_config_key = set.unique_key.clone();
                ApiError::LegacyUnknownConnection {
                    connection_id,
                    provider_config_key,
                }
            }
            ChangeMetadataError::Internal(error) => ApiError::Internal(error),
        })?;
    Ok(Reply::json(status(change), &body))
}

/// A replacement counts as a creation, a merge does not.
fn status(change: MetadataChange) -> u16 {
    match change {
        MetadataChange::Merge => 200,
        MetadataChange::Replace => 201,
    }
}

/// The most connections of one request.
const MAX_CONNECTIONS: usize = 100;
