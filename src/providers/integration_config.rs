//! Settings of an integration that its provider declares.
//!
//! Here: checking values against the declared fields, when an integration is made and when it is
//! changed. Not here: custom settings of providers that declare none.

use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::{field_schema::FieldSchema, template};
use crate::{domain::secret::SecretMap, validation::text::is_email};

/// The settings of a new integration: `given` over the defaults. Empty texts count as not given.
/// An error lists every mistake.
pub fn created(declared: &[FieldSchema], given: &SecretMap) -> Result<SecretMap, Vec<String>> {
    let mut values: Map<_, _> = declared
        .iter()
        .filter_map(|field| Some((field.name.clone(), field.default_value.clone()?.into())))
        .collect();
    let given = given.expose();
    values.extend(
        given
            .clone()
            .into_iter()
            .filter(|(_, value)| !is_empty(value)),
    );
    checked(declared, given, values)
}

/// The settings of an integration after a change. What is not given stays, and an empty text
/// removes a value. Defaults are not applied again. An error lists every mistake.
pub fn patched(
    declared: &[FieldSchema],
    stored: &SecretMap,
    given: &SecretMap,
) -> Result<SecretMap, Vec<String>> {
    let mut values = stored.expose().clone();
    let given = given.expose();
    values.extend(given.clone());
    values.retain(|_, value| !is_empty(value));
    checked(declared, given, values)
}

fn is_empty(value: &Value) -> bool {
    value.as_str() == Some("")
}

fn checked(
    declared: &[FieldSchema],
    given: &Map<String, Value>,
    values: Map<String, Value>,
) -> Result<SecretMap, Vec<String>> {
    if declared.is_empty() && !given.is_empty() {
        let message = "This provider does not accept integration configuration";
        return Err(vec![message.to_owned()]);
    }
    let is_declared = |name: &String| declared.iter().any(|field| field.name == *name);
    let unknown = given.keys().filter(|name| !is_declared(name));
    let mut mistakes: Vec<_> = unknown
        .map(|name| format!("Unknown field {name}"))
        .collect();
    let visible = declared.iter().filter(|field| field.is_visible(&values));
    mistakes.extend(visible.filter_map(|field| mistake(field, values.get(&field.name))));
    if mistakes.is_empty() {
        Ok(SecretMap::new(values))
    } else {
        Err(mistakes)
    }
}

fn mistake(field: &FieldSchema, value: Option<&Value>) -> Option<String> {
    let FieldSchema { title, choices, .. } = field;
    let Some(value) = value else {
        let is_required = !field.is_optional && !field.is_automated;
        return is_required.then(|| format!("{title} is required"));
    };
    let text = value.as_str().unwrap_or_default();
    if !choices.is_empty() && !choices.iter().any(|choice| choice == text) {
        return Some(format!("{title} must be one of: {}", choices.join(", ")));
    }
    let has_format = match field.format.as_deref() {
        Some("email") => is_email(text),
        Some("hostname") => template::is_host(text),
        Some("uri") => {
            let Ok(url) = Url::parse(text) else {
                return Some(format!("{title} must be a valid URL"));
            };
            let is_web = matches!(url.scheme(), "http" | "https");
            return (!is_web).then(|| format!("{title} must be an http(s) URL"));
        }
        Some("uuid") => Uuid::parse_str(text).is_ok(),
        Some(_) | None => value.is_string(),
    };
    (!has_format).then(|| format!("{title} has an invalid format"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::checked::Checked;

    fn declared() -> Vec<FieldSchema> {
        let entry = json!({"integration_config": {
            "mode": {"title": "Mode", "enum": ["simple", "own", "root"], "default_value": "simple"},
            "url": {
                "title": "Address",
                "format": "uri",
                "visible_when": {"field": "mode", "equals": "own"},
            },
            "host": {"title": "Host", "format": "hostname", "optional": true},
            "note": {"optional": true},
            "key": {"visible_when": {"field": "mode", "equals": ["owner", "root"]}},
        }});
        Checked(entry.as_object().unwrap()).inputs("integration_config")
    }

    fn map(value: &Value) -> SecretMap {
        SecretMap::new(value.as_object().unwrap().clone())
    }

    fn shown(outcome: Result<SecretMap, Vec<String>>) -> Result<Value, Vec<String>> {
        outcome.map(|values| Value::from(values.expose().clone()))
    }

    #[track_caller]
    fn create(given: &Value, expected: Result<Value, &[&str]>) {
        let expected = expected.map_err(|all| all.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(shown(created(&declared(), &map(given))), expected);
    }

    #[track_caller]
    fn patch(stored: &Value, given: &Value, expected: Result<Value, &[&str]>) {
        let expected = expected.map_err(|all| all.iter().map(|it| (*it).to_owned()).collect());
        let outcome = patched(&declared(), &map(stored), &map(given));
        assert_eq!(shown(outcome), expected);
    }

    #[test]
    fn defaults_are_applied_to_a_new_integration() {
        create(&json!({}), Ok(json!({"mode": "simple"})));
        create(&json!({"mode": ""}), Ok(json!({"mode": "simple"})));
    }

    #[test]
    fn a_field_counts_only_where_it_is_visible() {
        create(&json!({"mode": "own"}), Err(&["Address is required"]));
        create(
            &json!({"mode": "own", "url": "https://a.example"}),
            Ok(json!({"mode": "own", "url": "https://a.example"})),
        );
        create(&json!({"mode": "root"}), Err(&["key is required"]));
    }

    #[test]
    fn every_mistake_is_named() {
        create(
            &json!({"mode": "odd", "host": "a/b", "note": 1, "other": "x"}),
            Err(&[
                "Unknown field other",
                "Mode must be one of: simple, own, root",
                "Host has an invalid format",
                "note has an invalid format",
            ]),
        );
        create(
            &json!({"mode": "own", "url": "a.example"}),
            Err(&["Address must be a valid URL"]),
        );
        create(
            &json!({"mode": "own", "url": "ftp://a.example"}),
            Err(&["Address must be an http(s) URL"]),
        );
    }

    #[test]
    fn a_provider_that_declares_nothing_takes_nothing() {
        assert_eq!(
            shown(created(&[], &map(&json!({"a": "b"})))),
            Err(vec![
                "This provider does not accept integration configuration".to_owned()
            ])
        );
        assert_eq!(shown(created(&[], &SecretMap::default())), Ok(json!({})));
    }

    #[test]
    fn a_change_keeps_what_is_not_given_and_applies_no_defaults() {
        patch(
            &json!({"mode": "own", "url": "https://a.example"}),
            &json!({"note": "n"}),
            Ok(json!({"mode": "own", "url": "https://a.example", "note": "n"})),
        );
        patch(
            &json!({}),
            &json!({"note": "n"}),
            Err(&["Mode is required"]),
        );
    }

    #[test]
    fn an_empty_text_clears_an_optional_field_and_no_other() {
        let stored = json!({"mode": "simple", "note": "n"});
        patch(&stored, &json!({"note": ""}), Ok(json!({"mode": "simple"})));
        patch(&stored, &json!({"mode": ""}), Err(&["Mode is required"]));
    }
}
