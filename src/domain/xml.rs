//! JSON values as XML 1.0, and XML as JSON values.
//!
//! An object is an element for each of its members, a list is the same element several times, and
//! a member whose name begins with `$` is an attribute. Not here: namespaces, which are left out
//! where XML is read, and DTDs, which are refused.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

/// `value` as a document; none where it is not an object of one element, or where a name or a text
/// cannot be written.
#[must_use]
pub fn document(value: &Value) -> Option<String> {
    let [(name, root)] = value.as_object()?.iter().collect::<Vec<_>>()[..] else {
        return None;
    };
    let mut written = r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned();
    write_element(&mut written, name, root, MAX_DEPTH)?;
    Some(written)
}

fn write_element(written: &mut String, name: &str, value: &Value, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let members = value.as_object().into_iter().flatten();
    let (attributes, elements): (Vec<_>, Vec<_>) =
        members.partition(|(name, _)| name.starts_with(ATTRIBUTE));
    written.push('<');
    written.push_str(named(name)?);
    for (name, value) in attributes {
        let (name, value) = (
            named(name.strip_prefix(ATTRIBUTE)?)?,
            attribute(&scalar(value)?)?,
        );
        written.extend([" ", name, "=\"", &value, "\""]);
    }
    written.push('>');
    if !value.is_object() {
        written.push_str(&text(&scalar(value)?)?);
    }
    for (name, value) in elements {
        match value {
            Value::Array(items) => {
                for item in items {
                    write_element(written, name, item, depth)?;
                }
            }
            value => write_element(written, name, value, depth)?,
        }
    }
    written.extend(["</", name, ">"]);
    Some(())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// `name`, if it is one of XML, as far as ASCII goes.
fn named(name: &str) -> Option<&str> {
    let starts = |char: char| char.is_ascii_alphabetic() || char == '_';
    let goes_on = |char: char| starts(char) || char.is_ascii_digit() || "-.:".contains(char);
    (name.starts_with(starts) && name.chars().all(goes_on)).then_some(name)
}

/// `text` as the content of an element, in canonical form (Canonical XML 1.1 §2.3); none where
/// there is no way to write it.
#[must_use]
pub fn text(text: &str) -> Option<String> {
    escaped(text, |char| match char {
        '>' => Some("&gt;"),
        _ => None,
    })
}

/// `text` as the value of an attribute between double quotation marks, likewise.
#[must_use]
pub fn attribute(text: &str) -> Option<String> {
    escaped(text, |char| match char {
        '"' => Some("&quot;"),
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        _ => None,
    })
}

fn escaped(text: &str, own: fn(char) -> Option<&'static str>) -> Option<String> {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        let reference = match char {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '\r' => Some("&#xD;"),
            _ => own(char),
        };
        match reference {
            Some(reference) => escaped.push_str(reference),
            None if is_char(char) => escaped.push(char),
            None => return None,
        }
    }
    Some(escaped)
}

/// Whether XML 1.0 has a way to write `char` (§2.2).
#[must_use]
pub fn is_char(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r') || char >= ' ' && !matches!(char, '\u{fffe}' | '\u{ffff}')
}

/// The value of a document: its root by its name. An element is a text, or an object where it has
/// attributes or other elements; a text beside attributes is called `_`.
#[must_use]
pub fn value(document: &str) -> Option<Value> {
    // What parses it compares the attributes of an element with each other, and namespaces with
    // all around them.
    let namespaces = document.matches("xmlns").count();
    let attributes = document.matches('=').count();
    if namespaces > MAX_NAMESPACES || attributes > MAX_ATTRIBUTES {
        return None;
    }
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(document, options).ok()?;
    let root = document.root_element();
    let name = root.tag_name().name().to_owned();
    Some(Map::from_iter([(name, value_of(root, MAX_DEPTH)?)]).into())
}

fn value_of(element: Node<'_, '_>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let attributes = element.attributes();
    let mut members: Map<_, _> = attributes
        .map(|it| (format!("{ATTRIBUTE}{}", it.name()), it.value().into()))
        .collect();
    for child in element.children().filter(Node::is_element) {
        let value = value_of(child, depth)?;
        match members.get_mut(child.tag_name().name()) {
            Some(Value::Array(items)) => items.push(value),
            Some(first) => *first = vec![first.take(), value].into(),
            None => drop(members.insert(child.tag_name().name().to_owned(), value)),
        }
    }
    let text: String = element
        .children()
        .filter(Node::is_text)
        .filter_map(|child| child.text())
        .collect();
    let text = text.trim();
    if members.is_empty() {
        return Some(text.into());
    }
    if !text.is_empty() {
        members.insert(TEXT.to_owned(), text.into());
    }
    Some(members.into())
}

