//! Fields of an entry that nothing here acts on.
//!
//! They are published with the entry and checked so that a misspelt or misplaced one is found.
//! Not here: fields with a meaning to this program; they are in [`super::entry_fields`].

use super::shape::{Field, MAX_NAME_CHARS, MAX_TEXT_CHARS, Shape};

/// The fields.
pub(super) const FIELDS: &[Field] = &[
    Field::new(
        "alias",
        NAME,
        "In the catalogue, the entry that this one takes its fields from.",
    ),
    Field::new(
        "docs_connect",
        Shape::Url,
        "A guide for people who connect.",
    ),
    Field::new("setup_guide_url", Shape::Url, "A guide for developers."),
    Field::new(
        "auth",
        Shape::Json,
        "Older settings of the consent request.",
    ),
    Field::new(
        "auth_type",
        NAME,
        "The kind of credentials that an installed plug-in gives.",
    ),
    Field::new(
        "connection_configuration",
        Shape::Json,
        "Older settings of the consent request.",
    ),
    Field::new(
        "decode_url",
        Shape::Json,
        "Older settings of the consent request.",
    ),
    Field::new("installation", NAME, "Who starts an installation."),
    // Consent.
    Field::new(
        "authorization_url",
        Shape::UrlTemplate,
        "Template of the page where a user consents.",
    ),
    Field::new(
        "authorization_url_fragment",
        TEXT,
        "The fragment of that page.",
    ),
    Field::new(
        "authorization_url_replacements",
        Shape::Json,
        "Replacements in the URL of that page.",
    ),
    Field::new(
        "authorization_url_skip_empty",
        Shape::Json,
        "Which empty parts the URL of that page leaves out.",
    ),
    Field::new(
        "authorization_url_skip_encode",
        Shape::Json,
        "Which values go into the URL of that page as they are.",
    ),
    Field::new(
        "authorization_params",
        Shape::Texts,
        "Parameters of that page.",
    ),
    Field::new(
        "authorization_code_param_in_callback",
        NAME,
        "The parameter of the callback that brings the code, if it is not `code`.",
    ),
    Field::new(
        "authorization_code_param_in_webhook",
        NAME,
        "The field of a webhook that brings the code.",
    ),
    Field::new(
        "disable_pkce",
        Shape::Flag,
        "Whether PKCE (RFC 7636) is left out.",
    ),
    Field::new(
        "redirect_uri_metadata",
        Shape::Names,
        "Parameters of the callback that are copied into `connection_config`.",
    ),
    Field::new(
        "request_url",
        Shape::UrlTemplate,
        "Template of the endpoint for temporary credentials of OAuth 1.0a.",
    ),
    Field::new(
        "request_params",
        Shape::Texts,
        "Parameters of a request for such credentials.",
    ),
    Field::new(
        "signature_method",
        NAME,
        "How requests of OAuth 1.0a are signed.",
    ),
    Field::new(
        "registration_url",
        Shape::UrlTemplate,
        "Template of the endpoint where clients are registered.",
    ),
    Field::new(
        "registration_params",
        Shape::Json,
        "Fields of a registration.",
    ),
    Field::new(
        "client_registration",
        NAME,
        "How a client is registered at a Model Context Protocol server.",
    ),
    // Token requests of a shape of their own.
    Field::new(
        "token_url_skip_encode",
        Shape::Json,
        "Which values go into the token URL as they are.",
    ),
    // Hooks and webhooks.
    Field::new(
        "credentials_verification_script",
        NAME,
        "The name of a code hook that tries credentials.",
    ),
    Field::new(
        "post_connection_script",
        NAME,
        "The name of a code hook that follows an import.",
    ),
    Field::new(
        "pre_connection_deletion_script",
        NAME,
        "The name of a code hook that precedes a deletion.",
    ),
    Field::new(
        "webhook_routing_script",
        NAME,
        "The name of a code hook that tells whose a webhook is.",
    ),
    Field::new(
        "webhook_user_defined_secret",
        Shape::Flag,
        "Whether a person chooses the secret of webhooks.",
    ),
    Field::new(
        "webhook_allowed_query_params",
        Shape::Json,
        "Parameters that a webhook may bring.",
    ),
    Field::new(
        "webhook_response_metadata",
        Shape::Json,
        "What a webhook is answered.",
    ),
];

const NAME: Shape = Shape::Text(0, MAX_NAME_CHARS);
const TEXT: Shape = Shape::Text(0, MAX_TEXT_CHARS);
