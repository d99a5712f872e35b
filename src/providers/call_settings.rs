//! How calls to a provider are made: `proxy` of an entry, which is published for whoever calls it,
//! and by which credentials are tested. Not here: reading it, and the calls.

use super::{
    entry_fields::names,
    shape::{Field, MAX_NAME_CHARS, MAX_TEXT_CHARS, Shape},
    token_steps::METHODS,
};

/// The fields.
pub(super) const FIELDS: &[Field] = &[Field::new(
    "proxy",
    Shape::Object(PROXY),
    "How calls to the provider are made.",
)];

const PROXY: &[Field] = &[
    Field::new(
        "base_url",
        Shape::UrlTemplate,
        "Template of the URL that calls begin with.",
    ),
    Field::new("headers", Shape::Parameters, "Headers of each call."),
    Field::new("query", Shape::Parameters, "Parameters of each call."),
    Field::new(
        "body",
        Shape::JsonTemplate,
        "Fields of the body of each call.",
    ),
    Field::new(
        "connection_config",
        Shape::Json,
        "Values of `connection_config` that calls use.",
    ),
    Field::new(
        "decompress",
        Shape::Flag,
        "Whether answers are compressed without saying so.",
    ),
    Field::new(
        "forward_headers_on_redirect",
        Shape::Json,
        "Which headers follow a redirect.",
    ),
    Field::new("paginate", Shape::Json, "How lists are paged."),
    Field::new("retry", Shape::Object(RETRY), "When to try again."),
    Field::new(
        "verification",
        Shape::Object(VERIFICATION),
        "A call that shows whether credentials work.",
    ),
];

const RETRY: &[Field] = &[
    Field::new("after", Shape::Names, "Headers that say how long to wait."),
    Field::new("at", Shape::Names, "Headers that say until when to wait."),
    Field::new(
        "error_code",
        Shape::Names,
        "Statuses that mean too many calls.",
    ),
    Field::new(
        "in_body",
        Shape::Object(IN_BODY),
        "Where the body says when to try again.",
    ),
    Field::new(
        "remaining",
        NAME,
        "The header that says how many calls are left.",
    ),
];

const IN_BODY: &[Field] = &[
    Field::new("path", TEXT, "The path to the text."),
    Field::new("strategy", NAME, "What the text says."),
    Field::new("value", TEXT, "A regular expression that finds it."),
];

const VERIFICATION: &[Field] = &[
    Field::new(
        "base_url_override",
        Shape::UrlTemplate,
        "Template of the URL that this call begins with.",
    ),
    Field::new("data", Shape::JsonTemplate, "The body."),
    Field::new("endpoints", Shape::Paths, "The paths to try."),
    Field::new("headers", Shape::Parameters, "Headers of this call."),
    Field::new("method", Shape::Choice(|| names(&METHODS)), "The method."),
];

const NAME: Shape = Shape::Text(0, MAX_NAME_CHARS);
const TEXT: Shape = Shape::Text(0, MAX_TEXT_CHARS);
