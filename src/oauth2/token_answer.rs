//! Answers of a provider's own shape to token requests: JSON with the token at a path that the
//! entry names. Not here: requests, and answers of the shape of RFC 6749, which are
//! [`super::token_response`]'s.

use serde_json::Value;

use super::{
    expiry::{expires_after, expires_on},
    token_response::ExpiresInUnit,
};
use crate::domain::{
    json_path::{remove_at, value_at},
    secret::{Secret, SecretMap},
    timestamp::Timestamp,
    xml::TEXT,
};

/// Where an answer has what. Paths are names with dots between them, and places in lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AnswerRules {
    /// The path to the token; an empty one means that the whole answer is it.
    pub token: String,
    /// The path to the refresh token.
    pub refresh_token: Option<String>,
    /// The path to what tells the end of the token.
    pub token_expiration: Option<String>,
    /// What is found there.
    pub token_expiration_strategy: ExpirationStrategy,
    /// What a number counts, where it is a lifetime.
    pub expires_in_unit: ExpiresInUnit,
}

impl AnswerRules {
    /// An answer as it is kept. The refresh token is left out: those who see answers may not see
    /// it, and its name need not tell what it is.
    #[must_use]
    pub fn kept(&self, answer: &SecretMap) -> SecretMap {
        let mut kept = Value::Object(answer.expose().clone());
        let path = self.refresh_token.as_deref();
        if let Some(path) = path.filter(|path| *path != self.token) {
            remove_at(&mut kept, path);
        }
        match kept {
            Value::Object(kept) => SecretMap::new(kept),
            _ => SecretMap::default(),
        }
    }
}

/// How an answer tells the end of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExpirationStrategy {
    /// As a date or as seconds or milliseconds since the epoch.
    ExpireAt,
    /// As a lifetime.
    ExpireIn,
}

/// A token that an answer has in it.
#[derive(Clone, Debug)]
pub struct TokenAnswer {
    /// The token, not empty.
    pub token: Secret,
    /// A new refresh token.
    pub refresh_token: Option<Secret>,
    /// When the token ends, if the answer says so.
    pub expires_at: Option<Timestamp>,
}

/// Reads an answer that arrived at `now`; none where there is no token in it.
#[must_use]
pub fn read_token_answer(
    answer: &Value,
    rules: &AnswerRules,
    now: Timestamp,
) -> Option<TokenAnswer> {
    let path = rules.refresh_token.as_ref();
    let refresh_token = path.and_then(|path| text_at(answer, path));
    let path = rules.token_expiration.as_ref();
    let expiration = path.and_then(|path| content_at(answer, path));
    let expires_at = expiration.and_then(|value| match rules.token_expiration_strategy {
        ExpirationStrategy::ExpireAt => expires_on(value, now),
        ExpirationStrategy::ExpireIn => expires_after(value, rules.expires_in_unit, now),
    });
    Some(TokenAnswer {
        token: text_at(answer, &rules.token)?,
        refresh_token,
        expires_at,
    })
}

fn text_at(answer: &Value, path: &str) -> Option<Secret> {
    let text = content_at(answer, path)?.as_str()?.trim();
    (!text.is_empty()).then(|| Secret::new(text))
}

