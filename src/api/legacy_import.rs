//! `POST /connection`: the deprecated import, one flat object for every kind of credentials.
//!
//! The kind is the provider's, so the body is read in two steps: what is common, then, with the
//! integration found, what its kind needs.

use serde_json::Value;

use super::{
    call::{Authorized, Call},
    error::{ApiError, LegacyParameter},
    reply::Reply,
    rules::{INTEGRATION_KEY, MAX_KEYS, connection_config, connection_id, metadata, webhook_url},
};
use crate::{
    domain::{
        auth_mode::AuthMode,
        credentials::{ClientOverride, Credentials, OAuth1, OAuth2, OAuth2ClientCredentials, Tba},
        scope::Scope,
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    service::{
        import_connection::{ImportConnection, ImportConnectionError, import_connection},
        integration::{open_secrets, provider_of},
        ports::Ports,
    },
    storage::{
        connections::OnUpdate,
        integrations,
    },
    validation::{
        input::{Fields, Input},
        text::Text,
    },
};

/// `POST /connection`
pub(super) async fn create<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    let request = provider_config_key(call).and_then(|key| Ok((key, call.body(common)?)));
    let Authorized { caller, request: (key, common), rows } = call
        .authorize_and_fetch(&[Scope::ConnectionsCreate], request, |lookup, (key, _)| {
            integrations::find(lookup, key)
        })
        .await?;
    let environment_id = caller.environment.map(|environment| environment.id);
    let integration = rows.into_iter().next().ok_or_else(|| ApiError::LegacyUnknownIntegration {
        payload: serde_json::json!({ "providerConfigKey": key, "environmentId": environment_id }),
    })?;
    let provider = provider_of(&integration)?.ok_or(ApiError::LegacyUnknownProvider)?;
    let mode = provider.entry.auth_mode;

    let secrets = open_secrets(call.ports, &integration)?;
    let client = ClientOverride {
        client_id: integration.client_id.clone(),
        client_secret: secrets.client_secret.clone(),
    };
    let now = call.ports.now();
    let credentials = call
        .body(|input| Flat { body: input.object()?, now }.credentials(mode, &client))?
        .map_err(|lacking| match lacking {
            Lacking::Parameter(parameter) => ApiError::LegacyMissing(parameter),
            Lacking::UnsupportedMode => ApiError::LegacyUnsupportedMode,
            Lacking::ValidExpiry => ApiError::InvalidExpiresAt,
        })?;
    let keeps_metadata = matches!(
        mode,
        AuthMode::None | AuthMode::OAuth1 | AuthMode::OAuth2 | AuthMode::OAuth2ClientCredentials
    );
    let metadata = match common.metadata {
        None if keeps_metadata => OnUpdate::Keep,
        metadata => OnUpdate::Replace(metadata),
    };
    let connection = import_connection(
        call.ports,
        &integration,
        ImportConnection {
            connection_id: common.connection_id,
            credentials,
            connection_config: common.connection_config,
            metadata,
            tags: OnUpdate::Keep,
            end_user: None,
            webhook_url_override: common.webhook_url_override,
        },
    )
    .await
    .map_err(|error| match error {
        ImportConnectionError::MissingAccountId => ApiError::MissingAccountIdLegacy,
        ImportConnectionError::UnknownIntegration | ImportConnectionError::WrongAuthMode { .. } => {
            ApiError::UnknownIntegration
        }
        ImportConnectionError::UnknownProvider => ApiError::LegacyUnknownProvider,
        ImportConnectionError::Internal(error) => ApiError::Internal(error),
    })?;
    let mut echo = call.json_body()?.unwrap_or_default();
    if let Some(echo) = echo.as_object_mut() {
        echo.insert("connection_id".to_owned(), connection.record.connection_id.into());
    }
    Ok(Reply::ok(&echo))
}

/// The key of the integration, whose absence has an error of its own.
fn provider_config_key<P: Ports>(call: &Call<'_, P>) -> Result<String, ApiError> {
    let body = call.json_body()?;
    let key = body.as_ref().and_then(|body| body.get("provider_config_key"));
    match key {
        None | Some(Value::Null | Value::Bool(false)) => {
            Err(ApiError::LegacyMissing(LegacyParameter::ProviderConfigKey))
        }
        Some(Value::String(key)) if key.is_empty() => {
            Err(ApiError::LegacyMissing(LegacyParameter::ProviderConfigKey))
        }
        Some(_) => call.body(|input| {
            input.object()?.field("provider_config_key").text(INTEGRATION_KEY)
        }),
    }
}

