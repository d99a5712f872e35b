//! The answer to a token request (RFC 6749 §5). This is the one lenient place: what real servers
//! send in spite of the RFC is understood here and nowhere else. Not here: what is done with the
//! token.

use serde_json::{Map, Value};

use super::{
    expiry::expires_at,
    http::HttpResponse,
    token_answer::{AnswerRules, TokenAnswer, read_token_answer},
    token_error::{ErrorCode, TokenError},
};
use crate::domain::{
    json_path::value_within,
    secret::{Secret, SecretMap},
    timestamp::Timestamp,
};

/// Where else than at the top level a client's own token is often found.
pub const CLIENT_CREDENTIALS_TOKEN_PATHS: [&str; 3] = ["data.token", "token", "jwt"];

/// How a provider's answers differ.
#[derive(Clone, Debug, Default)]
pub struct ResponseRules {
    /// Where the token is looked for, in this order, if there is no `access_token` at the top
    /// level: dotted paths to the token itself or to an object with the parameters of RFC 6749
    /// §5.1.
    pub token_paths: Vec<String>,
    /// What `expires_in` counts.
    pub expires_in_unit: ExpiresInUnit,
    /// Where the answer has what, if its shape is not that of RFC 6749.
    pub own_shape: Option<AnswerRules>,
    /// What an answer without a token says that means that the token goes on, and that token.
    pub goes_on: Option<GoesOn>,
}

/// An answer that gives no token because the one that is there goes on.
#[derive(Clone, Debug)]
pub struct GoesOn {
    /// The dotted path to the value that says so.
    pub path: String,
    /// That value, as text.
    pub value: String,
    /// The token.
    pub token: Secret,
}

/// What `expires_in` counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ExpiresInUnit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds, as RFC 6749 §5.1 says.
    #[default]
    Seconds,
}

/// A token that the provider issued.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// The access token, not empty.
    pub access_token: Secret,
    /// A new refresh token. Where there is none the old one stays good (RFC 6749 §6).
    pub refresh_token: Option<Secret>,
    /// When the access token ends, if the provider said so.
    pub expires_at: Option<Timestamp>,
    /// The answer as it is kept.
    pub raw: SecretMap,
}

/// Reads the answer to a token request that arrived at `now`.
pub fn read_token_response(
    response: &HttpResponse,
    rules: &ResponseRules,
    now: Timestamp,
) -> Result<TokenResponse, TokenError> {
    let raw = read_answer(response, now)?;
    // A token goes before an error in the same answer: it may be the only copy of a rotated pair.
    let found = match &rules.own_shape {
        Some(shape) => read_token_answer(&Value::Object(raw.expose().clone()), shape, now),
        None => find_token(&raw, rules, now),
    };
    let found = found.or_else(|| going_on(&raw, rules));
    let found = found.ok_or_else(|| without_token(response, &raw, rules, now))?;
    Ok(TokenResponse {
        access_token: found.token,
        refresh_token: found.refresh_token,
        expires_at: found.expires_at,
        raw,
    })
}

/// The token that goes on, if the answer says so.
fn going_on(raw: &SecretMap, rules: &ResponseRules) -> Option<TokenAnswer> {
    let goes_on = rules.goes_on.as_ref()?;
    let said = match value_within(raw.expose(), &goes_on.path)? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (said == goes_on.value).then(|| TokenAnswer {
        token: goes_on.token.clone(),
        refresh_token: None,
        expires_at: None,
    })
}

/// What an answer without a token means. One that says something else than that the token goes on
/// is a refusal.
fn without_token(
    response: &HttpResponse,
    raw: &SecretMap,
    rules: &ResponseRules,
    now: Timestamp,
) -> TokenError {
    let says = |goes_on: &GoesOn| value_within(raw.expose(), &goes_on.path).is_some();
    let refused = rules.goes_on.as_ref().is_some_and(says);
    let code = error_code(raw).or(refused.then_some(ErrorCode::Other));
    let status = response.status;
    let malformed = TokenError::Malformed { status };
    code.map_or(malformed, |code| rejected(response, code, now))
}

