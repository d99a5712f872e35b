//! New OAuth 2 tokens: a refresh (RFC 6749 §6), and a client's own token (§4.4). Not here: the
//! requests that follow the first one of a refresh.

use serde_json::{Map, Value};

use super::{
    Checkpoint, Exchange, Issued, MAX_TOKEN_BYTES, TokenExchangeError, bounded,
    client::{KnownClient, client_of, own_client, shown},
    kept, nothing_to_refresh, refused,
};
use crate::{
    domain::{
        credentials::{Credentials, OAuth2, OAuth2ClientCredentials},
        json_path::scalars_at,
        secret::{Secret, SecretMap},
    },
    oauth2::{
        client_authentication::Client,
        http::HttpResponse,
        token_error::TokenError,
        token_request::{BodyFormat, TokenRequest},
        token_response::{
            CLIENT_CREDENTIALS_TOKEN_PATHS, GoesOn, ResponseRules, TokenResponse,
            read_token_response,
        },
    },
    providers::{filled_request::FilledRequest, template::Values},
    service::ports::Ports,
};

impl<P: Ports> Exchange<'_, P> {
    /// A token for a refresh token, or in place of the old one.
    pub(super) async fn refresh_token(
        &self,
        old: &OAuth2,
        checkpoint: &impl Checkpoint,
    ) -> Result<Issued, TokenExchangeError> {
        let (fresh, known, status) = self.fresh_tokens(old).await?;
        Ok(self.further(&known, old, fresh, status, checkpoint).await)
    }

    /// The tokens of a first answer, what templates of the requests after it know of the client,
    /// and its status.
    pub(super) async fn fresh_tokens(
        &self,
        old: &OAuth2,
    ) -> Result<(OAuth2, SecretMap, u16), TokenExchangeError> {
        if old.refresh_token.is_none() && !old.renews_without_refresh_token {
            return Err(nothing_to_refresh());
        }
        let client = client_of(self.entry, self.integration, &self.secrets, old)?;
        let known = self.known(&client);
        let provided = with_tokens(&known, old);
        let values = Values {
            provided: Some(&provided),
            ..self.values()
        };
        let filled = FilledRequest::for_refresh(self.entry, &values)?;
        let client = shown(self.ports, self.entry, client, &filled.url, &values).await?;
        let path = &self.entry.alternate_access_token_response_path;
        let answers = ResponseRules {
            token_paths: path.iter().cloned().collect(),
            expires_in_unit: self.entry.expires_in_unit,
            own_shape: self.entry.token_response.clone(),
            goes_on: self.entry.token_goes_on_when.clone().map(|when| GoesOn {
                path: when.path,
                value: when.value,
                token: old.access_token.clone(),
            }),
        };
        let refresh_token = old.refresh_token.clone();
        let request = self.request(filled, refresh_token, client);
        let (token, status) = self.ask(request, &answers).await?;
        let fresh = OAuth2 {
            access_token: token.access_token,
            // RFC 6749 §6: without a new refresh token the old one stays good.
            refresh_token: token.refresh_token.or_else(|| old.refresh_token.clone()),
            expires_at: token.expires_at,
            derived_config: self.told(&old.derived_config, &token.raw),
            raw: self.with_earlier(old, &token.raw),
            ..old.clone()
        };
        Ok((fresh, known, status))
    }

    /// A token for a client's own credentials.
    pub(super) async fn client_credentials(
        &self,
        old: &OAuth2ClientCredentials,
    ) -> Result<Issued, TokenExchangeError> {
        let client = own_client(old);
        let provided = self.known(&client);
        let values = Values {
            provided: Some(&provided),
            ..self.values()
        };
        let filled = FilledRequest::for_client_credentials(self.entry, &values)?;
        let client = shown(self.ports, self.entry, client, &filled.url, &values).await?;
        let answers = ResponseRules {
            token_paths: CLIENT_CREDENTIALS_TOKEN_PATHS.map(str::to_owned).to_vec(),
            expires_in_unit: self.entry.expires_in_unit,
            own_shape: self.entry.token_response.clone(),
            goes_on: None,
        };
        let request = self.request(filled, None, client);
        let (token, status) = self.ask(request, &answers).await?;
        let credentials = Credentials::OAuth2ClientCredentials(OAuth2ClientCredentials {
            token: token.access_token,
            expires_at: token.expires_at,
            derived_config: self.told(&old.derived_config, &token.raw),
            raw: token.raw,
            ..old.clone()
        });
        Ok(Issued::whole(credentials, Some(status)))
    }

    fn request(
        &self,
        filled: FilledRequest,
        refresh_token: Option<Secret>,
        client: Client,
    ) -> TokenRequest {
        TokenRequest {
            method: self.entry.token_request_method,
            url: filled.url,
            headers: filled.headers,
            parameters: filled.parameters,
            refresh_token,
            body_format: self.entry.body_format.unwrap_or(BodyFormat::Form),
            client,
        }
    }

    async fn ask(
        &self,
        request: TokenRequest,
        answers: &ResponseRules,
    ) -> Result<(TokenResponse, u16), TokenExchangeError> {
        // An assertion was made for this request, so no other place knows it.
        let shown = request.client.client_secret.clone();
        let shown = SecretMap::of(shown.map(|shown| ("client_secret", shown)));
        let response = self.answer_to(request.into_http()).await?;
        let token = self
            .token(&response, answers)
            .map_err(|error| refused(&self.mask().and_map(&shown), error, &response))?;
        let raw = match &answers.own_shape {
            Some(shape) => shape.kept(&token.raw),
            None => token.raw,
        };
        Ok((TokenResponse { raw, ..token }, response.status))
    }

    /// The token in an answer that has just arrived.
    pub(super) fn token(
        &self,
        response: &HttpResponse,
        answers: &ResponseRules,
    ) -> Result<TokenResponse, TokenError> {
        let now = self.ports.now();
        let token = read_token_response(response, answers, now)?;
        let refresh_token_bytes = token.refresh_token.as_ref().map_or(0, Secret::len);
        if token.access_token.len().max(refresh_token_bytes) > MAX_TOKEN_BYTES {
            let status = response.status;
            return Err(TokenError::Malformed { status });
        }
        Ok(TokenResponse {
            // What was issued just now has not ended, whatever its clock or its answer says.
            expires_at: token.expires_at.filter(|expires_at| *expires_at > now),
            raw: kept(token.raw),
            ..token
        })
    }

    /// What an answer tells of the connection, over what earlier ones told.
    pub(super) fn told(&self, earlier: &SecretMap, answer: &SecretMap) -> SecretMap {
        let told = scalars_at(answer.expose(), &self.entry.token_response_metadata);
        bounded(earlier, earlier.merged(&SecretMap::new(told)))
    }

    /// The client and the integration, for templates.
    fn known(&self, client: &KnownClient) -> SecretMap {
        let own = self.secrets.integration_config.merged(&self.secrets.custom);
        let secret = client.secret.as_ref();
        let secret = secret.map(|it| ("clientSecret", it.expose().to_owned()));
        let scopes = self.integration.scopes.as_ref().map(|scopes| {
            let scopes: Vec<_> = scopes.split(',').map(str::trim).collect();
            ("scopes", scopes.join(&self.entry.scope_separator))
        });
        let known = [("clientId", client.id.clone())].into_iter();
        own.merged(&texts(known.chain(secret).chain(scopes)))
    }
}

/// What is known, with the tokens and the answer that they came from.
pub(super) fn with_tokens(known: &SecretMap, tokens: &OAuth2) -> SecretMap {
    let access_token = ("accessToken", tokens.access_token.expose().to_owned());
    let refresh_token = tokens.refresh_token.as_ref();
    let refresh_token = refresh_token.map(|it| ("refreshToken", it.expose().to_owned()));
    let tokens_of = texts([access_token].into_iter().chain(refresh_token));
    let raw = Value::Object(tokens.raw.expose().clone());
    let raw = SecretMap::new(Map::from_iter([("raw".to_owned(), raw)]));
    known.merged(&tokens_of).merged(&raw)
}

fn texts(texts: impl Iterator<Item = (&'static str, String)>) -> SecretMap {
    let texts = texts.map(|(name, text)| (name.to_owned(), Value::from(text)));
    SecretMap::new(texts.collect())
}
