//! Finds the rate Drive allows and stays just below it. One pacer for the process, one lane for reads and one for writes,
//! because Drive throttles writes far below reads (drive-v3-behaviour 6.25). Time comes in as an argument.
//!
//! A lane starts without a limit, so a small run never waits. The first refusal sets the rate to what was measured to pass.
//! From there the rate follows a cubic curve over *accepted calls*: quickly back towards the rate that was refused, slowly
//! past it, then faster. Counting calls instead of seconds keeps the share of refused calls the same at any ceiling. When
//! calls are refused in a row the lane shuts and lets single calls through to look. If it had to stay shut for seconds the
//! allowance is one a minute: then what passed within a minute says the rate.

use std::collections::VecDeque;
use std::time::Duration;

/// Accepted calls until the rate is back where it was refused, at least; with the climb past it, refusals come every 300
/// calls or so. At high rates it is this many seconds' worth: all calls under way are refused together there.
const RECOVERY: f64 = 200.0;
const RECOVERY_SECONDS: f64 = 4.0;
/// The same while the rate is only guessed: the refusals of a beginning come all at once, and say little about it.
const SEARCH: f64 = 30.0;
/// What a refusal takes off, and the depth of the curve.
const CUT: f64 = 0.05;
/// What a refusal takes off that comes within fewer accepted calls than `SETTLED` after the last: still far too fast.
const BIG_CUT: f64 = 0.1;
const SETTLED: f64 = 50.0;
/// Of the last 32 answers: with this many refused, they are not scattered.
const DENSE: u32 = 8;
/// Refusals in a row, each of a call that began after the last cut, that shut the lane.
const SHUT_AFTER: u32 = 3;
/// How long a shut lane waits before its first look, and at most between two.
const FIRST_SHUT: Duration = Duration::from_millis(500);
const LONGEST_SHUT: Duration = Duration::from_secs(3);
/// Shut for longer than this: the allowance is counted over a minute.
const LONG_SHUT: Duration = Duration::from_secs(2);
/// How long the rate found for such an allowance is not tried to be exceeded by more than `CAP`.
const CAPPED: Duration = Duration::from_mins(5);
const CAP: f64 = 1.05;
/// How long the floor stays away after most calls were refused.
const LOW: Duration = Duration::from_mins(5);
/// A late timer may catch up this much, so that the rate is held on average.
const CATCH_UP: Duration = Duration::from_millis(20);
/// Over which time the passing rate is measured.
const SHORT: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_mins(1);

/// What a lane says to a call that wants to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Start now.
    Go,
    /// Ask again after this time.
    Wait(Duration),
}

/// The rate of one kind of call.
#[derive(Debug)]
pub(super) struct Lane {
    /// Calls a second; `None` while nothing was refused.
    rate: Option<f64>,
    /// The rate at which the last refusal came.
    refused_at: f64,
    /// Calls accepted since.
    since: f64,
    /// Whether a refusal came after `SEARCH` accepted calls, or a minute was measured: then the ceiling is no longer guessed.
    settled: bool,
    /// Scattered refusals, which come from elsewhere than our rate, never push below this.
    floor: f64,
    next: Duration,
    cut_at: Duration,
    /// Refusals in a row.
    row: u32,
    /// Answers, newest in the lowest bit, 1 for refused.
    recent: u32,
    shut: Option<Shut>,
    /// Nothing starts before; Drive's own `Retry-After`.
    until: Duration,
    /// The rate of a minute's allowance, and how long it is believed.
    cap: Option<(f64, Duration)>,
    /// Until then the floor does not hold, because most calls were refused.
    low_until: Duration,
    passed: Passed,
}

/// A lane that lets single calls through to look.
#[derive(Debug, Clone, Copy)]
struct Shut {
    since: Duration,
    /// How long until the next look.
    wait: Duration,
    /// What passed in the minute before, as calls a second.
    minute: f64,
}

impl Lane {
    /// A lane whose rate is pushed below `floor` a second only when most calls are refused.
    pub(super) fn new(floor: f64) -> Self {
        Self {
            rate: None,
            refused_at: 0.0,
            since: 0.0,
            settled: false,
            floor,
            next: Duration::ZERO,
            cut_at: Duration::ZERO,
            row: 0,
            recent: 0,
            shut: None,
            until: Duration::ZERO,
            cap: None,
            low_until: Duration::ZERO,
            passed: Passed::default(),
        }
    }

