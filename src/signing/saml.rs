//! Assertions of SAML 2.0 that stand for a grant (RFC 7522), with an enveloped signature of
//! RSA-SHA256 (XML Signature).
//!
//! What is written is in exclusive canonical form from the start (Exclusive XML Canonicalization
//! 1.0): attributes in order, no empty-element tags, each namespace declared on the element that
//! is signed. So nothing is parsed or canonicalised here. Not here: the signature of the key.

use std::fmt::{self, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::domain::{
    json_path::value_at,
    secret::Secret,
    timestamp::Timestamp,
    xml::{self, attribute, text},
};

/// What an assertion says.
pub struct Claims {
    /// Its identifier, which is unique and has no colon (`xs:ID`).
    pub id: String,
    /// Who says so.
    pub issuer: String,
    /// Whom it is about.
    pub name_identifier: String,
    /// How that is written, a URI.
    pub name_identifier_format: String,
    /// Where it may be used.
    pub recipient: Option<String>,
    /// For whom it is meant.
    pub audiences: Vec<String>,
    /// The session that the subject has with the issuer.
    pub session_index: Option<String>,
    /// What else is said of the subject, by name.
    pub attributes: Vec<(String, String)>,
    /// When it is made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// An assertion that lacks its signature.
pub struct Unsigned {
    /// Up to where the signature goes: behind the issuer (SAML Core §2.3.3).
    head: String,
    tail: String,
    signed_info: String,
}

impl Claims {
    /// The assertion; none where XML has no way to write a value, or where it is for nobody.
    #[must_use]
    pub fn unsigned(&self) -> Option<Unsigned> {
        let head = format!(
            "<saml:Assertion xmlns:saml=\"{ASSERTION}\" ID=\"{}\" IssueInstant=\"{}\" \
             Version=\"2.0\"><saml:Issuer>{}</saml:Issuer>",
            attribute(&self.id)?,
            self.issued_at.to_iso(),
            text(&self.issuer)?,
        );
        let tail = [
            self.subject()?,
            self.conditions()?,
            self.authentication()?,
            self.attributes()?,
            "</saml:Assertion>".to_owned(),
        ]
        .concat();
        let digest = Sha256::new().chain_update(&head).chain_update(&tail);
        let signed_info = format!(
            "<ds:SignedInfo xmlns:ds=\"{SIGNATURE}\">\
             <ds:CanonicalizationMethod Algorithm=\"{CANONICAL}\"></ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"></ds:SignatureMethod>\
             <ds:Reference URI=\"#{}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"{ENVELOPED}\"></ds:Transform>\
             <ds:Transform Algorithm=\"{CANONICAL}\"></ds:Transform></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{SHA256}\"></ds:DigestMethod>\
             <ds:DigestValue>{}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
            attribute(&self.id)?,
            STANDARD.encode(digest.finalize()),
        );
        Some(Unsigned {
            head,
            tail,
            signed_info,
        })
    }

    /// RFC 7522 §3: whoever bears the assertion may use it, at its recipient.
    fn subject(&self) -> Option<String> {
        let recipient = match &self.recipient {
            Some(recipient) => format!(" Recipient=\"{}\"", attribute(recipient)?),
            None => String::new(),
        };
        Some(format!(
            "<saml:Subject><saml:NameID Format=\"{}\">{}</saml:NameID>\
             <saml:SubjectConfirmation Method=\"{BEARER}\">\
             <saml:SubjectConfirmationData NotOnOrAfter=\"{}\"{recipient}>\
             </saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>",
            attribute(&self.name_identifier_format)?,
            text(&self.name_identifier)?,
            self.expires_at.to_iso(),
        ))
    }

    fn conditions(&self) -> Option<String> {
        if self.audiences.is_empty() {
            return None;
        }
        let mut audiences = String::new();
        for audience in &self.audiences {
            write!(
                audiences,
                "<saml:Audience>{}</saml:Audience>",
                text(audience)?
            )
            .ok()?;
        }
        Some(format!(
            "<saml:Conditions NotBefore=\"{}\" NotOnOrAfter=\"{}\"><saml:AudienceRestriction>\
             {audiences}</saml:AudienceRestriction></saml:Conditions>",
            self.issued_at.plus_seconds(-CLOCK_SKEW_SECONDS).to_iso(),
            self.expires_at.to_iso(),
        ))
    }

    /// A session without which the client acts on its own (RFC 7522 §3, item 7).
    fn authentication(&self) -> Option<String> {
        let Some(session_index) = &self.session_index else {
            return Some(String::new());
        };
        Some(format!(
            "<saml:AuthnStatement AuthnInstant=\"{}\" SessionIndex=\"{}\"><saml:AuthnContext>\
             <saml:AuthnContextClassRef>{UNSPECIFIED}</saml:AuthnContextClassRef>\
             </saml:AuthnContext></saml:AuthnStatement>",
            self.issued_at.to_iso(),
            attribute(session_index)?,
        ))
    }

    fn attributes(&self) -> Option<String> {
        if self.attributes.is_empty() {
            return Some(String::new());
        }
        let mut attributes = String::new();
        for (name, value) in &self.attributes {
            let (name, value) = (attribute(name)?, text(value)?);
            write!(
                attributes,
                "<saml:Attribute Name=\"{name}\"><saml:AttributeValue>{value}\
                 </saml:AttributeValue></saml:Attribute>",
            )
            .ok()?;
        }
        Some(format!(
            "<saml:AttributeStatement>{attributes}</saml:AttributeStatement>"
        ))
    }
}

impl Unsigned {
    /// What is signed.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.signed_info.as_bytes()
    }

    /// The assertion with its signature, in Base64.
    #[must_use]
    pub fn signed(&self, signature: &[u8]) -> Secret {
        let Self {
            head,
            tail,
            signed_info,
        } = self;
        let signature = STANDARD.encode(signature);
        Secret::new(STANDARD.encode(format!(
            "{head}<ds:Signature xmlns:ds=\"{SIGNATURE}\">{signed_info}\
             <ds:SignatureValue>{signature}</ds:SignatureValue></ds:Signature>{tail}"
        )))
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Claims(…)")
    }
}

impl fmt::Debug for Unsigned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Unsigned(…)")
    }
}

