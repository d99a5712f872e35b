//! Fields that a provider asks for.
//!
//! Here: how an entry describes the inputs in its `credentials`, `connection_config` and
//! `integration_config`. Not here: checking values against the descriptions.

use serde_json::{Map, Value};

use super::{
    checked::Checked,
    shape::{Field, MAX_NAME_CHARS, MAX_TEXT_CHARS, Shape, check_object, entries},
    template,
};
use crate::validation::input::Input;

/// The description of one input. What is for forms alone stays in the entry's JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldSchema {
    /// The key of the value.
    pub name: String,
    /// The label; the name where the entry has none.
    pub title: String,
    /// A value as it may look.
    pub example: Option<String>,
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
    /// What another field must hold for this one to count.
    pub visible_when: Option<Condition>,
}

/// A condition on another field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// The name of the other field.
    pub field: String,
    /// The values that fulfil it.
    pub equals: Vec<String>,
}

impl FieldSchema {
    /// The description of the input `name`.
    pub(super) fn of(name: &str, input: Checked<'_>) -> Self {
        Self {
            name: name.to_owned(),
            title: input.text("title").unwrap_or_else(|| name.to_owned()),
            example: input.text("example"),
            format: input.text("format"),
            default_value: input.text("default_value"),
            choices: input.names("enum"),
            is_optional: input.flag("optional"),
            is_automated: input.flag("automated"),
            visible_when: input.object("visible_when").map(condition),
        }
    }

    /// Whether it counts beside the other `values`.
    #[must_use]
    pub fn is_visible(&self, values: &Map<String, Value>) -> bool {
        self.visible_when.as_ref().is_none_or(|condition| {
            let value = values.get(&condition.field).and_then(Value::as_str);
            let value = value.unwrap_or_default();
            condition.equals.iter().any(|wanted| wanted == value)
        })
    }
}

fn condition(condition: Checked<'_>) -> Condition {
    let one = condition.text("equals").into_iter();
    Condition {
        field: condition.text("field").unwrap_or_default(),
        equals: one.chain(condition.names("equals")).collect(),
    }
}

/// Raises the mistakes in an object of descriptions.
pub(super) fn check(input: &Input<'_>) {
    let entries = entries(input);
    for (name, input) in &entries {
        if !template::is_name(name) {
            input.refuse("invalid_key", "Invalid key in record");
        }
        check_object(input, FIELDS);
        let other = condition_field(input);
        if let Some((field, other)) = other
            && entries.iter().all(|(name, _)| *name != other)
        {
            field.refuse("custom", "There is no field of this name");
        }
    }
}

/// The other field that a condition names, if there is a condition and it names one.
fn condition_field<'a>(input: &Input<'a>) -> Option<(Input<'a>, &'a str)> {
    let other = input.value()?.pointer("/visible_when/field")?.as_str()?;
    let field = input
        .object()?
        .field("visible_when")
        .object()?
        .field("field");
    Some((field, other))
}

const NAME: Shape = Shape::Text(0, MAX_NAME_CHARS);
const TEXT: Shape = Shape::Text(0, MAX_TEXT_CHARS);

/// The fields of a description.
pub(super) const FIELDS: &[Field] = &[
    Field::new("type", NAME, "The type of the value, for forms."),
    Field::new("title", TEXT, "The label; the name by default."),
    Field::new("description", TEXT, "What to give, in a sentence."),
    Field::new("example", TEXT, "A value as it may look."),
    Field::new("pattern", TEXT, "A regular expression for forms to check."),
    Field::new(
        "format",
        TEXT,
        "The kind of text, such as `email`, `hostname`, `uri` or `uuid`.",
    ),
    Field::new("enum", Shape::Names, "The values to choose from."),
    Field::new("default_value", TEXT, "The value if none is given."),
    Field::new("optional", Shape::Flag, "Whether it may be left empty."),
    Field::new(
        "automated",
        Shape::Flag,
        "Whether it is filled in by the provider's answers instead of a person.",
    ),
    Field::new("hidden", Shape::Flag, "Whether forms leave it out."),
    Field::new("secret", Shape::Flag, "Whether forms conceal it."),
    Field::new(
        "visible_when",
        Shape::Object(&[
            Field::new("field", NAME, "The name of the other input.").required(),
            Field::new(
                "equals",
                Shape::Either(&Shape::Names, &NAME),
                "The value that the other input must have, or a list of those that will do.",
            )
            .required(),
        ]),
        "What another input must hold for this one to count.",
    ),
    Field::new("order", ORDER, "The place in a form."),
    Field::new("prefix", NAME, "What a form shows before the value."),
    Field::new("suffix", NAME, "What a form shows after the value."),
    Field::new(
        "doc_section",
        NAME,
        "The part of the guide that explains it.",
    ),
    Field::new(
        "warnings",
        Shape::Json,
        "What to be told when filling it in.",
    ),
];

const ORDER: Shape = Shape::Number(0, i64::MAX);
