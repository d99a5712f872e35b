//! HTTP messages to providers as values: token requests and revocations (RFC 6749, RFC 7009), and
//! their answers.
//!
//! Here: how a request is written, how an answer is read with all the leniency that real servers
//! ask for, also one of a provider's own shape. Not here: sending, which hosts may be asked, the
//! clock, and the name of any provider; what one does differently arrives as an argument.

pub mod client_authentication;
pub mod error_text;
pub mod expiry;
pub mod http;
pub mod revocation;
pub mod token_answer;
pub mod token_answers;
pub mod token_error;
pub mod token_request;
pub mod token_response;
