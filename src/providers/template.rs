//! Texts and URLs with `${…}` in them.
//!
//! Here: filling in a connection's values so that no value can move a URL to another host, and
//! the check that a URL template can be filled at all. Not here: which fields of an entry are
//! templates, and whether a host may be called.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use thiserror::Error;
use url::Url;

use crate::domain::secret::SecretMap;

/// What the placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// `${connectionConfig.x}`, and `${x}` where the credentials have no `x`.
    pub connection_config: &'a SecretMap,
    /// `${credentials.x}` and `${x}`, where credentials may be used at all.
    pub credentials: Option<&'a SecretMap>,
}

/// Why a template gave nothing. It names placeholders, never their values.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum TemplateError {
    /// The template itself is wrong.
    #[error("the template is malformed")]
    Malformed,
    /// A placeholder has no value, or an empty one.
    #[error("no value for {0}")]
    Missing(String),
    /// The parts are fine, their sum is not.
    #[error("the filled template is no valid URL")]
    NoUrl,
    /// A value cannot stand where the template puts it, such as a slash within a host name.
    #[error("the value of {0} does not fit where the template puts it")]
    Unfit(String),
}

/// Fills a URL template. Values are encoded as URI components; within the host they must consist
/// of host labels. A placeholder at the very start stands for a whole https base URL.
///
/// Of alternatives, `A || B`, the first that has a placeholder and all its values is taken, else
/// the last.
pub fn url(template: &str, values: &Values<'_>) -> Result<Url, TemplateError> {
    first_usable(template, |alternative| {
        UrlTemplate::parse(alternative)?.fill(
            |name| base_url(name, &values.find(name)?),
            |name| values.find(name),
        )
    })
}

/// Fills a text template; values are inserted as they are. Alternatives as for [`url()`].
pub fn text(template: &str, values: &Values<'_>) -> Result<String, TemplateError> {
    first_usable(template, |alternative| {
        fill(alternative, |name| values.find(name))
    })
}

/// Whether `template` gives a URL when its placeholders have suitable values.
pub fn check_url(template: &str) -> Result<(), TemplateError> {
    template.split("||").try_for_each(|alternative| {
        UrlTemplate::parse(alternative.trim())?
            .fill(|_| Ok("https://a".to_owned()), |_| Ok("a".to_owned()))
            .map(drop)
    })
}

/// Whether the placeholders of `template` are well formed.
pub fn check_text(template: &str) -> Result<(), TemplateError> {
    fill(template, |_| Ok(String::new())).map(drop)
}

/// The names in the placeholders of `template`, up to the first that is malformed.
#[must_use]
pub fn placeholders(template: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let filled = fill(template, |name| {
        names.push(name);
        Ok(String::new())
    });
    drop(filled);
    names
}

/// Whether `text` is a host name or a run of labels of one.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_')
    };
    text.split('.').all(is_label)
}

/// The text of a string, a number or a boolean. Empty strings count as absent.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether `text` can be the name in a placeholder.
pub(super) fn is_name(text: &str) -> bool {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "_-.".contains(char);
    !text.is_empty() && text.chars().all(is_allowed)
}

impl Values<'_> {
    fn find(&self, name: &str) -> Result<String, TemplateError> {
        let config = self.connection_config.expose();
        let credentials = |key| self.credentials.and_then(|map| map.expose().get(key));
        let value = if let Some(key) = name.strip_prefix("connectionConfig.") {
            config.get(key)
        } else if let Some(key) = name.strip_prefix("credentials.") {
            credentials(key)
        } else {
            credentials(name).or_else(|| config.get(name))
        };
        value
            .and_then(scalar)
            .ok_or_else(|| TemplateError::Missing(name.to_owned()))
    }
}

/// A single alternative, taken apart. Names of placeholders have no `/`, `?`, `#` or `:` in them,
/// so the ends of scheme and host can be seen before anything is filled in.
struct UrlTemplate<'t> {
    origin: Origin<'t>,
    /// Path, query and fragment.
    tail: &'t str,
}

enum Origin<'t> {
    /// The name of the placeholder that brings scheme and host.
    Base(&'t str),
    Literal {
        scheme: &'t str,
        host: &'t str,
    },
}

