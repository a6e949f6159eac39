//! A Google Drive v3 server over HTTP, for tests.
//!
//! ```no_run
//! # async fn example() -> Result<(), drive_emulator::error::ApiError> {
//! let drive = drive_emulator::DriveEmulator::start().await;
//! let ana = drive.control().user("ana@example.com")?;
//! // Point any Drive client at drive.url() with the bearer token ana.token.
//! # Ok(()) }
//! ```

mod acting;
mod api;
mod app;
pub mod auth;
mod clock;
pub mod control;
pub mod error;
mod ids;
pub mod mask;
pub mod multipart;
pub mod push;
pub mod query;
pub mod ranges;
mod rules;
mod server;
mod socket;
mod store;

pub use acting::{Control, User};
pub use api::routes::{Served, served, unserved_methods};
pub use server::{Builder, DriveEmulator};
pub use store::settings::{DescendantChanges, FeedFaults, Switches};

/// The README's example is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
