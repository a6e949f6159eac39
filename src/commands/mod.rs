//! One file a command: its arguments, its help and its function together.

pub mod check;
pub mod completions;
pub mod config;
pub mod create;
mod create_bulk;
pub mod demo;
pub mod import;
pub mod list;
pub mod man;
mod report;
pub mod sandbox;
pub mod share;
pub mod ssh_gate;
