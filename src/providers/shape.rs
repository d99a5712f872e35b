//! Fields of entries and the shapes of their values.
//!
//! Here: what a field may hold, said as data, and the check against it, which finds every mistake.
//! Not here: which fields there are, the JSON Schema that is made of them, and reading what was
//! checked.

use serde_json::Value;

use super::{field_schema, refresh_step::StepResult, template};
use crate::{
    domain::auth_mode::AuthMode,
    validation::{
        fields::Fields,
        input::Input,
        text::{Format, Text},
        wording::too_big,
    },
};

/// A field of an object.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// What it means, in a sentence.
    pub(super) description: &'static str,
    pub(super) presence: Presence,
    /// The shape in entries of one mode, instead of `shape`.
    pub(super) in_mode: Option<(AuthMode, Shape)>,
}

/// Whether a field may be left out.
#[derive(Clone, Copy)]
pub(super) enum Presence {
    Optional,
    Required,
    RequiredIn(&'static [AuthMode]),
}

/// What a field may hold.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// One of these texts.
    Choice(fn() -> Vec<&'static str>),
    Domains,
    /// The first shape for values of its JSON type, else the second.
    Either(&'static Self, &'static Self),
    Flag,
    /// Text templates by name, which is that of a header.
    Headers,
    /// Descriptions of inputs by name.
    Inputs,
    /// Any JSON up to [`MAX_JSON_BYTES`].
    Json,
    /// Any JSON up to [`MAX_JSON_BYTES`] with text templates in it.
    JsonTemplate,
    /// Items of a shape, at most so many.
    List(&'static Self, usize),
    Names,
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// The same, also written as a text.
    NumberOrDigits(i64, i64),
    Object(&'static [Field]),
    /// Text templates by name.
    Parameters,
    /// A list of templates of paths.
    Paths,
    /// Where the answer of a further token request goes.
    StepResult,
    /// An object whose member of this name tells which fields it has.
    Tagged(&'static str, &'static [(&'static str, &'static [Field])]),
    /// An object of any JSON up to [`MAX_JSON_BYTES`], whose texts are templates.
    Template,
    /// A text of so many characters at least and at most.
    Text(usize, usize),
    /// Texts by name.
    Texts,
    Url,
    UrlTemplate,
}

impl Field {
    pub(super) const fn new(name: &'static str, shape: Shape, description: &'static str) -> Self {
        Self {
            name,
            shape,
            description,
            presence: Presence::Optional,
            in_mode: None,
        }
    }

    pub(super) const fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    pub(super) const fn required_in(mut self, modes: &'static [AuthMode]) -> Self {
        self.presence = Presence::RequiredIn(modes);
        self
    }

    pub(super) const fn in_mode(mut self, mode: AuthMode, shape: Shape) -> Self {
        self.in_mode = Some((mode, shape));
        self
    }

    /// Raises the mistakes in this field of an entry of the kind `mode`.
    pub(super) fn check(&self, object: &Fields<'_>, mode: Option<AuthMode>) {
        let input = object.field(self.name);
        let is_required = match self.presence {
            Presence::Optional => false,
            Presence::Required => true,
            Presence::RequiredIn(modes) => mode.is_some_and(|mode| modes.contains(&mode)),
        };
        if input.value().is_none() && !is_required {
            return;
        }
        let shape = match self.in_mode {
            Some((other, shape)) if mode == Some(other) => shape,
            _ => self.shape,
        };
        shape.check(&input);
    }
}

impl Shape {
    /// Raises the mistakes in a value.
    pub(super) fn check(self, input: &Input<'_>) {
        match self {
            Self::Choice(names) => drop(choice(input, names)),
            Self::Domains => each_text(input, DOMAIN),
            Self::Either(first, _) if first.has_type_of(input.value()) => first.check(input),
            Self::Either(_, second) => second.check(input),
            Self::Flag => drop(input.boolean()),
            Self::Headers => check_headers(input),
            Self::Inputs => field_schema::check(input),
            Self::Json => check_size(input),
            Self::JsonTemplate => check_json_template(input),
            Self::List(item, max) => {
                let items = input.items(max).into_iter().flatten();
                items.for_each(|input| item.check(&input));
            }
            Self::Names => each_text(input, Text::of(1, MAX_NAME_CHARS)),
            Self::Number(min, max) => drop(number(input, min, max)),
            Self::NumberOrDigits(min, max) => drop(input.integer(min..=max)),
            Self::Object(fields) => check_object(input, fields),
            Self::Parameters => by_name(input, check_template),
            Self::Paths => each_path(input),
            Self::StepResult => drop(input.text(STEP_RESULT)),
            Self::Tagged(tag, kinds) => check_tagged(input, tag, kinds),
            Self::Template if input.object().is_some() => check_json_template(input),
            Self::Template => {}
            Self::Text(min, max) => drop(input.text(Text::of(min, max))),
            Self::Texts => by_name(input, |value| drop(scalar(value))),
            Self::Url => drop(input.text(URL)),
            Self::UrlTemplate => check_url_template(input),
        }
    }

    fn has_type_of(self, value: Option<&Value>) -> bool {
        match self {
            Self::Domains | Self::List(..) | Self::Names | Self::Paths => {
                value.is_some_and(Value::is_array)
            }
            Self::Headers
            | Self::Inputs
            | Self::Object(_)
            | Self::Parameters
            | Self::Tagged(..)
            | Self::Template
            | Self::Texts => value.is_some_and(Value::is_object),
            Self::Flag => value.is_some_and(Value::is_boolean),
            Self::Number(..) | Self::NumberOrDigits(..) => value.is_some_and(Value::is_number),
            Self::Choice(_) | Self::StepResult | Self::Text(..) | Self::Url | Self::UrlTemplate => {
                value.is_some_and(Value::is_string)
            }
            Self::Either(first, second) => first.has_type_of(value) || second.has_type_of(value),
            Self::Json | Self::JsonTemplate => true,
        }
    }
}

fn choice(input: &Input<'_>, names: fn() -> Vec<&'static str>) -> Option<()> {
    let options: Vec<_> = names().into_iter().map(|name| ((), name)).collect();
    input.one_of(&options)
}

fn each_text(input: &Input<'_>, rule: Text) {
    for item in input.items(MAX_ENTRIES).into_iter().flatten() {
        drop(item.text(rule));
    }
}

fn each_path(input: &Input<'_>) {
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

fn check_size(input: &Input<'_>) {
    let bytes = input.value().map_or(0, |value| value.to_string().len());
    if bytes > MAX_JSON_BYTES {
        input.refuse("too_big", too_big("JSON", MAX_JSON_BYTES, "bytes"));
    }
}

/// A JSON number without fraction, where [`Input::integer`] takes texts too.
fn number(input: &Input<'_>, min: i64, max: i64) -> Option<i64> {
    if !input.value().is_some_and(Value::is_i64) {
        input.refuse_type("int");
        return None;
    }
    input.integer(min..=max)
}

/// Raises the mistakes in an object of these `fields` and no others.
pub(super) fn check_object(input: &Input<'_>, fields: &[Field]) {
    if let Some(object) = input.object() {
        for field in fields {
            field.check(&object, None);
        }
        object.finish();
    }
}

/// Raises the mistakes in an object of the kind that its member `tag` names.
fn check_tagged(input: &Input<'_>, tag: &'static str, kinds: &[(&'static str, &'static [Field])]) {
    let Some(object) = input.object() else { return };
    let options: Vec<_> = kinds
        .iter()
        .map(|(name, fields)| (*fields, *name))
        .collect();
    if let Some(fields) = object.field(tag).one_of(&options) {
        check_object(input, fields);
    }
}

fn by_name(input: &Input<'_>, check: fn(&Input<'_>)) {
    for (_, value) in entries(input) {
        check(&value);
    }
}

/// The values of an object with free keys of a sensible length.
pub(super) fn entries<'a>(input: &Input<'a>) -> Vec<(&'a str, Input<'a>)> {
    let entries = input.entries(MAX_ENTRIES).unwrap_or_default();
    for (key, value) in &entries {
        let is_valid = !key.is_empty() && key.len() <= MAX_KEY_BYTES;
        if !is_valid || key.contains(char::is_control) {
            value.refuse("invalid_key", "Invalid key in record");
        }
    }
    entries
}

/// RFC 9110 §5.1: the name of a header is a token. Those that frame a message or say whom it is
/// for are the runtime's.
fn check_headers(input: &Input<'_>) {
    let is_framing = |name: &str| FRAMING.iter().any(|it| it.eq_ignore_ascii_case(name));
    for (name, value) in entries(input) {
        if !name.bytes().all(is_token_byte) || is_framing(name) {
            value.refuse("invalid_key", "Invalid key in record");
        }
        check_template(&value);
    }
}

/// Whether a token (RFC 9110 §5.6.2) may have it.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn check_json_template(input: &Input<'_>) {
    check_size(input);
    let template = input.value();
    if template.is_some_and(|template| template::check_text_json(template).is_err()) {
        refuse_template(input);
    }
}

fn check_template(input: &Input<'_>) {
    let template = scalar(input);
    if template.is_some_and(|template| template::check_text(&template).is_err()) {
        refuse_template(input);
    }
}

fn refuse_template(input: &Input<'_>) {
    input.refuse(
        "invalid_format",
        "Invalid template: expected text with ${name} placeholders",
    );
}

/// A text, or a number or boolean that becomes one.
fn scalar(input: &Input<'_>) -> Option<String> {
    if let Some(Value::Bool(_) | Value::Number(_)) = input.value() {
        return input.value().map(Value::to_string);
    }
    input.text(Text::of(0, MAX_TEXT_CHARS))
}

fn check_url_template(input: &Input<'_>) {
    let template = input.text(Text::of(1, MAX_URL_CHARS));
    if template.is_some_and(|template| template::check_url(&template).is_err()) {
        input.refuse(
            "invalid_format",
            "Invalid URL template: expected an https URL with ${name} placeholders",
        );
    }
}

fn is_domain(text: &str) -> bool {
    let allowed = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '-');
    let is_label = |label: &str| !label.is_empty() && label.chars().all(allowed);
    text.contains('.') && text.split('.').all(is_label)
}

/// RFC 9110 §7.2, §7.6.1 and §8.6, and RFC 9112 §6.1.
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const DOMAIN: Text = Text::pattern(
    "/^[a-z0-9-]+(\\.[a-z0-9-]+)+$/",
    is_domain,
    MAX_DOMAIN_CHARS,
);
const STEP_RESULT: Text = Text::pattern(
    "/^(access_token|(connection_config|raw)\\.[A-Za-z0-9_-]+)$/",
    |text| StepResult::parse(text).is_some(),
    MAX_NAME_CHARS,
);
/// A link for people.
const URL: Text = Text {
    min: 1,
    max: MAX_URL_CHARS,
    format: Format::Url,
};

/// RFC 1035 §2.3.4, without the dot at the end.
pub(super) const MAX_DOMAIN_CHARS: usize = 253;
pub(super) const MAX_URL_CHARS: usize = 2048;
/// Long enough for a sentence or a list of scopes.
pub(super) const MAX_TEXT_CHARS: usize = 4096;
pub(super) const MAX_NAME_CHARS: usize = 255;
pub(super) const MAX_KEY_BYTES: usize = 128;
pub(super) const MAX_ENTRIES: usize = 100;
const MAX_JSON_BYTES: usize = 16 * 1024;
