//! The answers to the requests of one exchange of a provider's own shape, and what is kept of
//! them. Not here: finding a token in an answer.

use serde_json::{Map, Value};

use super::{
    http::HttpResponse,
    token_answer::{AnswerRules, TokenAnswer, read_token_answer},
    token_error::{ErrorCode, TokenError},
};
use crate::domain::{
    json_path::scalars_at,
    secret::{Secret, SecretMap},
    timestamp::Timestamp,
};

/// The answers to the requests of one exchange, in their order.
#[derive(Debug, Default)]
pub struct TokenAnswers {
    /// `step1` and so on.
    steps: SecretMap,
    /// Headers that are kept.
    headers: SecretMap,
    /// Cookies that are kept, by name.
    cookies: SecretMap,
    last_status: u16,
}

impl TokenAnswers {
    /// Takes an answer that arrived at `now`, with those of its headers that are in `kept`. The
    /// provider refused if its status says so.
    pub fn push(
        &mut self,
        response: &HttpResponse,
        kept: &[String],
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let status = response.status;
        let text = || Value::from(String::from_utf8_lossy(&response.body));
        let body = response.value().unwrap_or_else(text);
        if status >= 400 {
            return Err(TokenError::Rejected {
                status,
                code: refusal(status, &body),
                retry_after_seconds: response.retry_after_seconds(now),
            });
        }
        // Redirects are not followed, because they would carry the inputs along.
        if !matches!(status, 200 | 201) {
            return Err(TokenError::Malformed { status });
        }
        let name = format!("step{}", self.steps.expose().len() + 1);
        self.steps = self
            .steps
            .merged(&SecretMap::new(Map::from_iter([(name, body)])));
        self.headers = self.headers.merged(&headers(response, kept));
        if kept.iter().any(|name| is_cookie(name)) {
            self.cookies = with_cookies(&self.cookies, response);
        }
        self.last_status = status;
        Ok(())
    }

    /// `step1`, `step2` and so on, for templates.
    #[must_use]
    pub fn steps(&self) -> &SecretMap {
        &self.steps
    }

    /// Headers and cookies that are kept, by name; all cookies together are `_cookies`.
    #[must_use]
    pub fn headers(&self) -> SecretMap {
        let cookies = self.cookies.expose();
        // As a request sends them (RFC 6265 §5.4).
        let pairs = cookies
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
        let all = pairs.collect::<Vec<_>>().join("; ");
        let all = (!all.is_empty()).then(|| (ALL_COOKIES, Secret::new(all)));
        let mut kept = self
            .headers
            .merged(&self.cookies)
            .merged(&SecretMap::of(all))
            .expose()
            .clone();
        kept.retain(|name, _| !RESERVED.contains(&name.as_str()));
        SecretMap::new(kept)
    }

    /// Whether the last answer is an object, which a page in place of an answer is not.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.last().is_some_and(Value::is_object)
    }

    /// The status of the last answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.last_status
    }

    /// The token in the last answer.
    pub fn token(&self, rules: &AnswerRules, now: Timestamp) -> Result<TokenAnswer, TokenError> {
        let status = self.last_status;
        let answer = self.last().unwrap_or(&Value::Null);
        read_token_answer(answer, rules, now).ok_or_else(|| {
            error_of(answer).map_or(TokenError::Malformed { status }, |_| TokenError::Rejected {
                status,
                code: refusal(status, answer),
                retry_after_seconds: None,
            })
        })
    }

    /// The last answer as it is kept.
    #[must_use]
    pub fn raw(&self, rules: &AnswerRules) -> SecretMap {
        match self.last() {
            Some(Value::Object(answer)) => rules.kept(&SecretMap::new(answer.clone())),
            _ => SecretMap::default(),
        }
    }

    /// What the answers tell of the connection: the values at `paths`, each of the last answer
    /// that has it.
    #[must_use]
    pub fn metadata(&self, paths: &[String]) -> SecretMap {
        let answers = self.steps.expose().values().filter_map(Value::as_object);
        let told = answers.flat_map(|answer| scalars_at(answer, paths));
        SecretMap::new(told.collect())
    }

    fn last(&self) -> Option<&Value> {
        self.steps.expose().values().next_back()
    }
}

/// Why the provider refused. With 401 and an error of its own it says that what a login is made
/// with is wrong: trying it again and again may lock an account.
fn refusal(status: u16, answer: &Value) -> ErrorCode {
    match error_of(answer) {
        Some(_) if status == 401 => ErrorCode::InvalidGrant,
        Some(error) => ErrorCode::parse(error),
        None => ErrorCode::Other,
    }
}

fn error_of(answer: &Value) -> Option<&str> {
    let error = answer.get("error")?.as_str()?;
    (!error.is_empty()).then_some(error)
}

/// The names under which `members`, of which some are headers and cookies that were `kept`, has
/// them.
#[must_use]
pub fn kept_names(kept: &[String], members: &SecretMap) -> Vec<String> {
    let (cookies, mut names): (Vec<_>, Vec<_>) =
        kept.iter().cloned().partition(|name| is_cookie(name));
    if let (Some(_), Some(all)) = (cookies.first(), members.text(ALL_COOKIES)) {
        let pairs = all.expose().split("; ");
        let cookies = pairs.filter_map(|pair| pair.split_once('='));
        names.extend(cookies.map(|(name, _)| name.to_owned()));
        names.push(ALL_COOKIES.to_owned());
    }
    names
}

fn is_cookie(name: &str) -> bool {
    name.eq_ignore_ascii_case(SET_COOKIE)
}

fn headers(response: &HttpResponse, kept: &[String]) -> SecretMap {
    let kept = kept.iter().filter(|name| !is_cookie(name));
    let found = kept.filter_map(|name| {
        let lower = name.to_ascii_lowercase();
        let mut values = response.headers.iter().rev();
        let (_, value) = values.find(|(other, _)| *other == lower)?;
        Some((name.clone(), value.expose().into()))
    });
    SecretMap::new(found.collect())
}

/// `earlier` cookies with those that `response` sets, and without those that it ends.
fn with_cookies(earlier: &SecretMap, response: &HttpResponse) -> SecretMap {
    let mut cookies = earlier.expose().clone();
    for (_, set) in response.headers.iter().filter(|(name, _)| is_cookie(name)) {
        // RFC 6265 §5.2: what comes before the first semicolon is name and value.
        let mut parts = set.expose().split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            continue;
        };
        if parts.any(ends_now) {
            cookies.shift_remove(name);
        } else {
            cookies.insert(name.to_owned(), value.into());
        }
    }
    SecretMap::new(cookies)
}

/// Whether an attribute of a cookie removes it (RFC 6265 §5.2.2).
fn ends_now(attribute: &str) -> bool {
    attribute.split_once('=').is_some_and(|(name, value)| {
        let seconds = value.trim().parse::<i64>();
        name.eq_ignore_ascii_case("max-age") && seconds.is_ok_and(|seconds| seconds <= 0)
    })
}

/// The name under which all cookies are kept.
const ALL_COOKIES: &str = "_cookies";
const SET_COOKIE: &str = "set-cookie";
/// Members of credentials that no header takes the place of.
const RESERVED: [&str; 6] = [
    "assertion",
    "expires_at",
    "raw",
    "refresh_token",
    "token",
    "type",
];
