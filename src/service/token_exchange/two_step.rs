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
        // A refresh may do without what a login needs.
        let usable = shown.as_ref().ok().cloned().unwrap_or_default();
        let assertion = usable.assertion.as_ref();
        let credentials = self.own_credentials(old).merged(&token);
        let credentials = credentials.merged(&named("assertion", assertion));
        let provided = token.merged(&named("token", usable.token.as_ref()));

        let answers = self.run(first, &credentials, provided).await;
        let lacks_token = answers.as_ref().is_ok_and(TokenAnswers::is_object);
        let refreshed =
            answers.and_then(|it| self.of_answers(old, Some(refresh_token), assertion, &it));
        let error = match refreshed {
            Err(error) => error,
            refreshed => return refreshed,
        };
        // The inputs may still be good.
        if is_rejection(&error) {
            let shown = shown.map_err(|_| error)?;
            return self.login(old, shown, None).await;
        }
        if matches!(error, TokenExchangeError::Unaskable { .. }) {
            return self.login(old, shown?, Some(refresh_token)).await;
        }
        match shown {
            // Where the login is of no use either, what came of the refresh token counts.
            Ok(shown) if lacks_token => {
                let issued = self.login(old, shown, Some(refresh_token)).await;
                issued.map_err(|_| error)
            }
            Ok(_) | Err(_) => Err(error),
        }
    }

    /// A token for the inputs and what was signed for them. `refresh_token` stays where there is
    /// no new one.
    async fn login(
        &self,
        old: &Exchanged,
        shown: Shown,
        refresh_token: Option<&Secret>,
    ) -> Result<Issued, TokenExchangeError> {
        let first = self.entry.login_step();
        let first = first.ok_or(FillError::NoTokenUrl)?;
        let assertion = shown.assertion.as_ref();
        let credentials = self.own_credentials(old);
        let credentials = credentials.merged(&named("assertion", assertion));
        let provided = named("token", shown.token.as_ref());
        let answers = self.run(first, &credentials, provided).await?;
        self.of_answers(old, refresh_token, assertion, &answers)
    }

    async fn shown(&self, old: &Exchanged) -> Result<Shown, TokenExchangeError> {
        let own = self.own_credentials(old);
        let assertion = self.assertion(old, &own).await?;
        let token = match &self.entry.jwt {
            Some(template) => Some(self.sign(template, &own).await?),
            None => None,
        };
        Ok(Shown { assertion, token })
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
            let request = step_request(step, self.entry, &values).map_err(|error| match error {
                // It is the answer before it that lacks something.
                FillError::Template { .. } if !answers.steps().is_empty() => {
                    let status = answers.status();
                    TokenExchangeError::Refused {
                        error: TokenError::Malformed { status },
                        said: Some(error.to_string()),
                    }
                }
                error => unfilled(&error),
            })?;
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
        let stated = stated.map(|millis| now.plus_millis(millis));
        let guess = stated.into_iter().chain(end_of_jwt(&token.token)).min();
        // A token is taken to live no longer than what renews it.
        let cap = refresh_token.and_then(end_of_jwt);
        let guess = guess.map(|guess| cap.map_or(guess, |cap| guess.min(cap)));
        let expires_at = token.expires_at.or(guess);
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

/// What is signed for requests, as the entry has it.
#[derive(Clone, Default)]
struct Shown {
    assertion: Option<Secret>,
    token: Option<Secret>,
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
