//! Revoking and deleting all connections of an integration.

use serde_json::json;

use super::{
    call::{Authorized, Call, path_parameter},
    error::ApiError,
    json::revocation::RevokedBatchJson,
    reply::Reply,
    rules::integration_key,
};
use crate::{
    domain::scope::Scope,
    service::{
        ports::Ports,
        revoke_all::{BATCH, revoke_all},
    },
    storage::revocations,
};

/// `POST /integrations/:uniqueKey/revoke-all`
pub(super) async fn post<P: Ports>(call: &Call<'_, P>, key: &str) -> Result<Reply, ApiError> {
    let request = call
        .no_query()
        .and_then(|()| path_parameter("uniqueKey", key, integration_key));
    let Authorized {
        request: key, rows, ..
    } = call
        .authorize_and_fetch(&[Scope::ConnectionsDelete], request, |lookup, key| {
            revocations::oldest(lookup, key.as_str(), BATCH)
        })
        .await?;
    let unknown = || ApiError::UnknownIntegrationKey(key.as_str().to_owned());
    let integration = rows.first().ok_or_else(unknown)?.integration.clone();
    let connections = rows.into_iter().filter_map(|row| row.connection).collect();
    let batch = revoke_all(call.ports, &integration, connections).await?;
    Ok(Reply::ok(&json!({ "data": RevokedBatchJson::from(batch) })))
}
