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
    use serde_json::{Map, Value};

    use super::*;
    use crate::{
        domain::{auth_mode::AuthMode, secret::SecretMap},
        providers::{
            entry::Entry, field_schema::FieldSchema, refresh_rule::TokenRequestRules,
            revocation_rule::revocation_url, template,
        },
        validation::input::read,
    };

    fn value(name: &str) -> Value {
        serde_json::from_str(find(name).unwrap()).unwrap()
    }

    fn entry(name: &str) -> Entry {
        read(Some(&value(name)), Entry::parse).unwrap_or_else(|issues| panic!("{name}: {issues:?}"))
    }

    #[test]
    fn every_entry_is_valid() {
        assert!(all().count() > 30);
        for (name, _) in all() {
            entry(name);
        }
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

    #[test]
    fn docs_are_at_the_provider() {
        for (name, _) in all() {
            let docs = value(name)["docs"].as_str().unwrap().to_owned();
            assert!(docs.starts_with("https://"), "{name}");
            assert!(!docs.contains("nango"), "{name}");
        }
    }

    #[test]
    fn every_token_request_can_be_made_with_the_inputs_that_are_declared() {
        for (name, _) in all() {
            let entry = entry(name);
            let config = samples(&entry.connection_config);
            let rules = match entry.auth_mode {
                AuthMode::OAuth2 => TokenRequestRules::for_refresh(&entry, &config),
                AuthMode::OAuth2ClientCredentials => {
                    TokenRequestRules::for_client_credentials(&entry, &config)
                }
                _ => continue,
            };
            let rules = rules.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(rules.url.scheme(), "https", "{name}");
            let revocation = revocation_url(&entry, &config);
            assert!(revocation.is_ok(), "{name}: {revocation:?}");
        }
    }

    #[test]
    fn every_placeholder_for_the_connection_is_a_declared_input() {
        for (name, json) in all() {
            let declared = entry(name).connection_config;
            for placeholder in template::placeholders(json) {
                if let Some(input) = placeholder.strip_prefix("connectionConfig.") {
                    let is_declared = declared.iter().any(|field| field.name == input);
                    assert!(is_declared, "{name}: {input}");
                }
            }
        }
    }

    fn samples(fields: &[FieldSchema]) -> SecretMap {
        let samples = fields.iter().filter(|field| !field.is_optional);
        let samples: Map<_, _> = samples
            .map(|field| {
                let sample = match field.format.as_deref() {
                    Some("uri") => "https://a.example",
                    Some("hostname") => "a.example",
                    _ => "sample",
                };
                (field.name.clone(), sample.into())
            })
            .collect();
        SecretMap::new(samples)
    }
}
