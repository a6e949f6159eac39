//! One integration binary.

mod callback;
mod fs_layout;
mod ledger;
mod support;
