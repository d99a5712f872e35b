//! What a token request takes from an entry.
//!
//! Here: URL, headers, parameters, encoding and client authentication of a refresh (RFC 6749 §6)
//! and of a client credentials grant (§4.4), and the further requests of a refresh, with a
//! connection's values filled in. Not here: the refresh token, the client, the request itself, and
//! reading the answer.

use std::fmt;

use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::{
    entry::{Entry, Parameters},
    filling::Declared,
    refresh_step::RefreshStep,
    template::{self, TemplateError, Values},
};
use crate::{domain::secret::Secret, oauth2::http::Fields};

/// A token request with a connection's values in it.
pub struct FilledRequest {
    /// Where to send it. A query string belongs to it.
    pub url: Url,
    /// Headers, by names in lower case.
    pub headers: Vec<(String, Secret)>,
    /// Parameters, which are never repeated (RFC 6749 §3.2).
    pub parameters: Fields,
}

impl fmt::Debug for FilledRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FilledRequest")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

/// Why there is no token request.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum FillError {
    /// The entry has no URL to send it to.
    #[error("the provider has no token URL")]
    NoTokenUrl,
    /// A connection names a host outside the entry's `token_domains`.
    #[error("the token URL leads outside the provider's domains")]
    ForeignDomain,
    /// A template of the entry cannot be filled.
    #[error("the {field} of the provider cannot be filled in: {source}")]
    Template {
        /// The field of the entry.
        field: &'static str,
        /// Why not.
        source: TemplateError,
    },
    /// The parameters are no single element, or one of their names or values is none in XML.
    #[error("the parameters cannot be written as XML")]
    NotXml,
}

impl FilledRequest {
    /// For a refresh. Parameters are `refresh_params`, else `token_params` except their
    /// `grant_type`, which is that of the first token request.
    pub fn for_refresh(entry: &Entry, values: &Values<'_>) -> Result<Self, FillError> {
        let (field, template) = match (&entry.refresh_url, &entry.token_url) {
            (Some(url), _) => ("refresh_url", url.as_str()),
            (None, Some(url)) => ("token_url", url.oauth2()),
            (None, None) => return Err(FillError::NoTokenUrl),
        };
        let url = url(entry, field, template, values)?;
        let first = entry.token_params.iter();
        let first = first.filter(|(name, _)| name != "grant_type").cloned();
        let (field, own) = match &entry.refresh_params {
            Some(own) => ("refresh_params", own.clone()),
            None => ("token_params", first.collect()),
        };
        let mut parameters = grant("refresh_token");
        parameters.extend(texts(entry, field, &own, values)?);
        let (field, own) = match &entry.refresh_token_headers {
            Some(own) => ("refresh_token_headers", own),
            None => ("token_headers", &entry.token_headers),
        };
        Ok(Self {
            url,
            headers: headers(entry, field, own, values)?,
            parameters,
        })
    }

    /// For a client credentials grant. Parameters are `token_params`, then the connection's
    /// `oauth_scopes`, then the connection's `authorization_params` over all of them.
    pub fn for_client_credentials(entry: &Entry, values: &Values<'_>) -> Result<Self, FillError> {
        let template = entry.token_url.as_ref().ok_or(FillError::NoTokenUrl)?;
        let url = url(entry, "token_url", template.oauth2(), values)?;
        let mut parameters = grant("client_credentials");
        parameters.extend(texts(entry, "token_params", &entry.token_params, values)?);
        let own = values.connection_config.expose();
        if let Some(scopes) = own.get("oauth_scopes").and_then(Value::as_str) {
            let scopes: Vec<_> = scopes
                .split(',')
                .map(str::trim)
                .filter(|scope| !scope.is_empty())
                .collect();
            parameters.extend([named("scope", scopes.join(&entry.scope_separator))]);
        }
        if let Some(Value::Object(own)) = own.get("authorization_params") {
            let own = own.iter().filter_map(|(name, value)| {
                let value = template::scalar(value)?;
                Some(named(name, value))
            });
            parameters.extend(own);
        }
        Ok(Self {
            url,
            headers: headers(entry, "token_headers", &entry.token_headers, values)?,
            parameters,
        })
    }

    /// For `step`, a further request of a refresh, which must lack nothing.
    pub fn for_step(
        entry: &Entry,
        step: &RefreshStep,
        values: &Values<'_>,
    ) -> Result<Self, FillError> {
        let field = "refresh_steps";
        let in_step = |source| FillError::Template { field, source };
        let texts = Declared::NONE.texts(&step.token_params, values);
        let headers = Declared::NONE.headers(&step.token_headers, values);
        Ok(Self {
            url: url(entry, field, &step.token_url, values)?,
            headers: headers.map_err(in_step)?,
            parameters: secret(texts.map_err(in_step)?).collect(),
        })
    }
}

