//! The templates of the catalogue: they can be filled with what a connection has, and nothing
//! that a connection has leads a request with the integration's client secret elsewhere.

use holdfast::{
    domain::{auth_mode::AuthMode, secret::SecretMap, timestamp::Timestamp},
    providers::{
        entry::Entry,
        filled_request::FillError,
        rendering::{check, token_requests},
        template::{self, TemplateError, Values},
    },
    validation::input::read,
};
use serde_json::{Map, Value};
use url::Url;

use super::listed::all;

/// What a template may hold beside inputs: what the connection's token or its integration has,
/// and the token that is signed here.
const KNOWN: [&str; 8] = [
    "accessToken",
    "apiKey",
    "clientId",
    "clientSecret",
    "refreshToken",
    "refresh_token",
    "scopes",
    "token",
];

const URLS: [&str; 8] = [
    "/authorization_url",
    "/proxy/base_url",
    "/refresh_url",
    "/request_url",
    "/revocation_url",
    "/token_url",
    "/token_url/APP",
    "/token_url/OAUTH2",
];

/// Every input.
fn any(_: &Value) -> bool {
    true
}

/// An input that a connection cannot be without.
fn required(input: &Value) -> bool {
    input["optional"] != true
}

/// Whether this is a step that need not be made, without a value that need not be there.
fn is_left_out(entry: &Entry, url: &Result<Url, FillError>) -> bool {
    let is_optional = entry.refresh_steps.iter().all(|step| step.is_optional);
    let lacks_value = matches!(
        url,
        Err(FillError::Template {
            field: "refresh_steps",
            source: TemplateError::Missing(_)
        })
    );
    is_optional && lacks_value
}

