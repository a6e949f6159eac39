//! One integration binary.

mod fs_layout;
mod ledger;
mod support;
