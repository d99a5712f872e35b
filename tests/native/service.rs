//! What use cases do over real SQL, with the network in the test's hands.

mod refresh;
mod refresh_egress;
mod refresh_errors;
mod refresh_failures;
mod refresh_log;
mod refresh_log_secrets;
mod refresh_outages;
mod refresh_races;
mod refresh_requests;
mod single_flight;
