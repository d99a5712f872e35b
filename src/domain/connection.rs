//! Connections: one set of a user's credentials at one integration.

/// The caller's name for a connection, unique within its integration. 1 to 255 characters of a
/// limited set, so that it fits into a path.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// The pattern of an identifier, as error messages spell it.
    pub const PATTERN: &'static str = r#"/^[a-zA-Z0-9,.;:=+~[\]|@${}"'\\/_ -]+$/"#;
    /// The longest identifier, in characters.
    pub const MAX_CHARS: usize = 255;

    /// Takes `text` if it is a valid identifier.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() <= Self::MAX_CHARS && Self::matches(text);
        valid.then(|| Self(text.to_owned()))
    }

    /// Whether `text` has the form of [`Self::PATTERN`].
    #[must_use]
    pub fn matches(text: &str) -> bool {
        let special = r#",.;:=+~[]|@${}"'\/_ -"#;
        let allowed = |char: char| char.is_ascii_alphanumeric() || special.contains(char);
        // URLs drop the steps `.` and `..` of a path, however they are encoded.
        !text.is_empty() && text != "." && text != ".." && text.chars().all(allowed)
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_the_allowed_characters_are_taken() {
        for id in ["user-123", "a/b c", r#"[x]|@${}"'\"#, &"a".repeat(255)] {
            assert!(ConnectionId::parse(id).is_some(), "{id}");
        }
    }

    #[test]
    fn empty_overlong_and_foreign_characters_are_refused() {
        for id in [
            "",
            ".",
            "..",
            "ü",
            "a\0",
            "a?b",
            "a#b",
            "a%b",
            "a\n",
            &"a".repeat(256),
        ] {
            assert!(ConnectionId::parse(id).is_none(), "{id}");
        }
    }
}
