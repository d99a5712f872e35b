//! Rules for texts.

use url::Url;
use uuid::{Uuid, fmt::Hyphenated};

/// What a text must look like. Lengths are in characters.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// The shortest allowed.
    pub min: usize,
    /// The longest allowed.
    pub max: usize,
    /// The characters or form allowed.
    pub format: Format,
}

/// The form of a text, beyond its length.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// Anything.
    Any,
    /// An email address.
    Email,
    /// What the function accepts, described by a regular expression for the error message.
    Pattern(&'static str, fn(&str) -> bool),
    /// An absolute URL.
    Url,
    /// A UUID with its hyphens (RFC 9562 §4), of any version and in any case.
    Uuid,
}

impl Text {
    /// Any text of `min` to `max` characters.
    #[must_use]
    pub const fn of(min: usize, max: usize) -> Self {
        Self {
            min,
            max,
            format: Format::Any,
        }
    }

    /// Text of at most `max` characters in the form of `pattern`, as `matches` tells.
    #[must_use]
    pub const fn pattern(pattern: &'static str, matches: fn(&str) -> bool, max: usize) -> Self {
        Self {
            min: 0,
            max,
            format: Format::Pattern(pattern, matches),
        }
    }
}

/// Whether `text` is a plausible email address: a local part of the usual characters without
/// leading, trailing or double dots, and a domain with at least one dot.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_is_valid = !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with(['.', '\''])
        && !local.contains("..")
        && local
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "_'+-.".contains(char));
    let Some((host, top_level)) = domain.rsplit_once('.') else {
        return false;
    };
    let host_is_valid = host.split('.').all(|label| {
        label.starts_with(|first: char| first.is_ascii_alphanumeric())
            && label
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || char == '-')
    });
    let top_level_is_valid =
        top_level.len() >= 2 && top_level.chars().all(|char| char.is_ascii_alphabetic());
    local_is_valid && host_is_valid && top_level_is_valid
}

/// Whether `text` is an absolute URL of any scheme; surrounding blanks are tolerated.
#[must_use]
pub fn is_url(text: &str) -> bool {
    Url::parse(text.trim()).is_ok()
}

/// Whether `text` is a UUID with its hyphens, in any case.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == Hyphenated::LENGTH && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_addresses_are_emails() {
        for text in [
            "a@b.co",
            "first.last+tag@sub.example.com",
            "o'neil@example.org",
        ] {
            assert!(is_email(text), "{text}");
        }
    }

    #[test]
    fn a_uuid_has_its_hyphens_and_may_be_in_any_case() {
        assert!(is_uuid("0dce7df3-13f5-4f9a-b6a3-2b1c5f8d9e01"));
        assert!(is_uuid("0DCE7DF3-13F5-4F9A-B6A3-2B1C5F8D9E01"));
        for text in [
            "",
            "0dce7df313f54f9ab6a32b1c5f8d9e01",
            "{0dce7df3-13f5-4f9a-b6a3-2b1c5f8d9e01}",
            "0dce7df3-13f5-4f9a-b6a3-2b1c5f8d9e0g",
            "0dce7df3-13f5-4f9a-b6a32-b1c5f8d9e01",
        ] {
            assert!(!is_uuid(text), "{text}");
        }
    }

    #[test]
    fn broken_addresses_are_no_emails() {
        for text in [
            "",
            "a",
            "a@b",
            "@b.co",
            "a..b@c.de",
            ".a@b.co",
            "a@b.c",
            "a b@c.de",
            "a@-b.co",
        ] {
            assert!(!is_email(text), "{text}");
        }
    }
}
