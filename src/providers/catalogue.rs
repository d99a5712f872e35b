//! The catalogue that is built in.
//!
//! Here: the table that the build makes of `providers/*.toml`, and looking things up in it. Not
//! here: custom providers, which are in storage and go before these.

/// The entry of the provider `name`, as JSON text.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    let at = ENTRIES.binary_search_by_key(&name, |(name, _)| name).ok()?;
    ENTRIES.get(at).map(|(_, entry)| *entry)
}

/// Every provider with its entry as JSON text, sorted by name.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ENTRIES.iter().copied()
}

static ENTRIES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn value(name: &str) -> Value {
        serde_json::from_str(find(name).unwrap()).unwrap()
    }

    #[test]
    fn names_are_sorted_and_unique() {
        let names: Vec<_> = all().map(|(name, _)| name).collect();
        assert!(names.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn every_provider_is_found_by_its_name_and_no_other_is() {
        for (name, entry) in all() {
            assert_eq!(find(name), Some(entry));
        }
        for name in ["", "git", "github-", "~"] {
            assert_eq!(find(name), None);
        }
    }

    #[test]
    fn an_alias_has_the_fields_of_its_original_under_its_own() {
        let [google, drive] = ["google", "google-drive"].map(value);
        assert_eq!(drive["token_url"], google["token_url"]);
        assert_ne!(drive["display_name"], google["display_name"]);
    }
}
