//! The fields of an entry that this program acts on, and those that say what a provider is.
//!
//! Each is a row: its name, what it may hold, what it means. A row here, a line in
//! [`super::entry`] that reads it and one in `docs/providers.md` are all that a field takes. Not
//! here: the fields that are published and no more, which are in [`super::other_settings`].

use super::{
    assertion, call_settings,
    jwt_template::HmacSecretEncoding,
    other_settings, refresh_step,
    shape::{Field, MAX_NAME_CHARS, MAX_TEXT_CHARS, Shape},
    token_steps::{self, STEP_FORMATS},
};
use crate::{
    domain::{auth_mode::AuthMode, refresh::Rotation},
    oauth2::{
        client_authentication::ClientAuthentication, token_request::BodyFormat,
        token_response::ExpiresInUnit,
    },
    signing::private_key::Algorithm,
};

/// Every field of an entry.
pub(super) fn all() -> impl Iterator<Item = &'static Field> {
    let own = [
        IDENTITY,
        TOKEN_REQUESTS,
        TOKEN_ANSWERS,
        SIGNED_TOKENS,
        INPUTS,
    ];
    let others = [
        token_steps::FIELDS,
        assertion::FIELDS,
        other_settings::FIELDS,
        call_settings::FIELDS,
    ];
    own.into_iter().chain(others).flatten()
}

const IDENTITY: &[Field] = &[
    Field::new("display_name", NAME, "The name to show.").required(),
    Field::new(
        "docs",
        Shape::Url,
        "The provider's documentation of its API.",
    )
    .required(),
    Field::new(
        "auth_mode",
        Shape::Choice(|| names(&AuthMode::ALL)),
        "The kind of credentials.",
    )
    .required(),
    Field::new("categories", Shape::Names, "Words to group providers by."),
];

const TOKEN_REQUESTS: &[Field] = &[
    Field::new(
        "token_url",
        Shape::Either(
            &Shape::Object(&[
                Field::new("OAUTH2", Shape::UrlTemplate, "For tokens of users.").required(),
                Field::new("APP", Shape::UrlTemplate, "For tokens of apps.").required(),
            ]),
            &Shape::UrlTemplate,
        ),
        "Template of the token endpoint, or one each where users and apps have different ones.",
    )
    .required_in(&[
        AuthMode::App,
        AuthMode::Bill,
        AuthMode::Custom,
        AuthMode::OAuth2,
        AuthMode::OAuth2ClientCredentials,
        AuthMode::TwoStep,
    ]),
    Field::new(
        "refresh_url",
        Shape::UrlTemplate,
        "Template of the endpoint for refreshes, if it is another one.",
    ),
    Field::new(
        "token_params",
        Shape::Parameters,
        "Parameters of a token request beside the standard ones.",
    )
    .in_mode(AuthMode::TwoStep, Shape::Template),
    Field::new(
        "refresh_params",
        Shape::Parameters,
        "Parameters of a refresh, instead of `token_params`.",
    )
    .in_mode(AuthMode::TwoStep, Shape::Json),
    Field::new(
        "renews_without_refresh_token",
        Shape::Flag,
        "Whether a token is renewed without a refresh token; `false` by default.",
    ),
    Field::new(
        "refresh_steps",
        Shape::List(
            &Shape::Object(refresh_step::FIELDS),
            refresh_step::MAX_STEPS,
        ),
        "Token requests that follow the first one of a refresh.",
    ),
    Field::new(
        "body_format",
        Shape::Choice(|| names(&BODY_FORMATS)),
        "How the parameters of a token request are written; `form` by default, or `json`.",
    )
    .in_mode(AuthMode::TwoStep, Shape::Choice(|| names(&STEP_FORMATS))),
    Field::new(
        "authorization_method",
        Shape::Choice(|| names(&AUTHORIZATION_METHODS)),
        "Where the client's id and secret go; `body` by default.",
    ),
    Field::new(
        "token_request_auth_method",
        Shape::Choice(|| names(&TOKEN_REQUEST_AUTH_METHODS)),
        "The same for token requests alone, and before `authorization_method`.",
    ),
    Field::new(
        "client_assertion",
        Shape::Object(&[
            Field::new("issuer", NAME, "Template of `iss`, if not the client's id."),
            Field::new("audience", NAME, "Template of `aud`, if not the URL asked."),
        ]),
        "What is said in the assertion of a client that signs one.",
    ),
    Field::new(
        "require_client_certificate",
        Shape::Flag,
        "Whether token requests need a client certificate, so that no connection can be kept.",
    ),
    Field::new(
        "token_request_timeout",
        Shape::Number(1, 60),
        "How many seconds a token request may take; 10 by default.",
    ),
    Field::new(
        "revocation_url",
        Shape::UrlTemplate,
        "Template of the endpoint that revokes tokens (RFC 7009).",
    ),
    Field::new(
        "default_scopes",
        Shape::Names,
        "The scopes of an integration that is made without any.",
    ),
    Field::new(
        "token_domains",
        Shape::Domains,
        "The domains that token requests and revocations may go to, subdomains included.",
    ),
    Field::new(
        "scope_separator",
        Shape::Text(1, MAX_SEPARATOR_CHARS),
        "What stands between scopes; a blank by default.",
    ),
];

