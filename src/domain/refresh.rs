//! When a credential is refreshed, and what is done when that fails. Pure: the clock and the dice
//! are arguments, and no provider is named.
//!
//! The decision has two halves, so that reading a fresh credential needs nothing but its row:
//! [`schedule`] runs when credentials are stored and knows the provider's rule; [`decide`] runs
//! on every read and knows only what `schedule` and [`History`] left in the row.

use serde::{Deserialize, Serialize};

use super::{credentials::Credentials, jwt::end_of_jwt, timestamp::Timestamp};

/// What a provider says about the lifetime of its tokens.
#[derive(Clone, Copy, Debug, Default)]
pub struct RefreshRule {
    /// How long before its end a token is refreshed, in seconds, in place of the usual margin.
    pub expiration_buffer: Option<i64>,
    /// The lifetime of a token where its answer does not tell.
    pub default_lifetime: DefaultLifetime,
    /// Whether a token is refreshed only when a caller forces it.
    pub forced: ForcedOnly,
}

/// How long a token lives when nothing says so.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DefaultLifetime {
    /// Nobody knows, so it is asked for again before long.
    #[default]
    Assumed,
    /// For ever.
    Endless,
    /// So many seconds.
    Seconds(i64),
}

/// Whether tokens are left alone unless a caller forces a refresh.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ForcedOnly {
    /// They are refreshed when due.
    #[default]
    No,
    /// They are refreshed only when forced.
    Yes,
}

/// What becomes of a refresh token once it was used, and so whether it may be tried again after an
/// answer that never arrived.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Rotation {
    /// It stays good, and may be tried again at any time.
    None,
    /// Another takes its place, and the used one still works for a while.
    Grace {
        /// For how long.
        seconds: i64,
    },
    /// Another takes its place, and using the old one again revokes the whole grant (RFC 9700
    /// §4.14.2).
    ReuseRevokes,
    /// Nobody knows.
    #[default]
    Unknown,
}

impl Rotation {
    /// Whether the refresh token of an attempt that began at `started_at`, and may have rotated
    /// it, can be sent again at `now` without harm.
    fn allows_retry(self, started_at: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::None => true,
            Self::Grace { seconds } => now < started_at.plus_seconds(seconds),
            Self::ReuseRevokes | Self::Unknown => false,
        }
    }
}

/// When credentials are due for refresh, and when they end. Stored beside them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Schedule {
    /// From here on a read refreshes; none means never.
    pub due_at: Option<Timestamp>,
    /// From here on the credentials are known not to work; none means that nobody knows.
    pub expires_at: Option<Timestamp>,
}

impl Schedule {
    /// The schedule after an attempt that began at `started_at` and was cut off, so that its
    /// outcome is unknown. Where sending the refresh token again could revoke the grant, and with
    /// it an access token that still works, that token is used to its end first.
    #[must_use]
    pub fn after_unknown_outcome(
        self,
        rotation: Rotation,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        // Where nobody knows the end, the usual margin after which it was due is as good a guess.
        let guess = self.due_at.map(|due_at| due_at.plus_millis(MARGIN_MILLIS));
        let end = self.expires_at.or(guess).filter(|end| *end > now);
        let waits = self.due_at.is_some() && !rotation.allows_retry(started_at, now);
        Self {
            due_at: end.filter(|_| waits).or(self.due_at),
            ..self
        }
    }
}

/// What is known about the lifetime of new credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// They were imported: how old they are is unknown.
    Imported,
    /// The provider issued them just now.
    Issued,
}

