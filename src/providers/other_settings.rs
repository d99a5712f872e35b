//! Fields of an entry that nothing here acts on.
//!
//! They are published with the entry and checked so that a misspelt or misplaced one is found.
//! Not here: fields with a meaning to this program; they are in [`super::entry`].

use super::shape::{MAX_NAME_CHARS, MAX_TEXT_CHARS, Shape};
use crate::validation::input::Fields;

/// Raises the mistakes in these fields of an entry.
pub(super) fn check(entry: &Fields<'_>) {
    Shape::check_fields(entry, &FIELDS);
}

const NAME: Shape = Shape::Text(MAX_NAME_CHARS);
const TEXT: Shape = Shape::Text(MAX_TEXT_CHARS);

const FIELDS: [(&str, Shape); 49] = [
    ("alias", NAME),
    ("categories", Shape::Names),
    ("docs_connect", Shape::Url),
    ("setup_guide_url", Shape::Url),
    ("auth", Shape::Json),
    ("auth_type", NAME),
    ("connection_configuration", Shape::Json),
    ("decode_url", Shape::Json),
    ("installation", NAME),
    // Consent.
    ("authorization_url", Shape::UrlTemplate),
    ("authorization_url_fragment", TEXT),
    ("authorization_url_replacements", Shape::Json),
    ("authorization_url_skip_empty", Shape::Json),
    ("authorization_url_skip_encode", Shape::Json),
    ("authorization_params", Shape::Texts),
    ("authorization_code_param_in_callback", NAME),
    ("authorization_code_param_in_webhook", NAME),
    ("disable_pkce", Shape::Flag),
    ("redirect_uri_metadata", Shape::Names),
    ("request_url", Shape::UrlTemplate),
    ("request_params", Shape::Texts),
    ("signature_method", NAME),
    ("registration_url", Shape::UrlTemplate),
    ("registration_params", Shape::Json),
    ("client_registration", NAME),
    // Token requests of a shape of their own.
    ("token_url_skip_encode", Shape::Json),
    ("token_headers", Shape::Texts),
    ("token_request_method", NAME),
    ("token_response", Shape::Json),
    ("token_response_metadata", Shape::Names),
    ("token_response_headers", Shape::Json),
    ("token_expires_in_ms", Shape::WholeNumber),
    ("refresh_token_params", Shape::Json),
    ("refresh_token_headers", Shape::Texts),
    ("refresh_token_response_metadata", Shape::Json),
    ("additional_steps", Shape::Json),
    ("assertion", Shape::Json),
    ("assertion_option", Shape::Json),
    ("signature", Shape::Json),
    ("token", Shape::Json),
    ("require_client_certificate", Shape::Flag),
    // Calls, hooks and webhooks.
    ("proxy", PROXY),
    ("credentials_verification_script", NAME),
    ("post_connection_script", NAME),
    ("pre_connection_deletion_script", NAME),
    ("webhook_routing_script", NAME),
    ("webhook_user_defined_secret", Shape::Flag),
    ("webhook_allowed_query_params", Shape::Json),
    ("webhook_response_metadata", Shape::Json),
];

const PROXY: Shape = Shape::Object(&[
    ("base_url", Shape::UrlTemplate),
    ("headers", Shape::Parameters),
    ("query", Shape::Parameters),
    ("body", Shape::JsonTemplate),
    ("connection_config", Shape::Json),
    ("decompress", Shape::Flag),
    ("forward_headers_on_redirect", Shape::Json),
    ("paginate", Shape::Json),
    ("retry", RETRY),
    ("verification", VERIFICATION),
]);

const RETRY: Shape = Shape::Object(&[
    ("after", Shape::Names),
    ("at", Shape::Names),
    ("error_code", Shape::Names),
    (
        "in_body",
        Shape::Object(&[("path", TEXT), ("strategy", NAME), ("value", TEXT)]),
    ),
    ("remaining", NAME),
]);

const VERIFICATION: Shape = Shape::Object(&[
    ("base_url_override", Shape::UrlTemplate),
    ("data", Shape::JsonTemplate),
    ("endpoints", Shape::Paths),
    ("headers", Shape::Parameters),
    ("method", Shape::Choice(&["GET", "POST"])),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_documented() {
        let page = include_str!("../../docs/providers.md");
        for (name, _) in FIELDS {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}
