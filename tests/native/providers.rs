//! The entries of the catalogue, each of them.

mod catalogue;
mod catalogue_templates;
mod listed;
mod schema;
mod two_step;