/// The schedule of credentials stored at `now`.
#[must_use]
pub fn schedule(
    credentials: &Credentials,
    rule: RefreshRule,
    origin: Origin,
    now: Timestamp,
) -> Schedule {
    if !credentials.can_be_refreshed() {
        return Schedule {
            due_at: None,
            expires_at: credentials.expires_at(),
        };
    }
    let of_jwt = || end_of_jwt(&credentials.access_token()?);
    let expires_at = credentials
        .expires_at()
        .or_else(of_jwt)
        // What the provider issued just now has not ended, whatever its clock or its answer says.
        .filter(|end| origin == Origin::Imported || *end > now);
    let lifetime = match rule.default_lifetime {
        DefaultLifetime::Assumed => {
            let known = credentials.lifetime_seconds();
            known.or(Some(ASSUMED_LIFETIME_SECONDS))
        }
        DefaultLifetime::Endless => None,
        DefaultLifetime::Seconds(seconds) => Some(seconds),
    };
    let end = expires_at.or_else(|| Some(now.plus_seconds(lifetime?)));
    let Some(end) = end.filter(|_| rule.forced == ForcedOnly::No) else {
        return Schedule {
            due_at: None,
            expires_at,
        };
    };
    let margin = match (rule.expiration_buffer, origin, expires_at) {
        (Some(seconds), _, _) => seconds.saturating_mul(1000),
        // Of an import only the rest of its lifetime is known.
        (None, Origin::Imported, Some(_)) => MARGIN_MILLIS,
        (None, _, _) => MARGIN_MILLIS.min((end.millis_since(now) / 2).max(0)),
    };
    let due_at = end.plus_millis(-margin);
    let due_at = match origin {
        Origin::Imported => due_at,
        Origin::Issued => due_at.max(now.plus_millis(MIN_AGE_MILLIS).min(end)),
    };
    Schedule {
        due_at: Some(due_at),
        expires_at,
    }
}

/// How the refreshes of a connection went. A success clears all but its own time.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct History {
    /// The last success, where no failure came after it.
    pub last_success_at: Option<Timestamp>,
    /// The last failure since the last success.
    pub last_failure_at: Option<Timestamp>,
    /// Failures since the last success.
    pub failures: u32,
    /// The different UTC days of those failures.
    pub failure_days: u32,
    /// No unforced attempt before this.
    pub retry_at: Option<Timestamp>,
    /// When the refresh was given up.
    pub exhausted_at: Option<Timestamp>,
    /// The log of the last failure since the last success.
    pub failure_log: Option<String>,
}

/// How a failed attempt counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// The provider said that the grant is dead.
    Final,
    /// The provider was not asked: something is missing here, or broke. That says nothing of the
    /// grant, so it is never given up for it.
    NotAsked,
    /// Anything else, with the wait in seconds that the provider asked for.
    Transient {
        /// `Retry-After` (RFC 9110 §10.2.3).
        retry_after_seconds: Option<u32>,
    },
}

impl Failure {
    /// The wait that the provider asked for.
    #[must_use]
    pub fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::Final | Self::NotAsked => None,
            Self::Transient {
                retry_after_seconds,
            } => retry_after_seconds,
        }
    }
}

impl History {
    /// The history after a failure at `now`. `dice` spreads retries: 0 is the shortest wait,
    /// `u32::MAX` the longest.
    #[must_use]
    pub fn after(&self, failure: Failure, now: Timestamp, dice: u32) -> Self {
        let failures = self.failures.saturating_add(1);
        let is_new_day = self
            .last_failure_at
            .is_none_or(|last| last.utc_day() < now.utc_day());
        let counts = is_new_day && failure != Failure::NotAsked;
        let failure_days = self.failure_days.saturating_add(u32::from(counts));
        let is_given_up = failure == Failure::Final || failure_days >= MAX_FAILURE_DAYS;
        let asked_for = failure.retry_after_seconds();
        let asked_for = i64::from(asked_for.unwrap_or(0).min(MAX_RETRY_AFTER_SECONDS)) * 1000;
        let wait = backoff_millis(failures, dice).max(asked_for);
        Self {
            last_success_at: None,
            last_failure_at: Some(now),
            failures,
            failure_days,
            // A longer wait was asked for by the provider, and a forced attempt does not end it.
            retry_at: Some(now.plus_millis(wait)).max(
                self.retry_at
                    .filter(|earlier| earlier.millis_since(now) > MAX_BACKOFF_MILLIS),
            ),
            exhausted_at: self.exhausted_at.or(is_given_up.then_some(now)),
            failure_log: None,
        }
    }

