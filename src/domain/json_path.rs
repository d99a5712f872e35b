//! Values within JSON by paths: names of members, and places in lists, with dots between them.

use serde_json::{Map, Value};

/// The value at `path`; an empty one leads to `value` itself. A member that has dots in its name
/// goes before a way through objects.
#[must_use]
pub fn value_at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    followed(path, |name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        Value::Object(map) => map.get(name),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => None,
    })
}

/// The same within an object, to a member of it or further.
#[must_use]
pub fn value_within<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    followed(path, |name| object.get(name))
}

/// The texts that are not empty, the numbers and the booleans of an object at `paths`, each under its whole path.
#[must_use]
pub fn scalars_at(object: &Map<String, Value>, paths: &[String]) -> Map<String, Value> {
    let found = paths.iter().filter_map(|path| {
        let value = value_within(object, path)?;
        let has_text = value.as_str().is_some_and(|text| !text.is_empty());
        let is_scalar = has_text || value.is_number() || value.is_boolean();
        is_scalar.then(|| (path.clone(), value.clone()))
    });
    found.collect()
}

/// Removes what [`value_at`] finds.
pub fn remove_at(value: &mut Value, path: &str) {
    if let Value::Object(map) = value
        && map.shift_remove(path).is_some()
    {
        return;
    }
    let Some((first, rest)) = path.split_once('.') else {
        return;
    };
    let inner = match value {
        Value::Array(items) => first.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
        _ => value.get_mut(first),
    };
    if let Some(inner) = inner {
        remove_at(inner, rest);
    }
}

fn followed<'a>(path: &str, member: impl Fn(&str) -> Option<&'a Value>) -> Option<&'a Value> {
    member(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        value_at(member(first)?, rest)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn leads(path: &str, expected: Option<i64>) {
        let value = json!({"a": {"b": 1, "c.d": 2}, "e": [{"f": 3}], "a.b": 4});
        let found = value_at(&value, path).and_then(Value::as_i64);
        assert_eq!(found, expected, "{path}");
        let within = value.as_object().and_then(|it| value_within(it, path));
        assert_eq!(within.and_then(Value::as_i64), expected, "{path}");
    }

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        leads("e.0.f", Some(3));
        leads("e.1.f", None);
        leads("a.b.c", None);
    }

    #[test]
    fn a_name_with_dots_goes_before_a_way_through_objects() {
        leads("a.b", Some(4));
        leads("a.c.d", Some(2));
    }

    #[test]
    fn an_empty_path_leads_to_the_whole() {
        assert_eq!(value_at(&json!(1), ""), Some(&json!(1)));
        assert_eq!(value_within(&Map::new(), ""), None);
    }

    #[test]
    fn scalars_are_found_under_their_whole_paths() {
        let object = json!({
            "a": {"n": 1, "t": "x", "b": false}, "empty": "", "none": null, "list": [1], "o": {},
        });
        let paths = ["a.n", "a.t", "a.b", "empty", "none", "list", "o", "other"].map(str::to_owned);
        let found = scalars_at(object.as_object().unwrap(), &paths);
        assert_eq!(
            Value::Object(found),
            json!({"a.n": 1, "a.t": "x", "a.b": false})
        );
    }
}
