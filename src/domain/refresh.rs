//! When a credential is refreshed: pure decisions, the clock is an argument.
