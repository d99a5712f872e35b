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
    // Calls, hooks and webhooks.
    Field::new(
        "proxy",
        Shape::Object(PROXY),
        "How calls to the provider are made.",
    ),
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

const PROXY: &[Field] = &[
    Field::new(
        "base_url",
        Shape::UrlTemplate,
        "Template of the URL that calls begin with.",
    ),
    Field::new("headers", Shape::Parameters, "Headers of each call."),
    Field::new("query", Shape::Parameters, "Parameters of each call."),
    Field::new(
        "body",
        Shape::JsonTemplate,
        "Fields of the body of each call.",
    ),
    Field::new(
        "connection_config",
        Shape::Json,
        "Values of `connection_config` that calls use.",
    ),
    Field::new(
        "decompress",
        Shape::Flag,
        "Whether answers are compressed without saying so.",
    ),
    Field::new(
        "forward_headers_on_redirect",
        Shape::Json,
        "Which headers follow a redirect.",
    ),
    Field::new("paginate", Shape::Json, "How lists are paged."),
    Field::new("retry", Shape::Object(RETRY), "When to try again."),
    Field::new(
        "verification",
        Shape::Object(VERIFICATION),
        "A call that shows whether credentials work.",
    ),
];

const RETRY: &[Field] = &[
    Field::new("after", Shape::Names, "Headers that say how long to wait."),
    Field::new("at", Shape::Names, "Headers that say until when to wait."),
    Field::new(
        "error_code",
        Shape::Names,
        "Statuses that mean too many calls.",
    ),
    Field::new(
        "in_body",
        Shape::Object(IN_BODY),
        "Where the body says when to try again.",
    ),
    Field::new(
        "remaining",
        NAME,
        "The header that says how many calls are left.",
    ),
];

const IN_BODY: &[Field] = &[
    Field::new("path", TEXT, "The path to the text."),
    Field::new("strategy", NAME, "What the text says."),
    Field::new("value", TEXT, "A regular expression that finds it."),
];

const VERIFICATION: &[Field] = &[
    Field::new(
        "base_url_override",
        Shape::UrlTemplate,
        "Template of the URL that this call begins with.",
    ),
    Field::new("data", Shape::JsonTemplate, "The body."),
    Field::new("endpoints", Shape::Paths, "The paths to try."),
    Field::new("headers", Shape::Parameters, "Headers of this call."),
    Field::new(
        "method",
        Shape::Choice(|| vec!["GET", "POST"]),
        "The method.",
    ),
];

const NAME: Shape = Shape::Text(0, MAX_NAME_CHARS);
const TEXT: Shape = Shape::Text(0, MAX_TEXT_CHARS);
