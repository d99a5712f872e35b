//! Everything that runs without the Workers runtime, in one binary: the wire over real SQL, with
//! doubles for the network, the clock and chance.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed expectation is a failed test"
)]

mod api;
mod properties;
mod providers;
mod service;
mod signing;
mod storage;
mod support;
mod tidy;
