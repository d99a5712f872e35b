//! Refreshing what is due and nobody reads, so that refresh tokens do not die of disuse.
//!
//! Not here: whether a connection is refreshed, which its object decides again; so two runs at
//! once, or a run beside a reader, make one attempt.

use std::{collections::BTreeMap, future::ready};

use futures_util::{StreamExt, stream};

use super::{
    error::InternalError,
    ports::{Ports, random},
};
use crate::{
    domain::refresh::Trigger,
    storage::{
        database::fetch,
        upkeep::{DUE_PAGE, DueConnection, Standing, due},
    },
};

/// What a run did.
#[derive(Debug, Default)]
pub struct KeptAlive {
    /// How many refreshes ended in each way: the outcome of a reply, or `error` where there was
    /// none.
    pub outcomes: BTreeMap<&'static str, u32>,
    /// Whether connections may be left, which the next run takes up.
    pub is_cut_short: bool,
    /// The last of what broke. It stopped nothing but what it befell.
    pub trouble: Option<InternalError>,
}

/// Refreshes the connections that are due, the longest due first, through their objects. Those
/// that failed before come last, so that many of them keep no other from being refreshed.
pub async fn keep_alive(ports: &impl Ports) -> KeptAlive {
    let give_up_at = ports.now().plus_millis(MAX_RUN_MILLIS);
    let mut run = KeptAlive::default();
    let (mut standing, mut last): (_, Option<DueConnection>) = (Standing::Good, None);
    for _ in 0..MAX_PAGES {
        // A page at a time, so that an integration that is paused meanwhile takes no places away
        // from the others.
        let page = match fetch(ports, due(ports.now(), standing, last.as_ref())).await {
            Ok(page) => page,
            Err(error) => {
                run.trouble = Some(error.into());
                return run;
            }
        };
        let refreshes = stream::iter(&page)
            .take_while(|_| ready(ports.now() < give_up_at))
            .map(|connection| refresh(ports, connection))
            .buffer_unordered(MAX_AT_ONCE);
        let results: Vec<_> = refreshes.collect().await;
        let is_out_of_time = results.len() < page.len();
        for result in results {
            run.count(result);
        }
        if is_out_of_time {
            break;
        }
        last = match (page.len() < DUE_PAGE, standing) {
            (false, _) => page.into_iter().next_back(),
            (true, Standing::Good) => None,
            (true, Standing::Failing) => return run,
        };
        if last.is_none() {
            standing = Standing::Failing;
        }
    }
    run.is_cut_short = true;
    run
}

/// Refreshes one connection after a little while, so that providers and objects are not all asked
/// in the same moment.
async fn refresh(
    ports: &impl Ports,
    connection: &DueConnection,
) -> Result<&'static str, InternalError> {
    let dice = u32::from_be_bytes(random(ports));
    ports.wait(dice % MAX_JITTER_MILLIS).await;
    let reply = ports.refresh(&connection.uid, Trigger::Schedule).await?;
    Ok(reply.outcome())
}

impl KeptAlive {
    fn count(&mut self, result: Result<&'static str, InternalError>) {
        let outcome = result.unwrap_or_else(|error| {
            self.trouble = Some(error);
            "error"
        });
        *self.outcomes.entry(outcome).or_default() += 1;
    }
}

/// A Worker has six connections open at once, and others wait.
const MAX_AT_ONCE: usize = 6;
/// So a run makes 800 refreshes at most. An event has 1,000 subrequests, and a refresh, a page and
/// a batch of old logs are one each.
const MAX_PAGES: u32 = 16;
const MAX_JITTER_MILLIS: u32 = 500;
/// Nothing is started after so long: the next run is not far, and an event ends after 15 minutes.
const MAX_RUN_MILLIS: i64 = 5 * 60 * 1000;
