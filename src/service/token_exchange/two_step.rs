//! Tokens from requests of the provider's own shape: a login with the inputs of the connection, or
//! a refresh where the provider has one.

use super::{
    Exchange, Issued, MAX_TOKEN_BYTES, TokenExchangeError, bounded, malformed, no_url,
    nothing_to_refresh, refused, signed,
};
use crate::{
    domain::{
        credentials::Exchanged,
        jwt::end_of_jwt,
        secret::{Secret, SecretMap},
    },
    oauth2::{
        token_answers::TokenAnswers,
        token_error::{ErrorCode, TokenError},
    },
    providers::{
        assertion::AssertionTemplate,
        filled_request::FillError,
        jwt_template::{JwtTemplate, UnsignableError},
        saml_template::{Saml, SamlTemplate},
        step_request::{credentials, step_request},
        template::Values,
        token_steps::TokenStep,
    },
    service::ports::{Ports, RefreshFailure},
};

impl<P: Ports> Exchange<'_, P> {
    /// A token for the refresh token, else for the inputs.
    pub(super) async fn two_step(&self, old: &Exchanged) -> Result<Issued, TokenExchangeError> {
        let shown = self.shown(old).await;
        let refresh = self.entry.renewal_step().zip(old.refresh_token.as_ref());
        let Some((first, refresh_token)) = refresh else {
            return self.login(old, shown?, old.refresh_token.as_ref()).await;
        };
        let token = named("refresh_token", Some(refresh_token));
        let own = self.own_credentials(old).merged(&token);
        // A refresh may do without what a login needs.
        let (assertion, signed) = shown.as_ref().map_or((None, None), |(assertion, signed)| {
            (assertion.as_ref(), signed.as_ref())
        });
        let credentials = own.merged(&named("assertion", assertion));
        let provided = token.merged(&named("token", signed));
        let refreshed = self.run(first, &credentials, provided).await;
        let refreshed =
            refreshed.and_then(|it| self.of_answers(old, Some(refresh_token), assertion, &it));
        match refreshed {
            Err(error) if may_log_in_after(&error) => self.login(old, shown?, None).await,
            refreshed => refreshed,
        }
    }

    /// A token for the inputs and what was signed for them. `refresh_token` stays where there is
    /// no new one.
    async fn login(
        &self,
        old: &Exchanged,
        (assertion, signed): (Option<Secret>, Option<Secret>),
        refresh_token: Option<&Secret>,
    ) -> Result<Issued, TokenExchangeError> {
        let first = self.entry.login_step();
        let first = first.ok_or(FillError::NoTokenUrl)?;
        let assertion = named("assertion", assertion.as_ref());
        let credentials = self.own_credentials(old).merged(&assertion);
        let provided = named("token", signed.as_ref());
        let answers = self.run(first, &credentials, provided).await?;
        let assertion = assertion.text("assertion");
        self.of_answers(old, refresh_token, assertion.as_ref(), &answers)
    }

    /// What is signed for requests: an assertion and a token, as the entry has them.
    async fn shown(
        &self,
        old: &Exchanged,
    ) -> Result<(Option<Secret>, Option<Secret>), TokenExchangeError> {
        let own = self.own_credentials(old);
        let assertion = self.assertion(old, &own).await?;
        let signed = match &self.entry.jwt {
            Some(template) => Some(self.sign(template, &own).await?),
            None => None,
        };
        Ok((assertion, signed))
    }

    /// What the connection signs in with.
    pub(super) fn own_credentials(&self, old: &Exchanged) -> SecretMap {
        let preset = &self.secrets.integration_config;
        credentials(self.entry, &old.inputs, preset)
    }

    /// A new assertion, if the entry has any. Without its key the last one, which may have been
    /// imported, does as long as it is good.
    async fn assertion(
        &self,
        old: &Exchanged,
        credentials: &SecretMap,
    ) -> Result<Option<Secret>, TokenExchangeError> {
        let Some(assertion) = &self.entry.assertion else {
            return Ok(None);
        };
        let new = match &assertion.template {
            AssertionTemplate::Jwt(template) => self.sign(template, credentials).await,
            AssertionTemplate::Saml(template) => self.sign_saml(template, credentials).await,
        };
        let last = old.issued.text("assertion");
        let last = last.or_else(|| old.inputs.text("assertion"));
        let is_good = |last: &Secret| {
            let end = assertion.template.end_of(last);
            end.is_some_and(|end| end.millis_since(self.now) > ASSERTION_MARGIN_MILLIS)
        };
        new.map(Some)
            .or_else(|error| last.filter(is_good).map(Some).ok_or(error))
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
        Ok(assertion.signed(&signature?))
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
            let response = self.answer_to(request).await?;
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
    fn of_answers(
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
        let token = answers.token(rules, now).map_err(|error| {
            let is_lacking = matches!(error, TokenError::Malformed { .. });
            let looked_for = || format!("{error}: there is no token at \"{}\"", rules.token);
            TokenExchangeError::Refused {
                error,
                said: is_lacking.then(looked_for),
            }
        })?;
        let own = self.own_credentials(old);
        let (_, headers) = answers.headers().split(|name| own.has_text(name));
        let kept = entry.assertion.as_ref().filter(|it| !it.is_single_use);
        let issued = headers
            .merged(&named("assertion", assertion.filter(|_| kept.is_some())))
            .merged(&named("token", Some(&token.token)));
        let refresh_token = token.refresh_token.as_ref().or(refresh_token);
        if refresh_token.is_some_and(|token| token.len() > MAX_TOKEN_BYTES) {
            return Err(malformed(status));
        }
        // An entry's `default_token_lifetime` goes before it, for all kinds of credentials.
        let stated = entry.token_expires_in_ms;
        let stated = stated.filter(|millis| *millis > 0 && entry.default_token_lifetime.is_none());
        let guesses = [
            stated.map(|millis| now.plus_millis(millis)),
            end_of_jwt(&token.token),
            refresh_token.and_then(end_of_jwt),
        ];
        let expires_at = token.expires_at.or(guesses.into_iter().flatten().min());
        let told = answers.metadata(&entry.token_response_metadata);
        let old = Exchanged {
            refresh_token: refresh_token.cloned(),
            derived_config: bounded(&old.derived_config, old.derived_config.merged(&told)),
            ..old.clone()
        };
        self.issued(&old, issued, expires_at, Some((answers.raw(rules), status)))
    }
}

