//! JSON Web Tokens that are signed here as an entry says (RFC 7519). Nobody is asked.

use super::{Exchange, Issued, TokenExchangeError, no_key, signed};
use crate::{
    domain::{credentials::Exchanged, secret::SecretMap},
    service::ports::Ports,
};

impl<P: Ports> Exchange<'_, P> {
    pub(super) async fn signed_token(&self, old: &Exchanged) -> Result<Issued, TokenExchangeError> {
        let template = self.entry.jwt.as_ref();
        let template = template.ok_or_else(|| no_key(&"the provider does not say how to sign"))?;
        let jwt = template
            .fill(&self.values_of(&self.own_credentials(old)))
            .map_err(|error| no_key(&error))?;
        let token = signed(self.ports, &jwt.key, &jwt.header, &jwt.claims).await?;
        let token = SecretMap::of([("token", token)]);
        self.issued(old, token, Some(jwt.expires_at), None)
    }
}
