//! `GET /config/:providerConfigKey`: the deprecated way to read an integration.

use serde_json::{Value, json};

use super::{
    call::{Authorized, Call, path_parameter},
    error::ApiError,
    json::integration::shown,
    reply::Reply,
    rules::integration_key,
};
use crate::{
    domain::scope::Scope,
    service::{
        error::InternalError,
        integration::{open_secrets, provider_of},
        ports::Ports,
    },
    storage::{
        database::fetch_one,
        integrations::{self, connections_of},
    },
};

/// `GET /config/:providerConfigKey`
pub(super) async fn get<P: Ports>(call: &Call<'_, P>, key: &str) -> Result<Reply, ApiError> {
    let include_creds =
        call.query(|input| Some(input.object()?.field("include_creds").value().cloned()));
    let request = include_creds.and_then(|include| {
        Ok((
            include,
            path_parameter("providerConfigKey", key, integration_key)?,
        ))
    });
    let scopes = &[Scope::IntegrationsRead, Scope::IntegrationsReadCredentials];
    let Authorized {
        caller,
        request: (include_creds, _),
        rows,
    } = call
        .authorize_and_fetch(scopes, request, |lookup, (_, key)| {
            integrations::find(lookup, key.as_str())
        })
        .await?;
    let integration = rows
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::LegacyUnknownIntegration { payload: json!({}) })?;
    let provider = provider_of(&integration)?.ok_or(ApiError::LegacyUnknownProvider)?;
    let mut config = json!({
        "unique_key": integration.unique_key,
        "provider": integration.provider,
        "syncs": [],
        "actions": [],
    });
    if include_creds != Some(Value::from("true")) {
        return Ok(Reply::ok(&json!({ "config": config })));
    }
    if !caller.has(Scope::IntegrationsReadCredentials) {
        return Err(ApiError::missing_scope(Scope::IntegrationsReadCredentials));
    }

    let secrets = open_secrets(call.ports, &integration)?;
    let connections = fetch_one(call.ports, connections_of(integration.id))
        .await
        .map_err(InternalError::from)?;
    let entry: Value = serde_json::from_str(&provider.json).unwrap_or_default();
    let client_secret = secrets
        .client_secret
        .as_ref()
        .or(secrets.private_key.as_ref());
    let details = json!({
        "client_id": integration.client_id,
        "client_secret": shown(client_secret),
        "custom": secrets.custom.expose(),
        "scopes": integration.scopes,
        "app_link": integration.app_link,
        "auth_mode": provider.entry.auth_mode.as_str(),
        "created_at": integration.created_at.to_iso(),
        "has_webhook": false,
        "webhook_secret": null,
        "webhook_url": null,
        "has_webhook_user_defined_secret": secrets.webhook_secret.is_some(),
        "docs": entry.get("docs"),
        "connection_count": connections.as_ref().map_or(0, |connections| connections.count),
        "connections": connections.map(|connections| connections.newest),
    });
    if let (Value::Object(config), Value::Object(details)) = (&mut config, details) {
        config.extend(details);
    }
    Ok(Reply::ok(&json!({ "config": config })))
}
