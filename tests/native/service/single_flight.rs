//! Who makes an attempt of their own, and who takes over another's.

use std::cell::{Cell, RefCell};

use futures_util::{
    future::{Either, join, join_all, select},
    lock::Mutex,
};
use holdfast::{domain::refresh::Trigger, service::single_flight::SingleFlight};

/// Counts attempts; each gives its number once the gate is open.
#[derive(Default)]
struct Attempts {
    flight: SingleFlight<u32>,
    made: Cell<u32>,
    gate: Mutex<()>,
    /// The attempts that were no real ones.
    idle: RefCell<Vec<u32>>,
}

impl Attempts {
    async fn run(&self, trigger: Trigger) -> u32 {
        let counts = |attempt: &u32| !self.idle.borrow().contains(attempt);
        let attempt = async || {
            self.made.set(self.made.get() + 1);
            let number = self.made.get();
            let _open = self.gate.lock().await;
            number
        };
        self.flight.run(trigger, counts, attempt).await
    }

    /// Lets all of `triggers` come in order while the first attempt is under way.
    fn together(&self, triggers: &[Trigger]) -> Vec<u32> {
        let gate = self.gate.try_lock().unwrap();
        let runs = join_all(triggers.iter().map(|trigger| self.run(*trigger)));
        pollster::block_on(join(runs, async { drop(gate) })).0
    }

    fn alone(&self, trigger: Trigger) -> u32 {
        pollster::block_on(self.run(trigger))
    }
}

use Trigger::{Force, Read};

#[test]
fn readers_that_wait_take_over_the_result() {
    assert_eq!(Attempts::default().together(&[Read; 50]), [1; 50]);
}

#[test]
fn a_reader_that_comes_later_makes_an_attempt() {
    let attempts = Attempts::default();
    assert_eq!(attempts.alone(Read), 1);
    assert_eq!(attempts.alone(Read), 2);
}

#[test]
fn a_forced_call_takes_over_nothing_that_began_before_it() {
    assert_eq!(Attempts::default().together(&[Read, Force]), [1, 2]);
    assert_eq!(Attempts::default().together(&[Force, Force]), [1, 2]);
}

#[test]
fn forced_calls_that_wait_share_the_next_attempt() {
    let results = Attempts::default().together(&[Read, Force, Force, Force]);
    assert_eq!(results, [1, 2, 2, 2]);
}

#[test]
fn a_reader_takes_over_any_attempt_that_ended_while_it_waited() {
    let results = Attempts::default().together(&[Force, Read, Force, Read]);
    assert_eq!(results, [1, 1, 2, 2]);
}

#[test]
fn a_forced_call_takes_over_no_attempt_that_was_none() {
    let attempts = Attempts::default();
    attempts.idle.borrow_mut().push(2);
    assert_eq!(attempts.together(&[Read, Force, Force]), [1, 2, 3]);
}

#[test]
fn a_reader_takes_over_an_attempt_that_was_none() {
    let attempts = Attempts::default();
    attempts.idle.borrow_mut().push(1);
    assert_eq!(attempts.together(&[Read, Read]), [1, 1]);
}

#[test]
fn an_attempt_that_was_abandoned_gives_way_to_the_next() {
    let attempts = Attempts::default();
    assert_eq!(attempts.alone(Read), 1);
    for (trigger, number) in [(Read, 3), (Force, 5)] {
        {
            let _gate = attempts.gate.try_lock().unwrap();
            let run = Box::pin(attempts.run(trigger));
            let once = pollster::block_on(select(run, Box::pin(async {})));
            assert!(matches!(once, Either::Right(_)));
        }
        assert_eq!(attempts.alone(trigger), number);
    }
}

#[test]
fn who_waited_for_an_abandoned_attempt_makes_one() {
    for trigger in [Read, Force] {
        let attempts = Attempts::default();
        let gate = attempts.gate.try_lock().unwrap();
        let first = Box::pin(attempts.run(Read));
        let mut second = Box::pin(attempts.run(trigger));
        let (first, ()) = match pollster::block_on(select(first, Box::pin(async {}))) {
            Either::Right(((), first)) => (first, ()),
            Either::Left(_) => unreachable!("the gate is closed"),
        };
        let waits = pollster::block_on(select(&mut second, Box::pin(async {})));
        assert!(matches!(waits, Either::Right(_)));
        drop(waits);
        drop(first);
        drop(gate);
        assert_eq!(pollster::block_on(second), 2);
    }
}
