//! How a client says who it is at the token endpoint (RFC 6749 §2.3.1). Not here: assertions and
//! certificates.

use base64::{Engine, engine::general_purpose::STANDARD};
use form_urlencoded::byte_serialize;

use crate::domain::secret::Secret;

/// The method, named as in RFC 8414 §2 (`token_endpoint_auth_method`) where it is known there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientAuthentication {
    /// HTTP Basic authentication, with identifier and secret form-encoded.
    ClientSecretBasic,
    /// The same without that encoding, as most providers document it.
    ClientSecretBasicUnencoded,
    /// Both parts among the parameters; a public client sends its identifier alone (§3.2.1).
    ClientSecretPost,
    /// The identifier alone, whatever secret there is.
    None,
    /// Both parts among the parameters, under the names `username` and `password`.
    Password,
    /// An assertion that is signed with the client's private key (RFC 7523 §2.2).
    PrivateKeyJwt,
}

/// The client that a token request is made as.
#[derive(Clone, Debug)]
pub struct Client {
    /// The identifier.
    pub client_id: String,
    /// The secret; a public client has none. For [`ClientAuthentication::PrivateKeyJwt`] it is the
    /// signed assertion.
    pub client_secret: Option<Secret>,
    /// How both are sent.
    pub authentication: ClientAuthentication,
}

impl Client {
    /// The value of the header `Authorization`.
    pub(super) fn authorization(&self) -> Option<Secret> {
        // RFC 6749 §2.3.1: identifier and secret are form-encoded before Basic, and an empty
        // secret is as good as none.
        let secret = self.client_secret.as_ref().map_or("", Secret::expose);
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let id = &self.client_id;
        let credentials = match self.authentication {
            ClientAuthentication::ClientSecretBasic => {
                format!("{}:{}", encoded(id), encoded(secret))
            }
            ClientAuthentication::ClientSecretBasicUnencoded => format!("{id}:{secret}"),
            ClientAuthentication::ClientSecretPost
            | ClientAuthentication::None
            | ClientAuthentication::Password
            | ClientAuthentication::PrivateKeyJwt => return None,
        };
        Some(Secret::new(format!(
            "Basic {}",
            STANDARD.encode(credentials)
        )))
    }

    /// What of the client goes among the parameters.
    pub(super) fn into_parameters(self) -> Vec<(&'static str, Secret)> {
        let kind = (self.authentication == ClientAuthentication::PrivateKeyJwt)
            .then(|| ("client_assertion_type", Secret::new(JWT_BEARER)));
        let (id, secret) = match self.authentication {
            ClientAuthentication::ClientSecretBasic
            | ClientAuthentication::ClientSecretBasicUnencoded => return Vec::new(),
            ClientAuthentication::ClientSecretPost => ("client_id", Some("client_secret")),
            ClientAuthentication::None => ("client_id", None),
            ClientAuthentication::PrivateKeyJwt => ("client_id", Some("client_assertion")),
            ClientAuthentication::Password => ("username", Some("password")),
        };
        let secret = secret.zip(self.client_secret);
        let id = (id, Secret::new(self.client_id));
        std::iter::once(id).chain(kind).chain(secret).collect()
    }
}

/// RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[cfg(test)]
mod tests {
    use super::*;

    fn client(authentication: ClientAuthentication, secret: Option<&str>) -> Client {
        Client {
            client_id: "a b:c".to_owned(),
            client_secret: secret.map(Secret::new),
            authentication,
        }
    }

    fn parameters(client: Client) -> Vec<(&'static str, String)> {
        let parameters = client.into_parameters().into_iter();
        parameters
            .map(|(name, value)| (name, value.expose().to_owned()))
            .collect()
    }

    #[track_caller]
    fn basic(authentication: ClientAuthentication, secret: Option<&str>, expected: &str) {
        let client = client(authentication, secret);
        let header = client.authorization().unwrap();
        let encoded = header.expose().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), expected.as_bytes());
        assert!(parameters(client).is_empty());
    }

    #[test]
    fn identifier_and_secret_are_form_encoded_before_basic_or_left_as_they_are() {
        let secret = Some("é+/:");
        let encoded = "a+b%3Ac:%C3%A9%2B%2F%3A";
        basic(ClientAuthentication::ClientSecretBasic, secret, encoded);
        let unencoded = ClientAuthentication::ClientSecretBasicUnencoded;
        basic(unencoded, secret, "a b:c:é+/:");
    }

    #[test]
    fn basic_without_a_secret_sends_an_empty_one() {
        basic(ClientAuthentication::ClientSecretBasic, None, "a+b%3Ac:");
    }

    #[test]
    fn a_posted_client_has_no_header() {
        let client = client(ClientAuthentication::ClientSecretPost, Some("s"));
        assert!(client.authorization().is_none());
        let expected = [("client_id", "a b:c"), ("client_secret", "s")];
        assert_eq!(
            parameters(client),
            expected.map(|(name, value)| (name, value.to_owned()))
        );
    }

    #[test]
    fn a_public_client_shows_its_identifier_and_never_a_secret() {
        let client = client(ClientAuthentication::None, Some("s"));
        assert!(client.authorization().is_none());
        assert_eq!(parameters(client), [("client_id", "a b:c".to_owned())]);
    }

    #[test]
    fn a_client_may_be_posted_as_if_it_were_a_user() {
        let client = client(ClientAuthentication::Password, Some("s"));
        let expected = [("username", "a b:c"), ("password", "s")];
        assert_eq!(
            parameters(client),
            expected.map(|(name, value)| (name, value.to_owned()))
        );
    }

    #[test]
    fn an_absent_secret_is_not_posted() {
        let client = client(ClientAuthentication::ClientSecretPost, None);
        assert_eq!(parameters(client), [("client_id", "a b:c".to_owned())]);
    }
}
