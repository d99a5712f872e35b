//! A value at a place in the input, and how to read it.
//!
//! Readers return `None` when the value is not what it should be and leave an [`Issue`] behind.
//! So a parser reads all fields first, which finds all mistakes, and only then unwraps them with
//! `?`. [`read`] turns the outcome into a `Result`.

use std::{borrow::Cow, ops::RangeInclusive};

use serde_json::{Map, Value};

use super::{
    fields::Fields,
    issue::{Issue, Issues},
    text::{Format, Text, is_email, is_url, is_uuid},
    wording::{received, too_big, too_small},
};
use crate::domain::timestamp::Timestamp;

/// Runs `parse` over `value` (`None` stands for no value at all).
pub fn read<T>(
    value: Option<&Value>,
    parse: impl FnOnce(&Input<'_>) -> Option<T>,
) -> Result<T, Vec<Issue>> {
    let issues = Issues::default();
    let input = Input {
        value,
        path: Vec::new(),
        issues: &issues,
    };
    let parsed = parse(&input);
    match (parsed, issues.into_vec()) {
        (Some(parsed), issues) if issues.is_empty() => Ok(parsed),
        (_, issues) => Err(issues),
    }
}

/// A value, or the absence of one, with the path that leads to it.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    value: Option<&'a Value>,
    path: Vec<String>,
    issues: &'a Issues,
}

impl<'a> Input<'a> {
    /// Records a mistake at this place.
    pub fn refuse(&self, code: &'static str, message: impl Into<Cow<'static, str>>) {
        self.issues.push(Issue {
            code,
            message: message.into(),
            path: self.path.clone(),
        });
    }

