//! A Google Drive v3 server over HTTP, for tests.

pub mod auth;
pub mod control;
pub mod error;
pub mod mask;
pub mod multipart;
pub mod query;
pub mod ranges;
