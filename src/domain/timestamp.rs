//! Instants, as integer milliseconds since the Unix epoch.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// An instant in UTC with millisecond precision, between the years 0000 and 9999.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999Z, the last instant that ISO 8601 writes with four year digits.
    pub const MAX: Self = Self(253_402_300_799_999);
    /// 0000-01-01T00:00:00.000Z.
    pub const MIN: Self = Self(-62_167_219_200_000);

    /// The instant `millis` milliseconds after the epoch, clamped to the representable years.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis).clamp(Self::MIN, Self::MAX)
    }

    /// The instant that a bare number stands for: milliseconds since the epoch where that gives a
    /// year after 1971, else seconds. Providers and importers use both.
    #[must_use]
    pub fn from_epoch(number: f64) -> Self {
        const START_OF_1972_MILLIS: f64 = 63_072_000_000.0;
        let millis = if number >= START_OF_1972_MILLIS {
            number
        } else {
            number * 1000.0
        };
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "float to integer casts saturate, and the result is clamped"
        )]
        Self::from_millis(millis as i64)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// The instant `millis` milliseconds later (earlier when negative), clamped.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The instant `seconds` seconds later (earlier when negative), clamped.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The UTC calendar day, counted from the epoch.
    #[must_use]
    pub fn utc_day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }

    /// ISO 8601 in UTC with milliseconds and `Z`, the form of every timestamp on the wire.
    #[must_use]
    pub fn to_iso(self) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0)
            .unwrap_or_default()
            .to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Reads an ISO 8601 date or date-time, or an RFC 2822 date. Without an offset it is UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let instant = DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
            .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
            .or_else(|_| DateTime::parse_from_rfc2822(text))
            .map(|instant| instant.timestamp_millis());
        let naive = || {
            [
                "%Y-%m-%dT%H:%M:%S%.f",
                "%Y-%m-%d %H:%M:%S%.f",
                "%Y-%m-%dT%H:%M",
            ]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .or_else(|| {
                NaiveDate::parse_from_str(text, "%Y-%m-%d")
                    .ok()?
                    .and_hms_opt(0, 0, 0)
            })
            .map(|instant| instant.and_utc().timestamp_millis())
        };
        let millis = instant.ok().or_else(naive)?;
        (Self::MIN.0..=Self::MAX.0)
            .contains(&millis)
            .then_some(Self(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(
            Timestamp::parse(text).map(Timestamp::to_iso).as_deref(),
            Some(expected)
        );
    }

    #[test]
    fn iso_dates_in_the_usual_forms_are_read() {
        check("2024-12-31T23:59:59.000Z", "2024-12-31T23:59:59.000Z");
        check("2024-12-31T23:59:59Z", "2024-12-31T23:59:59.000Z");
        check(
            "2024-12-31T23:59:59.123456+02:00",
            "2024-12-31T21:59:59.123Z",
        );
        check("2024-12-31T23:59:59+0200", "2024-12-31T21:59:59.000Z");
        check("2024-12-31 23:59:59.5+00", "2024-12-31T23:59:59.500Z");
        check("2024-12-31T23:59:59", "2024-12-31T23:59:59.000Z");
        check("2024-12-31T23:59", "2024-12-31T23:59:00.000Z");
        check("2024-12-31", "2024-12-31T00:00:00.000Z");
        check("Tue, 31 Dec 2024 23:59:59 GMT", "2024-12-31T23:59:59.000Z");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2024-13-01",
            "99999-01-01T00:00:00Z",
            "1700000000",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn arithmetic_at_the_edges_is_clamped() {
        assert_eq!(Timestamp::MAX.plus_seconds(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.plus_millis(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.to_iso(), "9999-12-31T23:59:59.999Z");
    }
}
