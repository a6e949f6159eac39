//! Creating, checking and sharing, with the real binary against the emulator.

mod budgets;
mod bulk;
mod check;
mod create;
mod names;
mod races;
mod support;
