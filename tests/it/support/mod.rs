//! What the tests share.

pub mod python;
pub mod receiver;
