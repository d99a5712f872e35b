//! Values that must never be printed.
//!
//! A secret has no `Display`, no `Serialize` and a redacted `Debug`; [`Secret::expose`] and
//! [`SecretMap::expose`] are the only ways out, so a search for `expose()` lists every place
//! where a credential leaves its wrapper.

use std::fmt;

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

/// A credential in text form: a token, an API key, a password, a private key.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes custody of `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret itself. Call it only where the secret is sealed, sent or answered.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// A JSON object with secrets somewhere in it: a provider's raw token answer, a connection's
/// configuration, an integration's own settings.
#[derive(Clone, Default)]
pub struct SecretMap(Map<String, Value>);

impl SecretMap {
    /// Takes custody of `map`.
    #[must_use]
    pub fn new(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// An object of texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = (&'a str, Secret)>) -> Self {
        let texts = texts.into_iter();
        Self(
            texts
                .map(|(name, text)| (name.to_owned(), text.expose().into()))
                .collect(),
        )
    }

    /// How many bytes it has as JSON text.
    #[must_use]
    pub fn json_len(&self) -> usize {
        serde_json::to_vec(&self.0).map_or(usize::MAX, |text| Zeroizing::new(text).len())
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a text under `key` that is not empty.
    #[must_use]
    pub fn has_text(&self, key: &str) -> bool {
        self.0
            .get(key)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    }

    /// The text under `key`, if there is one that is not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Secret> {
        let text = self.0.get(key)?.as_str()?;
        (!text.is_empty()).then(|| Secret::new(text))
    }

    /// The value at `path`, one name after the other.
    #[must_use]
    pub fn within(&self, path: &[&str]) -> Option<Self> {
        let (first, rest) = path.split_first()?;
        let found = rest
            .iter()
            .try_fold(self.0.get(*first)?, |value, name| value.get(name))?;
        found.as_object().cloned().map(Self)
    }

    /// This object with the keys of `other` put over its own.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let mut merged = self.clone();
        merged.0.extend(other.0.clone());
        merged
    }

    /// The members whose names are `chosen`, and the others.
    #[must_use]
    pub fn split(&self, chosen: impl Fn(&str) -> bool) -> (Self, Self) {
        let members = self.0.clone().into_iter();
        let (first, second) = members.partition(|(name, _)| chosen(name));
        (Self(first), Self(second))
    }

    /// The object itself. Call it only where it is sealed, sent or answered.
    #[must_use]
    pub fn expose(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl fmt::Debug for SecretMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretMap(…)")
    }
}

impl Drop for SecretMap {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The most bytes, as JSON text, of a token answer that is kept beside its tokens, and of the
/// settings of an integration. What is sealed for a row must stay far below the 2 MB that D1 takes.
pub const MAX_RAW_BYTES: usize = 131_072;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_secret_does_not_contain_it() {
        assert_eq!(format!("{:?}", Secret::new("canary")), "Secret(…)");
    }

    #[test]
    fn debug_of_a_secret_map_does_not_contain_it() {
        let map = Map::from_iter([("token".to_owned(), Value::from("canary"))]);
        assert_eq!(format!("{:?}", SecretMap::new(map)), "SecretMap(…)");
    }
}