/// Reads an answer of the provider's own shape that arrived at `now`: an object, unless it is a
/// refusal.
pub fn read_answer(response: &HttpResponse, now: Timestamp) -> Result<SecretMap, TokenError> {
    let status = response.status;
    let answer = read_object(response).map(SecretMap::new);
    // Below 200 and from 300 to 399 there is no answer: redirects are not followed, because they
    // would carry the client's secret along.
    if status >= 400 {
        let code = answer.as_ref().and_then(error_code);
        return Err(rejected(response, code.unwrap_or(ErrorCode::Other), now));
    }
    let answer = answer.filter(|_| (200..300).contains(&status));
    answer.ok_or(TokenError::Malformed { status })
}

fn rejected(response: &HttpResponse, code: ErrorCode, now: Timestamp) -> TokenError {
    TokenError::Rejected {
        status: response.status,
        code,
        retry_after_seconds: response.retry_after_seconds(now),
    }
}

/// The answer as an object. A form, which nearly any text could be, is recognised by its media
/// type.
fn read_object(response: &HttpResponse) -> Option<Map<String, Value>> {
    match response.value() {
        Some(Value::Object(object)) => Some(object),
        Some(_) => None,
        None => {
            let media_type = response.media_type()?;
            ["application/x-www-form-urlencoded", "text/plain"]
                .iter()
                .any(|form| media_type.eq_ignore_ascii_case(form))
                .then(|| form_object(&response.body))
        }
    }
}

fn form_object(body: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(body.trim_ascii())
        .map(|(name, value)| (name.into_owned(), Value::from(value)))
        .collect()
}

/// The error in an answer, which some servers send with status 200.
fn error_code(answer: &SecretMap) -> Option<ErrorCode> {
    let answer = answer.expose();
    let error = text(answer, "error").map(ErrorCode::parse);
    let refused = answer.get("ok") == Some(&Value::Bool(false));
    error.or(refused.then_some(ErrorCode::Other))
}

fn find_token(raw: &SecretMap, rules: &ResponseRules, now: Timestamp) -> Option<TokenAnswer> {
    let top = raw.expose();
    let token_in = |token: &str, objects: &[&Map<String, Value>]| {
        let mut refresh_tokens = objects.iter().filter_map(|it| text(it, "refresh_token"));
        let mut ends = objects.iter();
        TokenAnswer {
            token: Secret::new(token),
            refresh_token: refresh_tokens.next().map(Secret::new),
            expires_at: ends.find_map(|it| expires_at(it, rules.expires_in_unit, now)),
        }
    };
    let in_object = |object| Some(token_in(text(object, "access_token")?, &[object]));
    in_object(top).or_else(|| {
        let mut paths = rules.token_paths.iter();
        paths.find_map(|path| match value_within(top, path)? {
            Value::Object(object) => in_object(object),
            Value::String(token) if !token.is_empty() => {
                // What comes with it is beside it, or at the top.
                let (parent, _) = path.rsplit_once('.').unwrap_or_default();
                let parent = value_within(top, parent).and_then(Value::as_object);
                Some(token_in(token, &[parent.unwrap_or(top), top]))
            }
            _ => None,
        })
    })
}

