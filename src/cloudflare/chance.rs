//! Chance, from the runtime's `crypto.getRandomValues`.

use crate::service::ports::Entropy;

/// The runtime's cryptographic source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance;

impl Entropy for Chance {
    #[expect(
        clippy::expect_used,
        reason = "a key or a nonce that was not drawn at random must not be used by anyone"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the runtime gives random bytes while it handles an event");
    }
}
