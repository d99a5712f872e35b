//! What a provider says about a failed token request, in its own words. Not here: taking secrets
//! out of them.

use serde_json::{Map, Value};

use super::http::HttpResponse;
use crate::domain::secret::Secret;

/// The words of an error answer, or none if the answer does not claim to be an error: an answer
/// that went wrong in another way may hold tokens that nobody has seen before.
#[must_use]
pub fn error_text(response: &HttpResponse) -> Option<Secret> {
    let text = String::from_utf8_lossy(&response.body);
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    // Some send a list of errors, of which the first tells most.
    let object = answer.as_object().or_else(|| answer.get(0)?.as_object());
    let words = object.map(words).filter(|words| !words.is_empty());
    let whole = || (response.status >= 400 && !text.trim().is_empty()).then(|| text.into_owned());
    words
        .map(|words| words.join(": "))
        .or_else(whole)
        .map(Secret::new)
}

/// The members of an error object that are meant for people (RFC 6749 §5.2 and what providers
/// use in its place).
fn words(object: &Map<String, Value>) -> Vec<&str> {
    let mut words = Vec::new();
    for name in MEMBERS {
        match object.get(name) {
            Some(Value::String(text)) if !text.is_empty() => words.push(text.as_str()),
            Some(Value::Object(inner)) => {
                let inner = MEMBERS.iter().filter_map(|name| inner.get(*name)?.as_str());
                words.extend(inner);
            }
            _ => {}
        }
    }
    words
}

const MEMBERS: [&str; 9] = [
    "error",
    "code",
    "error_code",
    "error_description",
    "error_message",
    "message",
    "detail",
    "title",
    "error_uri",
];

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[track_caller]
    fn says(status: u16, body: &str, expected: Option<&str>) {
        let response = HttpResponse {
            status,
            headers: Vec::new(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        let text = error_text(&response);
        assert_eq!(text.as_ref().map(Secret::expose), expected, "{body}");
    }

    #[test]
    fn code_and_description_are_the_words() {
        says(
            400,
            r#"{"error":"invalid_grant","error_description":"Token was revoked","trace":"x"}"#,
            Some("invalid_grant: Token was revoked"),
        );
        says(200, r#"{"ok":false,"error":"bad"}"#, Some("bad"));
        says(
            400,
            r#"{"error":{"code":"E1","message":"No"}}"#,
            Some("E1: No"),
        );
        says(
            401,
            r#"[{"code":"E1","message":"No"},{"code":"E2"}]"#,
            Some("E1: No"),
        );
    }

    #[test]
    fn another_error_is_repeated_whole() {
        says(502, "<h1>Bad gateway</h1>", Some("<h1>Bad gateway</h1>"));
        says(400, r#"{"reason":7}"#, Some(r#"{"reason":7}"#));
        says(500, " ", None);
    }

    #[test]
    fn what_does_not_claim_to_be_an_error_is_not_repeated() {
        says(200, r#"{"token":"canary"}"#, None);
        says(200, "<h1>canary</h1>", None);
    }
}
