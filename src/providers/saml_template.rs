//! Assertions of SAML, as an entry describes them in `assertion`. Not here: how one is written,
//! and the signature.

use super::{
    checked::Checked,
    entry::Parameters,
    jwt_template::{UnsignableError, places_of, unless_missing},
    template::{self, Values},
};
use crate::{
    domain::secret::Secret,
    signing::{
        private_key::{Algorithm, PrivateKey},
        saml::{Claims, Unsigned},
    },
};

/// How an assertion of SAML is made for a connection.
#[derive(Clone, Debug)]
pub struct SamlTemplate {
    key: String,
    issuer: String,
    name_identifier: String,
    name_identifier_format: String,
    recipient: Option<String>,
    audiences: Vec<String>,
    session_index: Option<String>,
    attributes: Parameters,
    lifetime_seconds: i64,
}

/// An assertion to sign.
#[derive(Debug)]
pub struct Saml {
    /// The key, which signs with RSA-SHA256.
    pub key: PrivateKey,
    /// What it says.
    pub assertion: Unsigned,
}

impl SamlTemplate {
    pub(super) fn of(assertion: Checked<'_>, lifetime_seconds: Option<i64>) -> Option<Self> {
        let audience = assertion.text("audiences").map(|audience| vec![audience]);
        let format = assertion.text("nameIdentifierFormat");
        Some(Self {
            key: assertion.text("key")?,
            issuer: assertion.text("issuer")?,
            name_identifier: assertion.text("nameIdentifier")?,
            name_identifier_format: format.unwrap_or_else(|| UNSPECIFIED.to_owned()),
            recipient: assertion.text("recipient"),
            audiences: audience.unwrap_or_else(|| assertion.names("audiences")),
            session_index: assertion.text("sessionIndex"),
            attributes: assertion.parameters("attributes").unwrap_or_default(),
            lifetime_seconds: lifetime_seconds.unwrap_or(FIVE_MINUTES_SECONDS),
        })
    }

    /// What is to be signed at the time of `values`. Attributes that lack a value are left out.
    pub fn fill(&self, values: &Values<'_>) -> Result<Saml, UnsignableError> {
        let text = |template: &String| template::text(template, values);
        let key = self.key(values)?;
        let mut attributes = Vec::new();
        for (name, template) in &self.attributes {
            let value = unless_missing(text(template))?;
            attributes.extend(value.map(|value| (name.clone(), value)));
        }
        let claims = Claims {
            id: format!("_{}", values.random),
            issuer: text(&self.issuer)?,
            name_identifier: text(&self.name_identifier)?,
            name_identifier_format: text(&self.name_identifier_format)?,
            recipient: self.recipient.as_ref().map(text).transpose()?,
            audiences: self.audiences.iter().map(text).collect::<Result<_, _>>()?,
            session_index: self.session_index.as_ref().map(text).transpose()?,
            attributes,
            issued_at: values.now,
            expires_at: values.now.plus_seconds(self.lifetime_seconds),
        };
        Ok(Saml {
            key,
            assertion: claims.unsigned().ok_or(UnsignableError::NotXml)?,
        })
    }

    /// The key to sign with.
    pub(super) fn key(&self, values: &Values<'_>) -> Result<PrivateKey, UnsignableError> {
        let key = Secret::new(template::plain_text(&self.key, values)?);
        Ok(PrivateKey::from_pem(&key, Algorithm::Rs256)?)
    }

    pub(super) fn key_places(&self) -> Vec<Vec<String>> {
        places_of(&self.key)
    }
}

const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
const FIVE_MINUTES_SECONDS: i64 = 300;
