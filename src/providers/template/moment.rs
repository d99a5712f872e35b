//! `${now}`: the time of the request, moved and written as a provider wants it.

use chrono::{DateTime, Utc};

use super::TemplateError;
use crate::domain::timestamp::Timestamp;

/// `now`, `now:FORMAT`, `now+7:days` or `now+7:days:FORMAT`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'t> {
    offset_millis: i64,
    format: Option<&'t str>,
}

impl<'t> Moment<'t> {
    /// Reads the inside of a placeholder; none if it is none of these.
    pub(super) fn parse(text: &'t str) -> Option<Result<Self, TemplateError>> {
        let rest = text.strip_prefix("now")?;
        if let Some(format) = rest.strip_prefix(':') {
            return Some(Self::new(0, Some(format)));
        }
        if rest.is_empty() {
            return Some(Self::new(0, None));
        }
        let (amount, rest) = rest.split_once(':')?;
        let (unit, format) = match rest.split_once(':') {
            Some((unit, format)) => (unit, Some(format)),
            None => (rest, None),
        };
        let moment = offset_millis(amount, unit)
            .ok_or(TemplateError::Malformed)
            .and_then(|offset| Self::new(offset, format));
        Some(moment)
    }

    fn new(offset_millis: i64, format: Option<&'t str>) -> Result<Self, TemplateError> {
        let moment = Self {
            offset_millis,
            format,
        };
        moment.at(Timestamp::EPOCH).map(|_| moment)
    }

    /// The moment as text, when it is `now`.
    pub(super) fn at(&self, now: Timestamp) -> Result<String, TemplateError> {
        let instant = now.plus_millis(self.offset_millis);
        match self.format {
            None => Ok(instant.to_iso()),
            Some(format) => formatted(instant, format).ok_or(TemplateError::Malformed),
        }
    }
}

fn offset_millis(amount: &str, unit: &str) -> Option<i64> {
    const MAX_DIGITS: usize = 9;
    let digits = amount.strip_prefix(['+', '-'])?;
    let is_number = digits.len() <= MAX_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    let amount: i64 = is_number.then(|| amount.parse().ok())??;
    let unit_millis: i64 = match unit {
        "second" | "seconds" => 1000,
        "minute" | "minutes" => 60_000,
        "hour" | "hours" => 3_600_000,
        "day" | "days" => 86_400_000,
        "week" | "weeks" => 604_800_000,
        _ => return None,
    };
    amount.checked_mul(unit_millis)
}

/// `instant` in UTC by a format of Day.js. Text in brackets stands for itself, as do characters
/// that are no letters; a letter that is no token is a mistake.
fn formatted(instant: Timestamp, format: &str) -> Option<String> {
    let utc = DateTime::<Utc>::from_timestamp_millis(instant.millis())?;
    let mut text = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let token = TOKENS
            .iter()
            .find_map(|(token, specifier)| Some((rest.strip_prefix(token)?, specifier)));
        rest = if let Some((after, specifier)) = token {
            match *specifier {
                MILLIS => text.push_str(&instant.millis().to_string()),
                specifier => text.push_str(&utc.format(specifier).to_string()),
            }
            after
        } else if let Some(after) = rest.strip_prefix('[') {
            let (literal, after) = after.split_once(']')?;
            text.push_str(literal);
            after
        } else if first.is_ascii_alphabetic() {
            return None;
        } else {
            text.push(first);
            rest.strip_prefix(first)?
        };
    }
    Some(text).filter(|text| !text.is_empty())
}

/// Tokens of Day.js with what chrono calls them, the longer ones first.
const TOKENS: [(&str, &str); 14] = [
    ("YYYY", "%Y"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("ddd", "%a"),
    ("HH", "%H"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("SSS", "%3f"),
    ("ZZ", "%z"),
    ("Z", "%:z"),
    ("T", "T"),
    ("X", "%s"),
    ("x", MILLIS),
];

/// Milliseconds since the epoch, which chrono has no word for.
const MILLIS: &str = "";

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-02-03T04:05:06.007Z, a Saturday.
    fn now() -> Timestamp {
        Timestamp::from_millis(1_706_933_106_007)
    }

    #[track_caller]
    fn gives(placeholder: &str, expected: &str) {
        let moment = Moment::parse(placeholder).unwrap().unwrap();
        assert_eq!(moment.at(now()).as_deref(), Ok(expected));
    }

    #[test]
    fn without_a_format_it_is_iso_8601_with_milliseconds() {
        gives("now", "2024-02-03T04:05:06.007Z");
    }

    /// The expected texts were made by Day.js in UTC.
    #[test]
    fn tokens_of_day_js_stand_for_parts_of_the_time() {
        gives("now:YYYY-MM-DD", "2024-02-03");
        gives("now:YYYY-MM-DDTHH:mm:ss.SSS[Z]", "2024-02-03T04:05:06.007Z");
        gives("now:YYYYMMDDTHHmmss[Z]", "20240203T040506Z");
        gives("now:X", "1706933106");
        gives("now:x", "1706933106007");
        gives(
            "now:ddd, DD MMM YYYY HH:mm:ss ZZ",
            "Sat, 03 Feb 2024 04:05:06 +0000",
        );
        gives("now:HH:mmZ", "04:05+00:00");
        gives("now:[at] HH_ü", "at 04_ü");
    }

    #[test]
    fn it_can_be_earlier_or_later() {
        gives("now+7:days:YYYY-MM-DD", "2024-02-10");
        gives("now-1:hour:HH:mm", "03:05");
        gives("now+90:seconds", "2024-02-03T04:06:36.007Z");
        gives("now-3:days:YYYY-MM-DD", "2024-01-31");
        gives("now+999999999:weeks:YYYY", "9999");
    }

    #[test]
    fn what_is_no_format_and_no_offset_is_refused() {
        for placeholder in [
            "now:",
            "now:YYYYY",
            "now:hh",
            "now:on YYYY",
            "now:[YYYY",
            "now+7:moons:X",
            "now+:days:X",
            "now+9999999999:days",
            "now+7:days:",
            "now7:days",
        ] {
            let moment = Moment::parse(placeholder).unwrap();
            assert_eq!(
                moment.err(),
                Some(TemplateError::Malformed),
                "{placeholder}"
            );
        }
        for name in ["nowhere", "now.x", "tomorrow", "now+7"] {
            assert!(Moment::parse(name).is_none(), "{name}");
        }
    }
}
