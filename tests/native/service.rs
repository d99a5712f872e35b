//! What use cases do over real SQL, with the network in the test's hands.

mod keep_alive;
mod refresh;
mod refresh_backoff;
mod refresh_breaker;
mod refresh_durability;
mod refresh_egress;
mod refresh_errors;
mod refresh_failures;
mod refresh_log;
mod refresh_log_secrets;
mod refresh_outages;
mod refresh_overtaken;
mod refresh_races;
mod refresh_requests;
mod refresh_unknown_outcomes;
mod retention;
mod single_flight;
mod two_step;
mod two_step_answers;
mod two_step_refresh;
mod two_step_signed;
mod verified_imports;
mod verified_imports_faults;
mod verified_imports_late;
