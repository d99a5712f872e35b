//! Texts, JSON and URLs with `${…}` in them.
//!
//! Here: filling in a connection's values so that no value can move a URL to another host, and
//! the check that a template can be filled at all. Not here: which fields of an entry are
//! templates, and whether a host may be called.

mod function;
mod moment;
mod parse;
mod url_template;

use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use self::{
    parse::{Placeholder, Template, alternatives, whole},
    url_template::{Tail, UrlTemplate},
};
use crate::domain::{
    json_path::{value_at, value_within},
    secret::SecretMap,
    timestamp::Timestamp,
};

/// What the placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// `${connectionConfig.x}`, and `${x}` where nothing else has an `x`.
    pub connection_config: &'a SecretMap,
    /// `${credentials.x}`, and `${x}` where the request has no `x` of its own.
    pub credentials: Option<&'a SecretMap>,
    /// `${x}` for what the request brings, such as `token`, `clientId` or, as an object, `step1`.
    pub provided: Option<&'a SecretMap>,
    /// `${now}`
    pub now: Timestamp,
    /// `${random}`, which is the same throughout one request.
    pub random: &'a str,
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
    /// The filled template is longer than anything that is sent.
    #[error("the filled template is too long")]
    TooLong,
    /// A value cannot stand where the template puts it, such as a slash within a host name.
    #[error("the value of {0} does not fit where the template puts it")]
    Unfit(String),
    /// A function that is known and not computed here.
    #[error("the function {0} is not supported")]
    Unsupported(&'static str),
}

/// Fills a URL template. Values are encoded as URI components; within the host they must consist
/// of host labels, and one that ends the template may have a path behind them. A placeholder at
/// the very start stands for a whole https base URL.
///
/// Of alternatives, `A || B`, the first that has a placeholder and all its values is taken, else
/// the last.
pub fn url(template: &str, values: &Values<'_>) -> Result<Url, TemplateError> {
    first_usable(template, |alternative| {
        UrlTemplate::new(alternative)?.fill(|name| values.find(name), |it| values.fill(it))
    })
}

/// Fills a URL template as [`url()`] does, but a value that is the whole host may bring a port
/// and a path. This is for who trusts every host that a connection may name: on a host that is
/// trusted for itself, the path could lead to what others put there.
pub fn url_on_any_host(template: &str, values: &Values<'_>) -> Result<Url, TemplateError> {
    first_usable(template, |alternative| {
        UrlTemplate::new(alternative)?
            .with_free_host()
            .fill(|name| values.find(name), |it| values.fill(it))
    })
}

/// Fills `template`, which is a path or a query, and puts it behind the path of `base`.
pub fn url_below(base: &Url, template: &str, values: &Values<'_>) -> Result<Url, TemplateError> {
    if base.query().is_some() || base.fragment().is_some() {
        return Err(TemplateError::NoUrl);
    }
    let base = base.as_str().trim_end_matches('/');
    first_usable(template, |alternative| {
        Tail::new(alternative.parts)?.fill_below(base, |it| values.fill(it))
    })
}

/// Fills a text template; values are inserted as they are. Alternatives as for [`url()`].
pub fn text(template: &str, values: &Values<'_>) -> Result<String, TemplateError> {
    first_usable(template, |alternative| {
        alternative.fill(|it| values.fill(it))
    })
}

/// Fills a text template in which `||` is text too.
pub fn plain_text(template: &str, values: &Values<'_>) -> Result<String, TemplateError> {
    whole(template)?.fill(|it| values.fill(it))
}

/// Fills every text within `template`. Keys stay as they are.
pub fn text_json(template: &Value, values: &Values<'_>) -> Result<Value, TemplateError> {
    each_text(template, MAX_JSON_DEPTH, &|it| text(it, values))
}

/// Whether `template` gives a URL when its placeholders have suitable values.
pub fn check_url(template: &str) -> Result<(), TemplateError> {
    alternatives(template)?.into_iter().try_for_each(|it| {
        let template = UrlTemplate::new(it)?;
        let check = |value: &str| {
            let filled = template.fill(|_| Ok("https://a".to_owned()), |_| Ok(value.to_owned()));
            filled.map(drop)
        };
        // A number can be a port, and a name can stand where a number would be an IP address.
        check("a").or_else(|_| check("1"))
    })
}

