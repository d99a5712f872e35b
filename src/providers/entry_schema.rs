//! The schema of an entry for others: editors, forms, people who write entries.
//!
//! Here: the JSON Schema (draft 2020-12) of the fields. It is as strict as the check, but for what
//! such a schema cannot say: the bytes of free JSON and of a whole entry, what is wrong within a
//! template, headers that frame a message, and inputs that are shown by another that is not there.
//! Not here: the fields.

use serde_json::{Map, Value, json};

use super::{
    entry_fields, field_schema,
    shape::{
        Field, MAX_DOMAIN_CHARS, MAX_ENTRIES, MAX_KEY_BYTES, MAX_NAME_CHARS, MAX_TEXT_CHARS,
        MAX_URL_CHARS, Presence, Shape,
    },
};
use crate::domain::auth_mode::AuthMode;

/// The JSON Schema of an entry.
#[must_use]
pub fn json_schema() -> Value {
    let conditions: Vec<_> = entry_fields::all().flat_map(conditions).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Provider entry",
        "description": "What a provider does differently, as data.",
        "$defs": {"input": object(field_schema::FIELDS)},
        "allOf": conditions,
    });
    extend(&mut schema, object(entry_fields::all()));
    schema
}

fn extend(schema: &mut Value, more: Value) {
    if let (Value::Object(schema), Value::Object(more)) = (schema, more) {
        schema.extend(more);
    }
}

fn object<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = json!({"description": field.description});
        // What depends on the mode is said by a condition.
        if field.in_mode.is_none() {
            extend(&mut schema, shape(field.shape));
        }
        properties.insert(field.name.to_owned(), schema);
        if let Presence::Required = field.presence {
            required.push(field.name);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// What is said of a field in entries of certain modes alone.
fn conditions(field: &Field) -> Vec<Value> {
    let is_of = |modes: &[AuthMode]| {
        let modes: Vec<_> = modes.iter().map(|mode| mode.as_str()).collect();
        json!({"properties": {"auth_mode": {"enum": modes}}, "required": ["auth_mode"]})
    };
    let mut conditions = Vec::new();
    if let Presence::RequiredIn(modes) = field.presence {
        conditions.push(json!({"if": is_of(modes), "then": {"required": [field.name]}}));
    }
    if let Some((mode, in_mode)) = field.in_mode {
        let property = |of| json!({"properties": {field.name: shape(of)}});
        conditions.push(json!({
            "if": is_of(&[mode]),
            "then": property(in_mode),
            "else": property(field.shape),
        }));
    }
    conditions
}

fn shape(of: Shape) -> Value {
    match of {
        Shape::Choice(names) => json!({ "enum": names() }),
        Shape::Domains => list(&json!({
            "type": "string", "maxLength": MAX_DOMAIN_CHARS, "pattern": DOMAIN,
        })),
        Shape::Either(first, second) => json!({"anyOf": [shape(*first), shape(*second)]}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Headers => by_name(HEADER, &text_or_scalar()),
        Shape::Inputs => by_name(NAME_OF_INPUT, &json!({"$ref": "#/$defs/input"})),
        Shape::Json | Shape::JsonTemplate => json!({}),
        Shape::List(item, max) => {
            json!({"type": "array", "items": shape(*item), "maxItems": max})
        }
        Shape::Names => list(&shape(Shape::Text(1, MAX_NAME_CHARS))),
        Shape::Template => json!({"type": "object"}),
        Shape::Number(min, max) => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::NumberOrDigits(min, max) => json!({"anyOf": [
            shape(Shape::Number(min, max)), {"type": "string", "pattern": DIGITS},
        ]}),
        Shape::Object(fields) => object(fields),
        Shape::Parameters | Shape::Texts => by_name(KEY, &text_or_scalar()),
        Shape::Paths => list(&shape(Shape::Text(1, MAX_URL_CHARS))),
        Shape::StepResult => json!({
            "type": "string", "maxLength": MAX_NAME_CHARS, "pattern": STEP_RESULT,
        }),
        Shape::Tagged(_, kinds) => {
            let kinds: Vec<_> = kinds.iter().map(|(_, fields)| object(*fields)).collect();
            json!({ "oneOf": kinds })
        }
        Shape::Text(min, max) => json!({"type": "string", "minLength": min, "maxLength": max}),
        Shape::Url => text_of_form(URL),
        Shape::UrlTemplate => text_of_form(URL_TEMPLATE),
    }
}

fn text_or_scalar() -> Value {
    json!({"type": ["string", "number", "boolean"], "maxLength": MAX_TEXT_CHARS})
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items, "maxItems": MAX_ENTRIES})
}

fn by_name(key: &str, values: &Value) -> Value {
    json!({
        "type": "object",
        "propertyNames": {"pattern": key, "maxLength": MAX_KEY_BYTES},
        "additionalProperties": values,
        "maxProperties": MAX_ENTRIES,
    })
}

fn text_of_form(pattern: &str) -> Value {
    json!({"type": "string", "maxLength": MAX_URL_CHARS, "pattern": pattern})
}

const DIGITS: &str = r"^\d+$";
const DOMAIN: &str = r"^[a-z0-9-]+(\.[a-z0-9-]+)+$";
/// A token (RFC 9110 §5.6.2).
const HEADER: &str = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
const KEY: &str = r"^\P{Cc}+$";
const NAME_OF_INPUT: &str = "^[A-Za-z0-9_.-]+$";
const STEP_RESULT: &str = r"^(access_token|(connection_config|raw)\.[A-Za-z0-9_-]+)$";
const URL: &str = r"^\s*[A-Za-z][A-Za-z0-9+.-]*:";
/// The start of what [`super::template::check_url`] takes.
const URL_TEMPLATE: &str = r"^\s*(https://|http://(127\.0\.0\.1|localhost)([:/?]|\s|$)|\$\{)";