/// A text that is not empty.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use zeroize::Zeroizing;

    use super::*;
    use crate::oauth2::token_answer::ExpirationStrategy;

    const JSON: &str = "application/json";

    fn now() -> Timestamp {
        Timestamp::parse("2024-06-01T12:00:00Z").unwrap()
    }

    fn response(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
        HttpResponse {
            status,
            headers: vec![("content-type".to_owned(), Secret::new(content_type))],
            body: Zeroizing::new(body.into()),
        }
    }

    fn json(status: u16, body: &Value) -> HttpResponse {
        response(status, JSON, body.to_string())
    }

    fn rules(paths: &[&str]) -> ResponseRules {
        ResponseRules {
            token_paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..ResponseRules::default()
        }
    }

    fn read(response: &HttpResponse) -> Result<TokenResponse, TokenError> {
        read_token_response(response, &ResponseRules::default(), now())
    }

    /// Access token, refresh token and end.
    fn parts(token: &TokenResponse) -> (&str, Option<&str>, Option<String>) {
        (
            token.access_token.expose(),
            token.refresh_token.as_ref().map(Secret::expose),
            token.expires_at.map(Timestamp::to_iso),
        )
    }

    #[track_caller]
    fn rejected(response: &HttpResponse, expected: ErrorCode) {
        let Err(TokenError::Rejected { status, code, .. }) = read(response) else {
            panic!("not rejected");
        };
        assert_eq!((status, code), (response.status, expected));
    }

    #[track_caller]
    fn malformed(response: &HttpResponse) {
        let status = response.status;
        assert_eq!(read(response).err(), Some(TokenError::Malformed { status }));
    }

    #[test]
    fn an_answer_of_the_rfc_is_read() {
        let answer = json!({
            "access_token": "a",
            "token_type": "Bearer",
            "expires_in": 60,
            "refresh_token": "r",
        });
        let token = read(&json(200, &answer)).unwrap();
        let end = "2024-06-01T12:01:00.000Z".to_owned();
        assert_eq!(parts(&token), ("a", Some("r"), Some(end)));
        assert_eq!(Some(token.raw.expose()), answer.as_object());
    }

    #[test]
    fn what_comes_with_a_token_at_another_path_may_be_beside_it() {
        let answer = json!({"data": {"token": "a", "expires_in": 60, "refresh_token": "r"}});
        let token = read_token_response(&json(200, &answer), &rules(&["data.token"]), now());
        let end = "2024-06-01T12:01:00.000Z".to_owned();
        assert_eq!(parts(&token.unwrap()), ("a", Some("r"), Some(end)));
    }

    #[test]
    fn a_token_goes_on_where_the_answer_says_so_whatever_its_shape() {
        let goes_on = GoesOn {
            path: "result".to_owned(),
            value: "0000".to_owned(),
            token: Secret::new("old"),
        };
        let own_shape = AnswerRules {
            token: "data.token".to_owned(),
            refresh_token: None,
            token_expiration: None,
            token_expiration_strategy: ExpirationStrategy::ExpireIn,
            expires_in_unit: ExpiresInUnit::Seconds,
        };
        for own_shape in [None, Some(own_shape)] {
            let rules = ResponseRules {
                own_shape,
                goes_on: Some(goes_on.clone()),
                ..ResponseRules::default()
            };
            let said = |result: &str| json(200, &json!({ "result": result }));
            let token = read_token_response(&said("0000"), &rules, now()).unwrap();
            assert_eq!(parts(&token), ("old", None, None));
            let error = read_token_response(&said("1"), &rules, now()).unwrap_err();
            assert!(matches!(error, TokenError::Rejected { .. }));
        }
    }

    #[test]
    fn json_is_read_whatever_its_content_type() {
        for content_type in [
            "text/html",
            "text/plain",
            "",
            "application/x-www-form-urlencoded",
        ] {
            let answer = response(200, content_type, r#"{"access_token":"a=b&c"}"#);
            assert_eq!(parts(&read(&answer).unwrap()).0, "a=b&c", "{content_type}");
        }
    }

    #[test]
    fn a_byte_order_mark_before_json_is_ignored() {
        let answer = response(200, JSON, "\u{feff}{\"access_token\":\"a\"}");
        assert_eq!(parts(&read(&answer).unwrap()).0, "a");
    }

    #[test]
    fn a_form_is_read_by_its_content_type() {
        for content_type in [
            "Application/X-WWW-Form-Urlencoded; charset=utf-8",
            "text/plain",
        ] {
            let form = "access_token=a%2Bb&expires_in=60&refresh_token=r\n";
            let token = read(&response(200, content_type, form)).unwrap();
            let end = "2024-06-01T12:01:00.000Z".to_owned();
            assert_eq!(parts(&token), ("a+b", Some("r"), Some(end)));
            assert_eq!(token.raw.expose()["expires_in"], "60");
        }
        malformed(&response(200, "text/html", "access_token=a"));
    }

    #[test]
    fn an_error_in_a_form_is_a_rejection() {
        let form = "error=bad_refresh_token&error_description=x";
        let answer = response(200, "application/x-www-form-urlencoded", form);
        rejected(&answer, ErrorCode::InvalidGrant);
    }

    #[test]
    fn the_error_of_the_rfc_is_a_rejection_at_any_status() {
        for status in [200, 400, 401, 500] {
            let answer = json(status, &json!({"error": "invalid_grant"}));
            rejected(&answer, ErrorCode::InvalidGrant);
        }
    }

    #[test]
    fn an_answer_that_is_not_ok_is_a_rejection() {
        let answer = json!({"ok": false, "error": "invalid_refresh_token"});
        rejected(&json(200, &answer), ErrorCode::InvalidGrant);
        rejected(&json(200, &json!({"ok": false})), ErrorCode::Other);
    }

    #[test]
    fn a_token_beside_an_error_is_not_lost() {
        let answer = json!({"access_token": "a", "error": "deprecated"});
        assert_eq!(parts(&read(&json(200, &answer)).unwrap()).0, "a");
    }

    #[test]
    fn an_error_status_without_an_error_is_a_rejection_that_says_when_to_come_back() {
        for status in [400, 403, 404, 429, 500, 503, 599] {
            let mut answer = response(status, "text/html", "<html>");
            answer
                .headers
                .push(("retry-after".to_owned(), Secret::new("30")));
            let expected = TokenError::Rejected {
                status,
                code: ErrorCode::Other,
                retry_after_seconds: Some(30),
            };
            assert_eq!(read(&answer).err(), Some(expected));
        }
    }

    #[test]
    fn a_token_with_an_error_status_is_a_rejection() {
        rejected(&json(400, &json!({"access_token": "a"})), ErrorCode::Other);
    }

    #[test]
    fn a_redirect_is_malformed_whatever_it_carries() {
        for status in [101, 301, 302, 307, 308, 399] {
            malformed(&json(status, &json!({"access_token": "a"})));
            malformed(&json(status, &json!({"error": "invalid_grant"})));
        }
    }

    #[test]
    fn a_success_without_an_access_token_is_malformed() {
        for answer in [
            json!({}),
            json!({"access_token": ""}),
            json!({"access_token": null}),
            json!({"access_token": 1}),
            json!({"access_token": {"token": "a"}}),
            json!({"token": "a"}),
            json!(["access_token"]),
            json!("a"),
        ] {
            malformed(&json(200, &answer));
        }
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        for body in [
            "",
            "null",
            "{\"access_token\":\"a\"",
            "<html>&access_token=a</html>",
        ] {
            malformed(&response(200, JSON, body));
            malformed(&response(200, "text/html", body));
        }
        malformed(&response(200, JSON, b"{\"access_token\":\"\xff\"}"));
    }

    #[test]
    fn an_absent_or_empty_refresh_token_is_none() {
        for refresh_token in [json!(null), json!(""), json!(7)] {
            let answer = json!({"access_token": "a", "refresh_token": refresh_token});
            assert_eq!(parts(&read(&json(200, &answer)).unwrap()).1, None);
        }
    }

    #[test]
    fn an_object_at_another_path_has_all_of_the_token() {
        let answer = json!({
            "ok": true,
            "refresh_token": "top",
            "authed_user": {"access_token": "a", "refresh_token": "r", "expires_in": 60},
        });
        let token = read_token_response(&json(200, &answer), &rules(&["authed_user"]), now());
        let token = token.unwrap();
        let end = "2024-06-01T12:01:00.000Z".to_owned();
        assert_eq!(parts(&token), ("a", Some("r"), Some(end)));
        assert_eq!(Some(token.raw.expose()), answer.as_object());
    }

    #[test]
    fn a_text_at_another_path_is_the_token_and_the_rest_is_at_the_top() {
        for answer in [
            json!({"data": {"token": "a"}, "expires_in": 60}),
            json!({"token": "a", "expires_in": 60}),
            json!({"jwt": "a", "token": "", "data": [], "expires_in": 60}),
        ] {
            let rules = rules(&CLIENT_CREDENTIALS_TOKEN_PATHS);
            let token = read_token_response(&json(200, &answer), &rules, now()).unwrap();
            let end = "2024-06-01T12:01:00.000Z".to_owned();
            assert_eq!(parts(&token), ("a", None, Some(end)), "{answer}");
        }
    }

    #[test]
    fn the_token_at_the_top_goes_before_other_paths() {
        let answer = json!({"access_token": "a", "token": "b"});
        let token = read_token_response(&json(200, &answer), &rules(&["token"]), now());
        assert_eq!(parts(&token.unwrap()).0, "a");
    }

    #[test]
    fn the_unit_of_the_lifetime_is_the_rules() {
        let rules = ResponseRules {
            expires_in_unit: ExpiresInUnit::Milliseconds,
            ..ResponseRules::default()
        };
        let answer = json(200, &json!({"access_token": "a", "expires_in": 1500}));
        let token = read_token_response(&answer, &rules, now()).unwrap();
        assert_eq!(token.expires_at, Some(now().plus_millis(1500)));
    }

    fn any_answer() -> impl Strategy<Value = Value> {
        let names = "access_token|refresh_token|expires_in|expires_at|error|ok|data|token|[a-z]";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[0-9:.e+-]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, move |inner| {
            let array = prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
            let object = prop::collection::vec((names, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect()));
            prop_oneof![1 => array, 4 => object]
        })
    }

    fn any_content_type() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(JSON.to_owned()),
            Just("text/plain".to_owned()),
            any::<String>()
        ]
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(
            status: u16,
            content_type in any_content_type(),
            retry_after: Option<String>,
            body: Vec<u8>,
        ) {
            let mut answer = response(status, &content_type, body);
            let retry_after = retry_after.map(|value| ("retry-after".to_owned(), Secret::new(value)));
            answer.headers.extend(retry_after);
            let _ = read_token_response(&answer, &rules(&["data.token", "."]), now());
        }

        #[test]
        fn a_token_is_read_from_no_json_but_a_successful_one_that_has_it(
            status in prop_oneof![Just(200), 100_u16..600],
            answer in any_answer(),
        ) {
            let rules = rules(&["data.token", "token", ""]);
            let token = read_token_response(&json(status, &answer), &rules, now());
            if let Ok(token) = token {
                let access_token = token.access_token.expose();
                prop_assert!((200..300).contains(&status) && !access_token.is_empty());
                prop_assert!(answer.to_string().contains(&Value::from(access_token).to_string()));
                prop_assert_eq!(Some(token.raw.expose()), answer.as_object());
            }
        }

        #[test]
        fn errors_and_debug_never_contain_the_answer(
            status in prop_oneof![Just(200), 100_u16..600],
            name in "access_token|error|[a-z]",
            secret in "canary[a-z0-9]{0,20}",
        ) {
            let answer = json(status, &json!({ name: secret }));
            let token = read(&answer);
            let shown = match &token {
                Ok(token) => format!("{token:?}"),
                Err(error) => format!("{error:?} {error}"),
            };
            prop_assert!(!shown.contains("canary"), "{}", shown);
        }
    }
}
