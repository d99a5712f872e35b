//! Whether the service lives, and whether it can serve.

use serde_json::json;

use super::{call::Call, error::ApiError, reply::Reply};
use crate::service::{ports::Ports, readiness::readiness};

/// `GET /health`
pub(super) fn live() -> Reply {
    Reply::ok(&json!({ "result": "ok" }))
}

/// `GET /ready`
pub(super) async fn ready<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    readiness(call.ports).await.map_err(ApiError::NotReady)?;
    Ok(Reply::ok(&json!({ "result": "ready" })))
}
