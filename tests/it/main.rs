//! One integration binary.

mod callback;
mod fs_layout;
mod imports;
mod ledger;
mod support;