impl<'t> UrlTemplate<'t> {
    fn parse(template: &'t str) -> Result<Self, TemplateError> {
        // The URL parser drops tabs and line breaks and takes `\` for `/`.
        let is_allowed = |char: char| char.is_ascii_graphic() && char != '\\';
        if !template.chars().all(is_allowed) {
            return Err(TemplateError::Malformed);
        }
        let url = if let Some(rest) = template.strip_prefix("${") {
            let (name, tail) = rest.split_once('}').ok_or(TemplateError::Malformed)?;
            Self {
                origin: Origin::Base(name),
                tail,
            }
        } else {
            let (scheme, rest) = template.split_once("://").ok_or(TemplateError::Malformed)?;
            let end_of_host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (host, tail) = rest.split_at(end_of_host);
            Self {
                origin: Origin::Literal { scheme, host },
                tail,
            }
        };
        url.is_sound()
            .then_some(url)
            .ok_or(TemplateError::Malformed)
    }

    fn is_sound(&self) -> bool {
        match self.origin {
            // What follows a base must not continue its host.
            Origin::Base(name) => {
                is_name(name) && (self.tail.is_empty() || self.tail.starts_with(['/', '?']))
            }
            // Without a host, the URL parser would take the first step of the path for one.
            Origin::Literal { scheme, host } => {
                let without_port = host.split_once(':').map_or(host, |(host, _)| host);
                !host.is_empty()
                    && !host.contains('@')
                    && (scheme == "https" || scheme == "http" && is_local_host(without_port))
            }
        }
    }

    fn fill(
        &self,
        base: impl Fn(&str) -> Result<String, TemplateError>,
        value: impl Fn(&str) -> Result<String, TemplateError>,
    ) -> Result<Url, TemplateError> {
        let origin = match self.origin {
            Origin::Base(name) => base(name)?,
            Origin::Literal { scheme, host } => {
                let host = fill(host, |name| {
                    Some(value(name)?)
                        .filter(|value| is_host(value))
                        .ok_or_else(|| TemplateError::Unfit(name.to_owned()))
                })?;
                format!("{scheme}://{host}")
            }
        };
        let tail = fill(self.tail, |name| {
            Ok(utf8_percent_encode(&value(name)?, URI_COMPONENT).to_string())
        })?;
        // The encoding of a URI component leaves dots alone, and the URL parser would let `..`
        // climb out of its place in the path.
        let path = tail.split(['?', '#']).next().unwrap_or_default();
        if path.split('/').any(|step| step == "." || step == "..") {
            return Err(TemplateError::NoUrl);
        }
        Url::parse(&format!("{origin}{tail}")).map_err(|_| TemplateError::NoUrl)
    }
}

