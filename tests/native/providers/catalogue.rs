//! Which providers the catalogue has, and what each entry must say.

use holdfast::providers::catalogue;
use serde_json::Value;
use url::Url;

use super::listed::all;

/// The providers that people who move here most likely have integrations of.
const WELL_KNOWN: &str = include_str!("well_known.txt");

const CHANGELOG: &str = include_str!("../../../CHANGELOG.md");

/// A consistent few, so that a list can be made of them.
const CATEGORIES: [&str; 25] = [
    "accounting",
    "ai",
    "analytics",
    "cms",
    "communication",
    "crm",
    "design",
    "dev-tools",
    "e-commerce",
    "erp",
    "fitness",
    "forms",
    "generic",
    "hr",
    "identity",
    "marketing",
    "media",
    "payments",
    "productivity",
    "recruiting",
    "search",
    "social",
    "storage",
    "support",
    "ticketing",
];

#[test]
fn every_well_known_provider_is_there() {
    assert_eq!(WELL_KNOWN.lines().count(), 189);
    for name in WELL_KNOWN.lines() {
        assert!(catalogue::find(name).is_some(), "{name}");
    }
}

#[test]
fn every_entry_can_be_read_and_the_changelog_says_how_many_there_are() {
    let count = all().len();
    let words = format!("A catalogue of {count} providers");
    assert!(CHANGELOG.contains(&words), "{words}");
}

#[test]
fn an_alias_has_every_field_of_its_original() {
    let mut count = 0;
    for listed in all() {
        let Some(original) = listed.json["alias"].as_str() else {
            continue;
        };
        count += 1;
        let original: Value = serde_json::from_str(catalogue::find(original).unwrap()).unwrap();
        for field in original.as_object().unwrap().keys() {
            assert!(listed.json.get(field).is_some(), "{}: {field}", listed.name);
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn display_names_are_unique() {
    let mut names: Vec<_> = all().into_iter().map(|it| it.entry.display_name).collect();
    names.sort();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn categories_are_of_the_list() {
    for listed in all() {
        let categories = listed.json["categories"].as_array().unwrap();
        assert!(!categories.is_empty(), "{}", listed.name);
        for category in categories {
            let category = category.as_str().unwrap();
            assert!(
                CATEGORIES.contains(&category),
                "{}: {category}",
                listed.name
            );
        }
    }
}

#[test]
fn documentation_is_a_page_at_https() {
    for listed in all() {
        let docs = Url::parse(listed.json["docs"].as_str().unwrap()).unwrap();
        assert_eq!(docs.scheme(), "https", "{}", listed.name);
        let has_domain = docs.domain().is_some_and(|domain| domain.contains('.'));
        assert!(has_domain && docs.query().is_none(), "{}", listed.name);
    }
}

#[test]
fn no_entry_leads_to_the_product_that_the_api_is_compatible_with() {
    for listed in all() {
        let json = listed.json.to_string().to_lowercase();
        assert!(!json.contains("nango"), "{}", listed.name);
    }
}

#[test]
fn every_input_says_what_to_give() {
    for listed in all() {
        for kind in [
            "credentials",
            "assertion_option",
            "connection_config",
            "integration_config",
        ] {
            for (name, input) in listed.inputs(kind) {
                let at = format!("{}: {kind}.{name}", listed.name);
                assert_eq!(input["type"], "string", "{at}");
                for field in ["title", "description"] {
                    let text = input[field].as_str().unwrap_or_default();
                    assert!(!text.is_empty() && !text.ends_with('.'), "{at}: {field}");
                }
            }
        }
    }
}

#[test]
fn a_person_gives_the_credentials_of_the_kind() {
    for listed in all() {
        let expected: &[&str] = match listed.json["auth_mode"].as_str() {
            Some("API_KEY") => &["apiKey"],
            Some("BASIC") => &["username", "password"],
            _ => continue,
        };
        let names: Vec<_> = listed.inputs("credentials");
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{}", listed.name);
    }
}

#[test]
fn inputs_whose_names_tell_of_secrets_are_concealed() {
    let mut count = 0;
    for listed in all() {
        for kind in ["credentials", "integration_config", "assertion_option"] {
            for (name, input) in listed.inputs(kind) {
                let lower = name.to_lowercase();
                let tells = ["password", "secret", "token", "key", "assertion"];
                // The identifier of a key is none.
                if name.ends_with("Id") || !tells.iter().any(|it| lower.contains(it)) {
                    continue;
                }
                let is_none = name == "password" && NO_PASSWORDS.contains(&listed.name);
                let is_concealed = input["secret"] == true;
                assert_eq!(is_concealed, !is_none, "{}: {kind}.{name}", listed.name);
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn where_a_password_is_none_the_name_is_the_secret() {
    for name in NO_PASSWORDS {
        let entry: Value = serde_json::from_str(catalogue::find(name).unwrap()).unwrap();
        assert_eq!(entry["credentials"]["username"]["secret"], true, "{name}");
        let default = &entry["credentials"]["password"]["default_value"];
        assert!(default.is_string(), "{name}");
    }
}

/// Providers that take a key for the user's name, and anything or nothing for the password.
const NO_PASSWORDS: [&str; 9] = [
    "ashby",
    "bamboohr-basic",
    "customer-io",
    "freshdesk",
    "greenhouse-basic",
    "greenhouse-harvest",
    "lever-basic",
    "stripe-api-key",
    "toggl",
];
