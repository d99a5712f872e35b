//! Assertions that stand for a grant (RFC 7521 §4): JSON Web Tokens (RFC 7523), signed with a key
//! of the connection. SAML assertions (RFC 7522) are not made. Not here: the signature, and which
//! parameter of a request carries the assertion.

use super::{
    checked::Checked,
    entry_fields::names,
    jwt_template::JwtTemplate,
    shape::{Field, MAX_TEXT_CHARS, Shape},
};
use crate::{domain::auth_mode::AuthMode, signing::private_key::Algorithm};

/// The fields.
pub(super) const FIELDS: &[Field] = &[
    Field::new(
        "assertion",
        Shape::Json,
        "The assertion that stands for a grant.",
    )
    .in_mode(AuthMode::TwoStep, Shape::Object(ASSERTION)),
    Field::new(
        "assertion_option",
        Shape::Inputs,
        "Inputs that are there to make the assertion.",
    ),
];

const ASSERTION: &[Field] = &[
    Field::new(
        "type",
        Shape::Choice(|| vec!["jwt"]),
        "The kind of assertion.",
    )
    .required(),
    Field::new("key", TEXT, "Template of the private key, in PEM.").required(),
    Field::new(
        "lifetimeInSeconds",
        Shape::Number(1, MAX_SECONDS),
        "How long it is used; an hour by default.",
    ),
    Field::new(
        "singleUse",
        Shape::Flag,
        "Whether each login needs a new one; `false` by default.",
    ),
    Field::new("header", Shape::Object(HEADER), "Its header.").required(),
    Field::new(
        "payload",
        Shape::Template,
        "What it says beside `iat` and `exp`.",
    ),
];

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
    pub jwt: JwtTemplate,
    /// Whether each login needs a new one.
    pub is_single_use: bool,
    /// The inputs of `assertion_option`, which an assertion that is there already does without.
    pub options: Vec<String>,
}

impl Assertion {
    pub(super) fn of(entry: Checked<'_>) -> Option<Self> {
        let assertion = entry.object("assertion")?;
        let options = entry.inputs("assertion_option");
        let algorithm = assertion.object("header")?.choice("alg", &ALGORITHMS)?;
        let seconds = assertion.number("lifetimeInSeconds");
        Some(Self {
            jwt: JwtTemplate::of_assertion(assertion, algorithm, seconds.unwrap_or(HOUR_SECONDS))?,
            is_single_use: assertion.flag("singleUse"),
            options: options.into_iter().map(|input| input.name).collect(),
        })
    }
}

const ALGORITHMS: [(Algorithm, &str); 2] =
    [(Algorithm::Es256, "ES256"), (Algorithm::Rs256, "RS256")];
const TEXT: Shape = Shape::Text(1, MAX_TEXT_CHARS);
const HOUR_SECONDS: i64 = 3600;
/// A year.
const MAX_SECONDS: i64 = 31_536_000;
