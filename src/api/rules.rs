//! Rules for fields that several requests have.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    domain::{
        connection::ConnectionId,
        egress::is_public_web_address,
        end_user::{EndUser, Organization},
        integration::IntegrationKey,
        secret::SecretMap,
        tags::{MAX_TAGS, MAX_VALUE_CHARS, Tags, is_valid_key},
    },
    storage::metadata::MAX_METADATA_BYTES,
    validation::{
        input::Input,
        issue::Issue,
        text::{Format, Text, is_email, is_url},
        wording::too_big,
    },
};

/// `provider_config_key` and `unique_key`.
pub(super) const INTEGRATION_KEY: Text = Text::pattern(
    IntegrationKey::PATTERN,
    IntegrationKey::matches,
    IntegrationKey::MAX_CHARS,
);
/// `connection_id`.
pub(super) const CONNECTION_ID: Text = Text::pattern(
    ConnectionId::PATTERN,
    ConnectionId::matches,
    ConnectionId::MAX_CHARS,
);
/// The name of a provider.
pub(super) const PROVIDER: Text = Text::pattern("/^[a-zA-Z0-9_-]+$/", is_provider_name, 255);
/// A short text that must not be empty.
pub(super) const SHORT: Text = Text::of(1, 255);

/// The most keys of a free object.
pub(super) const MAX_KEYS: usize = 1000;
/// What is said of a text with a NUL.
pub(super) const NUL_MESSAGE: &str = "Invalid string: must not contain a NUL character";

pub(super) fn is_provider_name(text: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    !text.is_empty() && text.chars().all(allowed)
}

pub(super) fn integration_key(input: &Input<'_>) -> Option<IntegrationKey> {
    IntegrationKey::parse(&input.text(INTEGRATION_KEY)?)
}

pub(super) fn connection_id(input: &Input<'_>) -> Option<ConnectionId> {
    ConnectionId::parse(&input.text(CONNECTION_ID)?)
}

/// The number of an environment or of an API key.
pub(super) fn row_id(input: &Input<'_>) -> Option<i64> {
    input.whole_number(1..=MAX_ROW_ID)
}

/// The largest integer that JSON keeps exactly.
pub(super) const MAX_ROW_ID: i64 = 9_007_199_254_740_991;

/// The caller's own data, as JSON text of an object.
pub(super) fn metadata(input: &Input<'_>) -> Option<String> {
    bounded(input).map(|(_, text)| text)
}

/// The configuration of a connection.
pub(super) fn connection_config(input: &Input<'_>) -> Option<SecretMap> {
    let (map, _) = bounded(input)?;
    let scopes = input
        .object()
        .and_then(|fields| fields.optional("oauth_scopes_override"));
    for scope in scopes
        .iter()
        .filter_map(|scopes| scopes.items(MAX_KEYS))
        .flatten()
    {
        let _text = scope.text(Text::of(0, 255));
    }
    Some(SecretMap::new(map.clone()))
}

/// A free object with its JSON text, which is what its size counts in.
fn bounded<'a>(input: &Input<'a>) -> Option<(&'a Map<String, Value>, String)> {
    let map = input.record(MAX_KEYS)?;
    let text = serde_json::to_string(map).ok()?;
    if text.len() > MAX_METADATA_BYTES {
        input.refuse("too_big", too_big("record", MAX_METADATA_BYTES, "bytes"));
        return None;
    }
    Some((map, text))
}

/// Labels: keys in lower case, at most ten.
pub(super) fn tags(input: &Input<'_>) -> Option<Tags> {
    let mut tags = Tags::new();
    for (key, value) in input.entries(MAX_KEYS)? {
        if !is_valid_key(key) {
            value.refuse("invalid_key", "Invalid key in record");
            continue;
        }
        let Some(text) = tag_value(&value, 1) else {
            continue;
        };
        let key = key.to_ascii_lowercase();
        if key == "end_user_email" && !(text.len() >= 5 && is_email(&text)) {
            input.refuse("custom", "Tag \"end_user_email\" must be a valid email");
        }
        if tags.insert(key.clone(), text).is_some() {
            input.refuse(
                "custom",
                format!("Duplicate tag key after case normalization: \"{key}\""),
            );
        }
    }
    if tags.len() > MAX_TAGS {
        input.refuse("custom", "Tags cannot contain more than 10 keys");
    }
    Some(tags)
}