/// Fills in `parameters`, which are the `field` of the entry.
fn texts(
    entry: &Entry,
    field: &'static str,
    parameters: &Parameters,
    values: &Values<'_>,
) -> Result<impl Iterator<Item = (String, Secret)>, FillError> {
    let filled = Declared::of_configuration(entry).texts(parameters, values);
    filled
        .map(secret)
        .map_err(|source| FillError::Template { field, source })
}

fn secret(texts: Vec<(String, String)>) -> impl Iterator<Item = (String, Secret)> {
    let texts = texts.into_iter();
    texts.map(|(name, text)| (name, Secret::new(text)))
}

fn named(name: &str, value: String) -> (String, Secret) {
    (name.to_owned(), Secret::new(value))
}

fn grant(grant_type: &str) -> Fields {
    Fields::from_iter([named("grant_type", grant_type.to_owned())])
}

/// Fills in `headers`, which are the `field` of the entry.
pub fn headers(
    entry: &Entry,
    field: &'static str,
    headers: &Parameters,
    values: &Values<'_>,
) -> Result<Vec<(String, Secret)>, FillError> {
    let headers = Declared::of_configuration(entry).headers(headers, values);
    headers.map_err(|source| FillError::Template { field, source })
}

/// Fills in `template`, which is the `field` of the entry, and holds it to the entry's domains.
pub fn url(
    entry: &Entry,
    field: &'static str,
    template: &str,
    values: &Values<'_>,
) -> Result<Url, FillError> {
    let fill = if entry.token_domains.is_empty() {
        template::url_on_any_host
    } else {
        template::url
    };
    let url = fill(template, values).map_err(|source| FillError::Template { field, source })?;
    let host = url.host_str().unwrap_or_default();
    let is_within = |domain: &String| {
        let rest = host.strip_suffix(domain.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if entry.token_domains.is_empty() || entry.token_domains.iter().any(is_within) {
        return Ok(url);
    }
    Err(FillError::ForeignDomain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        domain::{secret::SecretMap, timestamp::Timestamp},
        validation::input::read,
    };

    fn entry(own: &Value) -> Entry {
        let mut entry = json!({
            "display_name": "Example",
            "docs": "https://docs.example",
            "auth_mode": "OAUTH2",
            "token_url": "https://a.example/token",
        });
        let fields = own.as_object().unwrap().clone();
        entry.as_object_mut().unwrap().extend(fields);
        read(Some(&entry), Entry::parse).unwrap()
    }

    fn config(config: &Value) -> SecretMap {
        SecretMap::new(config.as_object().unwrap().clone())
    }

    fn values(config: &SecretMap) -> Values<'_> {
        Values::new(config, Timestamp::EPOCH, "")
    }

    /// The parameters as a form.
    fn pairs(request: &FilledRequest) -> String {
        let pairs = request.parameters.as_slice().iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect();
        pairs.join("&")
    }

    #[track_caller]
    fn refresh(own: &Value, inputs: &Value) -> FilledRequest {
        FilledRequest::for_refresh(&entry(own), &values(&config(inputs))).unwrap()
    }

    #[track_caller]
    fn client_credentials(own: &Value, inputs: &Value) -> FilledRequest {
        FilledRequest::for_client_credentials(&entry(own), &values(&config(inputs))).unwrap()
    }

    #[test]
    fn a_refresh_goes_to_the_refresh_url_where_there_is_one_with_its_query_string() {
        let own = json!({"refresh_url": "https://a.example/refresh?key=1"});
        assert_eq!(
            refresh(&own, &json!({})).url.as_str(),
            "https://a.example/refresh?key=1"
        );
        assert_eq!(
            refresh(&json!({}), &json!({})).url.as_str(),
            "https://a.example/token"
        );
    }

    #[test]
    fn of_two_token_urls_a_refresh_takes_that_for_users() {
        let own =
            json!({"token_url": {"OAUTH2": "https://a.example/o", "APP": "https://a.example/a"}});
        assert_eq!(refresh(&own, &json!({})).url.path(), "/o");
    }

    #[test]
    fn a_refresh_without_refresh_params_keeps_the_grant_type_of_a_refresh() {
        let own = json!({"token_params": {"grant_type": "authorization_code", "expiring": "1"}});
        assert_eq!(
            pairs(&refresh(&own, &json!({}))),
            "grant_type=refresh_token&expiring=1"
        );
    }

    #[test]
    fn refresh_params_go_instead_of_token_params_and_may_change_the_grant_type() {
        let own = json!({
            "token_params": {"grant_type": "authorization_code", "a": "1"},
            "refresh_params": {"grant_type": "fb_exchange_token", "scope": "x"},
        });
        assert_eq!(
            pairs(&refresh(&own, &json!({}))),
            "grant_type=fb_exchange_token&scope=x"
        );
    }

    #[test]
    fn parameters_are_filled_in_from_the_connection() {
        let own = json!({"refresh_params": {"resource": "${connectionConfig.url}/api"}});
        let values = json!({"url": "https://e.example"});
        assert_eq!(
            pairs(&refresh(&own, &values)),
            "grant_type=refresh_token&resource=https://e.example/api"
        );
    }

    #[test]
    fn a_parameter_without_its_optional_input_is_left_out_and_without_a_required_one_an_error() {
        let own = json!({
            "token_params": {"organization": "${connectionConfig.org}"},
            "connection_config": {"org": {"optional": true}},
        });
        assert_eq!(
            pairs(&refresh(&own, &json!({}))),
            "grant_type=refresh_token"
        );

        let own = json!({"token_params": {"organization": "${connectionConfig.org}"}});
        assert_eq!(
            FilledRequest::for_refresh(&entry(&own), &values(&config(&json!({})))).unwrap_err(),
            FillError::Template {
                field: "token_params",
                source: TemplateError::Missing("connectionConfig.org".to_owned()),
            }
        );
    }

    #[test]
    fn a_connection_that_may_name_any_host_may_name_its_port_and_a_path_too() {
        let request_url = |own: &Value, base: &str| {
            let mut own = own.clone();
            own["token_url"] = "https://${connectionConfig.base}/token".into();
            let config = config(&json!({ "base": base }));
            let rules = FilledRequest::for_refresh(&entry(&own), &values(&config));
            rules.map(|rules| rules.url.to_string())
        };
        let anywhere = json!({});
        for (base, expected) in [
            ("a.example:8000", "https://a.example:8000/token"),
            ("a.example/b/c/", "https://a.example/b/c/token"),
            ("a.example:1/b", "https://a.example:1/b/token"),
        ] {
            assert_eq!(request_url(&anywhere, base), Ok(expected.to_owned()));
            let within = json!({"token_domains": ["a.example"]});
            assert!(request_url(&within, base).is_err(), "{base}");
        }
        for base in [
            "https://a.example",
            "a.example:",
            "a.example:b",
            "a.example?b",
            "a.example/b#c",
            "u@a.example",
            "/a.example",
        ] {
            assert!(request_url(&anywhere, base).is_err(), "{base}");
        }
        let own = json!({"token_url": "https://b.${connectionConfig.base}/token"});
        let config = config(&json!({"base": "a.example/c"}));
        assert!(FilledRequest::for_refresh(&entry(&own), &values(&config)).is_err());
    }

    #[test]
    fn a_url_without_its_value_names_the_field_and_the_value() {
        let entry = entry(&json!({"token_url": "https://${connectionConfig.sub}.a.example/"}));
        let outcome = FilledRequest::for_refresh(&entry, &values(&config(&json!({}))));
        assert_eq!(
            outcome.unwrap_err(),
            FillError::Template {
                field: "token_url",
                source: TemplateError::Missing("connectionConfig.sub".to_owned()),
            }
        );
    }

    #[test]
    fn client_credentials_take_scopes_and_overrides_from_the_connection() {
        let own = json!({
            "auth_mode": "OAUTH2_CC",
            "token_params": {"audience": "a", "keep": "1"},
            "scope_separator": "+",
        });
        let values = json!({
            "oauth_scopes": "read, write,",
            "authorization_params": {"audience": "b", "nested": {}},
        });
        assert_eq!(
            pairs(&client_credentials(&own, &values)),
            "grant_type=client_credentials&audience=b&keep=1&scope=read+write"
        );
    }

    #[test]
    fn client_credentials_keep_the_grant_type_of_the_entry() {
        let own = json!({"auth_mode": "OAUTH2_CC", "token_params": {"grant_type": "account_credentials"}});
        assert_eq!(
            pairs(&client_credentials(&own, &json!({}))),
            "grant_type=account_credentials"
        );
    }

    #[test]
    fn a_provider_without_token_url_has_no_token_request() {
        let mut entry = entry(&json!({}));
        entry.token_url = None;
        for outcome in [
            FilledRequest::for_refresh(&entry, &values(&SecretMap::default())),
            FilledRequest::for_client_credentials(&entry, &values(&SecretMap::default())),
        ] {
            assert_eq!(outcome.unwrap_err(), FillError::NoTokenUrl);
        }
    }

    #[test]
    fn debug_of_rules_shows_no_value_of_the_connection() {
        let own = json!({
            "token_url": "https://a.example/${connectionConfig.key}?key=${connectionConfig.key}",
            "token_params": {"key": "${connectionConfig.key}", "scope": "${connectionConfig.key}"},
        });
        let rules = refresh(&own, &json!({"key": "canary"}));
        let expected = "FilledRequest { host: Some(\"a.example\"), .. }";
        assert_eq!(format!("{rules:?}"), expected);
    }
}
