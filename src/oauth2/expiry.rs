//! When a token ends, in all the ways that servers say it. Not here: when to refresh it.

use serde_json::{Map, Value};

use super::token_response::ExpiresInUnit;
use crate::domain::timestamp::Timestamp;

/// The end of the token in `fields`: `expires_at` where it is there and understood, else
/// `expires_in` (RFC 6749 §5.1). An end that is over by our clock says less than a lifetime.
pub(super) fn expires_at(
    fields: &Map<String, Value>,
    unit: ExpiresInUnit,
    now: Timestamp,
) -> Option<Timestamp> {
    let end = fields
        .get("expires_at")
        .and_then(|value| expires_on(value, now));
    let lifetime = || number(fields.get("expires_in")?);
    end.filter(|end| *end > now)
        .or_else(|| Some(after(now, lifetime()?, unit)))
        .or(end)
}

/// The end of a token whose answer has this for its lifetime: a number, or a text with a unit.
pub(super) fn expires_after(
    value: &Value,
    unit: ExpiresInUnit,
    now: Timestamp,
) -> Option<Timestamp> {
    if let Some(lifetime) = number(value) {
        return Some(after(now, lifetime, unit));
    }
    let text = value.as_str()?.trim();
    let millis = || {
        let at = text.find(|char: char| char.is_alphabetic() || char.is_whitespace())?;
        let (count, name) = text.split_at_checked(at)?;
        let count: f64 = count.parse().ok()?;
        Some(count * unit_millis(name.trim())?)
    };
    let of_unit = millis().map(|millis| after(now, millis, ExpiresInUnit::Milliseconds));
    of_unit.or_else(|| Some(now.plus_seconds(duration_seconds(text)?)))
}

fn unit_millis(name: &str) -> Option<f64> {
    const SECOND: f64 = 1000.0;
    Some(match name.to_ascii_lowercase().as_str() {
        "ms" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0 * SECOND,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0 * SECOND,
        "d" | "day" | "days" => 86_400.0 * SECOND,
        "w" | "week" | "weeks" => 604_800.0 * SECOND,
        _ => return None,
    })
}

/// The end of a token whose answer has this for a date.
#[must_use]
pub fn expires_on(value: &Value, now: Timestamp) -> Option<Timestamp> {
    number(value).map(Timestamp::from_epoch).or_else(|| {
        let text = value.as_str()?;
        Timestamp::parse(text).or_else(|| Some(now.plus_seconds(duration_seconds(text)?)))
    })
}

/// A finite number, or the text of one.
fn number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|number| number.is_finite())
}

/// A time from now as `D:HH:MM`.
fn duration_seconds(text: &str) -> Option<i64> {
    let mut parts = text
        .split(':')
        .map(|part| part.parse::<u32>().map(i64::from));
    let days = parts.next()?.ok()?;
    let hours = parts.next()?.ok()?;
    let minutes = parts.next()?.ok()?;
    parts
        .next()
        .is_none()
        .then_some(days * 86_400 + hours * 3_600 + minutes * 60)
}

