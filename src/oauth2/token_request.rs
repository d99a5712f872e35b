//! The request for a token: a refresh (RFC 6749 §6) or a client's own (§4.4). Not here: sending
//! it, and what a provider's entry in the catalogue makes of it.

use std::fmt;

use url::Url;

use super::{
    client_authentication::Client,
    http::{Content, Fields, HttpRequest, Method, extend_query},
};
use crate::domain::secret::Secret;

/// Where the parameters go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyFormat {
    /// Into a form-encoded body, as RFC 6749 wants it.
    Form,
    /// Into a JSON object of texts.
    Json,
    /// Into the query of the URL; the body is empty.
    Query,
}

/// A token request. A query that the URL has already is kept.
pub struct TokenRequest {
    /// The method; with `GET` the parameters go into the query.
    pub method: Method,
    /// The token endpoint.
    pub url: Url,
    /// Headers of the provider's own, by names in lower case. One with the name of a generated
    /// header replaces it, and an empty one leaves it out.
    pub headers: Vec<(String, Secret)>,
    /// The `grant_type` and what is the provider's own. One with the name of a generated parameter
    /// replaces it, and an empty one leaves it out.
    pub parameters: Fields,
    /// None for a client's own token, and where a provider renews by the access token or the
    /// client alone, which is then among the parameters.
    pub refresh_token: Option<Secret>,
    /// Where the parameters go.
    pub body_format: BodyFormat,
    /// The client that asks.
    pub client: Client,
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenRequest")
            .field("host", &self.url.host_str())
            .field("body_format", &self.body_format)
            .finish_non_exhaustive()
    }
}

impl TokenRequest {
    /// The request as an HTTP message.
    #[must_use]
    pub fn into_http(self) -> HttpRequest {
        let authorization = self.client.authorization().into_iter();
        let authorization = authorization.map(|value| ("authorization".to_owned(), value));
        let headers = authorization.chain(self.headers).collect();
        let mut parameters = self.parameters;
        let refresh_token = self.refresh_token.map(|token| ("refresh_token", token));
        let generated = refresh_token.into_iter();
        for (name, value) in generated.chain(self.client.into_parameters()) {
            parameters.set_if_absent(name, value);
        }
        message(
            self.method,
            self.url,
            headers,
            parameters.as_slice(),
            self.body_format,
        )
    }
}