fn tag_value(value: &Input<'_>, min: usize) -> Option<String> {
    let text = value.text(Text::of(min, usize::MAX))?;
    if text.chars().count() > MAX_VALUE_CHARS {
        value.refuse("too_big", "Tag values must be at most 255 characters");
        return None;
    }
    Some(text)
}

/// The caller's end user.
pub(super) fn end_user(input: &Input<'_>) -> Option<EndUser> {
    let fields = input.object()?;
    let id = fields.field("id").text(SHORT);
    let email = fields.optional("email").and_then(|email| {
        email.text(Text {
            min: 5,
            max: 255,
            format: Format::Email,
        })
    });
    let display_name = fields
        .optional("display_name")
        .and_then(|name| name.text(Text::of(0, 255)));
    let tags = fields
        .optional("tags")
        .and_then(|tags| end_user_tags(&tags));
    fields.finish();
    let display_name = display_name.filter(|name| !name.is_empty());
    Some(EndUser {
        id: id?,
        email,
        display_name,
        tags,
        organization: None::<Organization>,
    })
}

/// The end user's own labels: keys as they are spelled, values may be empty.
fn end_user_tags(input: &Input<'_>) -> Option<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    let mut seen = Vec::new();
    for (key, value) in input.entries(MAX_KEYS)? {
        if !is_valid_key(key) {
            value.refuse("invalid_key", "Invalid key in record");
            continue;
        }
        let normal = key.to_ascii_lowercase();
        if seen.contains(&normal) {
            input.refuse(
                "custom",
                format!("Duplicate tag key after case normalization: \"{normal}\""),
            );
        }
        seen.push(normal);
        tags.insert(key.to_owned(), tag_value(&value, 0)?);
    }
    if tags.len() > MAX_TAGS {
        input.refuse("custom", "Tags cannot contain more than 10 keys");
    }
    Some(tags)
}

/// Where webhooks go: an address on the public internet, or empty for none.
pub(super) fn webhook_url(input: &Input<'_>) -> Option<String> {
    let text = input.value().and_then(Value::as_str).map(str::trim);
    let Some(text) = text.filter(|text| text.is_empty() || is_url(text)) else {
        input.refuse("invalid_union", "Invalid input");
        return None;
    };
    if text.chars().count() > MAX_URL_CHARS {
        input.refuse("too_big", too_big("string", MAX_URL_CHARS, "characters"));
        return None;
    }
    if !text.is_empty() && !is_public_web_address(text) {
        input.refuse("custom", "This webhook URL is not allowed.");
        return None;
    }
    Some(text.to_owned())
}

/// The longest address.
pub(super) const MAX_URL_CHARS: usize = 2048;

/// The first text or key in `value` with a NUL in it, which no text column keeps whole.
pub(super) fn nul_in(value: &Value) -> Option<Issue> {
    let mut path = Vec::new();
    has_nul(value, &mut path).then(|| Issue {
        code: "invalid_format",
        message: NUL_MESSAGE.into(),
        path,
    })
}

fn has_nul(value: &Value, path: &mut Vec<String>) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().enumerate().any(|(at, item)| {
            path.push(at.to_string());
            let found = has_nul(item, path);
            if !found {
                path.pop();
            }
            found
        }),
        Value::Object(map) => map.iter().any(|(key, item)| {
            if key.contains('\0') {
                return true;
            }
            path.push(key.clone());
            let found = has_nul(item, path);
            if !found {
                path.pop();
            }
            found
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
