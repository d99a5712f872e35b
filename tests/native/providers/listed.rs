//! The entries of the catalogue, as its tests look at them.

use holdfast::{
    domain::secret::SecretMap,
    providers::{catalogue, entry::Entry},
    validation::input::read,
};
use serde_json::{Map, Value};

/// A provider of the catalogue.
pub(super) struct Listed {
    pub(super) name: &'static str,
    pub(super) json: Value,
    pub(super) entry: Entry,
}

/// Every provider of the catalogue.
pub(super) fn all() -> Vec<Listed> {
    catalogue::all()
        .map(|(name, json)| {
            let json = serde_json::from_str(json).unwrap();
            let entry = read(Some(&json), Entry::parse)
                .unwrap_or_else(|issues| panic!("{name}: {issues:?}"));
            Listed { name, json, entry }
        })
        .collect()
}

impl Listed {
    /// The inputs of this `kind`, each with its name.
    pub(super) fn inputs(&self, kind: &str) -> Vec<(&str, &Value)> {
        let inputs = self.json[kind].as_object().into_iter().flatten();
        inputs.map(|(name, input)| (name.as_str(), input)).collect()
    }

    /// A plausible value for each of the inputs of this `kind` that `is_given`.
    pub(super) fn samples(&self, kind: &str, is_given: fn(&Value) -> bool) -> SecretMap {
        let inputs = self.inputs(kind).into_iter();
        let given = inputs.filter(|(_, input)| is_given(input));
        SecretMap::new(
            given
                .map(|(name, input)| (name.to_owned(), sample(input)))
                .collect::<Map<_, _>>(),
        )
    }

    /// Every text of the entry, with the path to it as a JSON Pointer without positions in lists.
    pub(super) fn texts(&self) -> Vec<(String, &str)> {
        let mut texts = Vec::new();
        collect("", &self.json, &mut texts);
        texts
    }
}

/// The example of an input, else its first choice, else a text of its format.
fn sample(input: &Value) -> Value {
    let of_format = match input["format"].as_str() {
        Some("uri") => "https://a.example",
        Some("hostname") => "a.example",
        _ => "sample",
    };
    let samples = [&input["example"], &input["enum"][0]];
    let sample = samples.into_iter().find(|sample| sample.is_string());
    sample.cloned().unwrap_or_else(|| of_format.into())
}

fn collect<'a>(path: &str, value: &'a Value, texts: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) => texts.push((path.to_owned(), text)),
        Value::Array(items) => items.iter().for_each(|item| collect(path, item, texts)),
        Value::Object(fields) => {
            for (name, field) in fields {
                collect(&format!("{path}/{name}"), field, texts);
            }
        }
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}
