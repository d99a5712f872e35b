//! `POST /connection`: the deprecated import, one flat object for every kind of credentials.
//!
//! The kind is the provider's, so the body is read in two steps: what is common, then, with the
//! integration found, what its kind needs.

use serde_json::{Value, json};

use super::{
    call::{Authorized, Call},
    credentials::ImportedCredentials,
    error::{ApiError, legacy::LegacyParameter, verification::VerificationError},
    flat_credentials::FlatCredentials,
    import::verified_import_error,
    reply::Reply,
    rules::{INTEGRATION_KEY, MAX_KEYS, connection_config, connection_id, metadata, webhook_url},
};
use crate::{
    domain::{connection::ConnectionId, credentials::Credentials, scope::Scope, secret::SecretMap},
    service::{
        import_connection::{
            CredentialTest, ImportConnection, ImportConnectionError, import_connection,
        },
        import_verified_connection::import_verified_connection,
        integration::provider_of,
        ports::Ports,
    },
    storage::{imports::OnUpdate, integrations},
    validation::{
        input::{Input, read},
        issue::Issue,
    },
};

/// `POST /connection`
pub(super) async fn create<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    let request = call.json_body().and_then(|body| {
        let body = body.unwrap_or_default();
        let key = provider_config_key(&body)?;
        let common = read(Some(&body), common).map_err(ApiError::InvalidBody)?;
        Ok((body, key, common))
    });
    let Authorized {
        caller,
        request: (mut body, key, common),
        rows,
    } = call
        .authorize_and_fetch(
            &[Scope::ConnectionsCreate],
            request,
            |lookup, (_, key, _)| integrations::find(lookup, key),
        )
        .await?;
    let environment = caller.environment.map(|environment| environment.name);
    let integration =
        rows.into_iter()
            .next()
            .ok_or_else(|| ApiError::LegacyUnknownIntegration {
                payload: json!({ "providerConfigKey": key, "environmentName": environment }),
            })?;
    let provider = provider_of(&integration)?.ok_or(ApiError::UnknownProviderOfLegacyImport)?;
    let mode = provider.entry.auth_mode;
    let credentials = FlatCredentials {
        body: &body,
        now: call.ports.now(),
    };
    let import = common.with(credentials.read(mode)?);
    let connection = if import.credentials.are_unissued() {
        import_verified_connection(call.ports, &integration, &import)
            .await
            .map_err(|error| verified_import_error(error, import_error))?
    } else {
        let imported = import_connection(call.ports, &integration, import, CredentialTest::Never)
            .await
            .map_err(import_error)?;
        call.duplicate_of.set(imported.duplicate_of);
        imported.connection
    };
    if let Some(echo) = body.as_object_mut() {
        let connection_id = connection.record.connection_id;
        echo.insert("connection_id".to_owned(), connection_id.into());
    }
    Ok(Reply::ok(&body))
}

/// The key of the integration, whose absence has an error of its own.
fn provider_config_key(body: &Value) -> Result<String, ApiError> {
    match body.get("provider_config_key") {
        None | Some(Value::Null | Value::Bool(false)) => {
            Err(ApiError::LegacyMissing(LegacyParameter::ProviderConfigKey))
        }
        Some(Value::String(key)) if key.is_empty() => {
            Err(ApiError::LegacyMissing(LegacyParameter::ProviderConfigKey))
        }
        Some(_) => read(Some(body), |body| {
            let key = body.object()?.field("provider_config_key");
            key.text(INTEGRATION_KEY)
        })
        .map_err(ApiError::InvalidBody),
    }
}

