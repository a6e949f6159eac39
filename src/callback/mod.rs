//! Telling the backend (CONTRACT §3): what is said, signed by whom, sent where, and when it is tried again.
//!
//! This module sends one event once. What is due, what was delivered and what is given up stands in the ledger.

pub mod address;
pub mod client;
pub mod payload;
pub mod schedule;
pub mod signature;

pub use client::{Answer, Client, Delivery};
pub use signature::{Keys, make_command, new_key};
