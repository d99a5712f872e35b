//! Which providers a list is about. Not here: the same of custom providers, which their storage
//! says in SQL.

use crate::domain::auth_mode::AuthMode;

/// What to list. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct ProviderFilter {
    /// Only providers whose name or display name contains this, in upper or lower case. A dot
    /// stands for any character, as it does in a regular expression, which the observed service
    /// makes of the search; in one of more than [`MAX_PATTERN_BYTES`] it stands for itself.
    pub search: Option<String>,
    /// Only providers of this kind of credentials.
    pub auth_mode: Option<AuthMode>,
    /// Only providers of this category.
    pub category: Option<String>,
}

/// D1 takes patterns of 50 bytes, and the two at the ends stand for whatever is around.
pub const MAX_PATTERN_BYTES: usize = 48;

impl ProviderFilter {
    /// Whether a provider with these properties is to be listed.
    #[must_use]
    pub fn admits(
        &self,
        name: &str,
        display_name: &str,
        auth_mode: &str,
        categories: &[&str],
    ) -> bool {
        let is_found = |search: &String| contains(name, search) || contains(display_name, search);
        let is_listed = |category: &String| categories.contains(&category.as_str());
        self.search.as_ref().is_none_or(is_found)
            && self.auth_mode.is_none_or(|mode| mode.as_str() == auth_mode)
            && self.category.as_ref().is_none_or(is_listed)
    }
}

fn contains(text: &str, search: &str) -> bool {
    let has_wildcards = search.len() <= MAX_PATTERN_BYTES;
    let is_match = |(char, wanted): (&char, &char)| {
        (has_wildcards && *wanted == '.') || char.eq_ignore_ascii_case(wanted)
    };
    let text: Vec<_> = text.chars().collect();
    let search: Vec<_> = search.chars().collect();
    search.is_empty()
        || text
            .windows(search.len())
            .any(|window| window.iter().zip(&search).all(is_match))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(search: &str, expected: bool) {
        let filter = ProviderFilter {
            search: Some(search.to_owned()),
            ..ProviderFilter::default()
        };
        let found = filter.admits("google-drive", "Google Drive Ü", "OAUTH2", &["storage"]);
        assert_eq!(found, expected, "{search}");
    }

    #[test]
    fn a_search_finds_parts_of_both_names_in_any_case_with_dots_for_any_character() {
        for search in [
            "",
            "e-drive",
            "e DRIVE",
            "GOOGLE",
            "google.drive",
            "drive .",
        ] {
            finds(search, true);
        }
        for search in ["...............", "google_drive", "drives", "driveGoogle"] {
            finds(search, false);
        }
    }

    #[test]
    fn a_dot_in_a_long_search_stands_for_itself() {
        let name = "a".repeat(50);
        let finds = |search: String| {
            let filter = ProviderFilter {
                search: Some(search),
                ..ProviderFilter::default()
            };
            filter.admits(&name, "", "NONE", &[])
        };
        assert!(finds(format!("{}.", "a".repeat(47))));
        assert!(!finds(format!("{}.", "a".repeat(48))));
        assert!(finds("a".repeat(49)));
    }
}
