//! Creating, checking and sharing, with the real binary against the emulator.

mod budgets;
mod bulk;
mod create;
mod races;
mod support;
