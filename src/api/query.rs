//! Query strings and path parameters as JSON, so that they are read by the same strict reader as
//! bodies.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, map::Entry};

use crate::validation::issue::Issue;

/// The parameters of a query string: texts, lists where a name is repeated, and objects for
/// `name[key]`.
pub(super) fn parse(query: &str) -> Result<Value, Vec<Issue>> {
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name =
            decode(&name.replace('+', " ")).map_err(|reason| vec![malformed(reason, &[])])?;
        let value = decode(&value.replace('+', " "))
            .map_err(|reason| vec![malformed(reason, std::slice::from_ref(&name))])?;
        match name.split_once('[') {
            Some((outer, inner)) if inner.ends_with(']') => {
                let object = parameters
                    .entry(outer)
                    .or_insert_with(|| Value::Object(Map::new()));
                if let (Value::Object(object), Some(inner)) = (object, inner.strip_suffix(']')) {
                    insert(object, inner.to_owned(), value);
                }
            }
            _ => insert(&mut parameters, name, value),
        }
    }
    Ok(Value::Object(parameters))
}

/// A parameter of the path, decoded.
pub(super) fn path_parameter(name: &str, encoded: &str) -> Result<String, Vec<Issue>> {
    decode(encoded).map_err(|reason| vec![malformed(reason, &[name.to_owned()])])
}

fn insert(map: &mut Map<String, Value>, name: String, value: String) {
    match map.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(value.into());
        }
        Entry::Occupied(mut entry) => match entry.get_mut() {
            Value::Array(values) => values.push(value.into()),
            first => *first = Value::Array(vec![first.take(), value.into()]),
        },
    }
}

fn decode(text: &str) -> Result<String, &'static str> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_hex = |digit: Option<u8>| digit.is_some_and(|digit| digit.is_ascii_hexdigit());
        if byte == b'%' && !(is_hex(bytes.next()) && is_hex(bytes.next())) {
            return Err("Invalid percent-encoding");
        }
    }
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| "Invalid percent-encoding")?;
    if decoded.contains('\0') {
        return Err(super::rules::NUL_MESSAGE);
    }
    Ok(decoded.into_owned())
}

fn malformed(message: &'static str, path: &[String]) -> Issue {
    Issue {
        code: "invalid_format",
        message: message.into(),
        path: path.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn repeated_names_become_lists_and_brackets_objects() {
        assert_eq!(
            parse("a=1&b=x%20y+z&a=2&tags%5Bk%5D=v&tags[l]=w&c").unwrap(),
            json!({"a": ["1", "2"], "b": "x y z", "tags": {"k": "v", "l": "w"}, "c": ""})
        );
    }

    #[test]
    fn broken_percent_encoding_is_refused_with_the_name_of_the_parameter() {
        for query in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%00"] {
            assert_eq!(parse(query).unwrap_err()[0].path, ["a"], "{query}");
        }
    }
}