#[test]
fn every_token_request_can_be_made_with_the_inputs_of_a_connection() {
    let mut count = 0;
    for listed in all() {
        let given: [(fn(&_) -> _, bool); 2] = [(any, true), (required, false)];
        for (is_given, are_all) in given {
            let config = listed.samples("connection_config", is_given);
            for url in token_requests(&listed.entry, &config) {
                if is_left_out(&listed.entry, &url) {
                    assert!(!are_all, "{}", listed.name);
                    continue;
                }
                let url = url.unwrap_or_else(|error| panic!("{}: {error:?}", listed.name));
                assert_eq!(url.scheme(), "https", "{}", listed.name);
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count}");
}

#[test]
fn every_entry_could_be_put_as_a_custom_one() {
    for listed in all() {
        let checked = read(Some(&listed.json), |input| {
            check(&listed.entry, input);
            Some(())
        });
        assert_eq!(checked, Ok(()), "{}", listed.name);
    }
}

#[test]
fn no_value_of_a_connection_leads_a_client_secret_to_a_host_of_its_own() {
    for listed in all() {
        // A client or a login of the connection's own is the connection's to show.
        let is_own = match listed.entry.auth_mode {
            AuthMode::McpOAuth2Generic | AuthMode::OAuth2ClientCredentials => true,
            AuthMode::TwoStep => listed.entry.integration_config.is_empty(),
            _ => false,
        };
        if is_own {
            continue;
        }
        let inputs = listed.inputs("connection_config");
        for hostile in ["evil.example", "https://evil.example"] {
            let one = |name: &str| Map::from_iter([(name.to_owned(), Value::from(hostile))]);
            let every = inputs.iter().flat_map(|(name, _)| one(name)).collect();
            let mut configs = vec![SecretMap::new(every)];
            for (name, _) in &inputs {
                let alone = SecretMap::new(one(name));
                configs.push(listed.samples("connection_config", any).merged(&alone));
                configs.push(alone);
            }
            for url in configs
                .iter()
                .flat_map(|it| token_requests(&listed.entry, it))
            {
                let host = url
                    .as_ref()
                    .ok()
                    .and_then(Url::host_str)
                    .unwrap_or_default();
                assert!(!host.ends_with("evil.example"), "{}: {host}", listed.name);
            }
        }
    }
}

#[test]
fn every_url_can_be_filled_in() {
    let mut count = 0;
    for listed in all() {
        let config = listed.samples("connection_config", any);
        let credentials = listed.samples("credentials", any);
        let values = Values {
            credentials: Some(&credentials),
            ..Values::new(&config, Timestamp::EPOCH, "random")
        };
        for (path, template) in listed.texts() {
            if URLS.contains(&path.as_str()) {
                let url = template::url(template, &values);
                assert!(url.is_ok(), "{}: {path}: {url:?}", listed.name);
                count += 1;
            }
        }
    }
    assert!(count > 400, "{count}");
}

#[test]
fn every_test_of_imported_credentials_can_be_made_with_the_inputs_of_a_connection() {
    let mut count = 0;
    for listed in all() {
        let entry = &listed.entry;
        let Some(verification) = &entry.verification else {
            continue;
        };
        if !matches!(entry.auth_mode, AuthMode::ApiKey | AuthMode::Basic) {
            continue;
        }
        // Where it takes one input or another, neither is required of everybody.
        let base_url = listed.json["proxy"]["base_url"].as_str().unwrap();
        let mut alternatives = base_url.split(" || ");
        let takes_either = base_url.contains(" || ") && alternatives.all(|it| it.contains("${"));
        let given: &[fn(&_) -> _] = if takes_either {
            &[any]
        } else {
            &[any, required]
        };
        for &is_given in given {
            let config = listed.samples("connection_config", is_given);
            let names = listed.inputs("credentials").into_iter();
            let credentials = names.map(|(name, _)| (name.to_owned(), "fake".into()));
            let values = Values {
                credentials: Some(&SecretMap::new(credentials.collect())),
                ..Values::new(&config, Timestamp::EPOCH, "random")
            };
            for endpoint in &verification.endpoints {
                let request = verification.request(endpoint, entry, None, &values);
                let request = request.unwrap_or_else(|error| panic!("{}: {error}", listed.name));
                assert_eq!(request.url.scheme(), "https", "{}", listed.name);
                count += 1;
            }
        }
    }
    assert!(count > 80, "{count}");
}

#[test]
fn every_placeholder_stands_for_something() {
    for listed in all() {
        let is_declared = |kind, name: &str| {
            let inputs = listed.inputs(kind);
            inputs.iter().any(|(input, _)| *input == name)
        };
        for (path, text) in listed.texts() {
            for name in template::placeholders(text) {
                let stands = if let Some(name) = name.strip_prefix("connectionConfig.") {
                    is_declared("connection_config", name)
                } else if let Some(name) = name.strip_prefix("assertionOption.") {
                    is_declared("assertion_option", name)
                } else if let Some(name) = name.strip_prefix("credentials.") {
                    // An input of several parts has them after a dot.
                    is_declared("credentials", name.split('.').next().unwrap())
                } else {
                    // A step is filled with the answer before it.
                    KNOWN.contains(&name)
                        || name.starts_with("raw.")
                        || is_declared("integration_config", name)
                };
                assert!(stands, "{}: {path}: {name}", listed.name);
            }
        }
    }
}

#[test]
fn urls_are_https_with_their_hosts_in_lower_case() {
    for listed in all() {
        for (path, text) in listed.texts() {
            // Within `||` each alternative is a URL.
            for url in text.split(" || ") {
                let Some((scheme, rest)) = url.split_once("://") else {
                    continue;
                };
                let host = rest.split(['/', '?']).next().unwrap();
                let literal = host.split("${").enumerate().map(|(at, part)| match at {
                    0 => part,
                    _ => part.split_once('}').unwrap().1,
                });
                let literal: String = literal.collect();
                assert!(scheme.ends_with("https"), "{}: {path}", listed.name);
                assert_eq!(literal, literal.to_lowercase(), "{}: {path}", listed.name);
            }
        }
    }
}
