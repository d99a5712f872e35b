//! The requests that follow the first one of a refresh. What the requests before one gave is
//! durable before it is sent, because it may be the only copy of a token that works once.

use serde_json::{Map, Value};

use super::{
    Checkpoint, Exchange, Issued, TokenExchangeError, bounded, kept, oauth2::with_tokens, refused,
};
use crate::{
    domain::{
        credentials::{Credentials, OAuth2},
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::{
        token_request::message,
        token_response::{ResponseRules, TokenResponse},
    },
    providers::{
        filled_request::FilledRequest,
        refresh_step::{RefreshStep, StepResult},
        template::Values,
    },
    service::ports::Ports,
};

impl<P: Ports> Exchange<'_, P> {
    /// What the steps of the entry make of `fresh`, which the first request gave in place of
    /// `old`. Where one fails, what was there before it.
    pub(super) async fn further(
        &self,
        known: &SecretMap,
        old: &OAuth2,
        mut fresh: OAuth2,
        status: u16,
        checkpoint: &impl Checkpoint,
    ) -> Issued {
        let status = Some(status);
        let steps = &self.entry.refresh_steps;
        if !steps.is_empty() {
            // The end of a step's token is no end of this one, which may come sooner.
            let known = self.entry.default_token_lifetime;
            let known = known.map(|seconds| self.ports.now().plus_seconds(seconds));
            fresh.expires_at = fresh.expires_at.or(known);
        }
        for (at, step) in steps.iter().enumerate() {
            let provided = with_tokens(known, &fresh);
            let values = Values {
                provided: Some(&provided),
                ..self.values()
            };
            let so_far = || {
                let to_come = steps.iter().skip(at);
                Credentials::OAuth2(usable(old, &fresh, to_come))
            };
            let request = match FilledRequest::for_step(self.entry, step, &values) {
                Ok(request) => request,
                Err(_) if step.is_optional => continue,
                Err(error) => return Issued::short(so_far(), status, error.into()),
            };
            let issued = Issued::whole(so_far(), status);
            if let Err(error) = checkpoint.keep(&issued).await {
                return Issued::short(issued.credentials, status, error.into());
            }
            match self.step(step, request, &fresh).await {
                Ok(next) => fresh = next,
                Err(_) if step.is_optional => {}
                Err(error) => return Issued::short(issued.credentials, status, error),
            }
        }
        Issued::whole(Credentials::OAuth2(fresh), status)
    }

    async fn step(
        &self,
        step: &RefreshStep,
        request: FilledRequest,
        before: &OAuth2,
    ) -> Result<OAuth2, TokenExchangeError> {
        let sent = |token: &Secret| {
            let is_it = |value: &Secret| value.expose() == token.expose();
            request
                .parameters
                .as_slice()
                .iter()
                .any(|(_, value)| is_it(value))
        };
        let sends_the_refresh_token = before.refresh_token.as_ref().is_some_and(sent);
        let http = message(
            step.token_request_method,
            request.url,
            request.headers,
            request.parameters.as_slice(),
            step.body_format,
        );
        let response = self.answer_to(http).await?;
        let answers = ResponseRules {
            expires_in_unit: self.entry.expires_in_unit,
            own_shape: step.token_response.clone(),
            ..ResponseRules::default()
        };
        let mut token = self.token(&response, &answers).map_err(|error| {
            let before = Credentials::OAuth2(before.clone());
            refused(&self.mask().and(&before), error, &response)
        })?;
        let lifetime = step.token_expires_in_ms;
        let told = token.expires_at;
        token.expires_at = told.or_else(|| Some(self.ports.now().plus_millis(lifetime?)));
        let mut after = with_result(&step.result, before, &token);
        after.derived_config = self.told(&after.derived_config, &token.raw);
        if sends_the_refresh_token {
            after.refresh_token = token.refresh_token.or(after.refresh_token);
        }
        Ok(after)
    }

    /// A new answer, with what earlier answers had where steps put theirs. What has the refresh
    /// token in it that was just used is left behind, so that no step sends it again.
    pub(super) fn with_earlier(&self, old: &OAuth2, answer: &SecretMap) -> SecretMap {
        let used = old.refresh_token.as_ref();
        let is_used = |value: &Value| used.is_some_and(|used| contains(value, used.expose()));
        let names = self.entry.refresh_steps.iter().filter_map(raw_name);
        let earlier = names.filter_map(|name| {
            let value = old.raw.expose().get(name)?;
            let is_good = !answer.expose().contains_key(name) && !is_used(value);
            is_good.then(|| (name.to_owned(), value.clone()))
        });
        let earlier: Map<_, _> = earlier.collect();
        kept(answer.merged(&SecretMap::new(earlier)))
    }
}