    /// Whether no mistake was recorded so far, at any place.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.issues.is_empty()
    }

    /// The value as it came.
    #[must_use]
    pub fn value(&self) -> Option<&'a Value> {
        self.value
    }

    /// Whether the value is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value.is_some_and(Value::is_null)
    }

    /// Refuses with the wording for a value of the wrong type.
    pub fn refuse_type(&self, expected: &str) {
        let received = received(self.value);
        self.refuse(
            "invalid_type",
            format!("Invalid input: expected {expected}, received {received}"),
        );
    }

    /// A text that follows `rule`.
    #[must_use]
    pub fn text(&self, rule: Text) -> Option<String> {
        let Some(text) = self.value.and_then(Value::as_str) else {
            self.refuse_type("string");
            return None;
        };
        let mut valid = true;
        let mut refuse = |code, message: Cow<'static, str>| {
            valid = false;
            self.refuse(code, message);
        };
        match rule.format {
            Format::Any => {}
            Format::Email if is_email(text) => {}
            Format::Email => refuse("invalid_format", "Invalid email address".into()),
            Format::Pattern(_, matches) if matches(text) => {}
            Format::Pattern(pattern, _) => refuse(
                "invalid_format",
                format!("Invalid string: must match pattern {pattern}").into(),
            ),
            Format::Url if is_url(text) => {}
            Format::Url => refuse("invalid_format", "Invalid URL".into()),
            Format::Uuid if is_uuid(text) => {}
            Format::Uuid => refuse("invalid_format", "Invalid UUID".into()),
        }
        let chars = text.chars().count();
        if chars < rule.min {
            refuse(
                "too_small",
                too_small("string", rule.min, "characters").into(),
            );
        }
        if chars > rule.max {
            refuse("too_big", too_big("string", rule.max, "characters").into());
        }
        valid.then(|| text.to_owned())
    }

    /// A JSON boolean.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        let boolean = self.value.and_then(Value::as_bool);
        if boolean.is_none() {
            self.refuse_type("boolean");
        }
        boolean
    }

    /// A boolean in text, as query parameters spell it.
    #[must_use]
    pub fn flag(&self) -> Option<bool> {
        const TRUE: [&str; 6] = ["true", "1", "yes", "on", "y", "enabled"];
        const FALSE: [&str; 6] = ["false", "0", "no", "off", "n", "disabled"];
        let text = self
            .value
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase();
        if TRUE.contains(&text.as_str()) {
            return Some(true);
        }
        if FALSE.contains(&text.as_str()) {
            return Some(false);
        }
        let options: Vec<_> = TRUE
            .iter()
            .chain(&FALSE)
            .map(|word| format!("\"{word}\""))
            .collect();
        self.refuse(
            "invalid_value",
            format!("Invalid option: expected one of {}", options.join("|")),
        );
        None
    }

    /// A number or a text that is one, cut to an integer within `range`.
    #[must_use]
    pub fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let number = self.number()?;
        let integer = clamped(number);
        if number < float(*range.start()) {
            self.refuse(
                "too_small",
                format!("Too small: expected number to be >={}", range.start()),
            );
            return None;
        }
        if number > float(*range.end()) {
            self.refuse(
                "too_big",
                format!("Too big: expected number to be <={}", range.end()),
            );
            return None;
        }
        Some(integer)
    }

    /// Like [`Self::integer`], but a fraction is a mistake.
    #[must_use]
    pub fn whole_number(&self, range: RangeInclusive<i64>) -> Option<i64> {
        if self.number()?.fract() != 0.0 {
            self.refuse(
                "invalid_type",
                "Invalid input: expected int, received number",
            );
            return None;
        }
        self.integer(range)
    }

    fn number(&self) -> Option<f64> {
        let number = match self.value {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.refuse(
                "invalid_type",
                "Invalid input: expected number, received NaN",
            );
        }
        number
    }

    /// A date as ISO 8601 text, or a number: milliseconds since the epoch where that gives a year
    /// after 1971, else seconds.
    #[must_use]
    pub fn instant(&self) -> Option<Timestamp> {
        let instant = self.date();
        if instant.is_none() {
            self.refuse(
                "invalid_type",
                "Invalid input: expected date, received Date",
            );
        }
        instant
    }

    /// Like [`Self::instant`], but what is no date is no mistake.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        match self.value {
            Some(Value::Number(number)) => number.as_f64().map(Timestamp::from_epoch),
            Some(Value::String(text)) => Timestamp::parse(text),
            _ => None,
        }
    }

    /// One of `options`, by name.
    #[must_use]
    pub fn one_of<T: Copy>(&self, options: &[(T, &'static str)]) -> Option<T> {
        let text = self.value.and_then(Value::as_str);
        let found = options
            .iter()
            .find(|(_, name)| Some(*name) == text)
            .map(|(option, _)| *option);
        if found.is_none() {
            let names: Vec<_> = options
                .iter()
                .map(|(_, name)| format!("\"{name}\""))
                .collect();
            self.refuse(
                "invalid_value",
                format!("Invalid option: expected one of {}", names.join("|")),
            );
        }
        found
    }

    /// An object whose fields are read one by one.
    #[must_use]
    pub fn object(&self) -> Option<Fields<'a>> {
        let Some(map) = self.value.and_then(Value::as_object) else {
            self.refuse_type("object");
            return None;
        };
        Some(Fields::new(self.clone(), map))
    }

    /// An object with free keys, at most `max_keys` of them.
    #[must_use]
    pub fn record(&self, max_keys: usize) -> Option<&'a Map<String, Value>> {
        let Some(map) = self.value.and_then(Value::as_object) else {
            self.refuse_type("record");
            return None;
        };
        if map.len() > max_keys {
            self.refuse("too_big", too_big("record", max_keys, "keys"));
            return None;
        }
        Some(map)
    }

    /// The values of an object with free keys, each at its own place.
    #[must_use]
    pub fn entries(&self, max_keys: usize) -> Option<Vec<(&'a str, Self)>> {
        let map = self.record(max_keys)?;
        Some(
            map.iter()
                .map(|(key, value)| (key.as_str(), self.at(key, Some(value))))
                .collect(),
        )
    }

    /// The items of a list, each at its own place.
    #[must_use]
    pub fn items(&self, max_items: usize) -> Option<Vec<Self>> {
        let Some(items) = self.value.and_then(Value::as_array) else {
            self.refuse_type("array");
            return None;
        };
        if items.len() > max_items {
            self.refuse("too_big", too_big("array", max_items, "items"));
            return None;
        }
        let items = items.iter().enumerate();
        Some(
            items
                .map(|(at, item)| self.at(&at.to_string(), Some(item)))
                .collect(),
        )
    }

    /// `value` at a step from here.
    pub(super) fn at(&self, step: &str, value: Option<&'a Value>) -> Self {
        let mut path = self.path.clone();
        path.push(step.to_owned());
        Self {
            value,
            path,
            issues: self.issues,
        }
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "float to integer casts saturate, which is what clamping means"
)]
fn clamped(number: f64) -> i64 {
    number as i64
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a limit that is rounded up to a float is still far from any number in use"
)]
fn float(limit: i64) -> f64 {
    limit as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check<T>(value: &Value, parse: impl FnOnce(&Input<'_>) -> Option<T>, expected: &[&str]) {
        let issues = read(Some(value), parse).err().unwrap_or_default();
        let found: Vec<_> = issues
            .iter()
            .map(|issue| format!("{} {} {}", issue.path.join("."), issue.code, issue.message))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_mistake_is_found_in_the_order_of_the_fields_and_unknown_keys_last() {
        check(
            &json!({"extra": 1, "b": 5, "other": 2}),
            |input| {
                let object = input.object()?;
                let a = object.field("a").text(Text::of(1, 5));
                let b = object.field("b").text(Text::of(1, 5));
                object.finish();
                Some((a?, b?))
            },
            &[
                "a invalid_type Invalid input: expected string, received undefined",
                "b invalid_type Invalid input: expected string, received number",
                " unrecognized_keys Unrecognized keys: \"extra\", \"other\"",
            ],
        );
    }

    #[test]
    fn no_body_at_all_is_not_an_object() {
        let issues = read(None, |input| input.object().map(Fields::finish)).unwrap_err();
        assert_eq!(
            issues[0].message,
            "Invalid input: expected object, received undefined"
        );
        assert!(issues[0].path.is_empty());
    }

    #[test]
    fn numbers_outside_their_range_are_refused_and_fractions_cut() {
        let parse = |input: &Input<'_>| input.integer(1..=2000);
        assert_eq!(read(Some(&json!("1.9")), parse), Ok(1));
        for below in ["0", "0.9"] {
            let expected = " too_small Too small: expected number to be >=1";
            check(&json!(below), parse, &[expected]);
        }
        check(
            &json!("2000.1"),
            parse,
            &[" too_big Too big: expected number to be <=2000"],
        );
        check(
            &json!("1e300"),
            parse,
            &[" too_big Too big: expected number to be <=2000"],
        );
        check(
            &json!("ten"),
            parse,
            &[" invalid_type Invalid input: expected number, received NaN"],
        );
    }

    #[test]
    fn a_whole_number_has_no_fraction() {
        let parse = |input: &Input<'_>| input.whole_number(1..=2000);
        assert_eq!(read(Some(&json!("7.0")), parse), Ok(7));
        check(
            &json!(1.9),
            parse,
            &[" invalid_type Invalid input: expected int, received number"],
        );
        check(
            &json!(0),
            parse,
            &[" too_small Too small: expected number to be >=1"],
        );
    }

    #[test]
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the path is not general enough"
    )]
    fn flags_are_read_in_every_spelling_and_case() {
        for (text, expected) in [("TRUE", true), ("1", true), ("Off", false), ("n", false)] {
            assert_eq!(read(Some(&json!(text)), |input| input.flag()), Ok(expected));
        }
        assert_eq!(
            read(Some(&json!("")), |input| input.flag()).unwrap_err()[0].code,
            "invalid_value"
        );
    }

    #[test]
    fn a_small_number_is_a_date_in_seconds_and_a_large_one_in_milliseconds() {
        let parse = |input: &Input<'_>| input.instant().map(Timestamp::to_iso);
        let expected = Ok("2023-11-14T22:13:20.000Z".to_owned());
        assert_eq!(read(Some(&json!(1_700_000_000)), parse), expected);
        assert_eq!(read(Some(&json!(1_700_000_000_000_i64)), parse), expected);
    }
}
