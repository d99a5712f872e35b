//! Fields that a provider asks for.
//!
//! Here: how an entry describes the inputs in its `credentials`, `connection_config` and
//! `integration_config`. Not here: checking values against the descriptions.

use super::{
    shape::{self, MAX_NAME_CHARS, MAX_TEXT_CHARS, Shape},
    template,
};
use crate::validation::{input::Input, text::Text};

/// The description of one input. What is for forms alone stays in the entry's JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldSchema {
    /// The key of the value.
    pub name: String,
    /// The label; the name where the entry has none.
    pub title: String,
    /// The kind of text, such as `uri` or `hostname`.
    pub format: Option<String>,
    /// The value of who gives none.
    pub default_value: Option<String>,
    /// The values to choose from; none means any (`enum` in the entry).
    pub choices: Vec<String>,
    /// Whether it may be left empty.
    pub is_optional: bool,
    /// Whether it is filled in by the provider's answers instead of a person.
    pub is_automated: bool,
    /// Other fields and the values that they must have for this one to count.
    pub visible_when: Vec<(String, Vec<String>)>,
}

impl FieldSchema {
    /// Reads an object of descriptions.
    pub(super) fn parse_all(input: &Input<'_>) -> Option<Vec<Self>> {
        let entries = shape::entries(input)?;
        let names: Vec<_> = entries.iter().map(|(name, _)| *name).collect();
        let schemas: Vec<_> = entries
            .iter()
            .map(|(name, input)| Self::parse(name, input, &names))
            .collect();
        schemas.into_iter().collect()
    }

    fn parse(name: &str, input: &Input<'_>, all_names: &[&str]) -> Option<Self> {
        if !template::is_name(name) {
            input.refuse("invalid_key", "Invalid key in record");
        }
        let object = input.object()?;
        let text = |name| object.optional(name)?.text(Text::of(0, MAX_TEXT_CHARS));
        let flag = |name| object.optional(name).and_then(|input| input.boolean());
        let schema = Self {
            name: name.to_owned(),
            title: text("title").unwrap_or_else(|| name.to_owned()),
            format: text("format"),
            default_value: text("default_value"),
            choices: object
                .optional("enum")
                .and_then(|input| shape::names(&input))
                .unwrap_or_default(),
            is_optional: flag("optional") == Some(true),
            is_automated: flag("automated") == Some(true),
            visible_when: object
                .optional("visible_when")
                .and_then(|input| conditions(&input, all_names))
                .unwrap_or_default(),
        };
        Shape::check_fields(&object, &OTHER_FIELDS);
        object.finish();
        Some(schema)
    }
}

/// `{"<other field>": "<value>"}` or, where several values will do, a list of them.
fn conditions(input: &Input<'_>, all_names: &[&str]) -> Option<Vec<(String, Vec<String>)>> {
    let conditions: Vec<_> = shape::entries(input)?
        .into_iter()
        .map(|(name, input)| {
            if !all_names.contains(&name) {
                input.refuse("custom", "There is no field of this name");
            }
            let values = if input.value().is_some_and(serde_json::Value::is_array) {
                shape::names(&input)?
            } else {
                vec![input.text(Text::of(0, MAX_NAME_CHARS))?]
            };
            Some((name.to_owned(), values))
        })
        .collect();
    conditions.into_iter().collect()
}

/// For the forms that ask a person, and so kept in the JSON alone.
const OTHER_FIELDS: [(&str, Shape); 11] = [
    ("type", Shape::Text(MAX_NAME_CHARS)),
    ("description", Shape::Text(MAX_TEXT_CHARS)),
    ("example", Shape::Text(MAX_TEXT_CHARS)),
    ("pattern", Shape::Text(MAX_TEXT_CHARS)),
    ("order", Shape::WholeNumber),
    ("secret", Shape::Flag),
    ("hidden", Shape::Flag),
    ("prefix", Shape::Text(MAX_NAME_CHARS)),
    ("suffix", Shape::Text(MAX_NAME_CHARS)),
    ("doc_section", Shape::Text(MAX_NAME_CHARS)),
    ("warnings", Shape::Json),
];
