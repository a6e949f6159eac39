//! What keeps a step from being taken, and how long to leave it alone.

use std::fmt::Display;
use std::time::Duration;

use crate::domain::clock::{self, Millis};
use crate::drive::{DriveError, Kind};
use crate::error::{Exit, Failure};

/// The first wait after an error; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait after an error.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// The first wait of a file whose processor said "later"; it doubles.
const FIRST_LATER: Duration = Duration::from_secs(30);
/// The longest such wait.
const LONGEST_LATER: Duration = Duration::from_hours(1);

/// A step that could not be taken.
#[derive(Debug)]
pub(super) enum Setback {
    /// Drive did not do it.
    Drive(DriveError),
    /// Something here did not.
    Here(Failure),
}

impl From<DriveError> for Setback {
    fn from(error: DriveError) -> Self {
        if error.kind == Kind::Local {
            return Self::Here(local(error));
        }
        Self::Drive(error)
    }
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}

impl Setback {
    /// Whether every other file would meet the same, so that nothing more is begun in this cycle.
    pub(super) fn halts(&self) -> bool {
        match self {
            Self::Drive(e) => matches!(e.kind, Kind::Credentials | Kind::Network | Kind::RateLimited),
            Self::Here(f) => f.code().starts_with("ledger_"),
        }
    }

    /// Whether it is about this machine or the whole run, not about one file.
    pub(super) fn is_systemic(&self) -> bool {
        let everybodys =
            |f: &Failure| matches!(f.exit(), Exit::Config | Exit::Io) || matches!(f.code(), "parent_trashed" | "parent_not_found");
        self.halts() || matches!(self, Self::Here(f) if everybodys(f))
    }

    /// The stable code of the failure a user reads.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Drive(e) => e.advice().1,
            Self::Here(f) => f.code(),
        }
    }

    /// How long Drive asked to wait, where it did.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Drive(e) => e.retry_after,
            Self::Here(_) => None,
        }
    }

    /// The failure a user reads.
    pub(super) fn into_failure(self, blame: impl Display) -> Failure {
        match self {
            Self::Drive(e) => e.into_failure(blame),
            Self::Here(f) => f,
        }
    }
}

/// A sink that could not be written. The disk being full is told as that.
fn local(error: DriveError) -> Failure {
    let full = std::error::Error::source(&error)
        .and_then(|e| e.downcast_ref::<std::io::Error>())
        .is_some_and(|e| matches!(e.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded));
    let (code, message) = if full { ("disk_full", "the VM's disk is full") } else { ("local_io", "what was downloaded cannot be written") };
    Failure::new(Exit::Io, code, message).hint("free some space below vm.base_dir; the file is fetched again by itself").because(error)
}

/// When to try again after an error, the `waits`th in a row.
pub(super) fn after_error(now: Millis, waits: u32, asked: Option<Duration>) -> Millis {
    until(now, doubled(FIRST_WAIT, LONGEST_WAIT, waits).max(asked.unwrap_or_default().min(LONGEST_LATER)))
}

/// When to ask a processor again that said "later".
pub(super) fn after_later(now: Millis, waits: u32) -> Millis {
    until(now, doubled(FIRST_LATER, LONGEST_LATER, waits))
}

fn doubled(first: Duration, longest: Duration, times: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times.min(20)).unwrap_or(u32::MAX)).min(longest)
}

fn until(now: Millis, wait: Duration) -> Millis {
    now.saturating_add(clock::millis(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_drive_may_ask_for_more() {
        let error: Vec<_> = (0..10).map(|n| after_error(0, n, None) / 1000).collect();
        assert_eq!(error, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(after_error(0, u32::MAX, None), 900_000);
        assert_eq!(after_error(0, 0, Some(Duration::from_mins(1))), 60_000);
        assert_eq!([0, 1, 7, 99].map(|n| after_later(0, n) / 1000), [30, 60, 3600, 3600]);
    }
}
