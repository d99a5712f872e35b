//! Which addresses a caller may name.

use url::Url;

use crate::oauth2::egress::{Egress, permitted};

/// Whether `text` is an `http` or `https` address that is not, by its literal host, inside a
/// private network.
pub(super) fn is_public_web_address(text: &str) -> bool {
    let Ok(mut url) = Url::parse(text) else {
        return false;
    };
    let is_web =
        url.scheme() == "https" || url.scheme() == "http" && url.set_scheme("https").is_ok();
    is_web && permitted(&url, Egress::PublicOnly).is_ok()
}