    /// May a call start at `now`? `Go` takes the place.
    pub(super) fn enter(&mut self, now: Duration) -> Gate {
        let open = self.until.max(if self.rate.is_some() { self.next } else { Duration::ZERO });
        if now < open {
            return Gate::Wait(open.saturating_sub(now));
        }
        let spacing = match (self.shut, self.rate) {
            (Some(shut), _) => shut.wait,
            (None, Some(rate)) => Duration::from_secs_f64(1.0 / rate),
            (None, None) => return Gate::Go,
        };
        self.next = self.next.max(now.saturating_sub(CATCH_UP)) + spacing;
        Gate::Go
    }

    /// A call was not refused for its rate.
    pub(super) fn accepted(&mut self, now: Duration) {
        self.passed.add(now);
        self.recent <<= 1;
        self.row = 0;
        if let Some(shut) = self.shut.take() {
            self.next = now;
            if now.saturating_sub(shut.since) >= LONG_SHUT {
                self.refused_at = shut.minute.max(LEAST);
                self.settled = true;
                self.cap = Some((self.refused_at * CAP, now + CAPPED));
            }
        }
        if self.rate.is_some() {
            self.since += 1.0;
            let least = if self.settled { RECOVERY } else { SEARCH };
            let recovery = least.max(self.refused_at * RECOVERY_SECONDS);
            let x = (self.since - recovery) / recovery;
            let most = self.cap.filter(|(_, until)| now < *until).map_or(f64::INFINITY, |(cap, _)| cap);
            self.rate = Some((self.refused_at * (1.0 + CUT * x.powi(3))).min(most).max(self.least(now)));
        }
    }

    /// A call that began at `began` was refused for its rate.
    pub(super) fn refused(&mut self, now: Duration, began: Duration, retry_after: Option<Duration>) {
        self.recent = self.recent << 1 | 1;
        if self.is_dense() {
            self.low_until = now + LOW;
        }
        if let Some(wait) = retry_after {
            self.until = self.until.max(now + wait);
        }
        if let Some(shut) = &mut self.shut {
            if began > self.cut_at {
                self.cut_at = now;
                shut.wait = (shut.wait * 2).min(LONGEST_SHUT);
                self.next = now + shut.wait;
            }
            return;
        }
        // Calls that were under way when the rate was cut say nothing about the new one.
        if self.rate.is_some() && began <= self.cut_at {
            return;
        }
        self.row += 1;
        let measured = self.passed.rate(now, SHORT, Duration::from_millis(100));
        let was = self.rate.map_or(measured, |rate| if self.is_dense() { rate.min(measured) } else { rate });
        let cut = if self.since < SETTLED { BIG_CUT } else { CUT };
        self.settled |= self.since >= SEARCH;
        self.refused_at = was;
        if self.row >= SHUT_AFTER {
            self.shut = Some(Shut { since: now, wait: FIRST_SHUT, minute: self.passed.rate(now, MINUTE, MINUTE) });
            self.refused_at = was.min(self.passed.rate(now, SHORT, Duration::from_secs(1)));
            self.next = now + FIRST_SHUT;
        }
        self.refused_at = self.refused_at.max(self.least(now));
        self.rate = Some((self.refused_at * (1.0 - cut)).max(self.least(now)));
        self.since = 0.0;
        self.cut_at = now;
    }

    fn is_dense(&self) -> bool {
        self.recent.count_ones() >= DENSE
    }

    /// The lowest rate to go down to.
    fn least(&self, now: Duration) -> f64 {
        if now < self.low_until || self.shut.is_some() || self.cap.is_some() { LEAST } else { self.floor }
    }
}

/// One call in five seconds is the least there ever is.
const LEAST: f64 = 0.2;

/// Accepted calls of the last minute, in tenths of a second.
#[derive(Debug, Default)]
struct Passed {
    tenths: VecDeque<(u64, u32)>,
    first: Option<Duration>,
}

impl Passed {
    fn add(&mut self, now: Duration) {
        self.first.get_or_insert(now);
        let tenth = tenth(now);
        match self.tenths.back_mut() {
            Some((at, count)) if *at == tenth => *count += 1,
            _ => self.tenths.push_back((tenth, 1)),
        }
        while self.tenths.front().is_some_and(|(at, _)| at + 600 < tenth) {
            self.tenths.pop_front();
        }
    }

    /// Calls a second over `window`, or over the time since the first call if that is shorter, but not below `least`.
    fn rate(&self, now: Duration, window: Duration, least: Duration) -> f64 {
        let from = tenth(now.saturating_sub(window));
        let count: u32 = self.tenths.iter().filter(|(at, _)| *at >= from).map(|(_, n)| n).sum();
        let age = now.saturating_sub(self.first.unwrap_or(now));
        f64::from(count) / window.min(age).max(least).as_secs_f64()
    }
}

fn tenth(at: Duration) -> u64 {
    u64::try_from(at.as_millis() / 100).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "pacer_tests.rs"]
mod tests;