/// Whether `template` gives a path or a query when its placeholders have suitable values.
pub fn check_url_tail(template: &str) -> Result<(), TemplateError> {
    alternatives(template)?.into_iter().try_for_each(|it| {
        Tail::new(it.parts)?
            .fill_below("https://a", |_| Ok("a".to_owned()))
            .map(drop)
    })
}

/// Whether the placeholders of `template` are well formed.
pub fn check_text(template: &str) -> Result<(), TemplateError> {
    alternatives(template).map(drop)
}

/// Whether the placeholders in every text within `template` are well formed.
pub fn check_text_json(template: &Value) -> Result<(), TemplateError> {
    each_text(template, MAX_JSON_DEPTH, &|it| {
        check_text(it).map(|()| String::new())
    })
    .map(drop)
}

/// The names in the placeholders of `template` that stand for values, also among the arguments
/// of functions. A malformed template has none.
#[must_use]
pub fn placeholders(template: &str) -> Vec<&str> {
    let alternatives = alternatives(template).unwrap_or_default();
    alternatives.iter().flat_map(Template::names).collect()
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

/// Whether `text` can be the name in a placeholder.
pub(super) fn is_name(text: &str) -> bool {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "_-.".contains(char);
    !text.is_empty() && text.chars().all(is_allowed)
}

/// What follows the prefix of the credentials. Inputs that make an assertion are some of them.
pub(super) fn own_part(name: &str) -> Option<&str> {
    let mut prefixes = ["credentials.", "assertionOption."].iter();
    prefixes.find_map(|prefix| name.strip_prefix(prefix))
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

impl<'a> Values<'a> {
    /// A connection's configuration, the time, and a random name.
    #[must_use]
    pub fn new(connection_config: &'a SecretMap, now: Timestamp, random: &'a str) -> Self {
        Self {
            connection_config,
            credentials: None,
            provided: None,
            now,
            random,
        }
    }

    fn fill(&self, placeholder: &Placeholder<'_>) -> Result<String, TemplateError> {
        match placeholder {
            Placeholder::Call(function, arguments) => {
                let arguments: Result<Vec<_>, _> = arguments
                    .iter()
                    .map(|argument| argument.fill(|it| self.fill(it)))
                    .collect();
                function.of(&arguments?)
            }
            Placeholder::Now(moment) => moment.at(self.now),
            Placeholder::Random => Ok(self.random.to_owned()),
            Placeholder::Value(name) => self.find(name),
        }
    }

    fn find(&self, name: &str) -> Result<String, TemplateError> {
        let config = Some(self.connection_config);
        let value = if let Some(path) = name.strip_prefix("connectionConfig.") {
            at(config, path)
        } else if let Some(path) = own_part(name) {
            at(self.credentials, path)
        } else {
            let mut maps = [self.provided, self.credentials, config].into_iter();
            maps.find_map(|map| at(map, name))
        };
        value.ok_or_else(|| TemplateError::Missing(name.to_owned()))
    }
}

fn at(map: Option<&SecretMap>, path: &str) -> Option<String> {
    let map = map?.expose();
    let found = value_within(map, path).and_then(scalar);
    found.or_else(|| within_text(map, path))
}

/// The value at a path that leads into a text of JSON, as some clients keep objects.
fn within_text(map: &Map<String, Value>, path: &str) -> Option<String> {
    let (name, rest) = path.split_once('.')?;
    let value = serde_json::from_str(map.get(name)?.as_str()?).ok()?;
    value_at(&value, rest).and_then(scalar)
}

fn first_usable<'t, T>(
    template: &'t str,
    fill: impl Fn(Template<'t>) -> Result<T, TemplateError>,
) -> Result<T, TemplateError> {
    let mut alternatives = alternatives(template)?;
    let last = alternatives.pop().ok_or(TemplateError::Malformed)?;
    for alternative in alternatives {
        if !alternative.has_placeholder() {
            continue;
        }
        match fill(alternative) {
            Err(TemplateError::Missing(_)) => {}
            outcome => return outcome,
        }
    }
    fill(last)
}

fn each_text(
    value: &Value,
    depth: usize,
    fill: &impl Fn(&str) -> Result<String, TemplateError>,
) -> Result<Value, TemplateError> {
    let depth = depth.checked_sub(1).ok_or(TemplateError::Malformed)?;
    let filled = |value| each_text(value, depth, fill);
    match value {
        Value::Array(items) => items.iter().map(filled).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| Ok((key.clone(), filled(value)?)))
            .collect(),
        Value::String(text) => fill(text).map(Value::String),
        Value::Bool(_) | Value::Null | Value::Number(_) => Ok(value.clone()),
    }
}

/// How deep JSON may be nested. Each level is a call on the stack.
const MAX_JSON_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::{
        collection::vec,
        prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest},
        sample::select,
    };
    use serde_json::{Map, json};

    use super::*;

    fn secrets(value: &Value) -> SecretMap {
        SecretMap::new(value.as_object().cloned().unwrap_or_default())
    }

    fn filled_url(template: &str, config: &Value) -> Result<String, TemplateError> {
        let config = secrets(config);
        url(template, &Values::new(&config, Timestamp::EPOCH, "")).map(String::from)
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
    fn a_value_in_the_port_is_a_number() {
        let template = "https://${x}.example.com:${port}";
        assert_eq!(check_url(template), Ok(()));
        gives(
            template,
            &json!({"x": "a", "port": 8443}),
            "https://a.example.com:8443/",
        );
        for port in ["a", "1.2", "99999", "1-2"] {
            let config = json!({"x": "a", "port": port});
            fails(template, &config, TemplateError::NoUrl);
        }
        for port in ["1@b.example", "1:2", "1?a", "1#a"] {
            let config = json!({"x": "a", "port": port});
            fails(template, &config, TemplateError::Unfit("port".to_owned()));
        }
    }

    #[test]
    fn a_value_that_is_repeated_without_end_is_not_filled_in() {
        let config = secrets(&json!({"x": "v".repeat(16_384)}));
        let values = Values::new(&config, Timestamp::EPOCH, "");
        let fits = text(&"${x}".repeat(8), &values);
        assert_eq!(fits.map(|text| text.len()), Ok(131_072));
        for template in [
            "${x}".repeat(1000),
            "${base64(${x}${x}${x}${x}${x}${x}${x})}".into(),
        ] {
            let filled = text(&template, &values).map(|text| text.len());
            assert_eq!(filled, Err(TemplateError::TooLong));
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
    fn a_host_that_ends_the_template_may_have_a_path_with_its_steps_encoded() {
        let template = "https://${connectionConfig.x}";
        gives(
            template,
            &json!({"x": "shop.example/crm/sales office/%2e%2e/"}),
            "https://shop.example/crm/sales%20office/%252e%252e",
        );
        gives(template, &json!({"x": "a.b-c"}), "https://a.b-c/");
        for value in [
            "a.example/..",
            "a.example/./b",
            "a.example//b",
            "a.example/b?c",
            "a.example/b#c",
            "a.example/b\\c",
            "a.example:1/b",
            "u@a.example/b",
            "/b",
            "https://a.example",
        ] {
            fails(
                template,
                &json!({ "x": value }),
                TemplateError::Unfit("connectionConfig.x".to_owned()),
            );
        }
    }

    #[test]
    fn a_path_goes_below_a_url_and_never_out_of_it() {
        let config = secrets(&json!({"x": "a/b", "up": ".."}));
        let values = Values::new(&config, Timestamp::EPOCH, "");
        let below = |base: &str, template| {
            let url = url_below(&Url::parse(base).unwrap(), template, &values);
            url.map(String::from)
        };
        let ok = |url: &str| Ok(url.to_owned());
        assert_eq!(
            below("https://a.example/crm/", "/c/${x}?d=${x}"),
            ok("https://a.example/crm/c/a%2Fb?d=a%2Fb")
        );
        assert_eq!(below("https://a.example", "?d"), ok("https://a.example/?d"));
        assert_eq!(below("https://a.example/b", ""), ok("https://a.example/b"));
        for template in [".evil.example", "@evil.example", "${x}", "#c", "/ b"] {
            let base = "https://a.example";
            assert_eq!(
                below(base, template),
                Err(TemplateError::Malformed),
                "{template}"
            );
            assert!(check_url_tail(template).is_err(), "{template}");
        }
        for template in ["/../b", "/${up}/b"] {
            let base = "https://a.example/crm";
            assert_eq!(
                below(base, template),
                Err(TemplateError::NoUrl),
                "{template}"
            );
        }
        assert_eq!(
            below("https://a.example/?b", "/c"),
            Err(TemplateError::NoUrl)
        );
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
        let config = secrets(&json!({"key": "config", "v": "a b"}));
        let values = Values {
            credentials: Some(&secrets(&json!({"key": "credential"}))),
            ..Values::new(&config, Timestamp::EPOCH, "")
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

    /// With `credentials`, what else is provided, and fixed time and chance.
    fn filled_text(template: &str) -> Result<String, TemplateError> {
        let config = secrets(&json!({"a": "config", "b": "config", "c": "config"}));
        let credentials = secrets(&json!({
            "username": "fake-user",
            "password": "fäke",
            "appId": "app",
            "a": "credential",
            "b": "credential",
            "privateKey": {"id": "key", "secret": "fake, ${a} )}"},
        }));
        let provided = secrets(&json!({"a": "provided", "step1": {"data": [{}], "id": 7}}));
        let values = Values {
            credentials: Some(&credentials),
            provided: Some(&provided),
            ..Values::new(&config, Timestamp::from_millis(1_706_933_106_007), "r-1")
        };
        text(template, &values)
    }

    #[track_caller]
    fn reads(template: &str, expected: &str) {
        assert_eq!(check_text(template), Ok(()), "{template}");
        assert_eq!(filled_text(template).as_deref(), Ok(expected), "{template}");
    }

    #[test]
    fn what_the_request_brings_goes_before_credentials_and_these_before_the_configuration() {
        reads("${a} ${b} ${c}", "provided credential config");
        reads(
            "${credentials.a} ${connectionConfig.a}",
            "credential config",
        );
    }

    #[test]
    fn dots_lead_into_objects() {
        reads("${credentials.privateKey.id} ${step1.id}", "key 7");
        for (template, name) in [
            ("${credentials.privateKey}", "credentials.privateKey"),
            ("${step1.data}", "step1.data"),
            ("${step1.id.x}", "step1.id.x"),
            ("${step2.id}", "step2.id"),
        ] {
            let missing = TemplateError::Missing(name.to_owned());
            assert_eq!(filled_text(template), Err(missing));
        }
    }

    #[test]
    fn time_and_chance_are_those_of_the_request() {
        reads(
            "${now} ${random} ${random}",
            "2024-02-03T04:05:06.007Z r-1 r-1",
        );
        reads("${now+7:days:YYYY-MM-DD}", "2024-02-10");
    }

    #[test]
    fn arguments_of_functions_are_templates() {
        reads(
            "Basic ${base64(${credentials.username}:${credentials.password})}",
            "Basic ZmFrZS11c2VyOmbDpGtl",
        );
        reads(
            "${sha256Hex(${base64(${random}${credentials.appId})})}",
            "99fca672fe6aac0588a9d1724ea7eb175ef1a99bdb8a221506acf99ae0b42431",
        );
        reads(
            "${hmacSha1Hex(${now:X}, fake key)}",
            "79e3b720784963e6d363a2919ebeda0d5a6877d4",
        );
        reads(
            "${first(3, ${credentials.username})}-${first(1, (x))}",
            "fak-(",
        );
    }

    #[test]
    fn a_value_is_no_template_and_separates_no_arguments() {
        reads(
            "${first(99, ${credentials.privateKey.secret})}",
            "fake, ${a} )}",
        );
    }

    #[test]
    fn alternatives_are_told_apart_outside_of_functions() {
        reads("${first(9, a||b)} || c", "a||b");
        reads("${base64(${d})} || ${c}", "config");
    }

    #[test]
    fn a_missing_value_within_a_function_is_missing() {
        let missing = TemplateError::Missing("credentials.d".to_owned());
        assert_eq!(filled_text("${base64(x:${credentials.d})}"), Err(missing));
    }

    #[test]
    fn known_functions_that_are_not_computed_are_well_formed_and_not_supported() {
        for (template, name) in [
            ("${ed25519Sign(m, ${a})}", "ed25519Sign"),
            ("${awsSigV4(${a}, ${b}, us-east-1, iam)}", "awsSigV4"),
            ("${awsSigV4(${a}, ${b}, r, s, a.example)}", "awsSigV4"),
        ] {
            assert_eq!(check_text(template), Ok(()), "{template}");
            assert_eq!(filled_text(template), Err(TemplateError::Unsupported(name)));
        }
    }

    #[test]
    fn malformed_templates_are_refused() {
        let deep = |depth| format!("{}x{}", "${base64(".repeat(depth), ")}".repeat(depth));
        assert_eq!(check_text(&deep(8)), Ok(()));
        for template in [
            "${",
            "${}",
            "${a b}",
            "${base46(x)}",
            "${base64}(x)} ${",
            "${base64(x)",
            "${base64(x}",
            "${base64(x, y)}",
            "${hmacSha1Hex(x)}",
            "${first(x, y)}",
            "${first(${a}, y)}",
            "${first(-1, y)}",
            "${now:hh}",
            "${base64(${now:hh})}",
            "${a || b}",
            &deep(9),
        ] {
            assert_eq!(
                check_text(template),
                Err(TemplateError::Malformed),
                "{template}"
            );
            assert_eq!(
                filled_text(template),
                Err(TemplateError::Malformed),
                "{template}"
            );
        }
    }

    #[test]
    fn functions_in_urls_are_encoded_like_values() {
        gives(
            "https://a.example/${base64(??>)}?t=${now:YYYY-MM-DDTHH:mm}",
            &json!({}),
            "https://a.example/Pz8%2B?t=1970-01-01T00%3A00",
        );
        gives(
            "https://a.example/${base64(a/${x}?)}",
            &json!({"x": "b"}),
            "https://a.example/YS9iPw%3D%3D",
        );
    }

    #[test]
    fn texts_within_json_are_filled_and_the_rest_is_kept() {
        let config = secrets(&json!({"x": "v"}));
        let values = Values::new(&config, Timestamp::EPOCH, "");
        let template = json!({"${x}": ["${x}", {"a": "b${x}"}, 1, null, true]});
        assert_eq!(
            text_json(&template, &values),
            Ok(json!({"${x}": ["v", {"a": "bv"}, 1, null, true]}))
        );
        assert_eq!(
            text_json(&json!({"a": {"b": "${y}"}}), &values),
            Err(TemplateError::Missing("y".to_owned()))
        );
        assert_eq!(check_text_json(&template), Ok(()));
        let malformed = json!([[{"a": "${"}]]);
        assert_eq!(check_text_json(&malformed), Err(TemplateError::Malformed));
    }

    #[test]
    fn json_is_filled_to_a_bounded_depth() {
        let nested = |depth| (0..depth).fold(json!("x"), |inner, _| json!([inner]));
        assert_eq!(check_text_json(&nested(31)), Ok(()));
        assert_eq!(check_text_json(&nested(32)), Err(TemplateError::Malformed));
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
            "https://a.example/${base46(x)}",
            "https://${base64(x)",
            "${base64(x)}/token",
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
        assert_eq!(
            placeholders("${base64(${a}:${credentials.b})}${now}${random}"),
            ["a", "credentials.b"]
        );
        assert_eq!(placeholders("${a} ${b"), [""; 0]);
    }

    fn tricky_text() -> impl Strategy<Value = String> {
        let piece = select(vec![
            "${",
            "}",
            "(",
            ")",
            ")}",
            ", ",
            "||",
            "${base64(",
            "${first(",
            "2",
            "${now",
            "+1:days",
            ":",
            "YYYY",
            "[",
            "]",
            "${random",
            "a",
            ".",
            "/",
            "..",
            "?",
            "#",
            "\\",
            "\r\n",
            "@",
            " ",
            "ü",
            "%",
            "https://",
            "credentials.",
            "connectionConfig.",
        ]);
        vec(piece, 0..24).prop_map(|pieces| pieces.concat())
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
        fn no_path_of_a_host_changes_the_host(value in "[a-z]{1,3}[a-z0-9/@?#\\\\\r\n\t%:.ü-]{0,8}") {
            let config = json!({ "x": format!("a.example/{value}") });
            if let Ok(filled) = filled_url("https://${x}", &config) {
                let filled = Url::parse(&filled).unwrap();
                prop_assert_eq!(filled.host_str(), Some("a.example"));
                prop_assert!(filled.query().is_none() && filled.fragment().is_none());
                let steps = value.trim_end_matches('/').split('/').count();
                prop_assert_eq!(filled.path_segments().unwrap().count(), steps);
            }
        }

        #[test]
        fn no_template_panics(template in tricky_text(), name in "[a-z]{1,3}", value in any::<String>()) {
            let config = SecretMap::new(Map::from_iter([(name, Value::from(value))]));
            let values = Values {
                credentials: Some(&config),
                ..Values::new(&config, Timestamp::EPOCH, "")
            };
            drop((url(&template, &values), text(&template, &values)));
            drop((check_url(&template), check_url_tail(&template), placeholders(&template)));
            let is_malformed = text(&template, &values) == Err(TemplateError::Malformed);
            prop_assert_eq!(is_malformed, check_text(&template).is_err());
        }
    }
}
