//! The configuration of a deployment: its secrets, read once and checked before anything is
//! served.

use crate::{
    domain::{egress::Egress, secret::Secret},
    vault::{
        api_key::same_secret,
        key_ring::{KeyRing, KeyRingError},
    },
};

/// The configuration.
#[derive(Debug)]
pub struct Settings {
    /// The keys that values are sealed with.
    pub key_ring: KeyRing,
    /// The key of the account plane.
    pub account_key: Option<Secret>,
    /// The configured key of each environment, by the environment's name as its variable spells
    /// it, in lower case.
    pub environment_keys: Vec<(String, Secret)>,
    /// Where token requests may go.
    pub egress: Egress,
}

/// Why a deployment refuses to serve. No value is repeated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// There is no key ring.
    #[error("the secret HOLDFAST_ENCRYPTION_KEYS is missing")]
    NoKeyRing,
    /// The key ring is malformed.
    #[error("the secret HOLDFAST_ENCRYPTION_KEYS is malformed: {0}")]
    KeyRing(#[from] KeyRingError),
    /// Two bootstrap keys are the same, so that one of them would open the wrong doors.
    #[error("two of the secrets HOLDFAST_ACCOUNT_KEY and {ENVIRONMENT_KEY}… are the same")]
    SharedKey,
    /// A bootstrap key is too short to resist guessing.
    #[error("the secret {0} has fewer than {MIN_KEY_CHARS} characters")]
    ShortKey(String),
}

impl Settings {
    /// Reads the configuration from named values, as the runtime gives them.
    pub fn parse(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut key_ring = None;
        let mut account_key = None;
        let mut environment_keys = Vec::new();
        let mut egress = Egress::PublicOnly;
        for (name, value) in variables {
            if name == KEY_RING {
                key_ring = Some(KeyRing::parse(&value)?);
            } else if name == ACCOUNT_KEY {
                account_key = Some(bootstrap_key(&name, value)?);
            } else if let Some(environment) = name.strip_prefix(ENVIRONMENT_KEY) {
                let environment = environment.to_ascii_lowercase();
                environment_keys.push((environment, bootstrap_key(&name, value)?));
            } else if name == ALLOW_PRIVATE_PROVIDERS && value == "true" {
                egress = Egress::AnyHost;
            }
        }
        let key_ring = key_ring.ok_or(SettingsError::NoKeyRing)?;
        let mut keys = account_key
            .iter()
            .chain(environment_keys.iter().map(|(_, key)| key));
        while let Some(key) = keys.next() {
            if keys.clone().any(|other| same_secret(&key_ring, key, other)) {
                return Err(SettingsError::SharedKey);
            }
        }
        Ok(Self {
            key_ring,
            account_key,
            environment_keys,
            egress,
        })
    }
}

fn bootstrap_key(name: &str, value: String) -> Result<Secret, SettingsError> {
    if value.chars().count() < MIN_KEY_CHARS {
        return Err(SettingsError::ShortKey(name.to_owned()));
    }
    Ok(Secret::new(value))
}

const KEY_RING: &str = "HOLDFAST_ENCRYPTION_KEYS";
const ACCOUNT_KEY: &str = "HOLDFAST_ACCOUNT_KEY";
const ENVIRONMENT_KEY: &str = "HOLDFAST_SECRET_KEY_";
const ALLOW_PRIVATE_PROVIDERS: &str = "HOLDFAST_ALLOW_PRIVATE_PROVIDERS";
/// The fewest characters of a bootstrap key.
const MIN_KEY_CHARS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const RING: (&str, &str) = (
        "HOLDFAST_ENCRYPTION_KEYS",
        "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    );

    fn parse(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::parse(
            variables
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn a_deployment_without_a_key_ring_is_refused() {
        assert_eq!(parse(&[]).unwrap_err(), SettingsError::NoKeyRing);
    }

    #[test]
    fn a_short_bootstrap_key_is_refused_by_name() {
        let error = parse(&[RING, ("HOLDFAST_SECRET_KEY_DEV", "short")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the secret HOLDFAST_SECRET_KEY_DEV has fewer than 32 characters"
        );
    }

    #[test]
    fn two_environments_cannot_share_a_key() {
        let key = "0123456789abcdef0123456789abcdef";
        let shared = [
            RING,
            ("HOLDFAST_SECRET_KEY_DEV", key),
            ("HOLDFAST_SECRET_KEY_PROD", key),
        ];
        assert_eq!(parse(&shared).unwrap_err(), SettingsError::SharedKey);
        let shared = [
            RING,
            ("HOLDFAST_ACCOUNT_KEY", key),
            ("HOLDFAST_SECRET_KEY_PROD", key),
        ];
        assert_eq!(parse(&shared).unwrap_err(), SettingsError::SharedKey);
    }

    #[test]
    fn private_providers_are_off_unless_said_true() {
        assert_eq!(parse(&[RING]).unwrap().egress, Egress::PublicOnly);
        let allowed = parse(&[RING, ("HOLDFAST_ALLOW_PRIVATE_PROVIDERS", "true")]).unwrap();
        assert_eq!(allowed.egress, Egress::AnyHost);
    }
}
