//! What use cases do over real SQL, with the network in the test's hands.

mod refresh;
mod refresh_egress;
mod refresh_failures;
mod refresh_outages;
mod refresh_races;
mod refresh_requests;
mod single_flight;
mod verified_imports;
mod verified_imports_faults;
mod verified_imports_late;