/// The message that takes `parameters` to an endpoint of a provider. Empty ones, and empty
/// headers, are not sent.
#[must_use]
pub fn message(
    method: Method,
    mut url: Url,
    headers: Vec<(String, Secret)>,
    parameters: &[(String, Secret)],
    body_format: BodyFormat,
) -> HttpRequest {
    let sent = parameters.iter().filter(|(_, value)| !value.is_empty());
    let sent = sent.map(|(name, value)| (name.as_str(), value.expose()));
    let content = match (method, body_format) {
        (Method::Get, _) | (Method::Post, BodyFormat::Query) => {
            extend_query(&mut url, sent);
            None
        }
        (Method::Post, BodyFormat::Form) => Some(Content::form(sent)),
        (Method::Post, BodyFormat::Json) => Some(Content::json(&sent.collect())),
    };
    HttpRequest::new(method, url, headers, content)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::oauth2::client_authentication::ClientAuthentication;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, Secret)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
            .collect()
    }

    /// The parameters of a refresh, with `own`.
    fn refresh_with(own: &[(&str, &str)]) -> Fields {
        let parameters = pairs(&[&[("grant_type", "refresh_token")], own].concat());
        parameters.into_iter().collect()
    }

    /// A refresh by a client that is posted.
    fn request() -> TokenRequest {
        TokenRequest {
            method: Method::Post,
            url: Url::parse("https://example.com/token").unwrap(),
            headers: Vec::new(),
            parameters: refresh_with(&[]),
            refresh_token: Some(Secret::new("r")),
            body_format: BodyFormat::Form,
            client: Client {
                client_id: "i".to_owned(),
                client_secret: Some(Secret::new("s")),
                authentication: ClientAuthentication::ClientSecretPost,
            },
        }
    }

    fn body(request: TokenRequest) -> String {
        let body = request.into_http().body;
        body.map(|body| body.expose().to_owned())
            .unwrap_or_default()
    }

    fn headers(request: TokenRequest) -> Vec<String> {
        let headers = request.into_http().headers.into_iter();
        headers
            .map(|(name, value)| format!("{name}: {}", value.expose()))
            .collect()
    }

    #[test]
    fn a_refresh_sends_its_parameters_in_order() {
        let request = TokenRequest {
            parameters: refresh_with(&[("scope", "a b"), ("audience", "x&y")]),
            ..request()
        };
        assert_eq!(
            body(request),
            "grant_type=refresh_token&scope=a+b&audience=x%26y&refresh_token=r\
             &client_id=i&client_secret=s"
        );
    }

    #[test]
    fn client_credentials_send_no_refresh_token() {
        let request = TokenRequest {
            parameters: refresh_with(&[("grant_type", "client_credentials")]),
            refresh_token: None,
            ..request()
        };
        assert_eq!(
            body(request),
            "grant_type=client_credentials&client_id=i&client_secret=s"
        );
    }

    #[test]
    fn parameters_of_the_providers_own_replace_the_generated_ones() {
        let request = TokenRequest {
            parameters: refresh_with(&[
                ("refresh_token", "R"),
                ("grant_type", "G"),
                ("client_secret", "S"),
                ("client_id", "I"),
            ]),
            ..request()
        };
        assert_eq!(
            body(request),
            "grant_type=G&refresh_token=R&client_secret=S&client_id=I"
        );
    }

    #[test]
    fn an_empty_parameter_is_not_sent_not_even_a_generated_one() {
        let request = TokenRequest {
            parameters: refresh_with(&[
                ("grant_type", ""),
                ("client_secret", ""),
                ("refresh_token", ""),
                ("scope", ""),
                ("a", "1"),
            ]),
            ..request()
        };
        assert_eq!(body(request), "a=1&client_id=i");
    }

    #[test]
    fn headers_of_the_providers_own_go_over_the_generated_ones_and_empty_ones_are_not_sent() {
        let mut request = TokenRequest {
            headers: pairs(&[("user-agent", ""), ("accept", "text/x"), ("x-key", "k")]),
            ..request()
        };
        request.client.authentication = ClientAuthentication::ClientSecretBasic;
        let expected = [
            "accept: text/x",
            "authorization: Basic aTpz",
            "x-key: k",
            "content-type: application/x-www-form-urlencoded",
        ];
        assert_eq!(headers(request), expected);
    }

    #[test]
    fn parameters_of_a_get_go_into_the_query() {
        for body_format in [BodyFormat::Form, BodyFormat::Json, BodyFormat::Query] {
            let request = TokenRequest {
                method: Method::Get,
                body_format,
                ..request()
            };
            let http = request.into_http();
            assert_eq!(
                http.url.as_str(),
                "https://example.com/token?grant_type=refresh_token&refresh_token=r\
                 &client_id=i&client_secret=s"
            );
            assert_eq!((http.method, http.body.is_none()), (Method::Get, true));
            assert_eq!(http.headers.len(), 2);
        }
    }

    #[test]
    fn no_parameter_is_sent_twice() {
        let request = TokenRequest {
            parameters: refresh_with(&[("a", "1"), ("b", "2"), ("a", "3")]),
            ..request()
        };
        let body = body(request);
        assert!(body.starts_with("grant_type=refresh_token&a=3&b=2&refresh_token=r"));
    }

    #[test]
    fn a_form_is_posted_with_its_headers() {
        let http = request().into_http();
        assert_eq!(http.url.as_str(), "https://example.com/token");
        assert_eq!(
            headers(request()),
            [
                "accept: application/json",
                "user-agent: holdfast",
                "content-type: application/x-www-form-urlencoded",
            ]
        );
    }

    #[test]
    fn a_client_in_the_header_is_not_in_the_body() {
        let mut request = request();
        request.client.authentication = ClientAuthentication::ClientSecretBasic;
        let http = request.into_http();
        let names: Vec<_> = http.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["accept", "user-agent", "authorization", "content-type"]
        );
        let body = http.body.unwrap();
        assert_eq!(body.expose(), "grant_type=refresh_token&refresh_token=r");
    }

    #[test]
    fn a_json_body_is_an_object_of_texts() {
        let request = TokenRequest {
            parameters: refresh_with(&[("n", "\"1\"")]),
            body_format: BodyFormat::Json,
            ..request()
        };
        let http = request.into_http();
        let body: Value = serde_json::from_str(http.body.unwrap().expose()).unwrap();
        assert_eq!(
            body,
            json!({
                "grant_type": "refresh_token",
                "n": "\"1\"",
                "refresh_token": "r",
                "client_id": "i",
                "client_secret": "s",
            })
        );
        let (name, value) = &http.headers[2];
        assert_eq!(
            (name.as_str(), value.expose()),
            ("content-type", "application/json")
        );
    }

    #[test]
    fn the_query_of_the_url_is_kept_before_a_body() {
        for body_format in [BodyFormat::Form, BodyFormat::Json] {
            let request = TokenRequest {
                url: Url::parse("https://example.com/token?key=a%20b").unwrap(),
                body_format,
                ..request()
            };
            let url = request.into_http().url;
            assert_eq!(url.as_str(), "https://example.com/token?key=a%20b");
        }
    }

    #[test]
    fn parameters_in_the_query_follow_what_the_url_has() {
        let request = TokenRequest {
            url: Url::parse("https://example.com/token?key=a%20b").unwrap(),
            parameters: refresh_with(&[("grant_type", "client_credentials")]),
            refresh_token: None,
            body_format: BodyFormat::Query,
            ..request()
        };
        let http = request.into_http();
        assert_eq!(
            http.url.as_str(),
            "https://example.com/token?key=a%20b\
             &grant_type=client_credentials&client_id=i&client_secret=s"
        );
        assert!(http.body.is_none());
        assert!(http.headers.iter().all(|(name, _)| name != "content-type"));
    }

    proptest! {
        #[test]
        fn a_form_decodes_to_the_pairs_it_was_built_from(
            written in prop::collection::vec((any::<String>(), any::<String>()), 0..6),
        ) {
            let content = Content::form(written.iter().map(|(name, value)| (name, value)));
            let http = HttpRequest::new(Method::Post, request().url, Vec::new(), Some(content));
            let body = http.body.unwrap();
            let body = body.expose().as_bytes();
            let read: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn debug_of_a_token_request_never_contains_a_secret(secret in "canary[a-z0-9]{0,20}") {
            let mut url = Url::parse("https://example.com/").unwrap();
            url.set_path(&secret);
            url.set_query(Some(&secret));
            let mut request = TokenRequest {
                url,
                refresh_token: Some(Secret::new(secret.as_str())),
                parameters: refresh_with(&[("name", &secret)]),
                ..request()
            };
            request.client.client_secret = Some(Secret::new(secret));
            let before = format!("{request:?}");
            let shown = format!("{before} {:?}", request.into_http());
            prop_assert!(!shown.contains("canary"), "{}", shown);
        }
    }
}
