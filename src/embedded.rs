//! The embedded Drive behind `demo` and `--sandbox DIR`.

use std::path::Path;

use crate::config::Sandbox;

/// A served sandbox.
pub struct Embedded(Sandbox);

impl Embedded {
    /// Opens the sandbox in `dir`.
    pub async fn open(dir: &Path, _port: u16) -> anyhow::Result<Self> {
        anyhow::bail!("the embedded Drive of {} is not built in yet", dir.display())
    }

    /// What the settings take from it.
    pub fn sandbox(&self) -> Sandbox {
        self.0.clone()
    }
}
