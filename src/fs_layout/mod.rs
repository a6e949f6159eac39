//! The VM side: technicians' trees, `tecnicos.json` and `credenciais.json` below one base directory.
//!
//! Everything goes through directory handles, one path component at a time, and no symbolic link is
//! ever followed below the base directory: a link planted in a tree is told about, not walked through.
//! All functions block; call them from `spawn_blocking` where a runtime must not wait.

mod atomic;
mod handle;

pub mod base;
pub mod credentials;
pub mod name;
pub mod part;
pub mod place;
pub mod registry;
pub mod relocate;
pub mod tree;

pub use base::{Base, base_empty, base_missing};
pub use credentials::{Credentials, Key};
pub use part::Part;
pub use place::{LocalFile, Moved};
pub use registry::{Entry, Registry};
pub use relocate::Relocated;
pub use tree::{LocalFolder, LocalState, Tree};

/// Mode of files that hold a secret.
pub const SECRET_MODE: u32 = 0o600;

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was not there before.
    Added,
    /// It was there and is different now.
    Changed,
    /// It was as wanted already; the file was not touched.
    Unchanged,
}
