//! Username tokens, which are digested here. Nobody is asked.

use super::{Exchange, Issued, TokenExchangeError, no_key};
use crate::{
    domain::{
        credentials::Exchanged,
        secret::{Secret, SecretMap},
    },
    service::ports::{Ports, random},
    signing::wsse,
};

impl<P: Ports> Exchange<'_, P> {
    pub(super) fn username_token(&self, old: &Exchanged) -> Result<Issued, TokenExchangeError> {
        let lifetime = self.entry.token_lifetime_millis;
        let lifetime =
            lifetime.ok_or_else(|| no_key(&"the provider does not say how long a token lives"))?;
        let input = |name| old.inputs.text(name).unwrap_or_else(|| Secret::new(""));
        let token = wsse::username_token(
            input("username").expose(),
            &input("password"),
            &random(self.ports),
            self.now,
        );
        let token = SecretMap::of([("token", token)]);
        self.issued(old, token, Some(self.now.plus_millis(lifetime)), None)
    }
}
