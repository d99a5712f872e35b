//! Integrations: listing, creating, reading, changing, deleting.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{
    call::{Authorized, Call, path_parameter},
    client_settings::client_settings,
    error::ApiError,
    json::integration::{client_json, integration_json},
    reply::Reply,
    rules::{MAX_KEYS, PROVIDER, SHORT, integration_key},
};
use crate::{
    domain::{integration::IntegrationKey, scope::Scope, secret::SecretMap},
    service::{
        create_integration::{
            ClientSettings, CreateIntegration, IntegrationError, create_integration,
        },
        error::InternalError,
        integration::{open_secrets, provider_of},
        ports::Ports,
        update_integration::{UpdateIntegration, update_integration},
    },
    storage::{
        database::fetch_one,
        integrations::{self, IntegrationRecord},
    },
    validation::{fields::Fields, input::Input, issue::Issue, text::Text},
};

/// `GET /integrations`
pub(super) async fn list<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    call.refuse_session_token()?;
    let scopes = &[Scope::IntegrationsList, Scope::IntegrationsListCredentials];
    let Authorized { rows, .. } = call
        .authorize_and_fetch(scopes, call.no_query(), |key, ()| integrations::list(key))
        .await?;
    let shown: Vec<_> = rows.iter().map(|row| shown(row, call)).collect();
    Ok(Reply::ok(&json!({ "data": shown })))
}

/// `POST /integrations`
pub(super) async fn create<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    let environment = call.authorize(&[Scope::IntegrationsCreate]).await?;
    call.no_query()?;
    let request = call.body(create_body)?;
    let created = create_integration(call.ports, environment.id, request)
        .await
        .map_err(integration_error)?;
    Ok(Reply::ok(&json!({ "data": shown(&created, call) })))
}

fn create_body(input: &Input<'_>) -> Option<CreateIntegration> {
    let body = input.object()?;
    let provider = body.field("provider").text(PROVIDER);
    let unique_key = integration_key(&body.field("unique_key"));
    let common = Common::read(&body);
    body.finish();
    Some(CreateIntegration {
        provider: provider?,
        unique_key: unique_key?,
        display_name: common.display_name,
        forward_webhooks: common.forward_webhooks.unwrap_or(true),
        client: common.client,
        integration_config: common.integration_config,
        custom: common.custom,
    })
}

/// `GET /integrations/:uniqueKey`
pub(super) async fn get<P: Ports>(call: &Call<'_, P>, key: &str) -> Result<Reply, ApiError> {
    let request = call
        .query(include_query)
        .and_then(|include| Ok((include, path_parameter("uniqueKey", key, integration_key)?)));
    let scopes = &[Scope::IntegrationsRead, Scope::IntegrationsReadCredentials];
    let Authorized {
        caller,
        request: (include, key),
        rows,
    } = call
        .authorize_and_fetch(scopes, request, |lookup, (_, key)| {
            integrations::find(lookup, key.as_str())
        })
        .await?;
    let integration = rows.into_iter().next().ok_or_else(|| unknown(&key))?;
    let provider = provider_of(&integration)?
        .ok_or_else(|| ApiError::UnknownProvider(integration.provider.clone()))?;
    let mut data = shown(&integration, call);
    if include.webhook {
        data.insert("webhook_url".to_owned(), Value::Null);
    }
    if include.credentials && caller.has(Scope::IntegrationsReadCredentials) {
        let secrets = open_secrets(call.ports, &integration)?;
        let client = client_json(&integration, &secrets, provider.entry.auth_mode);
        data.insert("credentials".to_owned(), client);
    }
    Ok(Reply::ok(&json!({ "data": data })))
}

#[derive(Default)]
struct Include {
    credentials: bool,
    webhook: bool,
}

fn include_query(input: &Input<'_>) -> Option<Include> {
    let query = input.object()?;
    let mut include = Include::default();
    if let Some(given) = query.optional("include") {
        let parts = match given.value() {
            Some(Value::Array(_)) => given.items(2)?,
            _ => vec![given],
        };
        for part in parts {
            match part.one_of(&[("webhook", "webhook"), ("credentials", "credentials")]) {
                Some("credentials") => include.credentials = true,
                Some(_) => include.webhook = true,
                None => {}
            }
        }
    }
    query.finish();
    Some(include)
}

/// `PATCH /integrations/:uniqueKey`
pub(super) async fn update<P: Ports>(call: &Call<'_, P>, key: &str) -> Result<Reply, ApiError> {
    let request = call
        .no_query()
        .and_then(|()| call.body(update_body))
        .and_then(|body| Ok((body, path_parameter("uniqueKey", key, integration_key)?)));
    let Authorized {
        request: (change, key),
        rows,
        ..
    } = call
        .authorize_and_fetch(&[Scope::IntegrationsUpdate], request, |lookup, (_, key)| {
            integrations::find(lookup, key.as_str())
        })
        .await?;
    let integration = rows.into_iter().next().ok_or_else(|| unknown(&key))?;
    let changed = update_integration(call.ports, &integration, change)
        .await
        .map_err(|error| update_error(error, &integration))?;
    Ok(Reply::ok(&json!({ "data": shown(&changed, call) })))
}

