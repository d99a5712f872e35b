//! The messages of OAuth 2 as values (RFC 6749).
//!
//! Here: how a token request is written, how the answer to it is read with all the leniency that
//! real servers ask for. Not here: sending, which hosts may be asked, the clock, and the name of any
//! provider; what one does differently arrives as an argument.

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