/// What every kind of credentials brings along.
struct Common {
    connection_id: Option<crate::domain::connection::ConnectionId>,
    metadata: Option<String>,
    connection_config: SecretMap,
    webhook_url_override: Option<String>,
}

fn common(input: Input<'_>) -> Option<Common> {
    let body = input.object()?;
    let given = |name| body.optional(name).filter(|input| !input.is_null());
    let connection_id = given("connection_id")
        .filter(|input| input.value() != Some(&Value::from("")))
        .and_then(|input| connection_id(&input));
    let metadata = given("metadata").and_then(|input| metadata(&input));
    let connection_config =
        given("connection_config").and_then(|input| legacy_connection_config(&input));
    let webhook_url_override = given("webhook_url_override").and_then(|input| webhook_url(&input));
    Some(Common {
        connection_id,
        metadata,
        connection_config: connection_config.unwrap_or_default(),
        webhook_url_override: webhook_url_override.filter(|url| !url.is_empty()),
    })
}

/// Here `oauth_scopes_override` may also be one text with commas.
fn legacy_connection_config(input: &Input<'_>) -> Option<SecretMap> {
    let map = input.object()?;
    let Some(Value::String(scopes)) = map.map().get("oauth_scopes_override") else {
        return connection_config(input);
    };
    let scopes: Vec<_> = scopes.split(',').map(str::trim).collect();
    let mut map = map.map().clone();
    map.insert("oauth_scopes_override".to_owned(), scopes.into());
    let map = Value::Object(map);
    match crate::validation::input::read(Some(&map), |map| connection_config(&map)) {
        Ok(connection_config) => Some(connection_config),
        Err(issues) => {
            issues.into_iter().for_each(|issue| input.refuse(issue.code, issue.message));
            None
        }
    }
}

/// Why the flat fields make no credentials.
enum Lacking {
    Parameter(LegacyParameter),
    UnsupportedMode,
    ValidExpiry,
}

/// The flat fields: bounded where they are used, ignored where they are not.
struct Flat<'a> {
    body: Fields<'a>,
    now: Timestamp,
}

