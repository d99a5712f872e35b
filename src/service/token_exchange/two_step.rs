//! Tokens from requests of the provider's own shape: a login with the inputs of the connection, or
//! a refresh where the provider has one.

use super::{
    Exchange, Issued, MAX_TOKEN_BYTES, TokenExchangeError, bounded, kept, no_key, no_url,
    nothing_to_refresh, refused, signed,
};
use crate::{
    domain::{
        credentials::{Credentials, Exchanged},
        jwt::end_of_jwt,
        secret::{MAX_RAW_BYTES, Secret, SecretMap},
    },
    oauth2::{
        token_answers::TokenAnswers,
        token_error::{ErrorCode, TokenError},
    },
    providers::{
        assertion::AssertionTemplate,
        jwt_template::{JwtTemplate, UnsignableError},
        refresh_rule::RuleError,
        saml_template::{Saml, SamlTemplate},
        step_request::{credentials, own_inputs, step_request},
        template::Values,
        token_steps::TokenStep,
    },
    service::ports::{Ports, RefreshFailure},
};

impl<P: Ports> Exchange<'_, P> {
    /// A token for the refresh token, else for the inputs.
    pub(super) async fn two_step(&self, old: &Exchanged) -> Result<Issued, TokenExchangeError> {
        let refresh = self.entry.refresh_step().zip(old.refresh_token.as_ref());
        let Some((first, refresh_token)) = refresh else {
            return self.login(old, old.refresh_token.as_ref()).await;
        };
        let provided = named("refresh_token", Some(refresh_token));
        let refreshed = self.run(first, &self.own_credentials(old), provided).await;
        let assertion = old.issued.text("assertion");
        let refreshed =
            refreshed.and_then(|it| self.issued(old, Some(refresh_token), assertion.as_ref(), &it));
        match refreshed {
            // The inputs may still be good.
            Err(error) if is_rejection(&error) => self.login(old, None).await,
            refreshed => refreshed,
        }
    }

    /// A token for the inputs. `refresh_token` stays where there is no new one.
    async fn login(
        &self,
        old: &Exchanged,
        refresh_token: Option<&Secret>,
    ) -> Result<Issued, TokenExchangeError> {
        let first = self.entry.login_step();
        let first = first.ok_or_else(|| no_url(&RuleError::NoTokenUrl))?;
        let own = self.own_credentials(old);
        let assertion = self.assertion(old, &own).await?;
        let token = match &self.entry.jwt {
            Some(template) => Some(self.sign(template, &own).await?),
            None => None,
        };
        let own = own.merged(&named("assertion", assertion.as_ref()));
        let answers = self
            .run(first, &own, named("token", token.as_ref()))
            .await?;
        let keeps = self
            .entry
            .assertion
            .as_ref()
            .is_some_and(|it| !it.is_single_use);
        let assertion = assertion.filter(|_| keeps);
        self.issued(old, refresh_token, assertion.as_ref(), &answers)
    }

    /// What the connection signs in with.
    pub(super) fn own_credentials(&self, old: &Exchanged) -> SecretMap {
        let preset = &self.secrets.integration_config;
        credentials(self.entry, &old.inputs, preset)
    }

    /// The assertion of the entry, if it has any: the last one, which may have been imported,
    /// while it is good, else a new one.
    async fn assertion(
        &self,
        old: &Exchanged,
        credentials: &SecretMap,
    ) -> Result<Option<Secret>, TokenExchangeError> {
        let Some(assertion) = &self.entry.assertion else {
            return Ok(None);
        };
        let is_good = |last: &Secret| {
            let end = assertion.template.end_of(last);
            end.is_some_and(|end| end.millis_since(self.now) > ASSERTION_MARGIN_MILLIS)
        };
        let last = old.issued.text("assertion");
        let last = last.or_else(|| old.inputs.text("assertion"));
        match last.filter(|last| !assertion.is_single_use && is_good(last)) {
            Some(last) => Ok(Some(last)),
            None => match &assertion.template {
                AssertionTemplate::Jwt(template) => self.sign(template, credentials).await,
                AssertionTemplate::Saml(template) => self.sign_saml(template, credentials).await,
            }
            .map(Some),
        }
    }

    async fn sign(
        &self,
        template: &JwtTemplate,
        credentials: &SecretMap,
    ) -> Result<Secret, TokenExchangeError> {
        let jwt = template.fill(&self.values_of(credentials));
        let jwt = jwt.map_err(|error| unsignable(&error))?;
        signed(self.ports, &jwt.key, &jwt.header, &jwt.claims).await
    }

    async fn sign_saml(
        &self,
        template: &SamlTemplate,
        credentials: &SecretMap,
    ) -> Result<Secret, TokenExchangeError> {
        let saml = template.fill(&self.values_of(credentials));
        let Saml { key, assertion } = saml.map_err(|error| unsignable(&error))?;
        let signature = self.ports.sign(&key, assertion.signing_input()).await;
        let signature = signature.map_err(|error| no_key(&error))?;
        Ok(assertion.signed(&signature))
    }

    pub(super) fn values_of<'v>(&'v self, credentials: &'v SecretMap) -> Values<'v> {
        Values {
            credentials: Some(credentials),
            ..self.values()
        }
    }

    /// Sends the first request and those after it.
    async fn run(
        &self,
        first: TokenStep,
        credentials: &SecretMap,
        provided: SecretMap,
    ) -> Result<TokenAnswers, TokenExchangeError> {
        let mut answers = TokenAnswers::default();
        for step in std::iter::once(&first).chain(&self.entry.additional_steps) {
            let provided = provided.merged(answers.steps());
            let values = Values {
                provided: Some(&provided),
                ..self.values_of(credentials)
            };
            let request =
                step_request(step, self.entry, &values).map_err(|error| unfilled(&error))?;
            let response = self.send(request).await?;
            let headers = &self.entry.token_response_headers;
            answers
                .push(&response, headers, self.ports.now())
                .map_err(|error| {
                    let mask = self.mask().and_map(&credentials.merged(&provided));
                    refused(&mask, error, &response)
                })?;
        }
        Ok(answers)
    }

    /// The credentials with what was answered. Without a new refresh token `refresh_token` stays.
    fn issued(
        &self,
        old: &Exchanged,
        refresh_token: Option<&Secret>,
        assertion: Option<&Secret>,
        answers: &TokenAnswers,
    ) -> Result<Issued, TokenExchangeError> {
        let entry = self.entry;
        let rules = entry.token_response.as_ref();
        let rules = rules.ok_or_else(nothing_to_refresh)?;
        let (now, status) = (self.ports.now(), answers.status());
        let failed = |error| TokenExchangeError::Refused { error, said: None };
        let token = answers.token(rules, now).map_err(failed)?;
        let own = self.own_credentials(old);
        let (_, headers) = answers.headers().split(|name| own.has_text(name));
        let issued = headers
            .merged(&named("assertion", assertion))
            .merged(&named("token", Some(&token.token)));
        let refresh_token = token.refresh_token.as_ref().or(refresh_token);
        let sizes = [token.token.len(), refresh_token.map_or(0, Secret::len)];
        if sizes.iter().any(|size| *size > MAX_TOKEN_BYTES) || issued.json_len() > MAX_RAW_BYTES {
            return Err(failed(TokenError::Malformed { status }));
        }
        let stated = entry.token_expires_in_ms.filter(|millis| *millis > 0);
        let guesses = [
            stated.map(|millis| now.plus_millis(millis)),
            end_of_jwt(&token.token),
            refresh_token.and_then(end_of_jwt),
        ];
        let expires_at = token.expires_at.or(guesses.into_iter().flatten().min());
        let told = answers.metadata(&entry.token_response_metadata);
        let credentials = Credentials::Exchanged(Exchanged {
            mode: old.mode,
            inputs: own_inputs(&old.inputs, &self.secrets.integration_config),
            issued,
            refresh_token: refresh_token.cloned(),
            // What was issued just now has not ended, whatever its clock or its answer says.
            expires_at: expires_at.filter(|expires_at| *expires_at > now),
            raw: kept(answers.raw(rules)),
            derived_config: bounded(&old.derived_config, old.derived_config.merged(&told)),
        });
        Ok(Issued::whole(credentials, Some(status)))
    }
}

fn named(name: &str, text: Option<&Secret>) -> SecretMap {
    SecretMap::of(text.map(|text| (name, text.clone())))
}

/// Whether the provider will not take what it was asked with. One that is asked too often may.
fn is_rejection(error: &TokenExchangeError) -> bool {
    let TokenExchangeError::Refused {
        error: TokenError::Rejected { status, code, .. },
        ..
    } = error
    else {
        return false;
    };
    *code == ErrorCode::InvalidGrant || *status < 500 && *status != 429
}

fn unsignable(error: &UnsignableError) -> TokenExchangeError {
    TokenExchangeError::unaskable(RefreshFailure::TwoStep, error)
}

fn unfilled(error: &RuleError) -> TokenExchangeError {
    match error {
        RuleError::NoTokenUrl
        | RuleError::ForeignDomain
        | RuleError::Template {
            field: "token_url", ..
        } => no_url(error),
        RuleError::NotXml | RuleError::Template { .. } => {
            TokenExchangeError::unaskable(RefreshFailure::TwoStep, error)
        }
    }
}

/// An assertion is not used in its last minute.
const ASSERTION_MARGIN_MILLIS: i64 = 60_000;
