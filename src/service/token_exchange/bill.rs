//! Sessions of the BILL API, which begin with a login and end by themselves.

use super::{Exchange, Issued, TokenExchangeError, malformed};
use crate::{
    domain::{
        credentials::{BILL_SESSION_SECONDS, Exchanged},
        secret::{Secret, SecretMap},
    },
    oauth2::{
        http::Method,
        token_request::{BodyFormat, message},
    },
    service::ports::Ports,
};

impl<P: Ports> Exchange<'_, P> {
    pub(super) async fn session(&self, old: &Exchanged) -> Result<Issued, TokenExchangeError> {
        let url = self.token_url(None, &self.values_of(&old.inputs))?;
        let parameter = |(name, input): (&str, _)| {
            let value = old.inputs.text(input).unwrap_or_else(|| Secret::new(""));
            (name.to_owned(), value)
        };
        let login = LOGIN.map(parameter);
        let request = message(Method::Post, url, Vec::new(), &login, BodyFormat::Json);
        let (answer, status) = self.ask_for_object(request, &SecretMap::default()).await?;
        let session = [("session_id", "sessionId"), ("user_id", "userId")]
            .map(|(name, member)| Some((name, answer.text(member)?)));
        let session: Option<Vec<_>> = session.into_iter().collect();
        let session = SecretMap::of(session.ok_or_else(|| malformed(status))?);
        let expires_at = self.ports.now().plus_seconds(BILL_SESSION_SECONDS);
        self.issued(old, session, Some(expires_at), Some((answer, status)))
    }
}

/// The members of a login with the inputs that they are.
const LOGIN: [(&str, &str); 4] = [
    ("username", "username"),
    ("password", "password"),
    ("organizationId", "organization_id"),
    ("devKey", "dev_key"),
];
