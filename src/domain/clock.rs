//! Time as an argument: milliseconds since the epoch, and where they come from.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Milliseconds since 1970-01-01 UTC.
pub type Millis = i64;

/// The wall clock. Read it at the edge and pass the value down.
pub fn now() -> Millis {
    Timestamp::now().as_millisecond()
}

/// A length of time; one beyond counting is for ever.
pub fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX)
}

/// The longest time anybody may set.
const LONGEST: Duration = Duration::from_hours(10 * 366 * 24);

/// A length of time as people write it (`10s`, `1h30m`): more than none, and at most ten years.
pub fn duration(text: &str) -> Option<Duration> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok());
    parsed.filter(|d| !d.is_zero() && *d <= LONGEST)
}

/// The time that [`rfc3339`] wrote.
pub fn parse(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// RFC 3339 with milliseconds, UTC, for people and JSON.
pub fn rfc3339(at: Millis) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}
