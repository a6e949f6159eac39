//! What tests do to the emulator beside being its users: faults, latency, quotas, pauses, and the
//! log of requests. All of it is per process and forgotten with it.

mod fault;
mod gate;
mod http;
mod kept;
mod log;
mod methods;
mod op;
mod page;
mod pause;
mod quota;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use fault::{BodyShape, Effect, Fault, Match, Status, When};
pub use gate::{Gate, RuleState, Surroundings};
pub(crate) use http::serve;
pub use log::Logged;
pub use op::{Door, Op};
pub use quota::Quota;

/// Locks through poison: what is guarded here is sound after a panic elsewhere.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