impl Flat<'_> {
    /// The credentials of `mode`; the outer `None` stands for a field of the wrong type or size.
    fn credentials(
        &self,
        mode: AuthMode,
        client: &ClientOverride,
    ) -> Option<Result<Credentials, Lacking>> {
        match mode {
            AuthMode::ApiKey => self.api_key(),
            AuthMode::Basic => self.basic(),
            AuthMode::None => Some(Ok(Credentials::None)),
            AuthMode::OAuth1 => self.oauth1(),
            AuthMode::OAuth2 => self.oauth2(),
            AuthMode::OAuth2ClientCredentials => self.client_credentials(client),
            AuthMode::Tba => self.tba(),
            AuthMode::App
            | AuthMode::AppStore
            | AuthMode::AwsSigV4
            | AuthMode::Bill
            | AuthMode::Custom
            | AuthMode::InstallPlugin
            | AuthMode::Jwt
            | AuthMode::McpOAuth2
            | AuthMode::McpOAuth2Generic
            | AuthMode::Signature
            | AuthMode::TwoStep => Some(Err(Lacking::UnsupportedMode)),
        }
    }

    fn api_key(&self) -> Option<Result<Credentials, Lacking>> {
        let api_key = self.secret("api_key", 1024)?;
        Some(api_key.ok_or(LegacyParameter::ApiKey.into()).map(|api_key| {
            Credentials::ApiKey { api_key }
        }))
    }

    fn basic(&self) -> Option<Result<Credentials, Lacking>> {
        let username = self.secret("username", 1024)?;
        let password = self.secret("password", 1024)?.unwrap_or_else(|| Secret::new(""));
        Some(username.ok_or(LegacyParameter::BasicUsername.into()).map(|username| {
            Credentials::Basic { username, password }
        }))
    }

    fn oauth1(&self) -> Option<Result<Credentials, Lacking>> {
        let oauth_token = self.secret("oauth_token", 2048)?;
        let oauth_token_secret = self.secret("oauth_token_secret", 2048)?;
        let Some(oauth_token) = oauth_token else {
            return Some(Err(LegacyParameter::OAuthToken.into()));
        };
        let Some(oauth_token_secret) = oauth_token_secret else {
            return Some(Err(LegacyParameter::OAuthTokenSecret.into()));
        };
        let raw = self.raw()?;
        Some(Ok(Credentials::OAuth1(OAuth1 { oauth_token, oauth_token_secret, raw })))
    }

    fn oauth2(&self) -> Option<Result<Credentials, Lacking>> {
        let access_token = self.secret("access_token", 16_384)?;
        let refresh_token = self.secret("refresh_token", 16_384)?;
        let Some(access_token) = access_token else {
            return Some(Err(LegacyParameter::AccessToken.into()));
        };
        let Ok(expires_at) = self.expires_at()? else { return Some(Err(Lacking::ValidExpiry)) };
        let never_expires = self.body.field("no_expiration").value() == Some(&Value::Bool(true));
        if expires_at.is_none() && !never_expires {
            return Some(Err(LegacyParameter::ExpiresAt.into()));
        }
        let client = self.client_override()?;
        let has_override = client.client_id.is_some() || client.client_secret.is_some();
        Some(Ok(Credentials::OAuth2(OAuth2 {
            access_token,
            refresh_token,
            expires_at,
            config_override: has_override.then_some(client),
            raw: self.raw()?,
        })))
    }

    /// The client is the connection's own, else the integration's.
    fn client_credentials(&self, of_integration: &ClientOverride) -> Option<Result<Credentials, Lacking>> {
        let Some(token) = self.secret("access_token", 16_384)? else {
            return Some(Err(LegacyParameter::AccessToken.into()));
        };
        let Ok(expires_at) = self.expires_at()? else { return Some(Err(Lacking::ValidExpiry)) };
        let own = self.client_override()?;
        let client_id = own.client_id.or_else(|| of_integration.client_id.clone());
        let client_secret = own.client_secret.or_else(|| of_integration.client_secret.clone());
        let (Some(client_id), Some(client_secret)) = (client_id, client_secret) else {
            return Some(Err(LegacyParameter::ClientSecret.into()));
        };
        Some(Ok(Credentials::OAuth2ClientCredentials(OAuth2ClientCredentials {
            token,
            client_id,
            client_secret,
            client_certificate: None,
            client_private_key: None,
            expires_at,
            raw: self.raw()?,
        })))
    }

    fn tba(&self) -> Option<Result<Credentials, Lacking>> {
        let Some(token_id) = self.secret("token_id", 2048)? else {
            return Some(Err(LegacyParameter::TokenId.into()));
        };
        let Some(token_secret) = self.secret("token_secret", 2048)? else {
            return Some(Err(LegacyParameter::TokenSecret.into()));
        };
        let config_override = self.client_override()?;
        Some(Ok(Credentials::Tba(Tba { token_id, token_secret, config_override })))
    }

    /// A text that counts as absent when it is null or empty; the outer `None` is a mistake.
    fn secret(&self, name: &'static str, max: usize) -> Option<Option<Secret>> {
        let Some(input) = self.given(name) else { return Some(None) };
        let text = input.text(Text::of(0, max))?;
        Some((!text.is_empty()).then(|| Secret::new(text)))
    }

    fn client_override(&self) -> Option<ClientOverride> {
        let client_id = match self.given("oauth_client_id_override") {
            Some(input) => Some(input.text(Text::of(1, 255))?),
            None => None,
        };
        let client_secret = self.secret("oauth_client_secret_override", 2048)?;
        Some(ClientOverride { client_id, client_secret })
    }

    /// `expires_at`, else `expires_in` seconds from now; the inner error is an unreadable date.
    fn expires_at(&self) -> Option<Result<Option<Timestamp>, ()>> {
        if let Some(input) = self.given("expires_at") {
            return Some(input.date().map(Some).ok_or(()));
        }
        let Some(input) = self.given("expires_in") else { return Some(Ok(None)) };
        let seconds = input.integer(i64::MIN..=i64::MAX)?;
        Some(Ok(Some(self.now.plus_seconds(seconds))))
    }

    /// `raw`, else all that was sent.
    fn raw(&self) -> Option<SecretMap> {
        let raw = match self.given("raw") {
            Some(input) => input.record(MAX_KEYS)?,
            None => self.body.map(),
        };
        Some(SecretMap::new(raw.clone()))
    }

    fn given(&self, name: &'static str) -> Option<Input<'_>> {
        self.body.optional(name).filter(|input| !input.is_null())
    }
}

impl From<LegacyParameter> for Lacking {
    fn from(parameter: LegacyParameter) -> Self {
        Self::Parameter(parameter)
    }
}