/// The value at `path`; of an element with attributes its text.
fn content_at<'a>(answer: &'a Value, path: &str) -> Option<&'a Value> {
    let value = value_at(answer, path)?;
    Some(value.get(TEXT).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: &str = "2024-06-01T12:00:00.000Z";

    fn now() -> Timestamp {
        Timestamp::parse(NOW).unwrap()
    }

    fn rules(token: &str) -> AnswerRules {
        AnswerRules {
            token: token.to_owned(),
            refresh_token: None,
            token_expiration: None,
            token_expiration_strategy: ExpirationStrategy::ExpireIn,
            expires_in_unit: ExpiresInUnit::Seconds,
        }
    }

    fn token(answer: &Value, path: &str) -> Option<String> {
        let answer = read_token_answer(answer, &rules(path), now())?;
        Some(answer.token.expose().to_owned())
    }

    #[track_caller]
    fn ends(strategy: ExpirationStrategy, value: &Value, expected: Option<&str>) {
        let rules = AnswerRules {
            token_expiration: Some("a.end".to_owned()),
            token_expiration_strategy: strategy,
            ..rules("token")
        };
        let answer = json!({"token": "fake-token", "a": {"end": value}});
        let token = read_token_answer(&answer, &rules, now()).unwrap();
        let end = token.expires_at.map(Timestamp::to_iso);
        assert_eq!(end.as_deref(), expected, "{strategy:?} {value}");
    }

    #[test]
    fn a_token_is_found_at_its_path() {
        let answer = json!({
            "token": "top", "data": {"token": "in"}, "list": [{"token": "first"}], "a.b": "dotted",
            "a": {"b": "not this"},
        });
        for (path, expected) in [
            ("token", "top"),
            ("data.token", "in"),
            ("list.0.token", "first"),
            ("a.b", "dotted"),
        ] {
            assert_eq!(token(&answer, path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn an_empty_path_means_the_whole_answer() {
        assert_eq!(token(&json!(" fake \n"), "").as_deref(), Some("fake"));
        assert_eq!(token(&json!({"token": "fake"}), ""), None);
    }

    #[test]
    fn what_is_no_text_or_an_empty_one_is_no_token() {
        for value in [
            json!(null),
            json!(""),
            json!(" "),
            json!(1),
            json!({}),
            json!([]),
        ] {
            assert_eq!(token(&json!({"token": value}), "token"), None, "{value}");
        }
        for path in ["other", "token.x", "token.0", "."] {
            assert_eq!(token(&json!({"token": "a"}), path), None, "{path}");
        }
    }

    #[test]
    fn a_refresh_token_is_found_at_its_path_and_none_is_none() {
        let rules = AnswerRules {
            refresh_token: Some("r.token".to_owned()),
            ..rules("token")
        };
        for (answer, expected) in [
            (json!({"token": "a", "r": {"token": "fake"}}), Some("fake")),
            (json!({"token": "a", "r": {"token": ""}}), None),
            (json!({"token": "a"}), None),
        ] {
            let token = read_token_answer(&answer, &rules, now()).unwrap();
            assert_eq!(token.refresh_token.as_ref().map(Secret::expose), expected);
        }
    }

    #[test]
    fn a_lifetime_is_a_number_of_seconds_or_a_duration() {
        let ends = |value: Value, expected| ends(ExpirationStrategy::ExpireIn, &value, expected);
        ends(json!(60), Some("2024-06-01T12:01:00.000Z"));
        ends(json!("60"), Some("2024-06-01T12:01:00.000Z"));
        ends(json!("30m"), Some("2024-06-01T12:30:00.000Z"));
        ends(json!("1h"), Some("2024-06-01T13:00:00.000Z"));
        ends(json!("1.5 hours"), Some("2024-06-01T13:30:00.000Z"));
        ends(json!("7d"), Some("2024-06-08T12:00:00.000Z"));
        ends(json!("500 ms"), Some("2024-06-01T12:00:00.500Z"));
        ends(json!("0:02:00"), Some("2024-06-01T14:00:00.000Z"));
        ends(json!("-1h"), Some(NOW));
        for value in [
            json!("soon"),
            json!("h"),
            json!("1 year and a day"),
            json!({}),
        ] {
            ends(value, None);
        }
    }

    #[test]
    fn an_end_is_a_date_or_a_time_since_the_epoch() {
        let ends = |value: Value, expected| ends(ExpirationStrategy::ExpireAt, &value, expected);
        let end = Some("2024-06-01T13:00:00.000Z");
        ends(json!("2024-06-01T15:00:00+02:00"), end);
        ends(json!(1_717_246_800), end);
        ends(json!("1717246800000"), end);
        ends(json!("0:01:00"), end);
        ends(json!("tomorrow"), None);
    }

    proptest! {
        #[test]
        fn any_path_and_any_duration_give_something_without_panic(
            path in "[a-z0-9.]{0,8}",
            duration in "[0-9.e+-]{0,24} ?[a-zµ]{0,6}",
        ) {
            let answer = json!({"a": [{"b": {"c": "fake"}}], "token": "fake", "end": duration});
            let _ = value_at(&answer, &path);
            let rules = AnswerRules {
                token_expiration: Some("end".to_owned()),
                ..rules("token")
            };
            prop_assert!(read_token_answer(&answer, &rules, now()).is_some());
        }
    }
}