fn base_url(name: &str, value: &str) -> Result<String, TemplateError> {
    let is_base = |url: &Url| {
        let is_local = url.host_str().is_some_and(is_local_host);
        (url.scheme() == "https" || url.scheme() == "http" && is_local)
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    Url::parse(value)
        .ok()
        .filter(is_base)
        .map(|url| url.as_str().trim_end_matches('/').to_owned())
        .ok_or_else(|| TemplateError::Unfit(name.to_owned()))
}

/// The hosts that may be named without TLS. Whether they are called is decided elsewhere.
fn is_local_host(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost")
}

fn first_usable<T>(
    template: &str,
    fill: impl Fn(&str) -> Result<T, TemplateError>,
) -> Result<T, TemplateError> {
    let mut rest = template;
    while let Some((first, others)) = rest.split_once("||") {
        rest = others;
        if placeholders(first).is_empty() {
            continue;
        }
        match fill(first.trim()) {
            Err(TemplateError::Missing(_)) => {}
            outcome => return outcome,
        }
    }
    fill(rest.trim())
}

fn fill<'t>(
    template: &'t str,
    mut value: impl FnMut(&'t str) -> Result<String, TemplateError>,
) -> Result<String, TemplateError> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or(TemplateError::Malformed)?;
        if !is_name(name) {
            return Err(TemplateError::Malformed);
        }
        filled.push_str(before);
        filled.push_str(&value(name)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// What `encodeURIComponent` of ECMAScript encodes.
const URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
    use serde_json::{Map, json};

    use super::*;

    fn secrets(value: &Value) -> SecretMap {
        SecretMap::new(value.as_object().cloned().unwrap_or_default())
    }

    fn filled_url(template: &str, config: &Value) -> Result<String, TemplateError> {
        let values = Values {
            connection_config: &secrets(config),
            credentials: None,
        };
        url(template, &values).map(String::from)
    }

    #[track_caller]
    fn gives(template: &str, config: &Value, expected: &str) {
        assert_eq!(filled_url(template, config).as_deref(), Ok(expected));
    }

    #[track_caller]
    fn fails(template: &str, config: &Value, expected: TemplateError) {
        assert_eq!(filled_url(template, config), Err(expected));
    }

    #[test]
    fn values_in_path_and_query_are_encoded_as_components() {
        gives(
            "https://a.example/${connectionConfig.x}/b?c=${connectionConfig.x}",
            &json!({"x": "1/2 ü?&#%"}),
            "https://a.example/1%2F2%20%C3%BC%3F%26%23%25/b?c=1%2F2%20%C3%BC%3F%26%23%25",
        );
    }

    #[test]
    fn a_query_string_of_the_template_is_kept() {
        gives(
            "https://a.example/token?key=1",
            &json!({}),
            "https://a.example/token?key=1",
        );
    }

    #[test]
    fn numbers_and_booleans_are_values_too() {
        gives(
            "https://a.example/${n}/${b}",
            &json!({"n": 7, "b": true}),
            "https://a.example/7/true",
        );
    }

    #[test]
    fn absent_empty_null_and_structured_values_are_missing() {
        for config in [
            json!({}),
            json!({"x": ""}),
            json!({"x": null}),
            json!({"x": {"y": 1}}),
        ] {
            fails(
                "https://${connectionConfig.x}.example/",
                &config,
                TemplateError::Missing("connectionConfig.x".to_owned()),
            );
        }
    }

    #[test]
    fn a_value_in_the_host_may_be_several_labels_and_nothing_else() {
        let template = "https://${connectionConfig.x}.example/token";
        gives(
            template,
            &json!({"x": "a.b-c"}),
            "https://a.b-c.example/token",
        );
        for value in [
            "a/b", "a@b", "a:b", "a?", "a#", "a\\", ".a", "a..b", "ü", "a b", "%61",
        ] {
            fails(
                template,
                &json!({ "x": value }),
                TemplateError::Unfit("connectionConfig.x".to_owned()),
            );
        }
    }

    #[test]
    fn the_first_alternative_with_all_its_values_is_taken() {
        let template = "https://api.${connectionConfig.region}.example || https://api.example";
        gives(
            template,
            &json!({"region": "eu"}),
            "https://api.eu.example/",
        );
        gives(template, &json!({}), "https://api.example/");
    }

    #[test]
    fn a_value_that_does_not_fit_is_an_error_and_no_reason_to_take_the_other_alternative() {
        fails(
            "https://${connectionConfig.host}/token || https://a.example/token",
            &json!({"host": "b.example/x"}),
            TemplateError::Unfit("connectionConfig.host".to_owned()),
        );
    }

    #[test]
    fn a_base_url_is_inserted_without_its_trailing_slash() {
        let template = "${connectionConfig.base}/token";
        gives(
            template,
            &json!({"base": "https://a.example/b/"}),
            "https://a.example/b/token",
        );
        gives(
            template,
            &json!({"base": "http://127.0.0.1:99"}),
            "http://127.0.0.1:99/token",
        );
    }

    #[test]
    fn a_base_url_is_https_without_user_query_or_fragment() {
        for base in [
            "a.example",
            "http://a.example",
            "ftp://a.example",
            "https://user@a.example",
            "https://:pass@a.example",
            "https://a.example?b",
            "https://a.example#b",
        ] {
            fails(
                "${connectionConfig.base}/token",
                &json!({ "base": base }),
                TemplateError::Unfit("connectionConfig.base".to_owned()),
            );
        }
    }

    #[test]
    fn a_value_does_not_climb_in_the_path() {
        for value in [".", ".."] {
            fails(
                "https://a.example/b/${x}/c",
                &json!({ "x": value }),
                TemplateError::NoUrl,
            );
        }
    }

    #[test]
    fn text_is_filled_without_encoding_and_credentials_go_before_the_configuration() {
        let values = Values {
            connection_config: &secrets(&json!({"key": "config", "v": "a b"})),
            credentials: Some(&secrets(&json!({"key": "credential"}))),
        };
        let template = "${key} ${connectionConfig.key} ${credentials.key} ${v}";
        assert_eq!(
            text(template, &values).as_deref(),
            Ok("credential config credential a b")
        );
        assert_eq!(
            text("${connectionConfig.version} || 2022-11-28", &values).as_deref(),
            Ok("2022-11-28")
        );
    }

    #[test]
    fn unsound_url_templates_are_refused() {
        for template in [
            "",
            "a.example/token",
            "http://a.example/token",
            "http://localhost.a.example/",
            "ftp://a.example/",
            "https://",
            "https:///a.example/${x}",
            "https://user@a.example/",
            "https://a.example\\@b.example/",
            "https://a.example/ b",
            "https://a.example/${x",
            "https://a.example/${}",
            "https://a.example/${base64(x)}",
            "https://a.example:${port}/",
            "${x}.example/token",
            "https://a.example/../b",
            "https://a.example || http://b.example",
        ] {
            assert!(check_url(template).is_err(), "{template}");
        }
    }

    #[test]
    fn sound_url_templates_are_accepted() {
        for template in [
            "https://a.example/token",
            "http://127.0.0.1:4444/token",
            "http://localhost/token",
            "https://api.${connectionConfig.region}.example || https://api.example",
            "https://www.a.${connectionConfig.extension} || ${connectionConfig.api-domain}",
            "${connectionConfig.instance_url}",
            "https://${connectionConfig.installation.uuid}-eu.example?x=${y}",
        ] {
            assert_eq!(check_url(template), Ok(()), "{template}");
        }
    }

    #[test]
    fn placeholders_are_listed_in_their_order() {
        assert_eq!(
            placeholders("https://${connectionConfig.a}/${b} || ${c}"),
            ["connectionConfig.a", "b", "c"]
        );
        assert_eq!(placeholders("${a} ${b"), ["a"]);
    }

    fn tricky_text() -> impl Strategy<Value = String> {
        "[a-z0-9/@?#\\\\\r\n\t%:.${}| ü-]{0,12}"
    }

    proptest! {
        #[test]
        fn no_value_within_the_host_changes_the_end_of_it(
            value in "[a-z0-9.-]{1,4}[a-z0-9/@?#\\\\\r\n\t%:.-]{0,3}",
        ) {
            let config = json!({ "x": value });
            for template in ["https://${x}.a.example/b", "https://eu-${x}.a.example/b?c=${x}"] {
                if let Ok(filled) = filled_url(template, &config) {
                    let filled = Url::parse(&filled).unwrap();
                    prop_assert!(filled.host_str().unwrap().ends_with(".a.example"));
                    prop_assert_eq!(filled.path(), "/b");
                    prop_assert!(filled.username().is_empty() && filled.port().is_none());
                }
            }
        }

        #[test]
        fn no_value_behind_the_host_changes_the_host_or_the_depth_of_the_path(value in any::<String>()) {
            let config = json!({ "x": value });
            if let Ok(filled) = filled_url("https://a.example/${x}/b?c=${x}", &config) {
                let filled = Url::parse(&filled).unwrap();
                prop_assert_eq!(filled.host_str(), Some("a.example"));
                prop_assert_eq!(filled.path_segments().unwrap().count(), 2);
                prop_assert_eq!(filled.query_pairs().next(), Some(("c".into(), value.into())));
            }
        }

        #[test]
        fn no_template_panics(template in tricky_text(), name in "[a-z]{1,3}", value in any::<String>()) {
            let config = SecretMap::new(Map::from_iter([(name, Value::from(value))]));
            let values = Values { connection_config: &config, credentials: Some(&config) };
            drop((url(&template, &values), text(&template, &values)));
            drop((check_url(&template), check_text(&template), placeholders(&template)));
        }
    }
}