fn import_error(error: ImportConnectionError) -> ApiError {
    match error {
        ImportConnectionError::InvalidCredentials(issues) => {
            ApiError::InvalidBody(issues.into_iter().map(flat).collect())
        }
        ImportConnectionError::ClientCertificate => ApiError::ClientCertificate,
        ImportConnectionError::MissingAccountId => ApiError::MissingAccountIdLegacy,
        ImportConnectionError::TooManyTags => ApiError::TooManyTags,
        ImportConnectionError::UnknownIntegration | ImportConnectionError::WrongAuthMode { .. } => {
            ApiError::UnknownIntegration
        }
        ImportConnectionError::UnknownProvider => ApiError::UnknownProviderOfLegacyImport,
        ImportConnectionError::TestFailed(test) => {
            ApiError::Verification(VerificationError::TestFailed(test))
        }
        ImportConnectionError::Internal(error) => ApiError::Internal(error),
    }
}

/// A mistake within credentials at the field that brought it.
fn flat(mut issue: Issue) -> Issue {
    let field = issue.path.pop().map(|name| match name.as_str() {
        "client_secret" => "oauth_client_secret_override".to_owned(),
        _ => name,
    });
    issue.path = field.into_iter().collect();
    issue
}

/// What every kind of credentials brings along.
struct Common {
    connection_id: Option<ConnectionId>,
    metadata: Option<String>,
    connection_config: SecretMap,
    webhook_url_override: Option<String>,
}

impl Common {
    /// The import of `imported`. OAuth kinds, apps and none keep stored metadata that is not given,
    /// the others forget it; labels and the end user are kept by all.
    fn with(self, imported: ImportedCredentials) -> ImportConnection {
        let keeps_metadata = matches!(
            imported.credentials,
            Credentials::Exchanged(_)
                | Credentials::None
                | Credentials::OAuth1(_)
                | Credentials::OAuth2(_)
                | Credentials::OAuth2ClientCredentials(_)
        );
        ImportConnection {
            connection_id: self.connection_id,
            auth_mode: imported.auth_mode,
            credentials: imported.credentials,
            connection_config: self.connection_config.merged(&imported.connection_config),
            metadata: match self.metadata {
                None if keeps_metadata => OnUpdate::Keep,
                metadata => OnUpdate::Replace(metadata),
            },
            tags: OnUpdate::Keep,
            end_user: None,
            webhook_url_override: self.webhook_url_override,
        }
    }
}

fn common(input: &Input<'_>) -> Option<Common> {
    let body = input.object()?;
    let given = |name| body.optional(name).filter(|input| !input.is_null());
    let connection_id = given("connection_id")
        .filter(|input| input.value() != Some(&Value::from("")))
        .and_then(|input| connection_id(&input));
    let metadata = given("metadata").and_then(|input| metadata(&input));
    let connection_config =
        given("connection_config").and_then(|input| legacy_connection_config(&input));
    let webhook_url_override = given("webhook_url_override");
    let webhook_url_override =
        webhook_url_override.and_then(|url| read_at(input, url.value(), webhook_url));
    Some(Common {
        connection_id,
        metadata,
        connection_config: connection_config.unwrap_or_default(),
        webhook_url_override: webhook_url_override.filter(|url| !url.is_empty()),
    })
}

/// Here `oauth_scopes_override` may also be one text with commas.
fn legacy_connection_config(input: &Input<'_>) -> Option<SecretMap> {
    let map = input.record(MAX_KEYS)?;
    let Some(Value::String(scopes)) = map.get("oauth_scopes_override") else {
        return connection_config(input);
    };
    let scopes: Vec<_> = scopes.split(',').map(str::trim).collect();
    let mut map = map.clone();
    map.insert("oauth_scopes_override".to_owned(), scopes.into());
    let map = Value::Object(map);
    read_at(input, Some(&map), connection_config)
}

/// Reads `value`, and tells every mistake in it of `place`.
fn read_at<T>(
    place: &Input<'_>,
    value: Option<&Value>,
    parse: impl FnOnce(&Input<'_>) -> Option<T>,
) -> Option<T> {
    let parsed = read(value, parse);
    let tell = |issues: Vec<Issue>| {
        for issue in issues {
            place.refuse(issue.code, issue.message);
        }
    };
    parsed.map_err(tell).ok()
}
