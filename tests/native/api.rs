//! The wire: every route with its answers, errors and scopes.

mod api_keys;
mod authentication;
mod config;
mod connections_delete;
mod connections_get;
mod connections_get_rules;
mod connections_import;
mod connections_import_credentials;
mod connections_import_errors;
mod connections_import_labels;
mod connections_import_rules;
mod connections_list;
mod connections_list_pages;
mod connections_patch;
mod connections_upsert;
mod environments;
mod health;
mod integrations_change;
mod integrations_clients;
mod integrations_create;
mod integrations_read;
mod integrations_refusals;
mod isolation;
mod legacy_import;
mod legacy_import_errors;
mod metadata;
mod metadata_legacy;
<<<<<<< HEAD
mod providers_read;
mod providers_write;
mod scopes;
=======
mod metadata_merge;
>>>>>>> tests-a
