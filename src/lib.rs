//! tecnico: folder trees for field technicians on a VM and on Google Drive, and the agent that files
//! their work orders. The map of the modules is in ARCHITECTURE.md.

pub mod agent;
pub mod api;
pub mod app;
pub mod callback;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod creation;
pub mod doctor;
pub mod document;
pub mod domain;
pub mod drive;
pub mod embedded;
pub mod error;
pub mod fs_layout;
pub mod ledger;
pub mod log;
pub mod provision;
pub mod ui;
pub mod verdict;
