//! The words of mistakes, as clients of the observed service know them.

use serde_json::Value;

/// The wording for a quantity over its limit.
#[must_use]
pub fn too_big(what: &str, max: usize, unit: &str) -> String {
    format!("Too big: expected {what} to have <={max} {unit}")
}

/// The wording for a quantity under its limit.
pub(super) fn too_small(what: &str, min: usize, unit: &str) -> String {
    format!("Too small: expected {what} to have >={min} {unit}")
}

/// What a value is, as the wording for a wrong type calls it.
pub(super) fn received(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}

/// The wording for fields that nobody knows; none if there are none.
pub(super) fn unrecognized_keys<'a>(keys: impl Iterator<Item = &'a str>) -> Option<String> {
    let shortened = |key: &str| -> String { key.chars().take(MAX_NAMED_KEY_CHARS).collect() };
    let named: Vec<_> = keys
        .take(MAX_NAMED_KEYS)
        .map(|key| format!("\"{}\"", shortened(key)))
        .collect();
    match named.as_slice() {
        [] => None,
        [key] => Some(format!("Unrecognized key: {key}")),
        keys => Some(format!("Unrecognized keys: {}", keys.join(", "))),
    }
}

/// An answer names this many unrecognized keys and no more.
const MAX_NAMED_KEYS: usize = 20;
/// And this many characters of each.
const MAX_NAMED_KEY_CHARS: usize = 64;