const TOKEN_ANSWERS: &[Field] = &[
    Field::new(
        "alternate_access_token_response_path",
        NAME,
        "Where the token is if not at the top level of the answer.",
    ),
    Field::new(
        "expires_in_unit",
        Shape::Choice(|| names(&EXPIRES_IN_UNITS)),
        "The unit of `expires_in`; `seconds` by default.",
    ),
    Field::new(
        "token_expiration_buffer",
        Shape::Number(0, MAX_SECONDS),
        "How many seconds before its end a token is refreshed, instead of the usual margin.",
    ),
    Field::new(
        "default_token_lifetime",
        Shape::Number(1, MAX_SECONDS),
        "How many seconds a token lives when nothing says so.",
    ),
    Field::new(
        "token_goes_on_when",
        Shape::Object(&[
            Field::new("path", NAME, "The path to a value of the answer.").required(),
            Field::new("value", NAME, "The value, as text.").required(),
        ]),
        "What an answer without a token says when the token that is there goes on.",
    ),
    Field::new(
        "rotation",
        Shape::Either(
            &Shape::Object(&[Field::new(
                "grace",
                Shape::Number(1, MAX_SECONDS),
                "How many seconds the used refresh token still works.",
            )
            .required()]),
            &Shape::Choice(|| names(&ROTATIONS)),
        ),
        "What becomes of a refresh token once it was used.",
    ),
    Field::new(
        "refresh_only_when_forced",
        Shape::Flag,
        "Whether a token is refreshed only on request; `false` by default.",
    ),
];

const SIGNED_TOKENS: &[Field] = &[
    Field::new(
        "signature",
        Shape::Object(&[
            Field::new(
                "protocol",
                Shape::Choice(|| names(&SIGNATURE_PROTOCOLS)),
                "The kind of key.",
            )
            .required(),
            Field::new(
                "hmac_secret_encoding",
                Shape::Choice(|| names(&HMAC_SECRET_ENCODINGS)),
                "How the key of an authentication code is written; `hex` by default.",
            ),
        ]),
        "How a token is signed here.",
    )
    .required_in(&[AuthMode::Jwt, AuthMode::Signature])
    .in_mode(
        AuthMode::Signature,
        Shape::Object(&[Field::new(
            "protocol",
            Shape::Choice(|| vec!["WSSE"]),
            "The kind of digest.",
        )
        .required()]),
    ),
    Field::new(
        "token",
        Shape::Object(&[
            Field::new("signing_key", TEXT, "Template of the key.").required(),
            LIFETIME,
            Field::new("header", Shape::Parameters, "Its header, but for `alg`."),
            Field::new(
                "payload",
                Shape::Template,
                "Its claims, but for `iat` and `exp`.",
            ),
        ]),
        "What is in a token that is signed here.",
    )
    .required_in(&[AuthMode::Jwt, AuthMode::Signature])
    .in_mode(AuthMode::Signature, Shape::Object(&[LIFETIME])),
];

