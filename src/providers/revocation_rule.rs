//! Where a provider revokes tokens. Not here: the request.

use url::Url;

use super::{
    entry::Entry,
    filled_request::{FillError, url},
    template::Values,
};

/// The address that revokes the tokens of a connection with these values, if the provider has
/// one.
pub fn revocation_url(entry: &Entry, values: &Values<'_>) -> Result<Option<Url>, FillError> {
    let template = entry.revocation_url.as_deref();
    template
        .map(|template| url(entry, "revocation_url", template, values))
        .transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        domain::{secret::SecretMap, timestamp::Timestamp},
        validation::input::read,
    };

    #[track_caller]
    fn revokes_at(own: &Value, config: &Value, expected: Result<Option<&str>, FillError>) {
        let mut entry = json!({
            "display_name": "Example",
            "docs": "https://docs.example",
            "auth_mode": "OAUTH2",
            "token_url": "https://a.example/token",
        });
        let fields = own.as_object().unwrap().clone();
        entry.as_object_mut().unwrap().extend(fields);
        let entry = read(Some(&entry), Entry::parse).unwrap();
        let config = SecretMap::new(config.as_object().unwrap().clone());
        let url = revocation_url(&entry, &Values::new(&config, Timestamp::EPOCH, ""));
        assert_eq!(
            url,
            expected.map(|url| url.map(|url| Url::parse(url).unwrap()))
        );
    }

    #[test]
    fn an_entry_without_the_field_has_no_address() {
        revokes_at(&json!({}), &json!({}), Ok(None));
    }

    #[test]
    fn values_of_the_connection_are_filled_in() {
        let own = json!({"revocation_url": "https://${connectionConfig.sub}.a.example/revoke?k=1"});
        revokes_at(
            &own,
            &json!({"sub": "team"}),
            Ok(Some("https://team.a.example/revoke?k=1")),
        );
    }

    #[test]
    fn an_address_outside_of_the_domains_for_tokens_is_an_error() {
        let own = json!({
            "revocation_url": "https://${connectionConfig.host}/revoke",
            "token_domains": ["a.example"],
        });
        revokes_at(
            &own,
            &json!({"host": "x.a.example"}),
            Ok(Some("https://x.a.example/revoke")),
        );
        revokes_at(
            &own,
            &json!({"host": "a.example.evil.example"}),
            Err(FillError::ForeignDomain),
        );
    }
}
