//! Removing logs of refreshes that are too old.

use super::{error::InternalError, ports::Ports};
use crate::storage::{
    database::fetch,
    upkeep::{LOG_BATCH, delete_logs},
};

/// What a run removed.
#[derive(Debug, Default)]
pub struct Removed {
    /// How many logs.
    pub logs: usize,
    /// What broke. The next run goes on.
    pub trouble: Option<InternalError>,
}

/// Deletes logs older than 30 days, in batches, and no more than an event can well do.
pub async fn remove_old_logs(ports: &impl Ports) -> Removed {
    let before = ports.now().plus_seconds(-KEPT_SECONDS);
    let mut removed = Removed::default();
    for _ in 0..MAX_BATCHES {
        let batch = match fetch(ports, delete_logs(before)).await {
            Ok(batch) => batch.len(),
            Err(error) => {
                removed.trouble = Some(error.into());
                break;
            }
        };
        removed.logs += batch;
        if batch < LOG_BATCH {
            break;
        }
    }
    removed
}

const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;
const MAX_BATCHES: u32 = 10;
