//! Room.
//! What is known about each provider.
//!
//! Here: the catalogue that is built in, the strict schema of an entry (which custom entries
//! follow too), templates with `${…}` in them, and what a token request takes from an entry. Not
//! here: sending a request, and code for one provider alone; what a provider does differently is
//! a field of its entry.

pub mod assertion;
mod call_settings;
pub mod catalogue;
mod checked;
pub mod entry;
mod entry_fields;
pub mod entry_schema;
pub mod field_schema;
pub mod filled_request;
mod filling;
pub mod filter;
pub mod inputs;
pub mod integration_config;
pub mod jwt_template;
pub mod logo;
mod other_settings;
pub mod provider;
pub mod refresh_step;
pub mod rendering;
pub mod revocation_rule;
pub mod saml_template;
mod shape;
pub mod step_request;
pub mod template;
pub mod token_steps;
pub mod verification;
