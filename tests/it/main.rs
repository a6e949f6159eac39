//! One integration binary.

mod callback;
mod drive;
mod fs_layout;
mod imports;
mod ledger;
mod provision;
mod ssh;
mod support;
