//! tecnico: folder trees for field technicians on a VM and on Google Drive, and the agent that files
//! their work orders. The map of the modules is in ARCHITECTURE.md.

pub mod callback;
pub mod config;
pub mod domain;
pub mod drive;
pub mod error;
pub mod fs_layout;
pub mod ledger;
