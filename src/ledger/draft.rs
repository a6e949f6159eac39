//! A ledger that is put together beside the place it is for: nobody sees it there before it is whole.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, TempPath};

use super::open::{directory_for, from_io, sidecar};
use super::{Ledger, failure};
use crate::error::{Exit, Failure};

/// The name of the ledger inside its room.
const NAME: &str = "ledger.db";

/// A new ledger nobody else knows of. What is not published is thrown away.
pub struct Draft {
    ledger: Ledger,
    room: Room,
}

enum Room {
    /// Beside the ledger, so that a rename puts it there; held by one process at a time.
    Beside { to: PathBuf, dir: PathBuf, _held: File },
    /// Anywhere: it will never be published.
    Anywhere { _dir: TempDir },
}

impl Draft {
    /// Begins the ledger that is to lie at `path`; what an earlier one that was killed has left is begun anew.
    ///
    /// Fails with `ledger_exists` (73) where one lies there already, `rebuild_busy` (75) while another process is at it.
    pub async fn of(path: &Path) -> Result<Self, Failure> {
        refuse_existing(path)?;
        let (directory, _) = directory_for(path)?;
        let name = path.file_name().ok_or_else(|| failure::cannot_write(path))?.to_string_lossy().into_owned();
        let dir = directory.join(format!(".{name}.rebuilt"));
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(from_io(path, e)),
            _ => {}
        }
        let held = File::open(&dir).map_err(|e| from_io(path, e))?;
        held.try_lock().map_err(|_| {
            Failure::new(Exit::Later, "rebuild_busy", format!("another process is rebuilding {}", path.display()))
                .hint("wait until it is done; `tecnico list` shows what it found")
        })?;
        clear(&dir).map_err(|e| from_io(path, e))?;
        let ledger = Ledger::open(&dir.join(NAME)).await?;
        Ok(Self { ledger, room: Room::Beside { to: path.to_owned(), dir, _held: held } })
    }

    /// One for looking only.
    pub async fn for_looking() -> Result<Self, Failure> {
        let dir = tempfile::tempdir().map_err(|e| from_io(&std::env::temp_dir(), e))?;
        let ledger = Ledger::open(&dir.path().join(NAME)).await?;
        Ok(Self { ledger, room: Room::Anywhere { _dir: dir } })
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Gives it its place, checked and on the disk; one for looking is thrown away. Fails with `ledger_exists` (73) where
    /// somebody has made one meanwhile.
    pub async fn publish(self) -> Result<(), Failure> {
        self.ledger.check().await?;
        self.ledger.close().await;
        let Room::Beside { to, dir, _held } = self.room else { return Ok(()) };
        refuse_existing(&to)?;
        let whole = dir.join(NAME);
        File::open(&whole).and_then(|f| f.sync_all()).map_err(|e| from_io(&to, e))?;
        TempPath::try_from_path(&whole).map_err(|e| from_io(&to, e))?.persist_noclobber(&to).map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => exists(&to),
            _ => from_io(&to, e.error),
        })?;
        let above = dir.parent().unwrap_or(Path::new("."));
        File::open(above).and_then(|d| d.sync_all()).map_err(|e| from_io(&to, e))?;
        // The ledger is there; an empty room left behind harms nobody.
        let _ = clear(&dir).and_then(|()| std::fs::remove_dir(&dir));
        Ok(())
    }
}

/// Removes what this program makes in a room.
fn clear(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { std::fs::remove_dir_all(entry.path())? } else { std::fs::remove_file(entry.path())? }
    }
    Ok(())
}

fn refuse_existing(path: &Path) -> Result<(), Failure> {
    let there = [path.to_owned(), sidecar(path, "-wal")].into_iter().any(|p| p.symlink_metadata().is_ok());
    if there { Err(exists(path)) } else { Ok(()) }
}

fn exists(path: &Path) -> Failure {
    let message = format!("there is a ledger {} already; nothing was changed", path.display());
    Failure::new(Exit::CannotCreate, "ledger_exists", message).hint(format!(
        "if it is damaged or empty, stop the units and move it away with what belongs to it: {}, then `tecnico ledger rebuild`",
        failure::set_aside(path)
    ))
}