fn named(name: &str, text: Option<&Secret>) -> SecretMap {
    SecretMap::of(text.map(|text| (name, text.clone())))
}

/// Whether the inputs may still be good after a refresh that failed like this: it could not be
/// made, or the provider will not take it. Where nobody answered, or not now, it may yet.
fn may_log_in_after(error: &TokenExchangeError) -> bool {
    let TokenExchangeError::Refused { error, .. } = error else {
        return matches!(error, TokenExchangeError::Unaskable { .. });
    };
    match error {
        TokenError::Malformed { .. } => true,
        TokenError::Rejected { status, code, .. } => {
            *code == ErrorCode::InvalidGrant || *status < 500 && *status != 429
        }
        TokenError::Unreachable(_) => false,
    }
}

fn unsignable(error: &UnsignableError) -> TokenExchangeError {
    TokenExchangeError::unaskable(RefreshFailure::TwoStep, error)
}

fn unfilled(error: &FillError) -> TokenExchangeError {
    match error {
        FillError::NoTokenUrl
        | FillError::ForeignDomain
        | FillError::Template {
            field: "refresh_url" | "token_url",
            ..
        } => no_url(error),
        FillError::NotXml | FillError::Template { .. } => {
            TokenExchangeError::unaskable(RefreshFailure::TwoStep, error)
        }
    }
}

/// An assertion is not used in its last minute.
const ASSERTION_MARGIN_MILLIS: i64 = 60_000;
