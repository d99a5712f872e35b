//! The request that revokes a token, and its answer (RFC 7009). Not here: sending it, and what
//! follows from its failure.

use url::Url;

use super::{
    client_authentication::Client,
    http::{HttpRequest, HttpResponse, Method},
    token_request::{BodyFormat, message},
};
use crate::domain::secret::Secret;

/// A token to revoke.
#[derive(Clone, Debug)]
pub enum Token {
    /// An access token.
    Access(Secret),
    /// A refresh token; with it ends the whole grant (RFC 7009 §2.1).
    Refresh(Secret),
}

/// The request to revoke `token`, which was issued to `client` (RFC 7009 §2.1). A query that the
/// URL has already is kept.
#[must_use]
pub fn revocation_request(url: Url, token: Token, client: Client) -> HttpRequest {
    let authorization = client.authorization().into_iter();
    let headers = authorization.map(|value| ("authorization".to_owned(), value));
    let headers = headers.collect();
    let (hint, token) = match token {
        Token::Access(token) => ("access_token", token),
        Token::Refresh(token) => ("refresh_token", token),
    };
    let parameters: Vec<_> = [("token", token), ("token_type_hint", Secret::new(hint))]
        .into_iter()
        .chain(client.into_parameters())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    message(Method::Post, url, headers, &parameters, BodyFormat::Form)
}

/// Whether the provider says that the token works no more. It says so of a token that it does not
/// know as well (RFC 7009 §2.2), so asking twice does no harm. Some say it with 204.
#[must_use]
pub fn is_revoked(response: &HttpResponse) -> bool {
    matches!(response.status, 200 | 204)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth2::client_authentication::ClientAuthentication;

    fn request(token: Token, authentication: ClientAuthentication) -> HttpRequest {
        let client = Client {
            client_id: "i".to_owned(),
            client_secret: Some(Secret::new("s")),
            authentication,
        };
        let url = Url::parse("https://example.com/revoke?key=a%20b").unwrap();
        revocation_request(url, token, client)
    }

    #[track_caller]
    fn sends(token: Token, authentication: ClientAuthentication, expected: &str) {
        let body = request(token, authentication).body.unwrap();
        assert_eq!(body.expose(), expected);
    }

    #[test]
    fn a_token_is_sent_as_a_form_with_its_kind_and_the_client() {
        let post = ClientAuthentication::ClientSecretPost;
        sends(
            Token::Refresh(Secret::new("a&b")),
            post,
            "token=a%26b&token_type_hint=refresh_token&client_id=i&client_secret=s",
        );
        sends(
            Token::Access(Secret::new("t")),
            post,
            "token=t&token_type_hint=access_token&client_id=i&client_secret=s",
        );
        let request = request(Token::Access(Secret::new("t")), post);
        assert_eq!(request.url.as_str(), "https://example.com/revoke?key=a%20b");
        let headers = request.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| format!("{name}: {}", value.expose()))
            .collect();
        let expected = [
            "accept: application/json",
            "user-agent: holdfast",
            "content-type: application/x-www-form-urlencoded",
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn a_client_in_the_header_is_not_in_the_body() {
        let basic = ClientAuthentication::ClientSecretBasic;
        sends(
            Token::Access(Secret::new("t")),
            basic,
            "token=t&token_type_hint=access_token",
        );
        let request = request(Token::Access(Secret::new("t")), basic);
        let (name, value) = &request.headers[2];
        assert_eq!(
            (name.as_str(), value.expose()),
            ("authorization", "Basic aTpz")
        );
    }

    #[test]
    fn nothing_but_success_without_more_to_say_means_revoked() {
        for status in [200, 201, 204, 302, 400, 401, 404, 429, 503] {
            let response = HttpResponse {
                status,
                headers: Vec::new(),
                body: Vec::new().into(),
            };
            assert_eq!(
                is_revoked(&response),
                [200, 204].contains(&status),
                "{status}"
            );
        }
    }
}