    /// The history after an attempt that was cut off, so that its outcome is unknown. The first
    /// one waits for nothing, because a provider may take the old refresh token for a short time
    /// only; later ones wait like any failure.
    #[must_use]
    pub fn after_unknown_outcome(&self, now: Timestamp, dice: u32) -> Self {
        let transient = Failure::Transient {
            retry_after_seconds: None,
        };
        let history = self.after(transient, now, dice);
        Self {
            retry_at: history.retry_at.filter(|_| self.failures > 0),
            ..history
        }
    }

    /// When the next unforced attempt may be made; none where it need not wait, and where there
    /// will be none.
    #[must_use]
    pub fn next_retry_at(&self) -> Option<Timestamp> {
        self.retry_at.filter(|_| self.exhausted_at.is_none())
    }

    /// This history with no unforced attempt before `paused_until` either.
    #[must_use]
    pub fn paused(&self, paused_until: Option<Timestamp>) -> Self {
        Self {
            retry_at: self.retry_at.max(paused_until),
            ..self.clone()
        }
    }
}

/// So many transient failures in a row across the connections of an integration pause it.
pub const MAX_FAILURES_IN_A_ROW: i64 = 10;
/// Failures are in a row while so many milliseconds from the first of them have not passed.
pub const FAILURES_IN_A_ROW_MILLIS: i64 = 60_000;
/// How long an integration is paused, in milliseconds.
pub const PAUSE_MILLIS: i64 = 30_000;

/// Why a caller asks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A caller wants new credentials, whatever the state of the old ones.
    Force,
    /// A caller imports credentials and wants them verified.
    Import,
    /// A caller wants credentials that work.
    Read,
    /// Nobody asks: the credentials are due.
    Schedule,
}

impl Trigger {
    /// Its name in storage and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Force => "force",
            Self::Import => "import",
            Self::Read => "read",
            Self::Schedule => "schedule",
        }
    }
}

/// What to do with credentials before handing them out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Refresh them first.
    Refresh,
    /// Hand out nothing.
    Refuse(Refusal),
    /// Hand them out as they are.
    Use,
}

/// Why expired credentials are not refreshed again now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// A recent attempt failed, and the wait after it is not over.
    BackingOff,
    /// The refresh was given up.
    Exhausted,
}

/// Decides what to do with `credentials` at `now`.
#[must_use]
pub fn decide(
    credentials: &Credentials,
    schedule: Schedule,
    history: &History,
    trigger: Trigger,
    now: Timestamp,
) -> Decision {
    if !credentials.can_be_refreshed() {
        return Decision::Use;
    }
    if trigger == Trigger::Force {
        return Decision::Refresh;
    }
    if schedule.due_at.is_none_or(|due_at| now < due_at) {
        return Decision::Use;
    }
    let refusal = if history.exhausted_at.is_some() {
        Refusal::Exhausted
    } else if history.retry_at.is_some_and(|retry_at| now < retry_at) {
        Refusal::BackingOff
    } else {
        return Decision::Refresh;
    };
    if is_expired(schedule, now) {
        Decision::Refuse(refusal)
    } else {
        Decision::Use
    }
}

/// Whether credentials are known not to work any more. Without a known end they are worth a try.
#[must_use]
pub fn is_expired(schedule: Schedule, now: Timestamp) -> bool {
    schedule
        .expires_at
        .is_some_and(|expires_at| expires_at <= now)
}
/// The wait after so many failures: at least the first wait, and spread by `dice` up to a ceiling
/// that doubles with each failure.
fn backoff_millis(failures: u32, dice: u32) -> i64 {
    let doublings = failures.saturating_sub(1).min(10);
    let ceiling = (FIRST_BACKOFF_MILLIS << doublings).min(MAX_BACKOFF_MILLIS);
    let spread = ceiling - FIRST_BACKOFF_MILLIS;
    FIRST_BACKOFF_MILLIS + spread * i64::from(dice) / i64::from(u32::MAX)
}

