//! What stands for a refresh token where only its equality matters: two connections that hold one
//! grant, and whether a stored token is still the one that was sent. Not here: the token itself.

use base16ct::lower::encode_string as hex;

use super::{
    api_key::authentication_code,
    key_ring::{KeyRing, MasterKey},
};
use crate::domain::secret::Secret;

const PURPOSE: &str = "holdfast grant fingerprint v1";

/// The fingerprint of `refresh_token` at the integration called `integration` inside the system,
/// under the active key of `ring`: HMAC-SHA256 of both under a pepper derived from the key, in
/// hexadecimal.
#[must_use]
pub fn active_fingerprint(ring: &KeyRing, integration: &str, refresh_token: &Secret) -> String {
    fingerprint(ring.active_key(), integration, refresh_token)
}

/// The fingerprints under every key of `ring`, because a stored one keeps the key of its time.
#[must_use]
pub fn fingerprints(ring: &KeyRing, integration: &str, refresh_token: &Secret) -> Vec<String> {
    ring.keys()
        .map(|key| fingerprint(key, integration, refresh_token))
        .collect()
}

fn fingerprint(key: &MasterKey, integration: &str, refresh_token: &Secret) -> String {
    let pepper = key.derive(integration.as_bytes(), PURPOSE);
    hex(&authentication_code(&pepper, refresh_token))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const TWO_AND_ONE: &str = "2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=,\
        1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn one_token_has_one_fingerprint_at_one_integration() {
        let ring = KeyRing::parse(ONE).unwrap();
        let of = |integration, token| active_fingerprint(&ring, integration, &Secret::new(token));
        assert_eq!(of("a", "canary"), of("a", "canary"));
        assert_ne!(of("a", "canary"), of("b", "canary"));
        assert_ne!(of("a", "canary"), of("a", "other"));
        assert!(!of("a", "canary").contains("canary"));
        assert_eq!(of("a", "canary").len(), 64);
    }

    #[test]
    fn a_fingerprint_of_an_earlier_key_is_still_recognised() {
        let (old, new) = (
            KeyRing::parse(ONE).unwrap(),
            KeyRing::parse(TWO_AND_ONE).unwrap(),
        );
        let token = Secret::new("fake-token");
        let stored = active_fingerprint(&old, "a", &token);
        assert_ne!(active_fingerprint(&new, "a", &token), stored);
        assert!(fingerprints(&new, "a", &token).contains(&stored));
    }
}
