//! `POST /connection`: the deprecated import, one flat object for every kind of credentials.
//!
//! The kind is the provider's, so the body is read in two steps: what is common, then, with the
//! integration found, what its kind needs.

use serde_json::Value;

use super::{
    call::{Authorized, Call},
    credentials::MAX_TOKEN_CHARS,
    error::{ApiError, legacy::LegacyParameter},
    reply::Reply,
    rules::{INTEGRATION_KEY, MAX_KEYS, connection_config, connection_id, metadata, webhook_url},
};
use crate::{
    domain::{
        auth_mode::AuthMode,
        credentials::{ClientOverride, Credentials, OAuth1, OAuth2, OAuth2ClientCredentials, Tba},
        scope::Scope,
        secret::{MAX_RAW_BYTES, Secret, SecretMap},
        timestamp::Timestamp,
    },
    service::{
        import_connection::{ImportConnection, ImportConnectionError, import_connection},
        integration::{open_secrets, provider_of},
        ports::Ports,
    },
    storage::{connections::OnUpdate, integrations},
    validation::{
        input::{Fields, Input, read},
        text::Text,
        wording::too_big,
    },
};

/// `POST /connection`
pub(super) async fn create<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    let request = provider_config_key(call).and_then(|key| Ok((key, call.body(common)?)));
    let Authorized {
        caller,
        request: (key, common),
        rows,
    } = call
        .authorize_and_fetch(&[Scope::ConnectionsCreate], request, |lookup, (key, _)| {
            integrations::find(lookup, key)
        })
        .await?;
    let environment = caller.environment.map(|environment| environment.name);
    let integration = rows.into_iter().next().ok_or_else(|| ApiError::LegacyUnknownIntegration {
        payload: serde_json::json!({ "providerConfigKey": key, "environmentName": environment }),
    })?;
    let provider = provider_of(&integration)?.ok_or(ApiError::UnknownProviderOfLegacyImport)?;
    let mode = provider.entry.auth_mode;

    let secrets = open_secrets(call.ports, &integration)?;
    let client = ClientOverride {
        client_id: integration.client_id.clone(),
        client_secret: secrets.client_secret.clone(),
    };
    let now = call.ports.now();
    let credentials = call
        .body(|input| {
            match (Flat {
                body: input.object()?,
                now,
            })
            .credentials(mode, client)
            {
                Err(Lacking::Form) => None,
                credentials => Some(credentials),
            }
        })?
        .map_err(|lacking| match lacking {
            Lacking::Form => ApiError::InvalidBody(Vec::new()),
            Lacking::Parameter(parameter) => ApiError::LegacyMissing(parameter),
            Lacking::SupportedMode => ApiError::LegacyUnsupportedMode,
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
        ImportConnectionError::TooManyTags => ApiError::TooManyTags,
        ImportConnectionError::UnknownIntegration | ImportConnectionError::WrongAuthMode { .. } => {
            ApiError::UnknownIntegration
        }
        ImportConnectionError::UnknownProvider => ApiError::UnknownProviderOfLegacyImport,
        ImportConnectionError::Internal(error) => ApiError::Internal(error),
    })?;
    let mut echo = call.json_body()?.unwrap_or_default();
    if let Some(echo) = echo.as_object_mut() {
        echo.insert(
            "connection_id".to_owned(),
            connection.record.connection_id.into(),
        );
    }
    Ok(Reply::ok(&echo))
}