/// How long before its end a token is refreshed, unless half its lifetime is less.
const MARGIN_MILLIS: i64 = 15 * 60 * 1000;
/// The lifetime of a token that can be refreshed and says nothing about its end.
const ASSUMED_LIFETIME_SECONDS: i64 = 60 * 60;
/// A token that was issued just now is not refreshed before this, unless it ends sooner: else a
/// provider of very short lifetimes would be asked on every read.
const MIN_AGE_MILLIS: i64 = 10 * 1000;
const FIRST_BACKOFF_MILLIS: i64 = 30 * 1000;
const MAX_BACKOFF_MILLIS: i64 = 15 * 60 * 1000;
/// A provider cannot ask for a longer wait than a day.
const MAX_RETRY_AFTER_SECONDS: u32 = 24 * 60 * 60;
/// Failures on so many different days without a success, and the refresh is given up.
const MAX_FAILURE_DAYS: u32 = 4;

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::domain::{
        credentials::{ExchangeMode, Exchanged, OAuth2},
        secret::{Secret, SecretMap},
    };

    const NOW: Timestamp = Timestamp::EPOCH;

    fn token(refresh_token: Option<&str>, expires_in: Option<i64>) -> Credentials {
        Credentials::OAuth2(OAuth2 {
            access_token: Secret::new("access"),
            refresh_token: refresh_token.map(Secret::new),
            expires_at: expires_in.map(|seconds| NOW.plus_seconds(seconds)),
            config_override: None,
            raw: SecretMap::default(),
            derived_config: SecretMap::default(),
            renews_without_refresh_token: false,
        })
    }

    #[track_caller]
    fn check_due(
        credentials: &Credentials,
        rule: RefreshRule,
        origin: Origin,
        seconds: Option<i64>,
    ) {
        let due_at = schedule(credentials, rule, origin, NOW).due_at;
        assert_eq!(due_at, seconds.map(|seconds| NOW.plus_seconds(seconds)));
    }

    fn issued(mode: ExchangeMode, name: &str, token: &str) -> Credentials {
        Credentials::Exchanged(Exchanged {
            issued: SecretMap::of([(name, Secret::new(token))]),
            ..Exchanged::of(mode)
        })
    }

    #[test]
    fn what_was_exchanged_for_and_says_no_end_is_due_as_its_kind_is() {
        for (mode, name, due) in [
            (ExchangeMode::AppStore, "access_token", 0),
            (ExchangeMode::AwsSigV4, "session_token", 45 * 60),
            (ExchangeMode::Bill, "session_id", 20 * 60),
            (ExchangeMode::Jwt, "token", 0),
            (ExchangeMode::Signature, "token", 0),
            (ExchangeMode::TwoStep, "token", 45 * 60),
        ] {
            let credentials = issued(mode, name, "opaque");
            let rule = RefreshRule::default();
            check_due(&credentials, rule, Origin::Imported, Some(due));
        }
        let rule = RefreshRule {
            default_lifetime: DefaultLifetime::Seconds(7200),
            ..RefreshRule::default()
        };
        let two_step = issued(ExchangeMode::TwoStep, "token", "opaque");
        check_due(&two_step, rule, Origin::Imported, Some(7200 - 15 * 60));
    }

    #[test]
    fn what_was_exchanged_for_ends_as_its_jwt_says() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":3600}"#);
        let jwt = format!("e30.{payload}.fake");
        for (mode, name) in [
            (ExchangeMode::AppStore, "access_token"),
            (ExchangeMode::Jwt, "token"),
            (ExchangeMode::TwoStep, "token"),
        ] {
            let credentials = issued(mode, name, &jwt);
            let rule = RefreshRule::default();
            let schedule = schedule(&credentials, rule, Origin::Imported, NOW);
            assert_eq!(schedule.expires_at, Some(NOW.plus_seconds(3600)));
            assert_eq!(schedule.due_at, Some(NOW.plus_seconds(2700)));
        }
    }

    #[test]
    fn a_token_is_due_a_quarter_of_an_hour_before_its_end() {
        let credentials = token(Some("r"), Some(7200));
        check_due(
            &credentials,
            RefreshRule::default(),
            Origin::Issued,
            Some(6300),
        );
        check_due(
            &credentials,
            RefreshRule::default(),
            Origin::Imported,
            Some(6300),
        );
    }

    #[test]
    fn a_short_lived_token_is_due_at_half_its_lifetime() {
        check_due(
            &token(Some("r"), Some(600)),
            RefreshRule::default(),
            Origin::Issued,
            Some(300),
        );
    }

    #[test]
    fn a_token_of_a_very_short_life_is_not_refreshed_on_every_read() {
        check_due(
            &token(Some("r"), Some(12)),
            RefreshRule::default(),
            Origin::Issued,
            Some(10),
        );
        check_due(
            &token(Some("r"), Some(1)),
            RefreshRule::default(),
            Origin::Issued,
            Some(1),
        );
        let rule = RefreshRule {
            expiration_buffer: Some(60),
            ..RefreshRule::default()
        };
        check_due(&token(Some("r"), Some(30)), rule, Origin::Issued, Some(10));
    }

    #[test]
    fn a_token_issued_just_now_has_not_ended_whatever_its_answer_says() {
        for seconds in [0, -300] {
            let credentials = token(Some("r"), Some(seconds));
            let schedule = schedule(&credentials, RefreshRule::default(), Origin::Issued, NOW);
            assert_eq!(schedule.expires_at, None);
            assert_eq!(schedule.due_at, Some(NOW.plus_seconds(2700)));
        }
    }

    #[test]
    fn an_imported_token_near_its_end_is_due_at_once_because_its_lifetime_is_unknown() {
        check_due(
            &token(Some("r"), Some(600)),
            RefreshRule::default(),
            Origin::Imported,
            Some(-300),
        );
    }

    #[test]
    fn the_buffer_of_a_provider_replaces_the_margin() {
        let rule = RefreshRule {
            expiration_buffer: Some(30),
            ..RefreshRule::default()
        };
        check_due(
            &token(Some("r"), Some(600)),
            rule,
            Origin::Issued,
            Some(570),
        );
    }

    #[test]
    fn a_token_without_a_known_end_is_due_within_the_providers_default_or_an_hour() {
        let rule = RefreshRule {
            default_lifetime: DefaultLifetime::Seconds(7200),
            ..RefreshRule::default()
        };
        check_due(&token(Some("r"), None), rule, Origin::Issued, Some(6300));
        check_due(
            &token(Some("r"), None),
            RefreshRule::default(),
            Origin::Issued,
            Some(2700),
        );
    }

    #[test]
    fn the_end_of_a_json_web_token_is_read_from_it() {
        let payload = URL_SAFE_NO_PAD.encode(br#"{"exp":7200}"#);
        let Credentials::OAuth2(mut credentials) = token(Some("r"), None) else {
            unreachable!()
        };
        credentials.access_token = Secret::new(format!("e30.{payload}.sig"));
        let credentials = Credentials::OAuth2(credentials);
        check_due(
            &credentials,
            RefreshRule::default(),
            Origin::Issued,
            Some(6300),
        );
    }

    #[test]
    fn what_cannot_be_refreshed_is_never_due() {
        check_due(
            &token(None, Some(60)),
            RefreshRule::default(),
            Origin::Imported,
            None,
        );
        check_due(
            &Credentials::None,
            RefreshRule::default(),
            Origin::Imported,
            None,
        );
        let rule = RefreshRule {
            forced: ForcedOnly::Yes,
            ..RefreshRule::default()
        };
        check_due(&token(Some("r"), Some(60)), rule, Origin::Issued, None);
    }

    #[track_caller]
    fn check_decision(seconds: i64, history: &History, trigger: Trigger, expected: Decision) {
        let credentials = token(Some("r"), Some(600));
        let schedule = schedule(&credentials, RefreshRule::default(), Origin::Issued, NOW);
        let now = NOW.plus_seconds(seconds);
        assert_eq!(
            decide(&credentials, schedule, history, trigger, now),
            expected
        );
    }

    fn failed(seconds: i64) -> History {
        let failure = Failure::Transient {
            retry_after_seconds: None,
        };
        History::default().after(failure, NOW.plus_seconds(seconds), 0)
    }

    #[test]
    fn a_forced_failure_does_not_end_the_wait_that_the_provider_asked_for() {
        let asked = Failure::Transient {
            retry_after_seconds: Some(3600),
        };
        let other = Failure::Transient {
            retry_after_seconds: None,
        };
        let history = History::default().after(asked, NOW, 0);
        let history = history.after(other, NOW.plus_seconds(60), 0);
        assert_eq!(history.retry_at, Some(NOW.plus_seconds(3600)));
    }

    #[test]
    fn a_fresh_token_is_used_whatever_happened_before() {
        check_decision(299, &History::default(), Trigger::Read, Decision::Use);
        let dead = History::default().after(Failure::Final, NOW, 0);
        check_decision(299, &dead, Trigger::Read, Decision::Use);
    }

    #[test]
    fn a_token_inside_the_margin_is_refreshed() {
        check_decision(300, &History::default(), Trigger::Read, Decision::Refresh);
    }

    #[test]
    fn a_token_inside_the_margin_is_used_while_backing_off() {
        check_decision(329, &failed(300), Trigger::Read, Decision::Use);
        check_decision(330, &failed(300), Trigger::Read, Decision::Refresh);
    }

    #[test]
    fn an_expired_token_is_refused_while_backing_off_and_when_exhausted() {
        check_decision(
            601,
            &failed(600),
            Trigger::Read,
            Decision::Refuse(Refusal::BackingOff),
        );
        let dead = History::default().after(Failure::Final, NOW, 0);
        check_decision(
            6000,
            &dead,
            Trigger::Read,
            Decision::Refuse(Refusal::Exhausted),
        );
    }

    #[test]
    fn a_forced_refresh_is_always_attempted() {
        check_decision(0, &failed(0), Trigger::Force, Decision::Refresh);
        let dead = History::default().after(Failure::Final, NOW, 0);
        check_decision(0, &dead, Trigger::Force, Decision::Refresh);
    }

    #[test]
    fn without_a_refresh_token_nothing_is_refreshed_even_if_forced() {
        let credentials = token(None, Some(-60));
        let schedule = schedule(&credentials, RefreshRule::default(), Origin::Imported, NOW);
        let history = History::default();
        assert_eq!(
            decide(&credentials, schedule, &history, Trigger::Force, NOW),
            Decision::Use
        );
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour_and_honour_what_the_provider_asks() {
        let transient = Failure::Transient {
            retry_after_seconds: None,
        };
        let mut history = History::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            history = history.after(transient, NOW, u32::MAX);
            waits.push(history.retry_at.unwrap().millis_since(NOW) / 1000);
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);

        let asked = Failure::Transient {
            retry_after_seconds: Some(100),
        };
        let history = History::default().after(asked, NOW, 0);
        assert_eq!(history.retry_at, Some(NOW.plus_seconds(100)));
    }

    #[test]
    fn failures_on_four_different_days_exhaust_and_many_on_one_day_do_not() {
        let transient = Failure::Transient {
            retry_after_seconds: None,
        };
        let mut history = History::default();
        for _ in 0..100 {
            history = history.after(transient, NOW, 0);
        }
        for day in 1..=3 {
            assert_eq!(history.exhausted_at, None);
            history = history.after(transient, NOW.plus_seconds(day * 86_400), 0);
        }
        assert_eq!(history.exhausted_at, Some(NOW.plus_seconds(3 * 86_400)));
    }
}
