//! New OAuth 2 tokens: a refresh (RFC 6749 §6), and a client's own token (§4.4).

use super::{
    Exchange, Issued, MAX_TOKEN_BYTES, TokenExchangeError, kept, no_url, nothing_to_refresh,
};
use crate::{
    domain::{
        credentials::{Credentials, OAuth2, OAuth2ClientCredentials},
        integration::IntegrationSecrets,
        secret::Secret,
    },
    oauth2::{
        client_authentication::{Client, ClientAuthentication},
        token_error::TokenError,
        token_request::{Grant, TokenRequest},
        token_response::{
            CLIENT_CREDENTIALS_TOKEN_PATHS, ResponseRules, TokenResponse, read_token_response,
        },
    },
    providers::{entry::ClientAuthenticationMethod, refresh_rule::TokenRequestRules},
    service::ports::{Ports, RefreshFailure},
    storage::integrations::IntegrationRecord,
};

impl<P: Ports> Exchange<'_, P> {
    /// A token for a refresh token.
    pub(super) async fn refresh_token(&self, old: &OAuth2) -> Result<Issued, TokenExchangeError> {
        let rules = TokenRequestRules::for_refresh(self.entry, &self.values())
            .map_err(|error| no_url(&error))?;
        let refresh_token = old.refresh_token.clone().ok_or_else(nothing_to_refresh)?;
        let (client_id, client_secret) = client_of(self.integration, &self.secrets, old)?;
        let client = client(rules.client_authentication, client_id, client_secret)?;
        let grant = Grant::RefreshToken(refresh_token);
        let path = &self.entry.alternate_access_token_response_path;
        let paths = path.iter().cloned().collect();
        let (token, status) = self.ask(rules, grant, client, paths).await?;
        let credentials = Credentials::OAuth2(OAuth2 {
            access_token: token.access_token,
            // RFC 6749 §6: without a new refresh token the old one stays good.
            refresh_token: token.refresh_token.or_else(|| old.refresh_token.clone()),
            expires_at: token.expires_at,
            raw: token.raw,
            ..old.clone()
        });
        Ok(Issued {
            credentials,
            status: Some(status),
        })
    }

    /// A token for a client's own credentials.
    pub(super) async fn client_credentials(
        &self,
        old: &OAuth2ClientCredentials,
    ) -> Result<Issued, TokenExchangeError> {
        let rules = TokenRequestRules::for_client_credentials(self.entry, &self.values())
            .map_err(|error| no_url(&error))?;
        let client = client(
            rules.client_authentication,
            old.client_id.clone(),
            Some(old.client_secret.clone()),
        )?;
        let paths = CLIENT_CREDENTIALS_TOKEN_PATHS.map(str::to_owned).to_vec();
        let (token, status) = self
            .ask(rules, Grant::ClientCredentials, client, paths)
            .await?;
        let credentials = Credentials::OAuth2ClientCredentials(OAuth2ClientCredentials {
            token: token.access_token,
            expires_at: token.expires_at,
            raw: token.raw,
            ..old.clone()
        });
        Ok(Issued {
            credentials,
            status: Some(status),
        })
    }

    async fn ask(
        &self,
        rules: TokenRequestRules,
        grant: Grant,
        client: Client,
        token_paths: Vec<String>,
    ) -> Result<(TokenResponse, u16), TokenExchangeError> {
        let mut parameters = vec![("grant_type".to_owned(), Secret::new(rules.grant_type))];
        parameters.extend(
            rules
                .scope
                .map(|scope| ("scope".to_owned(), Secret::new(scope))),
        );
        parameters.extend(rules.parameters);
        let request = TokenRequest {
            url: rules.url,
            grant,
            parameters,
            body_format: rules.body_format,
            client,
        };
        let response = self.send(request.into_http()).await?;
        let rules = ResponseRules {
            token_paths,
            expires_in_unit: self.entry.expires_in_unit,
        };
        let now = self.ports.now();
        let status = response.status;
        let token = read_token_response(&response, &rules, now)
            .map_err(|error| self.refused(error, &response))?;
        let refresh_token_bytes = token.refresh_token.as_ref().map_or(0, Secret::len);
        if token.access_token.len().max(refresh_token_bytes) > MAX_TOKEN_BYTES {
            let error = TokenError::Malformed { status };
            return Err(TokenExchangeError::Refused { error, said: None });
        }
        let token = TokenResponse {
            // What was issued just now has not ended, whatever its clock or its answer says.
            expires_at: token.expires_at.filter(|expires_at| *expires_at > now),
            raw: kept(token.raw),
            ..token
        };
        Ok((token, status))
    }
}

/// The client to refresh as: the connection's own if it is whole, else the integration's.
pub(in crate::service) fn client_of(
    integration: &IntegrationRecord,
    secrets: &IntegrationSecrets,
    credentials: &OAuth2,
) -> Result<(String, Option<Secret>), TokenExchangeError> {
    if let Some(own) = &credentials.config_override
        && let (Some(client_id), Some(client_secret)) = (&own.client_id, &own.client_secret)
    {
        return Ok((client_id.clone(), Some(client_secret.clone())));
    }
    let client_id = integration.client_id.clone();
    let client_id = client_id.ok_or_else(|| {
        let reason = "the integration has no client";
        TokenExchangeError::unaskable(RefreshFailure::Client, &reason)
    })?;
    Ok((client_id, secrets.client_secret.clone()))
}

/// The client, as it shows itself by `method`.
pub(in crate::service) fn client(
    method: ClientAuthenticationMethod,
    client_id: String,
    client_secret: Option<Secret>,
) -> Result<Client, TokenExchangeError> {
    let authentication = match method {
        ClientAuthenticationMethod::ClientSecretBasic => ClientAuthentication::ClientSecretBasic,
        ClientAuthenticationMethod::ClientSecretPost => ClientAuthentication::ClientSecretPost,
        ClientAuthenticationMethod::Unsupported => {
            return Err(TokenExchangeError::unaskable(
                RefreshFailure::Client,
                &"the provider's kind of client authentication is not supported",
            ));
        }
    };
    Ok(Client {
        client_id,
        client_secret,
        authentication,
    })
}
