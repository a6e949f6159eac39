//! How long a call is repeated: growing waits with jitter, and an end (drive-v3-behaviour 6.20).

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::error::Kind;

/// The longest `Retry-After` that is waited for inside a run; a longer one ends it with "try again later".
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The waits between the tries of one call that keeps failing in this way. No more of them: give up.
pub(super) fn delays(kind: Kind) -> impl Iterator<Item = Duration> + Send {
    let (first, longest, times) = match kind {
        // A quota per minute refills within one, so a rate limit is outwaited: about two minutes in all.
        Kind::RateLimited => (Duration::from_millis(500), Duration::from_secs(20), 10),
        // Nobody listens or the line is cut: about five seconds.
        Kind::Network => (Duration::from_millis(100), Duration::from_secs(2), 5),
        // About fifteen seconds; a time limit has already cost as long as it is.
        Kind::Timeout => (Duration::from_millis(250), Duration::from_secs(2), 3),
        _ => (Duration::from_millis(250), Duration::from_secs(8), 6),
    };
    ExponentialBuilder::new().with_min_delay(first).with_max_delay(longest).with_max_times(times).with_jitter().build()
}

#[cfg(test)]
mod tests {
    use super::*;

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