/// A lifetime that is over when it begins, zero or negative, ends now.
fn after(now: Timestamp, lifetime: f64, unit: ExpiresInUnit) -> Timestamp {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "the fraction is meant to go, and float to integer casts saturate"
    )]
    let lifetime = lifetime.max(0.0) as i64;
    match unit {
        ExpiresInUnit::Milliseconds => now.plus_millis(lifetime),
        ExpiresInUnit::Seconds => now.plus_seconds(lifetime),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2024-06-01T12:00:00.000Z";

    fn end(fields: &Value, unit: ExpiresInUnit) -> Option<String> {
        let now = Timestamp::parse(NOW).unwrap();
        expires_at(fields.as_object().unwrap(), unit, now).map(Timestamp::to_iso)
    }

    #[track_caller]
    fn ends(fields: &Value, expected: &str) {
        let end = end(fields, ExpiresInUnit::Seconds);
        assert_eq!(end.as_deref(), Some(expected), "{fields}");
    }

    #[track_caller]
    fn has_no_end(fields: &Value) {
        assert_eq!(end(fields, ExpiresInUnit::Seconds), None, "{fields}");
    }

    #[test]
    fn an_end_that_is_over_says_less_than_a_lifetime() {
        let seconds = ExpiresInUnit::Seconds;
        let over = json!({"expires_at": "2024-06-01T11:59:00Z", "expires_in": 600});
        let expected = Some("2024-06-01T12:10:00.000Z".to_owned());
        assert_eq!(end(&over, seconds), expected);
        let alone = json!({"expires_at": "2024-06-01T11:59:00Z"});
        assert_eq!(
            end(&alone, seconds),
            Some("2024-06-01T11:59:00.000Z".to_owned())
        );
    }

    #[test]
    fn a_lifetime_counts_from_now() {
        ends(&json!({"expires_in": 3600}), "2024-06-01T13:00:00.000Z");
        ends(&json!({"expires_in": "3600"}), "2024-06-01T13:00:00.000Z");
        ends(&json!({"expires_in": 3600.9}), "2024-06-01T13:00:00.000Z");
        ends(
            &json!({"expires_in": " 3600.9 "}),
            "2024-06-01T13:00:00.000Z",
        );
    }

    #[test]
    fn a_lifetime_in_milliseconds_counts_in_them() {
        let end = end(&json!({"expires_in": 1500}), ExpiresInUnit::Milliseconds);
        assert_eq!(end.as_deref(), Some("2024-06-01T12:00:01.500Z"));
    }

    #[test]
    fn a_lifetime_of_nothing_or_less_ends_now() {
        for lifetime in [
            json!(0),
            json!(-1),
            json!("-3600"),
            json!(-1e300),
            json!(i64::MIN),
        ] {
            ends(&json!({"expires_in": lifetime}), NOW);
        }
    }

    #[test]
    fn a_huge_lifetime_is_clamped() {
        for lifetime in [
            json!(1e300),
            json!(u64::MAX),
            json!("1e300"),
            json!("9".repeat(40)),
        ] {
            ends(&json!({"expires_in": lifetime}), "9999-12-31T23:59:59.999Z");
            ends(&json!({"expires_at": lifetime}), "9999-12-31T23:59:59.999Z");
        }
    }

    #[test]
    fn an_instant_is_read_in_seconds_or_milliseconds() {
        let expected = "2023-11-14T22:13:20.000Z";
        for instant in [
            json!(1_700_000_000),
            json!(1_700_000_000_000_u64),
            json!("1700000000"),
            json!("1700000000000"),
        ] {
            ends(&json!({"expires_at": instant}), expected);
        }
    }

    #[test]
    fn an_instant_is_read_from_an_iso_date() {
        let instant = json!({"expires_at": "2024-12-31T23:59:59+01:00"});
        ends(&instant, "2024-12-31T22:59:59.000Z");
    }

    #[test]
    fn an_instant_is_read_from_days_hours_and_minutes() {
        ends(
            &json!({"expires_at": "0:01:30"}),
            "2024-06-01T13:30:00.000Z",
        );
        ends(
            &json!({"expires_at": "177:05:38"}),
            "2024-11-25T17:38:00.000Z",
        );
        let longest = json!({"expires_at": "4294967295:00:00"});
        ends(&longest, "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn an_instant_goes_before_a_lifetime() {
        let both = json!({"expires_at": 1_717_246_800, "expires_in": 60});
        ends(&both, "2024-06-01T13:00:00.000Z");
    }

    #[test]
    fn an_instant_that_is_not_understood_leaves_the_lifetime() {
        for instant in [
            json!(null),
            json!("later"),
            json!(""),
            json!([1]),
            json!("1:2"),
        ] {
            let both = json!({"expires_at": instant, "expires_in": 60});
            ends(&both, "2024-06-01T12:01:00.000Z");
        }
    }

    #[test]
    fn what_is_no_number_is_no_lifetime() {
        has_no_end(&json!({}));
        for lifetime in [
            json!(null),
            json!(""),
            json!("NaN"),
            json!("inf"),
            json!(true),
            json!({}),
        ] {
            has_no_end(&json!({"expires_in": lifetime}));
        }
    }
}