fn update_body(input: &Input<'_>) -> Option<UpdateIntegration> {
    let body = input.object()?;
    let unique_key = body
        .optional("unique_key")
        .and_then(|key| integration_key(&key));
    let common = Common::read(&body);
    body.finish();
    Some(UpdateIntegration {
        unique_key,
        display_name: common.display_name,
        forward_webhooks: common.forward_webhooks,
        client: common.client,
        integration_config: common.integration_config,
        custom: common.custom,
    })
}

/// What a new integration and a change of one have in common.
struct Common {
    display_name: Option<String>,
    forward_webhooks: Option<bool>,
    client: Option<ClientSettings>,
    integration_config: Option<SecretMap>,
    custom: Option<SecretMap>,
}

impl Common {
    fn read(body: &Fields<'_>) -> Self {
        Self {
            display_name: body
                .optional("display_name")
                .and_then(|name| name.text(SHORT)),
            forward_webhooks: body
                .optional("forward_webhooks")
                .and_then(|flag| flag.boolean()),
            client: body
                .optional("credentials")
                .and_then(|input| client_settings(&input)),
            integration_config: body
                .optional("integration_config")
                .and_then(|input| texts(&input)),
            custom: body.optional("custom").and_then(|input| texts(&input)),
        }
    }
}

/// An object of texts.
fn texts(input: &Input<'_>) -> Option<SecretMap> {
    let mut texts = Map::new();
    for (key, value) in input.entries(MAX_KEYS)? {
        let text = value.text(Text::of(0, 8192));
        texts.insert(key.to_owned(), text.into());
    }
    Some(SecretMap::new(texts))
}

/// `DELETE /integrations/:uniqueKey`
pub(super) async fn delete<P: Ports>(call: &Call<'_, P>, key: &str) -> Result<Reply, ApiError> {
    let environment = call.authorize(&[Scope::IntegrationsDelete]).await?;
    call.no_query()?;
    let key = path_parameter("uniqueKey", key, integration_key)?;
    let deleted = fetch_one(
        call.ports,
        integrations::delete(environment.id, key.as_str()),
    )
    .await
    .map_err(InternalError::from)?;
    deleted.ok_or(ApiError::UnknownIntegration)?;
    Ok(Reply::ok(&json!({ "success": true })))
}

/// The integration as it is shown. One whose provider is gone, or is an entry no more, is shown
/// with what is known, so that it does not take the others along.
fn shown<P: Ports>(integration: &IntegrationRecord, call: &Call<'_, P>) -> Map<String, Value> {
    let provider = provider_of(integration).ok().flatten();
    let name = provider.map_or_else(|| integration.provider.clone(), |it| it.entry.display_name);
    integration_json(integration, &name, &call.request.origin)
}

fn unknown(key: &IntegrationKey) -> ApiError {
    ApiError::UnknownIntegrationKey(key.as_str().to_owned())
}

fn update_error(error: IntegrationError, integration: &IntegrationRecord) -> ApiError {
    match error {
        IntegrationError::UnknownProvider => {
            ApiError::UnknownProvider(integration.provider.clone())
        }
        IntegrationError::KeyIsTaken => ApiError::RenameKeyTaken,
        error => integration_error(error),
    }
}

fn integration_error(error: IntegrationError) -> ApiError {
    match error {
        IntegrationError::ChangedMeanwhile => ApiError::IntegrationChangedMeanwhile,
        IntegrationError::Config(messages) => ApiError::IntegrationConfig(messages),
        IntegrationError::CustomNotAccepted => ApiError::CustomNotAccepted,
        IntegrationError::HasConnections => ApiError::IntegrationHasConnections,
        IntegrationError::Internal(error) => ApiError::Internal(error),
        IntegrationError::KeyIsTaken => ApiError::IntegrationKeyTaken,
        IntegrationError::MissingClient => ApiError::MissingClient,
        IntegrationError::PrivateKey { setting, error } => ApiError::InvalidBody(vec![Issue {
            code: "invalid_format",
            message: Cow::Owned(error.to_string()),
            path: vec!["credentials".to_owned(), setting.to_owned()],
        }]),
        IntegrationError::TooLarge => ApiError::IntegrationTooLarge,
        IntegrationError::UnknownProvider => ApiError::InvalidProvider,
        IntegrationError::WrongAuthMode => ApiError::IncompatibleCredentials,
    }
}
