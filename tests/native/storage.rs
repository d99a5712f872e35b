//! The schema, and how `SQLite` runs the statements.

mod list_plans;
mod query_plans;
mod schema;
