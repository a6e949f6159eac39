//! How long a call is repeated: growing waits with jitter, and an end (drive-v3-behaviour 6.20).

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::error::{DriveError, Kind};

/// The longest `Retry-After` that is waited for inside a run; a longer one ends it with "try again later".
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The waits between the tries of one call that keeps failing in this way. No more of them: give up.
fn delays(kind: Kind) -> impl Iterator<Item = Duration> + Send {
    let (first, longest, times) = match kind {
        // A quota per minute refills within one, so a rate limit is outwaited: about two minutes in all. The pacer spaces
        // the tries; whoever slept long beside it would leave its place empty.
        Kind::RateLimited => (Duration::from_millis(100), Duration::from_secs(2), 50),
        // Nobody listens or the line is cut: about five seconds.
        Kind::Network => (Duration::from_millis(100), Duration::from_secs(2), 5),
        // About fifteen seconds; a time limit has already cost as long as it is.
        Kind::Timeout => (Duration::from_millis(250), Duration::from_secs(2), 3),
        _ => (Duration::from_millis(250), Duration::from_secs(8), 6),
    };
    ExponentialBuilder::new().with_min_delay(first).with_max_delay(longest).with_max_times(times).with_jitter().build()
}

/// How often a call is still repeated, for each kind of trouble by itself: a refused token must not use up the patience
/// for a broken line. The tries of one call are bounded in number and time all the same.
#[derive(Default)]
pub(super) struct Patience {
    left: Vec<(Kind, Box<dyn Iterator<Item = Duration> + Send>)>,
}

impl Patience {
    /// How long to wait before the next try; `None` to give up.
    pub(super) fn next(&mut self, error: &DriveError) -> Option<Duration> {
        if !error.kind.is_passing() || error.retry_after.is_some_and(|wait| wait > LONGEST_WAIT) {
            return None;
        }
        let at = self.left.iter().position(|(kind, _)| *kind == error.kind).unwrap_or_else(|| {
            self.left.push((error.kind, Box::new(delays(error.kind))));
            self.left.len() - 1
        });
        let delay = self.left[at].1.next()?;
        Some(delay.max(error.retry_after.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_kept_for_each_kind_and_ends() {
        let error = |kind| DriveError::new(kind, "x");
        let mut patience = Patience::default();
        let mut tries = |kind| std::iter::from_fn(|| patience.next(&error(kind))).take(100).count();
        assert_eq!((tries(Kind::Network), tries(Kind::Network), tries(Kind::Timeout)), (5, 0, 3));
        assert_eq!((tries(Kind::Refused), tries(Kind::SharingLimited), tries(Kind::Gone)), (0, 0, 0));
    }

    #[test]
    fn waits_grow_and_end() {
        for (kind, least, most) in [(Kind::RateLimited, 60, 240), (Kind::Server, 8, 40), (Kind::Network, 3, 8), (Kind::Timeout, 1, 6)] {
            let waits: Vec<Duration> = delays(kind).collect();
            let sum: Duration = waits.iter().sum();
            assert!((least..=most).contains(&sum.as_secs()), "{kind:?}: {sum:?}");
            assert!(waits[0] < waits[waits.len() - 1] && waits[0] < Duration::from_secs(1), "{kind:?}");
        }
    }
}
