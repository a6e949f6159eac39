//! When an event that was not taken is sent again: data, no timer. The time stands in the ledger and the next
//! cycle comes by.

use std::time::Duration;

use crate::domain::clock::{self, Millis};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The wait before each try; the first is at once. Some three days in all.
pub const WAITS: [Duration; 10] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
    Duration::from_secs(14 * HOUR),
    Duration::from_secs(20 * HOUR),
    Duration::from_secs(24 * HOUR),
];
/// A wait is up to this part longer or shorter, so that a recovering backend does not meet everything at once.
pub const SPREAD: f64 = 0.2;
/// The longest wait a receiver can ask for: one that says "in a year" is not to hold an event for a year.
pub const LONGEST: Duration = Duration::from_secs(24 * HOUR);

/// When to try again after `tries` tries, the last of which failed at `now`; `None`: give up, a dead letter.
///
/// `retry_after` is what the receiver asked for: never sooner than that, at most [`LONGEST`].
/// `chance` in `0.0..1.0` spreads the waits ([`chance`] draws one).
pub fn next_attempt(tries: u32, now: Millis, retry_after: Option<Duration>, chance: f64) -> Option<Millis> {
    let wait = WAITS.get(usize::try_from(tries).ok()?)?;
    let spread = wait.mul_f64(1.0 + SPREAD * (2.0 * chance.clamp(0.0, 1.0) - 1.0));
    let wait = spread.max(retry_after.unwrap_or_default().min(LONGEST));
    Some(now.saturating_add(clock::millis(wait)))
}

/// A number in `0.0..1.0` for [`next_attempt`].
pub fn chance() -> f64 {
    rand::random()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_and_then_none() {
        let waits: Vec<_> = (0..).map_while(|n| next_attempt(n, 1_000, None, 0.5)).map(|at| (at - 1_000) / 1000).collect();
        assert_eq!(waits, [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]);
        assert_eq!(next_attempt(10, 0, Some(Duration::from_secs(1)), 0.5), None);
        assert_eq!(next_attempt(u32::MAX, 0, None, 0.5), None);
    }

    #[test]
    fn waits_are_spread_by_a_fifth() {
        assert_eq!(next_attempt(2, 0, None, 0.0), Some(240_000));
        assert_eq!(next_attempt(2, 0, None, 1.0), Some(360_000));
        assert!((0..100).map(|_| chance()).all(|c| (0.0..1.0).contains(&c)));
    }

    #[test]
    fn retry_after_lengthens_a_wait_and_never_shortens_it() {
        assert_eq!(next_attempt(1, 0, Some(Duration::from_mins(2)), 0.5), Some(120_000));
        assert_eq!(next_attempt(2, 0, Some(Duration::from_secs(1)), 0.5), Some(300_000));
        assert_eq!(next_attempt(1, 0, Some(Duration::from_secs(u64::MAX)), 0.5), Some(86_400_000));
    }
}