const LIFETIME: Field = Field::new(
    "expires_in_ms",
    Shape::Number(1000, MAX_SECONDS * 1000),
    "How many milliseconds it lives.",
)
.required();

const INPUTS: &[Field] = &[
    Field::new(
        "credentials",
        Shape::Inputs,
        "The parts of the credentials that a person gives.",
    ),
    Field::new(
        "connection_config",
        Shape::Inputs,
        "Further inputs of each connection.",
    ),
    Field::new(
        "integration_config",
        Shape::Inputs,
        "Inputs of the integration.",
    ),
];

pub(super) const AUTHORIZATION_METHODS: [(ClientAuthentication, &str); 2] = [
    (ClientAuthentication::ClientSecretPost, "body"),
    (ClientAuthentication::ClientSecretBasic, "header"),
];

pub(super) const TOKEN_REQUEST_AUTH_METHODS: [(ClientAuthentication, &str); 4] = [
    (ClientAuthentication::ClientSecretBasicUnencoded, "basic"),
    (ClientAuthentication::Password, "custom"),
    (ClientAuthentication::None, "none"),
    (ClientAuthentication::PrivateKeyJwt, "private_key_jwt"),
];

pub(super) const BODY_FORMATS: [(BodyFormat, &str); 3] = [
    (BodyFormat::Form, "form"),
    (BodyFormat::Json, "json"),
    (BodyFormat::Query, "query"),
];

pub(super) const EXPIRES_IN_UNITS: [(ExpiresInUnit, &str); 2] = [
    (ExpiresInUnit::Milliseconds, "milliseconds"),
    (ExpiresInUnit::Seconds, "seconds"),
];

pub(super) const ROTATIONS: [(Rotation, &str); 2] = [
    (Rotation::None, "none"),
    (Rotation::ReuseRevokes, "reuse_revokes"),
];

/// None stands for an authentication code.
pub(super) const SIGNATURE_PROTOCOLS: [(Option<Algorithm>, &str); 3] = [
    (Some(Algorithm::Es256), "EC"),
    (None, "HMAC"),
    (Some(Algorithm::Rs256), "RSA"),
];

pub(super) const HMAC_SECRET_ENCODINGS: [(HmacSecretEncoding, &str); 2] = [
    (HmacSecretEncoding::Hex, "hex"),
    (HmacSecretEncoding::Utf8, "utf8"),
];

pub(super) fn names<T>(options: &[(T, &'static str)]) -> Vec<&'static str> {
    options.iter().map(|(_, name)| *name).collect()
}

const TEXT: Shape = Shape::Text(1, MAX_TEXT_CHARS);
const NAME: Shape = Shape::Text(1, MAX_NAME_CHARS);
const MAX_SEPARATOR_CHARS: usize = 8;
/// A year.
const MAX_SECONDS: i64 = 31_536_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields within a field.
    fn inner(field: &Field) -> Vec<&'static Field> {
        let shapes = [Some(field.shape), field.in_mode.map(|(_, shape)| shape)];
        let fields = shapes.into_iter().flatten().flat_map(|shape| match shape {
            Shape::Object(fields) => fields.iter().collect(),
            Shape::Tagged(_, kinds) => kinds.iter().flat_map(|(_, fields)| *fields).collect(),
            _ => Vec::new(),
        });
        fields.collect()
    }

    #[test]
    fn every_field_has_a_row_of_its_own_or_is_told_in_that_of_its_parent() {
        let page = include_str!("../../docs/providers.md");
        let rows = || page.lines().filter_map(|line| line.strip_prefix("| "));
        let row = |name: &str| {
            let name = format!("`{name}`");
            rows().find(|row| row.split(" | ").next().is_some_and(|it| it.contains(&name)))
        };
        for field in all() {
            let (own, inner) = (row(field.name), inner(field));
            assert!(own.is_some() || !inner.is_empty(), "{}", field.name);
            for inner in inner {
                let path = format!("{}.{}", field.name, inner.name);
                let is_told = own.is_some_and(|own| own.contains(inner.name));
                assert!(is_told || row(&path).is_some(), "{path}");
            }
        }
    }

    #[test]
    fn every_field_is_there_once() {
        let mut names: Vec<_> = all().map(|field| field.name).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
}
