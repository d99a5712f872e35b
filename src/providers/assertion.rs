//! Assertions that stand for a grant (RFC 7521 §4), signed with a key of the connection: JSON Web
//! Tokens (RFC 7523) and assertions of SAML (RFC 7522). Not here: the signature, and which
//! parameter of a request carries the assertion.

use super::{
    checked::Checked,
    entry_fields::names,
    jwt_template::{JwtTemplate, UnsignableError},
    saml_template::SamlTemplate,
    shape::{Field, MAX_TEXT_CHARS, Shape},
    template::Values,
};
use crate::{
    domain::{auth_mode::AuthMode, jwt::end_of_jwt, secret::Secret, timestamp::Timestamp},
    signing::{private_key::Algorithm, saml::end_of_assertion},
};

/// The fields.
pub(super) const FIELDS: &[Field] = &[
    Field::new(
        "assertion",
        Shape::Json,
        "The assertion that stands for a grant.",
    )
    .in_mode(
        AuthMode::TwoStep,
        Shape::Tagged("type", &[("jwt", JWT), ("saml", SAML)]),
    ),
    Field::new(
        "assertion_option",
        Shape::Inputs,
        "Inputs that are there to make the assertion.",
    ),
];

const JWT: &[Field] = &[
    Field::new(
        "type",
        Shape::Choice(|| vec!["jwt"]),
        "The kind of assertion.",
    )
    .required(),
    KEY,
    LIFETIME,
    SINGLE_USE,
    Field::new("header", Shape::Object(HEADER), "Its header.").required(),
    Field::new(
        "payload",
        Shape::Template,
        "What it says beside `iat` and `exp`.",
    ),
];

const SAML: &[Field] = &[
    Field::new(
        "type",
        Shape::Choice(|| vec!["saml"]),
        "The kind of assertion.",
    )
    .required(),
    KEY,
    LIFETIME,
    SINGLE_USE,
    Field::new("issuer", TEXT, "Template of who makes it.").required(),
    Field::new(
        "audiences",
        Shape::Either(&TEXT, &Shape::Names),
        "Template, or a list of templates, of whom it is for.",
    )
    .required(),
    Field::new(
        "nameIdentifier",
        TEXT,
        "Template of the name of whom it is about.",
    )
    .required(),
    Field::new(
        "nameIdentifierFormat",
        TEXT,
        "The kind of that name, a URI; unspecified by default.",
    ),
    Field::new("recipient", TEXT, "Template of the URL that takes it."),
    Field::new("sessionIndex", TEXT, "Template of the name of a session."),
    Field::new(
        "attributes",
        Shape::Parameters,
        "What else it says of whom it is about; values are templates.",
    ),
];

const KEY: Field = Field::new("key", TEXT, "Template of the private key, in PEM.").required();

const LIFETIME: Field = Field::new(
    "lifetimeInSeconds",
    Shape::NumberOrDigits(1, MAX_SECONDS),
    "How long it is good; by default an hour, or five minutes for SAML.",
);

const SINGLE_USE: Field = Field::new(
    "singleUse",
    Shape::Flag,
    "Whether it is good for one login, so that it is not kept; `false` by default.",
);

const HEADER: &[Field] = &[
    Field::new(
        "alg",
        Shape::Choice(|| names(&ALGORITHMS)),
        "How it is signed.",
    )
    .required(),
    Field::new("kid", TEXT, "Template of the name of the key."),
    Field::new("typ", TEXT, "The kind of token."),
    Field::new("x5t", TEXT, "Template of a thumbprint by SHA-1."),
    Field::new("x5t#S256", TEXT, "Template of a thumbprint by SHA-256."),
];

/// How an assertion is made.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// What is signed.
    pub template: AssertionTemplate,
    /// Whether it is good for one login.
    pub is_single_use: bool,
    /// The inputs of `assertion_option`, which an assertion that is there already does without.
    pub options: Vec<String>,
}

/// What is signed.
#[derive(Clone, Debug)]
pub enum AssertionTemplate {
    /// A JSON Web Token.
    Jwt(JwtTemplate),
    /// An assertion of SAML.
    Saml(SamlTemplate),
}

impl Assertion {
    pub(super) fn of(entry: Checked<'_>) -> Option<Self> {
        let assertion = entry.object("assertion")?;
        let options = entry.inputs("assertion_option");
        let seconds = assertion.number("lifetimeInSeconds");
        let template = if assertion.text("type")? == "saml" {
            AssertionTemplate::Saml(SamlTemplate::of(assertion, seconds)?)
        } else {
            let algorithm = assertion.object("header")?.choice("alg", &ALGORITHMS)?;
            AssertionTemplate::Jwt(JwtTemplate::of_assertion(assertion, algorithm, seconds)?)
        };
        Some(Self {
            template,
            is_single_use: assertion.flag("singleUse"),
            options: options.into_iter().map(|input| input.name).collect(),
        })
    }
}

impl AssertionTemplate {
    /// Whether there is a key to sign with.
    pub fn check_key(&self, values: &Values<'_>) -> Result<(), UnsignableError> {
        match self {
            Self::Jwt(template) => template.check_key(values),
            Self::Saml(template) => template.key(values).map(drop),
        }
    }

    /// The places of an import that bring what the key is made of.
    #[must_use]
    pub fn key_places(&self) -> Vec<Vec<String>> {
        match self {
            Self::Jwt(template) => template.key_places(),
            Self::Saml(template) => template.key_places(),
        }
    }

    /// When `assertion`, which was made like this, ends.
    #[must_use]
    pub fn end_of(&self, assertion: &Secret) -> Option<Timestamp> {
        match self {
            Self::Jwt(_) => end_of_jwt(assertion),
            Self::Saml(_) => end_of_assertion(assertion),
        }
    }
}

const ALGORITHMS: [(Algorithm, &str); 3] = [
    (Algorithm::Es256, "ES256"),
    (Algorithm::Ps256, "PS256"),
    (Algorithm::Rs256, "RS256"),
];
const TEXT: Shape = Shape::Text(1, MAX_TEXT_CHARS);
/// Ten years, as long as the longest that are in use.
const MAX_SECONDS: i64 = 10 * 365 * 24 * 60 * 60;
