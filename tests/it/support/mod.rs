//! What the tests share.

pub mod documents;
pub mod etc;
pub mod kept;
pub mod mounts;
pub mod people;
pub mod promise;
pub mod python;
pub mod receiver;
pub mod sources;
pub mod switches;
pub mod traced;
pub mod waiting;
#[allow(dead_code, reason = "each test uses a part of the world")]
pub mod world;
