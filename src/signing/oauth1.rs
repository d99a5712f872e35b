//! Requests signed with two pairs of a name and a secret (RFC 5849). Not here: how token
//! credentials are obtained (§2), and RSA-SHA1.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;
use zeroize::Zeroizing;

use super::{
    encoding::{percent_encoded, quoted},
    mac::{hmac_sha1, hmac_sha256},
};
use crate::domain::{secret::Secret, timestamp::Timestamp};

/// How a request is signed (§3.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignatureMethod {
    /// §3.4.2.
    HmacSha1,
    /// As HMAC-SHA1 with SHA-256, which RFC 5849 does not have and providers ask for.
    HmacSha256,
    /// Both secrets as they are (§3.4.4).
    Plaintext,
}

impl SignatureMethod {
    /// Its name in a request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::Plaintext => "PLAINTEXT",
        }
    }
}

/// A name with its secret (§1.1).
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name, which is sent.
    pub identifier: String,
    /// The shared secret, which signs.
    pub secret: Secret,
}

/// A request that asks to be authorised.
#[derive(Clone)]
pub struct Authorization<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// Its address, with its query.
    pub url: &'a Url,
    /// Its body, if that is a form.
    pub form: &'a [(String, Secret)],
    /// The credentials of the client, which others call the consumer.
    pub client: &'a Credentials,
    /// The token credentials.
    pub token: Option<&'a Credentials>,
    /// How it is signed.
    pub signature_method: SignatureMethod,
    /// Unique among the requests of one second.
    pub nonce: &'a str,
    /// Now.
    pub timestamp: Timestamp,
    /// The part of the server that the request is for.
    pub realm: Option<&'a str>,
}

impl Authorization<'_> {
    /// The value of the header `Authorization` (§3.5.1).
    #[must_use]
    pub fn header(&self) -> Secret {
        let seconds = self.timestamp.millis().div_euclid(1000).to_string();
        let mut parameters = vec![
            ("oauth_consumer_key", self.client.identifier.as_str()),
            ("oauth_nonce", self.nonce),
            ("oauth_signature_method", self.signature_method.name()),
            ("oauth_timestamp", &seconds),
            // §3.1 leaves it to the client; there are servers that miss it.
            ("oauth_version", "1.0"),
        ];
        parameters.extend(
            self.token
                .map(|token| ("oauth_token", token.identifier.as_str())),
        );
        let signature = self.signature(&parameters);
        parameters.push(("oauth_signature", &signature));
        let realm = self
            .realm
            .map(|realm| format!("realm=\"{}\"", quoted(realm)));
        let parameters = parameters
            .into_iter()
            .map(|(name, value)| format!("{name}=\"{}\"", percent_encoded(value)));
        let parts: Vec<_> = realm.into_iter().chain(parameters).collect();
        Secret::new(format!("OAuth {}", parts.join(", ")))
    }

    /// The signature of the request with these protocol parameters (§3.4).
    fn signature(&self, protocol_parameters: &[(&str, &str)]) -> Zeroizing<String> {
        let token_secret = self.token.map_or("", |token| token.secret.expose());
        let key = Zeroizing::new(format!(
            "{}&{}",
            percent_encoded(self.client.secret.expose()),
            percent_encoded(token_secret),
        ));
        let text = || self.base_string(protocol_parameters);
        match self.signature_method {
            SignatureMethod::HmacSha1 => {
                Zeroizing::new(STANDARD.encode(hmac_sha1(key.as_bytes(), text().as_bytes())))
            }
            SignatureMethod::HmacSha256 => {
                Zeroizing::new(STANDARD.encode(hmac_sha256(key.as_bytes(), text().as_bytes())))
            }
            SignatureMethod::Plaintext => key,
        }
    }

    /// §3.4.1.
    fn base_string(&self, protocol_parameters: &[(&str, &str)]) -> Zeroizing<String> {
        let form = self
            .form
            .iter()
            .map(|(name, value)| encoded_pair(name, value.expose()));
        let protocol = protocol_parameters
            .iter()
            .map(|(name, value)| encoded_pair(name, value));
        // §3.4.1.3.1: the query is read as a form.
        let mut parameters: Vec<_> = self
            .url
            .query_pairs()
            .map(|(name, value)| encoded_pair(&name, &value))
            .chain(form)
            .chain(protocol)
            .collect();
        // §3.4.1.3.2: by the bytes of the encoded name, then of the encoded value.
        parameters.sort_by(|(a, x), (b, y)| (a, x.as_str()).cmp(&(b, y.as_str())));
        let pairs = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", **value));
        let pairs = Zeroizing::new(pairs.collect::<Vec<_>>().join("&"));
        Zeroizing::new(format!(
            "{}&{}&{}",
            percent_encoded(&self.method.to_ascii_uppercase()),
            percent_encoded(&base_string_uri(self.url)),
            percent_encoded(&pairs),
        ))
    }
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Authorization")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

