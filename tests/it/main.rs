//! One integration binary.
mod ledger;
