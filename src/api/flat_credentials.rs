//! Credentials as the deprecated import brings them: flat fields, of which each kind of
//! credentials takes its own. Other fields are ignored; a missing one has an error of its own.

use serde_json::Value;

use super::{
    credentials::{ImportedCredentials, MAX_TOKEN_CHARS},
    error::{ApiError, legacy::LegacyParameter},
    rules::MAX_KEYS,
};
use crate::{
    domain::{
        auth_mode::AuthMode,
        credentials::{
            ClientOverride, Credentials, ExchangeMode, Exchanged, OAuth1, OAuth2,
            OAuth2ClientCredentials, Tba,
        },
        secret::{MAX_RAW_BYTES, Secret, SecretMap},
        timestamp::Timestamp,
    },
    validation::{
        input::{Input, read},
        text::Text,
        wording::too_big,
    },
};

/// An object with flat fields.
pub(super) struct FlatCredentials<'a> {
    pub(super) body: &'a Value,
    pub(super) now: Timestamp,
}

impl FlatCredentials<'_> {
    /// The credentials of the kind `mode`.
    pub(super) fn read(&self, mode: AuthMode) -> Result<ImportedCredentials, ApiError> {
        let credentials = match mode {
            AuthMode::ApiKey => Ok(Credentials::ApiKey {
                api_key: self.required("api_key", 1024, LegacyParameter::ApiKey)?,
            }),
            AuthMode::Basic => Ok(Credentials::Basic {
                username: self.required("username", 1024, LegacyParameter::BasicUsername)?,
                password: self
                    .secret("password", 1024)?
                    .unwrap_or_else(|| Secret::new("")),
            }),
            AuthMode::None => Ok(Credentials::None),
            AuthMode::OAuth1 => self.oauth1(),
            AuthMode::OAuth2 => self.oauth2(),
            AuthMode::OAuth2ClientCredentials => self.client_credentials(),
            AuthMode::Tba => Ok(Credentials::Tba(Tba {
                token_id: self.required("token_id", 2048, LegacyParameter::TokenId)?,
                token_secret: self.required("token_secret", 2048, LegacyParameter::TokenSecret)?,
                config_override: self.client_override()?,
            })),
            AuthMode::App => return self.app(),
            AuthMode::AppStore
            | AuthMode::AwsSigV4
            | AuthMode::Bill
            | AuthMode::Custom
            | AuthMode::InstallPlugin
            | AuthMode::Jwt
            | AuthMode::McpOAuth2
            | AuthMode::McpOAuth2Generic
            | AuthMode::Signature
            | AuthMode::TwoStep => Err(ApiError::LegacyUnsupportedMode),
        };
        credentials.map(ImportedCredentials::new)
    }

    /// An app's installation, whose token is asked for.
    fn app(&self) -> Result<ImportedCredentials, ApiError> {
        let app_id = self.number_or_name("app_id", LegacyParameter::AppId)?;
        let installation = LegacyParameter::InstallationId;
        let installation_id = self.number_or_name("installation_id", installation)?;
        let credentials = Credentials::Exchanged(Exchanged::of(ExchangeMode::App));
        Ok(ImportedCredentials {
            connection_config: SecretMap::of([
                ("app_id", app_id),
                ("installation_id", installation_id),
            ]),
            ..ImportedCredentials::new(credentials)
        })
    }

    fn oauth1(&self) -> Result<Credentials, ApiError> {
        let token_secret = LegacyParameter::OAuthTokenSecret;
        Ok(Credentials::OAuth1(OAuth1 {
            oauth_token: self.required("oauth_token", 2048, LegacyParameter::OAuthToken)?,
            oauth_token_secret: self.required("oauth_token_secret", 2048, token_secret)?,
            raw: self.raw()?,
        }))
    }

    fn oauth2(&self) -> Result<Credentials, ApiError> {
        let access_token = self.access_token()?;
        let expires_at = self.expires_at()?;
        let never_expires = self.body.get("no_expiration") == Some(&Value::Bool(true));
        if expires_at.is_none() && !never_expires {
            return Err(ApiError::LegacyMissing(LegacyParameter::ExpiresAt));
        }
        let client = self.client_override()?;
        let has_client = client.client_id.is_some() || client.client_secret.is_some();
        Ok(Credentials::OAuth2(OAuth2 {
            access_token,
            refresh_token: self.secret("refresh_token", MAX_TOKEN_CHARS)?,
            expires_at,
            config_override: has_client.then_some(client),
            raw: self.raw()?,
            derived_config: SecretMap::default(),
            renews_without_refresh_token: false,
        }))
    }

    fn client_credentials(&self) -> Result<Credentials, ApiError> {
        let token = self.access_token()?;
        let expires_at = self.expires_at()?;
        let client = self.client_override()?;
        Ok(Credentials::OAuth2ClientCredentials(
            OAuth2ClientCredentials {
                token,
                client_id: client
                    .client_id
                    .ok_or_else(|| ApiError::LegacyMissing(LegacyParameter::ClientId))?,
                client_secret: client
                    .client_secret
                    .ok_or_else(|| ApiError::LegacyMissing(LegacyParameter::ClientSecret))?,
                client_certificate: None,
                client_private_key: None,
                expires_at,
                raw: self.raw()?,
                derived_config: SecretMap::default(),
            },
        ))
    }

    fn access_token(&self) -> Result<Secret, ApiError> {
        self.required(
            "access_token",
            MAX_TOKEN_CHARS,
            LegacyParameter::AccessToken,
        )
    }

    fn client_override(&self) -> Result<ClientOverride, ApiError> {
        Ok(ClientOverride {
            client_id: self.given("oauth_client_id_override", |id| id.text(Text::of(1, 255)))?,
            client_secret: self.secret("oauth_client_secret_override", 10_000)?,
        })
    }

    /// `expires_at`, else `expires_in` seconds from now.
    fn expires_at(&self) -> Result<Option<Timestamp>, ApiError> {
        if let Some(date) = self.given("expires_at", |date| Some(date.date()))? {
            return date.map(Some).ok_or(ApiError::InvalidExpiresAt);
        }
        let seconds = self.given("expires_in", |it| it.integer(i64::MIN..=i64::MAX))?;
        Ok(seconds.map(|seconds| self.now.plus_seconds(seconds)))
    }

    /// `raw`, else what was sent but for the parts that are kept by themselves.
    fn raw(&self) -> Result<SecretMap, ApiError> {
        let given = self.given("raw", |raw| raw.record(MAX_KEYS).cloned())?;
        let raw = given.unwrap_or_else(|| {
            let mut sent = self.body.as_object().cloned().unwrap_or_default();
            sent.retain(|name, _| name != "metadata" && name != "connection_config");
            sent
        });
        let raw = SecretMap::new(raw);
        if raw.json_len() <= MAX_RAW_BYTES {
            return Ok(raw);
        }
        read(Some(self.body), |body| {
            let raw = body.object()?.optional("raw");
            let message = too_big("credentials", MAX_RAW_BYTES, "bytes");
            raw.as_ref().unwrap_or(body).refuse("too_big", message);
            None
        })
        .map_err(ApiError::InvalidBody)
    }

    fn required(
        &self,
        name: &'static str,
        max: usize,
        parameter: LegacyParameter,
    ) -> Result<Secret, ApiError> {
        let secret = self.secret(name, max)?;
        secret.ok_or(ApiError::LegacyMissing(parameter))
    }

    /// A name that may be given as the number that it is.
    fn number_or_name(
        &self,
        name: &'static str,
        parameter: LegacyParameter,
    ) -> Result<Secret, ApiError> {
        match self.body.get(name) {
            Some(Value::Number(number)) => Ok(Secret::new(number.to_string())),
            _ => self.required(name, 255, parameter),
        }
    }

    /// A text, which counts as absent when it is null or empty.
    fn secret(&self, name: &'static str, max: usize) -> Result<Option<Secret>, ApiError> {
        let text = self.given(name, |text| text.text(Text::of(0, max)))?;
        Ok(text.filter(|text| !text.is_empty()).map(Secret::new))
    }

    /// A field that is absent when it is null.
    fn given<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&Input<'_>) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.field(name, parse).map(Some),
        }
    }

    fn field<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&Input<'_>) -> Option<T>,
    ) -> Result<T, ApiError> {
        read(Some(self.body), |body| parse(&body.object()?.field(name)))
            .map_err(ApiError::InvalidBody)
    }
}
