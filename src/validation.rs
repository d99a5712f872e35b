//! Reading untrusted JSON: every mistake is found, each with the path to it.
//!
//! Here: [`input::Input`], a value together with its place, and the [`issue::Issue`]s that reading it raises,
//! worded as clients of the observed service know them. Not here: which fields a request or a
//! provider entry has; that stands where the request or entry is defined.

pub mod fields;
pub mod input;
pub mod issue;
pub mod text;
pub mod wording;