fn encoded_pair(name: &str, value: &str) -> (String, Zeroizing<String>) {
    let value = percent_encoded(value).to_string();
    (percent_encoded(name).to_string(), Zeroizing::new(value))
}

/// §3.4.1.2. The scheme and the host are in lower case and a default port is gone since the
/// address was parsed.
fn base_string_uri(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    let port = port.unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(identifier: &str, secret: &str) -> Credentials {
        Credentials {
            identifier: identifier.to_owned(),
            secret: Secret::new(secret),
        }
    }

    fn authorization<'a>(
        method: &'a str,
        url: &'a Url,
        client: &'a Credentials,
        token: Option<&'a Credentials>,
    ) -> Authorization<'a> {
        Authorization {
            method,
            url,
            form: &[],
            client,
            token,
            signature_method: SignatureMethod::HmacSha1,
            nonce: "fake-nonce",
            timestamp: Timestamp::from_millis(137_131_202_999),
            realm: None,
        }
    }

    #[test]
    fn the_base_string_is_that_of_rfc_5849_section_3_4_1_1() {
        let url = Url::parse("HTTP://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b");
        let url = url.unwrap();
        let client = credentials("9djdj82h48djs9d2", "");
        let form =
            [("c2", ""), ("a3", "2 q")].map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let request = Authorization {
            form: &form,
            ..authorization("post", &url, &client, None)
        };
        let text = request.base_string(&[
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ]);
        let expected = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26\
            a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2\
            %26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp\
            %3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7";
        assert_eq!(*text, expected);
    }

    #[test]
    fn the_signatures_are_those_of_rfc_5849_section_1_2() {
        let client = credentials("dpf43f3p2l4k3l03", "kd94hf93k423kf44");
        let url = Url::parse("https://photos.example.net/initiate").unwrap();
        let signature = authorization("POST", &url, &client, None).signature(&[
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131200"),
            ("oauth_nonce", "wIjqoS"),
            ("oauth_callback", "http://printer.example.com/ready"),
        ]);
        assert_eq!(*signature, "74KNZJeDHnMBp0EMJ9ZHt/XKycU=");

        let token = credentials("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00");
        let url = "http://photos.example.net/photos?file=vacation.jpg&size=original";
        let url = Url::parse(url).unwrap();
        let signature = authorization("GET", &url, &client, Some(&token)).signature(&[
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ]);
        assert_eq!(*signature, "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
    }

    #[test]
    fn debug_of_a_request_does_not_contain_its_query() {
        let client = credentials("me", "fake-client-secret");
        let url = Url::parse("https://example.com/?token=canary").unwrap();
        let request = authorization("GET", &url, &client, None);
        let expected = "Authorization { host: Some(\"example.com\"), .. }";
        assert_eq!(format!("{request:?}"), expected);
    }

    #[test]
    fn plain_secrets_are_encoded_on_their_own_and_again_in_the_header() {
        // RFC 5849 §3.4.4 and §3.5.1.
        let client = credentials("me", "a&b");
        let token = credentials("it", "c d");
        let url = Url::parse("https://example.com/").unwrap();
        let request = Authorization {
            signature_method: SignatureMethod::Plaintext,
            ..authorization("GET", &url, &client, Some(&token))
        };
        let header = request.header();
        let expected = "oauth_signature=\"a%2526b%26c%2520d\"";
        assert!(header.expose().ends_with(expected), "{}", header.expose());
    }

    #[test]
    fn the_header_has_the_realm_and_all_that_was_signed() {
        let client = credentials("me", "fake-client-secret");
        let token = credentials("it", "fake-token-secret");
        let url = Url::parse("https://api.example.com:8443/rest?b=2&a=1").unwrap();
        let request = Authorization {
            signature_method: SignatureMethod::HmacSha256,
            realm: Some("a\"b"),
            ..authorization("GET", &url, &client, Some(&token))
        };
        // The signature was computed by Node's `crypto` over the base string written by hand.
        let expected = "OAuth realm=\"a\\\"b\", oauth_consumer_key=\"me\", \
            oauth_nonce=\"fake-nonce\", oauth_signature_method=\"HMAC-SHA256\", \
            oauth_timestamp=\"137131202\", oauth_version=\"1.0\", oauth_token=\"it\", \
            oauth_signature=\"DA%2ButfPRhgAlvxGbAnCidrors7JUNrJUK5jpo%2B1v7TE%3D\"";
        assert_eq!(request.header().expose(), expected);
    }
}
