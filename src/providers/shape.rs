//! Shapes that fields of an entry share.
//!
//! Here: reading URL templates, parameters and lists of names, and [`Shape`], a check for fields
//! that are kept in an entry's JSON alone. Not here: which field has which shape.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{entry::Parameters, template};
use crate::validation::{
    input::{Fields, Input},
    text::{Format, Text},
    wording::too_big,
};

/// What a field may hold that has no Rust type of its own.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// One of these texts.
    Choice(&'static [&'static str]),
    Flag,
    /// Any JSON up to [`MAX_JSON_BYTES`].
    Json,
    /// Any JSON up to [`MAX_JSON_BYTES`] with text templates in it.
    JsonTemplate,
    Names,
    Object(&'static [(&'static str, Self)]),
    /// Text templates by name.
    Parameters,
    /// A list of templates of paths.
    Paths,
    /// A text of at most so many characters.
    Text(usize),
    /// Texts by name.
    Texts,
    Url,
    UrlTemplate,
    WholeNumber,
}

impl Shape {
    /// Raises the mistakes of the fields in `shapes` that are there.
    pub(super) fn check_fields(object: &Fields<'_>, shapes: &[(&'static str, Self)]) {
        for (name, shape) in shapes {
            if let Some(input) = object.optional(name) {
                shape.check(&input);
            }
        }
    }

    fn check(self, input: &Input<'_>) {
        match self {
            Self::Choice(names) => choice(input, names),
            Self::Flag => drop(input.boolean()),
            Self::Json => json(input),
            Self::JsonTemplate => {
                json(input);
                json_template(input);
            }
            Self::Names => drop(names(input)),
            Self::Object(shapes) => {
                if let Some(object) = input.object() {
                    Self::check_fields(&object, shapes);
                    object.finish();
                }
            }
            Self::Parameters => drop(parameters(input)),
            Self::Paths => paths(input),
            Self::Text(max) => drop(input.text(Text::of(0, max))),
            Self::Texts => drop(by_name(input, scalar)),
            Self::Url => drop(url(input)),
            Self::UrlTemplate => drop(url_template(input)),
            Self::WholeNumber => drop(whole_number(input, 0..=i64::MAX)),
        }
    }
}

/// A link for people.
pub(super) fn url(input: &Input<'_>) -> Option<String> {
    input.text(Text {
        min: 1,
        max: MAX_URL_CHARS,
        format: Format::Url,
    })
}

/// A template of a URL to be called or opened.
pub(super) fn url_template(input: &Input<'_>) -> Option<String> {
    let template = input.text(Text::of(1, MAX_URL_CHARS))?;
    if template::check_url(&template).is_err() {
        input.refuse(
            "invalid_format",
            "Invalid URL template: expected an https URL with ${name} placeholders",
        );
        return None;
    }
    Some(template)
}

/// Text templates by name.
pub(super) fn parameters(input: &Input<'_>) -> Option<Parameters> {
    by_name(input, |value| {
        let template = scalar(value)?;
        if template::check_text(&template).is_err() {
            value.refuse(
                "invalid_format",
                "Invalid template: expected text with ${name} placeholders",
            );
            return None;
        }
        Some(template)
    })
}

fn by_name(
    input: &Input<'_>,
    read: fn(&Input<'_>) -> Option<String>,
) -> Option<Vec<(String, String)>> {
    let entries: Vec<_> = entries(input)?
        .into_iter()
        .map(|(name, value)| Some((name.to_owned(), read(&value)?)))
        .collect();
    entries.into_iter().collect()
}

/// A text, or a number or boolean that becomes one.
fn scalar(input: &Input<'_>) -> Option<String> {
    if let Some(Value::Bool(_) | Value::Number(_)) = input.value() {
        return input.value().map(Value::to_string);
    }
    input.text(Text::of(0, MAX_TEXT_CHARS))
}

/// The values of an object with free keys of a sensible length.
pub(super) fn entries<'a>(input: &Input<'a>) -> Option<Vec<(&'a str, Input<'a>)>> {
    let entries = input.entries(MAX_ENTRIES)?;
    for (key, value) in &entries {
        let is_valid = !key.is_empty() && key.len() <= MAX_KEY_BYTES;
        if !is_valid || key.contains(char::is_control) {
            value.refuse("invalid_key", "Invalid key in record");
        }
    }
    Some(entries)
}

/// A list of short texts.
pub(super) fn names(input: &Input<'_>) -> Option<Vec<String>> {
    let names: Vec<_> = input
        .items(MAX_ENTRIES)?
        .iter()
        .map(|item| item.text(Text::of(1, MAX_NAME_CHARS)))
        .collect();
    names.into_iter().collect()
}

fn paths(input: &Input<'_>) {
    for item in input.items(MAX_ENTRIES).into_iter().flatten() {
        let path = item.text(Text::of(1, MAX_URL_CHARS));
        if path.is_some_and(|path| template::check_url_tail(&rooted(&path)).is_err()) {
            item.refuse(
                "invalid_format",
                "Invalid path template: expected a path with ${name} placeholders",
            );
        }
    }
}

/// A path as it goes behind a base URL.
pub(super) fn rooted(path: &str) -> String {
    if path.starts_with(['/', '?']) {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

/// A list of domains, in lower case.
pub(super) fn domains(input: &Input<'_>) -> Option<Vec<String>> {
    const DOMAIN: Text = Text::pattern("/^[a-z0-9-]+(\\.[a-z0-9-]+)+$/", is_domain, 253);
    let domains: Vec<_> = input
        .items(MAX_ENTRIES)?
        .iter()
        .map(|item| item.text(DOMAIN))
        .collect();
    domains.into_iter().collect()
}

fn is_domain(text: &str) -> bool {
    let allowed = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '-');
    let is_label = |label: &str| !label.is_empty() && label.chars().all(allowed);
    text.contains('.') && text.split('.').all(is_label)
}

/// A JSON number without fraction within `range`.
pub(super) fn whole_number(input: &Input<'_>, range: RangeInclusive<i64>) -> Option<i64> {
    if !input.value().is_some_and(Value::is_i64) {
        input.refuse_type("int");
        return None;
    }
    input.integer(range)
}

fn choice(input: &Input<'_>, names: &'static [&'static str]) {
    let options: Vec<_> = names.iter().map(|name| ((), *name)).collect();
    let _valid = input.one_of(&options);
}

fn json_template(input: &Input<'_>) {
    if input
        .value()
        .is_some_and(|template| template::check_text_json(template).is_err())
    {
        input.refuse(
            "invalid_format",
            "Invalid template: expected JSON whose texts have ${name} placeholders",
        );
    }
}

fn json(input: &Input<'_>) {
    let bytes = input.value().map_or(0, |value| value.to_string().len());
    if bytes > MAX_JSON_BYTES {
        input.refuse("too_big", too_big("JSON", MAX_JSON_BYTES, "bytes"));
    }
}

const MAX_URL_CHARS: usize = 2048;
/// Long enough for a sentence or a list of scopes.
pub(super) const MAX_TEXT_CHARS: usize = 4096;
pub(super) const MAX_NAME_CHARS: usize = 255;
const MAX_KEY_BYTES: usize = 128;
const MAX_ENTRIES: usize = 100;
const MAX_JSON_BYTES: usize = 16 * 1024;
