//! The wire: every route with its answers, errors and scopes.

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
mod legacy_import;
mod legacy_import_errors;
mod metadata;
mod metadata_legacy;
mod metadata_merge;
