//! One file a command: its arguments, its help and its function together.

pub mod callbacks;
pub mod changes;
pub mod check;
pub mod completions;
pub mod config;
pub mod create;
mod create_bulk;
mod cycle_report;
pub mod demo;
pub mod doctor;
pub mod folder_event;
pub mod import;
pub mod init;
pub mod ledger;
pub mod list;
pub mod man;
pub mod process;
mod report;
pub mod retry;
pub mod sandbox;
pub mod serve;
mod service;
pub mod share;
pub mod ssh_gate;
pub mod status;
pub mod watch;
pub mod why;