/// What can be used of `fresh` while the steps `to_come` are not made: where one of them brings
/// the access token that calls need, the old one.
fn usable<'s>(
    old: &OAuth2,
    fresh: &OAuth2,
    mut to_come: impl Iterator<Item = &'s RefreshStep>,
) -> OAuth2 {
    if !to_come.any(|step| step.result == StepResult::AccessToken) {
        return fresh.clone();
    }
    OAuth2 {
        access_token: old.access_token.clone(),
        expires_at: old.expires_at,
        ..fresh.clone()
    }
}

/// `before` with the answer of a step in its place. The earliest end counts.
fn with_result(result: &StepResult, before: &OAuth2, token: &TokenResponse) -> OAuth2 {
    let expires_at = earliest(before.expires_at, token.expires_at);
    match result {
        StepResult::AccessToken => OAuth2 {
            access_token: token.access_token.clone(),
            expires_at: token.expires_at,
            raw: kept(before.raw.merged(&token.raw)),
            ..before.clone()
        },
        StepResult::ConnectionConfig(name) => OAuth2 {
            expires_at,
            derived_config: under(&before.derived_config, name, as_config(token)),
            ..before.clone()
        },
        StepResult::Raw(name) => {
            let earlier = before.raw.expose().get(name).and_then(Value::as_object);
            let earlier = SecretMap::new(earlier.cloned().unwrap_or_default());
            let answer = earlier.merged(&token.raw);
            OAuth2 {
                expires_at,
                raw: bounded(
                    &before.raw,
                    under(&before.raw, name, answer.expose().clone()),
                ),
                ..before.clone()
            }
        }
    }
}

fn earliest(first: Option<Timestamp>, second: Option<Timestamp>) -> Option<Timestamp> {
    first.into_iter().chain(second).min()
}

/// A token as a value of the configuration.
fn as_config(token: &TokenResponse) -> Map<String, Value> {
    let access_token = Value::from(token.access_token.expose());
    let expires_at = token.expires_at.map(|it| Value::from(it.to_iso()));
    let expires_at = expires_at.map(|it| ("expires_at".to_owned(), it));
    let access_token = ("access_token".to_owned(), access_token);
    [access_token].into_iter().chain(expires_at).collect()
}

fn under(map: &SecretMap, name: &str, value: Map<String, Value>) -> SecretMap {
    let value = Map::from_iter([(name.to_owned(), Value::Object(value))]);
    map.merged(&SecretMap::new(value))
}

fn raw_name(step: &RefreshStep) -> Option<&str> {
    match &step.result {
        StepResult::Raw(name) => Some(name),
        StepResult::AccessToken | StepResult::ConnectionConfig(_) => None,
    }
}

/// Whether `text` is one of the texts within `value`.
fn contains(value: &Value, text: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| contains(item, text)),
        Value::Object(map) => map.values().any(|value| contains(value, text)),
        Value::String(other) => other == text,
        Value::Bool(_) | Value::Null | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::secret::MAX_RAW_BYTES;

    fn map(value: &Value) -> SecretMap {
        SecretMap::new(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn answers_of_steps_that_are_too_large_together_leave_what_was_there() {
        let mut tokens = OAuth2 {
            access_token: Secret::new("fake-token"),
            refresh_token: None,
            expires_at: None,
            config_override: None,
            raw: map(&json!({"ok": true})),
            derived_config: SecretMap::default(),
            renews_without_refresh_token: false,
        };
        for name in ["a", "b", "c"] {
            let answer = TokenResponse {
                access_token: Secret::new("fake-token"),
                refresh_token: None,
                expires_at: None,
                raw: map(&json!({"filler": "x".repeat(MAX_RAW_BYTES / 2)})),
            };
            let result = StepResult::Raw(name.to_owned());
            tokens = with_result(&result, &tokens, &answer);
        }
        assert!(tokens.raw.json_len() <= MAX_RAW_BYTES);
        assert!(tokens.raw.expose().contains_key("a"));
    }
}