/// What the text of an element with attributes is called.
pub const TEXT: &str = "_";
const ATTRIBUTE: char = '$';
/// Each level is a call on the stack.
const MAX_DEPTH: usize = 32;
/// Each of these is more than any token answer has.
const MAX_NAMESPACES: usize = 64;
const MAX_ATTRIBUTES: usize = 4_000;
const MAX_NODES: u32 = 10_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_elements_and_lists_are_repeated_elements() {
        let text = document(&json!({
            "request": {
                "$version": 3, "control": {"id": "a<b> & \"c\"", "unique": false, "none": null},
                "item": ["one", {"$n": 2}],
            },
        }));
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><request version=\"3\"><control>\
            <id>a&lt;b&gt; &amp; \"c\"</id><unique>false</unique><none></none></control>\
            <item>one</item><item n=\"2\"></item></request>";
        assert_eq!(text.as_deref(), Some(expected));
    }

    #[test]
    fn what_has_no_form_in_xml_is_no_document() {
        for value in [
            json!(null),
            json!("text"),
            json!({}),
            json!({"a": 1, "b": 2}),
            json!({"$a": 1}),
            json!({"a": [1]}),
            json!({"a b": 1}),
            json!({"1a": 1}),
            json!({"": 1}),
            json!({"a": {"><": 1}}),
            json!({"a": {"$b": {}}}),
            json!({"a": {"b": [[1]]}}),
            json!({"a": "\u{1}"}),
        ] {
            assert_eq!(document(&value), None, "{value}");
        }
    }

    #[test]
    fn a_document_is_read_as_members_by_name() {
        let text = r#"<?xml version="1.0"?>
            <r:response xmlns:r="https://a.example/r"> <!-- none -->
              <status code="1">ok</status> <item>a</item> <item><b>&lt;</b></item>
              <r:empty/> <text> <![CDATA[x]]> </text>
            </r:response>"#;
        let expected = json!({
            "response": {
                "status": {"$code": "1", "_": "ok"}, "item": ["a", {"b": "<"}], "empty": "",
                "text": "x",
            },
        });
        assert_eq!(value(text), Some(expected));
    }

    #[test]
    fn what_is_malformed_too_deep_too_large_or_has_a_dtd_is_not_read() {
        let nested = |depth| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(value(&nested(32)).is_some());
        assert_eq!(value(&nested(33)), None);
        assert_eq!(value(&format!("<a>{}</a>", "<b/>".repeat(10_000))), None);
        let nested = |depth| "<a xmlns:b=\"c\">".repeat(depth) + &"</a>".repeat(depth);
        assert!(value(&nested(32)).is_some());
        assert_eq!(value(&nested(2_000)), None);
        let attributes: Vec<_> = (0..5_000).map(|n| format!("a{n}=\"\"")).collect();
        assert_eq!(value(&format!("<a {}/>", attributes.join(" "))), None);
        assert_eq!(value("<a><b></a>"), None);
        assert_eq!(value("{}"), None);
        let with_dtd = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
        assert_eq!(value(with_dtd), None);
    }

    #[test]
    fn texts_are_escaped_as_canonical_xml_has_them() {
        let all = "& < > \" ' \t \n \r é";
        assert_eq!(
            text(all).as_deref(),
            Some("&amp; &lt; &gt; \" ' \t \n &#xD; é")
        );
        let expected = "&amp; &lt; > &quot; ' &#x9; &#xA; &#xD; é";
        assert_eq!(attribute(all).as_deref(), Some(expected));
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_it_was_written(name in "[a-z_][a-z0-9_.-]{0,8}", text in "\\PC*") {
            let written = json!({ "root": { name: text.trim() } });
            let document = document(&written);
            prop_assert_eq!(document.and_then(|it| value(&it)), Some(written));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[<>/a-c =\"'&;#x0-9!\\[\\]-]{0,64}") {
            let _ = value(&text);
        }
    }
}
