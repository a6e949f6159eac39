//! Looking for ways to break the promise, and what the agent costs.

mod dice;
mod measures;
pub mod stage;
mod trouble;
mod walk;
mod walks;

use std::io::Write;

/// A number from the environment (`scripts/simulate` sets them).
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A line for whoever watches.
pub fn tell(line: &str) {
    // A report that cannot be written is read by nobody.
    let _ = writeln!(std::io::stderr(), "{line}");
}