/// When an assertion in Base64 ends, if `assertion` is one. Nothing is verified: it is ours, and
/// only its age matters.
#[must_use]
pub fn end_of_assertion(assertion: &Secret) -> Option<Timestamp> {
    let document = STANDARD.decode(assertion.expose()).ok()?;
    let document = xml::value(str::from_utf8(&document).ok()?)?;
    let end = value_at(&document, "Assertion.Conditions.$NotOnOrAfter")?;
    Timestamp::parse(end.as_str()?)
}

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const CANONICAL: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
/// How far a provider's clock may be behind.
const CLOCK_SKEW_SECONDS: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            id: "_fake-id".to_owned(),
            issuer: "a&b".to_owned(),
            name_identifier: "user <1>".to_owned(),
            name_identifier_format: "urn:fake".to_owned(),
            recipient: Some("https://a.example/token?a=1&b=\"2\"".to_owned()),
            audiences: ["one", "two"].map(str::to_owned).to_vec(),
            session_index: Some("fake-session".to_owned()),
            attributes: vec![("api_key".to_owned(), "fake-key".to_owned())],
            issued_at: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
            expires_at: Timestamp::parse("2026-01-01T00:05:00Z").unwrap(),
        }
    }

    const HEAD: &str = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
        ID=\"_fake-id\" IssueInstant=\"2026-01-01T00:00:00.000Z\" Version=\"2.0\">\
        <saml:Issuer>a&amp;b</saml:Issuer>";
    const TAIL: &str = "<saml:Subject><saml:NameID Format=\"urn:fake\">user &lt;1&gt;</saml:NameID>\
        <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
        <saml:SubjectConfirmationData NotOnOrAfter=\"2026-01-01T00:05:00.000Z\" \
        Recipient=\"https://a.example/token?a=1&amp;b=&quot;2&quot;\">\
        </saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>\
        <saml:Conditions NotBefore=\"2025-12-31T23:59:00.000Z\" \
        NotOnOrAfter=\"2026-01-01T00:05:00.000Z\"><saml:AudienceRestriction>\
        <saml:Audience>one</saml:Audience><saml:Audience>two</saml:Audience>\
        </saml:AudienceRestriction></saml:Conditions>\
        <saml:AuthnStatement AuthnInstant=\"2026-01-01T00:00:00.000Z\" \
        SessionIndex=\"fake-session\"><saml:AuthnContext><saml:AuthnContextClassRef>\
        urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef>\
        </saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>\
        <saml:Attribute Name=\"api_key\"><saml:AttributeValue>fake-key</saml:AttributeValue>\
        </saml:Attribute></saml:AttributeStatement></saml:Assertion>";

    #[test]
    fn the_signature_stands_behind_the_issuer_and_covers_all_but_itself() {
        let unsigned = claims().unsigned().unwrap();
        let digest = STANDARD.encode(Sha256::digest(format!("{HEAD}{TAIL}")));
        let signed_info = str::from_utf8(unsigned.signing_input()).unwrap();
        let expected = format!("<ds:DigestValue>{digest}</ds:DigestValue>");
        assert!(signed_info.contains(&expected));
        assert!(signed_info.contains("<ds:Reference URI=\"#_fake-id\">"));
        let signed = STANDARD.decode(unsigned.signed(b"fake").expose()).unwrap();
        let expected = format!(
            "{HEAD}<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{signed_info}\
             <ds:SignatureValue>ZmFrZQ==</ds:SignatureValue></ds:Signature>{TAIL}"
        );
        assert_eq!(str::from_utf8(&signed), Ok(expected.as_str()));
    }

    #[test]
    fn what_is_not_said_has_no_element() {
        let unsigned = Claims {
            recipient: None,
            session_index: None,
            attributes: Vec::new(),
            ..claims()
        };
        let tail = unsigned.unsigned().unwrap().tail;
        for absent in ["Recipient", "AuthnStatement", "AttributeStatement"] {
            assert!(!tail.contains(absent), "{absent}");
        }
    }

    #[test]
    fn a_value_that_xml_cannot_write_gives_no_assertion() {
        let issuer = "\0".to_owned();
        assert!(Claims { issuer, ..claims() }.unsigned().is_none());
        let audiences = Vec::new();
        let for_nobody = Claims {
            audiences,
            ..claims()
        };
        assert!(for_nobody.unsigned().is_none());
    }

    #[test]
    fn the_end_of_an_assertion_is_read_back() {
        let signed = claims().unsigned().unwrap().signed(b"fake");
        assert_eq!(end_of_assertion(&signed), Some(claims().expires_at));
        for other in ["", "e30.e30.fake", "PGEvPg=="] {
            assert_eq!(end_of_assertion(&Secret::new(other)), None, "{other}");
        }
    }
}
