//! Asking a provider. Every request goes this way, so that none goes where it may not.
//!
//! Not here: what a request is made of, and what its answer means.

use super::ports::Ports;
use crate::{
    domain::egress::{EgressError, permitted},
    oauth2::{
        http::{HttpRequest, HttpResponse},
        token_error::Unreachable,
    },
};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum AskError {
    /// The request may not go where it goes, and was not sent.
    Forbidden(EgressError),
    /// It was sent, or was to be.
    Unreachable(Unreachable),
}

/// Sends `request`, if it may go where it goes, and reads its answer within `timeout_millis`.
pub(super) async fn ask(
    ports: &impl Ports,
    request: HttpRequest,
    timeout_millis: u32,
) -> Result<HttpResponse, AskError> {
    permitted(&request.url, ports.settings().egress).map_err(AskError::Forbidden)?;
    let response = ports.send(request, timeout_millis).await;
    response.map_err(AskError::Unreachable)
}