/// The key of the integration, whose absence has an error of its own.
fn provider_config_key<P: Ports>(call: &Call<'_, P>) -> Result<String, ApiError> {
    let body = call.json_body()?;
    let key = body
        .as_ref()
        .and_then(|body| body.get("provider_config_key"));
    match key {
        None | Some(Value::Null | Value::Bool(false)) => {
            Err(ApiError::LegacyMissing(LegacyParameter::ProviderConfigKey))
        }
        Some(Value::String(key)) if key.is_empty() => {
            Err(ApiError::LegacyMissing(LegacyParameter::ProviderConfigKey))
        }
        Some(_) => call.body(|input| {
            input
                .object()?
                .field("provider_config_key")
                .text(INTEGRATION_KEY)
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

fn common(input: &Input<'_>) -> Option<Common> {
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
    let map = input.record(MAX_KEYS)?;
    let Some(Value::String(scopes)) = map.get("oauth_scopes_override") else {
        return connection_config(input);
    };
    let scopes: Vec<_> = scopes.split(',').map(str::trim).collect();
    let mut map = map.clone();
    map.insert("oauth_scopes_override".to_owned(), scopes.into());
    let map = Value::Object(map);
    match read(Some(&map), connection_config) {
        Ok(connection_config) => Some(connection_config),
        Err(issues) => {
            for issue in issues {
                input.refuse(issue.code, issue.message);
            }
            None
        }
    }
}

/// Why the flat fields make no credentials.
enum Lacking {
    /// Fields of the right type and size; the mistakes are on record.
    Form,
    Parameter(LegacyParameter),
    SupportedMode,
    ValidExpiry,
}

/// The flat fields: checked where they are used, ignored where they are not.
struct Flat<'a> {
    body: Fields<'a>,
    now: Timestamp,
}

impl Flat<'_> {
    /// The credentials of `mode`. `client` is the integration's.
    fn credentials(&self, mode: AuthMode, client: ClientOverride) -> Result<Credentials, Lacking> {
        match mode {
            AuthMode::ApiKey => {
                let api_key = self.required("api_key", 1024, LegacyParameter::ApiKey)?;
                Ok(Credentials::ApiKey { api_key })
            }
            AuthMode::Basic => {
                let username = self.required("username", 1024, LegacyParameter::BasicUsername)?;
                let password = self.secret("password", 1024)?;
                let password = password.unwrap_or_else(|| Secret::new(""));
                Ok(Credentials::Basic { username, password })
            }
            AuthMode::None => Ok(Credentials::None),
            AuthMode::OAuth1 => self.oauth1(),
            AuthMode::OAuth2 => self.oauth2(),
            AuthMode::OAuth2ClientCredentials => self.client_credentials(client),
            AuthMode::Tba => Ok(Credentials::Tba(Tba {
                token_id: self.required("token_id", 2048, LegacyParameter::TokenId)?,
                token_secret: self.required("token_secret", 2048, LegacyParameter::TokenSecret)?,
                config_override: self.client_override()?,
            })),
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
            | AuthMode::TwoStep => Err(Lacking::SupportedMode),
        }
    }

    fn oauth1(&self) -> Result<Credentials, Lacking> {
        Ok(Credentials::OAuth1(OAuth1 {
            oauth_token: self.required("oauth_token", 2048, LegacyParameter::OAuthToken)?,
            oauth_token_secret: self.required(
                "oauth_token_secret",
                2048,
                LegacyParameter::OAuthTokenSecret,
            )?,
            raw: self.raw()?,
        }))
    }

    fn oauth2(&self) -> Result<Credentials, Lacking> {
        let access_token = self.required(
            "access_token",
            MAX_TOKEN_CHARS,
            LegacyParameter::AccessToken,
        )?;
        let refresh_token = self.secret("refresh_token", MAX_TOKEN_CHARS)?;
        let expires_at = self.expires_at()?;
        let never_expires = self.body.field("no_expiration").value() == Some(&Value::Bool(true));
        if expires_at.is_none() && !never_expires {
            return Err(Lacking::Parameter(LegacyParameter::ExpiresAt));
        }
        let client = self.client_override()?;
        let has_override = client.client_id.is_some() || client.client_secret.is_some();
        Ok(Credentials::OAuth2(OAuth2 {
            access_token,
            refresh_token,
            expires_at,
            config_override: has_override.then_some(client),
            raw: self.raw()?,
        }))
    }

    /// The client is the connection's own, else the integration's.
    fn client_credentials(&self, client: ClientOverride) -> Result<Credentials, Lacking> {
        let token = self.required(
            "access_token",
            MAX_TOKEN_CHARS,
            LegacyParameter::AccessToken,
        )?;
        let expires_at = self.expires_at()?;
        let own = self.client_override()?;
        let client_id = own.client_id.or(client.client_id);
        let client_secret = own.client_secret.or(client.client_secret);
        let (Some(client_id), Some(client_secret)) = (client_id, client_secret) else {
            return Err(Lacking::Parameter(LegacyParameter::ClientSecret));
        };
        Ok(Credentials::OAuth2ClientCredentials(
            OAuth2ClientCredentials {
                token,
                client_id,
                client_secret,
                client_certificate: None,
                client_private_key: None,
                expires_at,
                raw: self.raw()?,
            },
        ))
    }

    fn required(
        &self,
        name: &'static str,
        max: usize,
        parameter: LegacyParameter,
    ) -> Result<Secret, Lacking> {
        self.secret(name, max)?.ok_or(Lacking::Parameter(parameter))
    }

    /// A text, which counts as absent when it is null or empty.
    fn secret(&self, name: &'static str, max: usize) -> Result<Option<Secret>, Lacking> {
        let Some(input) = self.given(name) else {
            return Ok(None);
        };
        let text = input.text(Text::of(0, max)).ok_or(Lacking::Form)?;
        Ok((!text.is_empty()).then(|| Secret::new(text)))
    }

    fn client_override(&self) -> Result<ClientOverride, Lacking> {
        let client_id = match self.given("oauth_client_id_override") {
            Some(input) => Some(input.text(Text::of(1, 255)).ok_or(Lacking::Form)?),
            None => None,
        };
        let client_secret = self.secret("oauth_client_secret_override", 2048)?;
        Ok(ClientOverride {
            client_id,
            client_secret,
        })
    }

    /// `expires_at`, else `expires_in` seconds from now.
    fn expires_at(&self) -> Result<Option<Timestamp>, Lacking> {
        if let Some(input) = self.given("expires_at") {
            return input.date().map(Some).ok_or(Lacking::ValidExpiry);
        }
        let Some(input) = self.given("expires_in") else {
            return Ok(None);
        };
        let seconds = input.integer(i64::MIN..=i64::MAX).ok_or(Lacking::Form)?;
        Ok(Some(self.now.plus_seconds(seconds)))
    }

    /// `raw`, else what was sent but for the parts that are kept by themselves.
    fn raw(&self) -> Result<SecretMap, Lacking> {
        let raw = if let Some(input) = self.given("raw") {
            input.record(MAX_KEYS).ok_or(Lacking::Form)?.clone()
        } else {
            let mut raw = self.body.map().clone();
            raw.retain(|name, _| name != "metadata" && name != "connection_config");
            raw
        };
        let raw = SecretMap::new(raw);
        if raw.json_len() > MAX_RAW_BYTES {
            let message = too_big("credentials", MAX_RAW_BYTES, "bytes");
            self.body.field("raw").refuse("too_big", message);
            return Err(Lacking::Form);
        }
        Ok(raw)
    }

    fn given(&self, name: &'static str) -> Option<Input<'_>> {
        self.body.optional(name).filter(|input| !input.is_null())
    }
}
