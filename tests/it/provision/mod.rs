//! Creating, checking and sharing, with the real binary against the emulator.

mod budgets;
mod bulk;
mod check;
mod contract;
mod create;
mod dry_run;
mod events;
mod faults;
mod import;
mod installations;
mod local_faults;
mod names;
mod newcomer;
mod races;
mod remove;
mod remove_broken;
mod remove_killed;
mod rename;
mod secrets;
pub mod support;
