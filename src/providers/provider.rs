//! A provider: a name with its entry.
//!
//! Here: providers of the catalogue and custom ones, and how they are shown. Not here: where custom
//! providers are stored.

use std::borrow::Cow;

use serde_json::Value;
use thiserror::Error;

use super::{catalogue, entry::Entry};
use crate::validation::input::read;

/// A provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The name that integrations refer to.
    pub name: String,
    /// What this program acts on.
    pub entry: Entry,
    /// The whole entry, a JSON object.
    pub json: Cow<'static, str>,
}

/// A stored entry that is none, or is one no more.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the stored provider entry is not valid")]
pub struct InvalidEntry;

impl Provider {
    /// The provider `name` of the catalogue.
    #[must_use]
    pub fn from_catalogue(name: &str) -> Option<Self> {
        // Every entry of the catalogue is valid, which a test holds.
        let json = catalogue::find(name)?;
        Self::new(name, &parsed(json).ok()?, json.into()).ok()
    }

    /// The custom provider `name` with its stored entry, which goes before one of the catalogue
    /// but takes over [`TAKEN_OVER`].
    pub fn from_stored(name: &str, json: String) -> Result<Self, InvalidEntry> {
        let mut value = parsed(&json)?;
        let of_catalogue = catalogue::find(name).map(parsed).transpose()?;
        if let (Value::Object(own), Some(Value::Object(ours))) = (&mut value, of_catalogue) {
            for (field, setting) in ours {
                if TAKEN_OVER.contains(&field.as_str()) {
                    own.entry(field).or_insert(setting);
                }
            }
        }
        Self::new(name, &value, json.into())
    }

    fn new(name: &str, value: &Value, json: Cow<'static, str>) -> Result<Self, InvalidEntry> {
        Ok(Self {
            name: name.to_owned(),
            entry: read(Some(value), Entry::parse).map_err(|_| InvalidEntry)?,
            json,
        })
    }
}

fn parsed(json: &str) -> Result<Value, InvalidEntry> {
    serde_json::from_str(json).map_err(|_| InvalidEntry)
}

/// Where secrets may go and what a refresh risks: whoever writes an entry from elsewhere does not
/// know these fields, and does not mean to do without them.
const TAKEN_OVER: [&str; 3] = ["revocation_url", "rotation", "token_domains"];

/// The entry as clients see it: its fields, `name` and `logo_url`. `entry_json` is an object and
/// is not parsed; `base_url` is where this program is reached, without a trailing slash.
#[must_use]
pub fn public_json(name: &str, entry_json: &str, base_url: &str) -> String {
    let logo_url = Value::from(logo_url(name, base_url));
    let own = format!(r#"{{"name":{},"logo_url":{logo_url}"#, Value::from(name));
    let fields = entry_json.trim().strip_prefix('{').unwrap_or("}").trim();
    let separator = if fields == "}" { "" } else { "," };
    format!("{own}{separator}{fields}")
}

/// Where the logo of the provider `name` is served.
#[must_use]
pub fn logo_url(name: &str, base_url: &str) -> String {
    format!("{base_url}/images/template-logos/{name}.svg")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::refresh::Rotation;

    #[test]
    fn a_provider_of_the_catalogue_has_its_entry() {
        let github = Provider::from_catalogue("github").unwrap();
        assert_eq!(github.entry.display_name, "GitHub");
        assert!(Provider::from_catalogue("git").is_none());
    }

    #[test]
    fn a_stored_entry_that_is_not_valid_is_an_error() {
        for json in ["", "null", "{}", r#"{"display_name":"E","unknown":1}"#] {
            let outcome = Provider::from_stored("e", json.to_owned());
            assert_eq!(outcome.unwrap_err(), InvalidEntry, "{json}");
        }
    }

    #[test]
    fn an_entry_from_elsewhere_keeps_what_guards_secrets_unless_it_says_otherwise() {
        let entry = |own: Value| {
            let mut entry = json!({
                "display_name": "Salesforce", "docs": "https://docs.example",
                "auth_mode": "OAUTH2", "token_url": "https://login.salesforce.com/token",
            });
            entry
                .as_object_mut()
                .unwrap()
                .extend(own.as_object().unwrap().clone());
            Provider::from_stored("salesforce", entry.to_string())
                .unwrap()
                .entry
        };
        let ours = Provider::from_catalogue("salesforce").unwrap().entry;
        assert!(!ours.token_domains.is_empty());
        let silent = entry(json!({}));
        assert_eq!(silent.token_domains, ours.token_domains);
        assert_eq!(silent.revocation_url, ours.revocation_url);
        assert_ne!(ours.rotation, Rotation::default());
        assert_eq!(silent.rotation, ours.rotation);
        let free = entry(json!({"token_domains": []}));
        assert_eq!(free.token_domains, Vec::<String>::new());
    }

    #[test]
    fn clients_see_the_whole_entry_with_name_and_logo() {
        let shown = public_json(
            "e-1",
            r#"{"display_name":"E","auth":{}}"#,
            "https://h.example",
        );
        assert_eq!(
            serde_json::from_str::<Value>(&shown).unwrap(),
            json!({
                "name": "e-1",
                "display_name": "E",
                "auth": {},
                "logo_url": "https://h.example/images/template-logos/e-1.svg",
            })
        );
    }

    #[test]
    fn even_an_empty_entry_is_shown_as_json() {
        for entry in ["{}", "{ }", ""] {
            assert!(serde_json::from_str::<Value>(&public_json("e", entry, "")).is_ok());
        }
    }
}
