//! Where the demo may lie.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::error::{Exit, Failure};

/// A directory of somebody's own is not written into.
pub(super) fn fresh(dir: PathBuf) -> Result<PathBuf, Failure> {
    let refused = |why: String| {
        Failure::new(Exit::CannotCreate, "demo_directory", why).hint("name a directory that is not there yet: `tecnico demo DIR`")
    };
    match std::fs::read_dir(&dir).map(Iterator::count) {
        Ok(entries) if entries > 0 => Err(refused(format!("{} is not empty; the demo starts from nothing", dir.display()))),
        Ok(_) => Ok(dir),
        Err(e) if e.kind() == ErrorKind::NotFound => match std::fs::create_dir_all(&dir) {
            Ok(()) => Ok(dir),
            Err(e) => Err(refused(format!("cannot make {}", dir.display())).because(e)),
        },
        Err(e) => Err(refused(format!("cannot use {}", dir.display())).because(e)),
    }
}

/// A new one for temporary files; it stays.
pub(super) fn temporary() -> anyhow::Result<PathBuf> {
    let made = tempfile::Builder::new().prefix("tecnico-demo-").tempdir().map_err(|e| {
        Failure::new(Exit::CannotCreate, "no_temporary_directory", "cannot make a directory for the demo")
            .hint("name one you may write to: `tecnico demo DIR`")
            .because(e)
    })?;
    Ok(made.keep())
}
