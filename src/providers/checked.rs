//! Reading an object that was checked against its fields.
//!
//! The check found every mistake, so nothing is told here: what is not as it should be counts as
//! absent, and whoever asked for the entry gets the mistakes instead.

use serde_json::{Map, Value};

use super::{entry::Parameters, field_schema::FieldSchema};

/// An object whose fields were checked.
#[derive(Clone, Copy)]
pub(super) struct Checked<'a>(pub(super) &'a Map<String, Value>);

impl Checked<'_> {
    pub(super) fn choice<T: Copy>(self, name: &str, options: &[(T, &'static str)]) -> Option<T> {
        let text = self.0.get(name)?.as_str()?;
        let found = options.iter().find(|(_, name)| *name == text);
        found.map(|(option, _)| *option)
    }

    pub(super) fn flag(self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// Text templates by names of headers, in lower case (RFC 9110 §5.1).
    pub(super) fn headers(self, name: &str) -> Option<Parameters> {
        let headers = self.parameters(name)?.into_iter();
        let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
        Some(headers.map(lower).collect())
    }

    pub(super) fn inputs(self, name: &str) -> Vec<FieldSchema> {
        let inputs = self.0.get(name).and_then(Value::as_object);
        let inputs = inputs.into_iter().flatten();
        inputs
            .filter_map(|(name, input)| Some(FieldSchema::of(name, Self(input.as_object()?))))
            .collect()
    }

    pub(super) fn json(self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }

    pub(super) fn names(self, name: &str) -> Vec<String> {
        let names = self.0.get(name).and_then(Value::as_array);
        let texts = names.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    pub(super) fn number<N: TryFrom<i64>>(self, name: &str) -> Option<N> {
        let value = self.0.get(name)?;
        let digits = || value.as_str()?.parse().ok();
        value.as_i64().or_else(digits)?.try_into().ok()
    }

    pub(super) fn object(self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object().map(Self)
    }

    pub(super) fn objects(self, name: &str) -> Vec<Self> {
        let objects = self.0.get(name).and_then(Value::as_array);
        let objects = objects.into_iter().flatten();
        objects.filter_map(Value::as_object).map(Self).collect()
    }

    /// Text templates by name; none where there is any other JSON.
    pub(super) fn parameters(self, name: &str) -> Option<Parameters> {
        let parameters = self.0.get(name)?.as_object()?.iter();
        parameters
            .map(|(name, value)| {
                let text = match value {
                    Value::Bool(_) | Value::Number(_) => value.to_string(),
                    _ => value.as_str()?.to_owned(),
                };
                Some((name.clone(), text))
            })
            .collect()
    }

    pub(super) fn text(self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }
}
