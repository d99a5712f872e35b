//! The catalogue that is built in.
//!
//! Here: the table that the build makes of `providers/*.toml`, and looking things up in it. Not
//! here: custom providers, which are in storage and go before these.

use super::filter::ProviderFilter;

struct CatalogueEntry {
    name: &'static str,
    display_name: &'static str,
    auth_mode: &'static str,
    categories: &'static [&'static str],
    json: &'static str,
}

/// The entry of the provider `name`, as JSON text.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    entry(name).map(|entry| entry.json)
}

/// The name to show of the provider `name`.
#[must_use]
pub fn display_name(name: &str) -> Option<&'static str> {
    entry(name).map(|entry| entry.display_name)
}

fn entry(name: &str) -> Option<&'static CatalogueEntry> {
    let at = ENTRIES
        .binary_search_by_key(&name, |entry| entry.name)
        .ok()?;
    ENTRIES.get(at)
}

/// Every provider with its entry as JSON text, sorted by name.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ENTRIES.iter().map(|entry| (entry.name, entry.json))
}

/// The names of the providers that `filter` admits, sorted.
pub fn names(filter: &ProviderFilter) -> impl Iterator<Item = &'static str> {
    let is_admitted = |entry: &&CatalogueEntry| {
        let (name, display_name) = (entry.name, entry.display_name);
        filter.admits(name, display_name, entry.auth_mode, entry.categories)
    };
    ENTRIES.iter().filter(is_admitted).map(|entry| entry.name)
}

static ENTRIES: &[CatalogueEntry] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

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
