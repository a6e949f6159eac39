//! A ledger that is put together beside the place it is for: nobody sees it there before it is whole.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, TempPath};

use super::alone::Alone;
use super::open::{PATIENCE, directory_for, from_io, parent};
use super::{Ledger, aside, failure, missing, restore};
use crate::config::owner;
use crate::error::{Exit, Failure};

/// The name of the ledger inside its room.
const NAME: &str = "ledger.db";

/// A new ledger nobody else knows of. What is not published is thrown away.
pub struct Draft {
    ledger: Ledger,
    room: Room,
    /// Whether a whole ledger may give its place up for it.
    replaces_whole: bool,
    /// Where it replaces one that others could be at work with.
    alone: Option<Alone>,
}

enum Room {
    /// Beside the ledger, so that a rename puts it there; held by one process at a time.
    Beside { to: PathBuf, dir: PathBuf, _held: File },
    /// Anywhere: it will never be published.
    Anywhere { dir: TempDir },
}

impl Draft {
    /// Begins the ledger that is to lie at `path`; what an earlier one that was killed has left is begun anew. A damaged one
    /// there gives up its place in the end, a whole one only where it is said so.
    ///
    /// Fails with `ledger_exists` (73) where a whole one lies there, `ledger_in_use` (75) while somebody works with it,
    /// `rebuild_busy` (75) while another process is at it.
    pub async fn of(path: &Path, replaces_whole: bool) -> Result<Self, Failure> {
        if !replaces_whole {
            refuse_whole(path).await?;
        }
        // Told at once and not after the work; what begins meanwhile is met in the end.
        drop(Alone::with(path).await?);
        let room = Room::beside(path)?;
        let ledger = Ledger::open(&room.ledger()).await?;
        Ok(Self { ledger, room, replaces_whole, alone: None })
    }

    /// One for looking only.
    pub async fn for_looking() -> Result<Self, Failure> {
        let room = Room::anywhere()?;
        let ledger = Ledger::open(&room.ledger()).await?;
        Ok(Self { ledger, room, replaces_whole: false, alone: None })
    }

    /// A copy of the backup `file`, brought up to date, which is to lie at `path`; `for_looking` never does. The backup stays
    /// as it is. Its log, where it has one, belongs to it.
    pub(super) async fn copy_of(file: &Path, path: &Path, for_looking: bool) -> Result<Self, Failure> {
        let alone = Alone::with(path).await?;
        let mut source = restore::source(file, path)?;
        let room = if for_looking { Room::anywhere()? } else { Room::beside(path)? };
        restore::copy(file, &mut source, &room.ledger()).map_err(|e| restore::uncopied(file, path, e))?;
        let ledger = Ledger::connected(&room.ledger(), file, PATIENCE).await.map_err(|e| restore::unusable(file, &e))?;
        Ok(Self { ledger, room, replaces_whole: true, alone: Some(alone) })
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Gives it its place, checked and on the disk; one for looking is thrown away. Gives where what lay there is kept.
    ///
    /// Fails with `ledger_exists` (73) where somebody has made one meanwhile, `ledger_in_use` (75) where he works with it.
    pub async fn publish(self) -> Result<Vec<PathBuf>, Failure> {
        let Self { ledger, room, replaces_whole, alone } = self;
        ledger.check_and_close().await?;
        let Room::Beside { to, dir, .. } = &room else { return Ok(Vec::new()) };
        if !replaces_whole {
            refuse_whole(to).await?;
        }
        let _alone = match alone {
            Some(alone) => alone,
            None => Alone::with(to).await?,
        };
        let whole = dir.join(NAME);
        File::open(&whole).and_then(|f| f.sync_all()).map_err(|e| from_io(to, e))?;
        let kept = aside::set_aside(to)?;
        TempPath::try_from_path(&whole).map_err(|e| from_io(to, e))?.persist_noclobber(to).map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => exists(to),
            _ => from_io(to, e.error),
        })?;
        File::open(parent(to)).and_then(|d| d.sync_all()).map_err(|e| from_io(to, e))?;
        Ok(kept)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Self::Beside { dir, .. } = self {
            // One left behind harms nobody: the next begins it anew.
            let _ = clear(dir).and_then(|()| std::fs::remove_dir(dir));
        }
    }
}

impl Room {
    fn beside(path: &Path) -> Result<Self, Failure> {
        let (directory, _) = directory_for(path)?;
        let name = path.file_name().ok_or_else(|| failure::cannot_write(path))?.to_string_lossy().into_owned();
        let dir = directory.join(format!(".{name}.rebuilt"));
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(from_io(path, e)),
            _ => owner::like_its_folder(&dir).map_err(|e| from_io(path, e))?,
        }
        let held = File::open(&dir).map_err(|e| from_io(path, e))?;
        held.try_lock().map_err(|_| {
            Failure::new(Exit::Later, "rebuild_busy", format!("another process is rebuilding {}", path.display()))
                .hint("wait until it is done; `tecnico list` shows what it found")
        })?;
        clear(&dir).map_err(|e| from_io(path, e))?;
        Ok(Self::Beside { to: path.to_owned(), dir, _held: held })
    }

    fn anywhere() -> Result<Self, Failure> {
        let dir = tempfile::tempdir().map_err(|e| from_io(&std::env::temp_dir(), e))?;
        Ok(Self::Anywhere { dir })
    }

    fn ledger(&self) -> PathBuf {
        match self {
            Self::Beside { dir, .. } => dir.join(NAME),
            Self::Anywhere { dir } => dir.path().join(NAME),
        }
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

/// A ledger that is damaged may go, and what is left of one.
async fn refuse_whole(path: &Path) -> Result<(), Failure> {
    if missing::is_missing(path) {
        return Ok(());
    }
    let checked = match Ledger::open(path).await {
        Ok(ledger) => ledger.check_and_close().await,
        Err(e) => Err(e),
    };
    match checked {
        Ok(()) => Err(exists(path)),
        Err(e) if failure::is_damage(&e) => Ok(()),
        Err(e) => Err(e),
    }
}

fn exists(path: &Path) -> Failure {
    let message = format!("there is a ledger {} already, and it is whole; nothing was changed", path.display());
    Failure::new(Exit::CannotCreate, "ledger_exists", message)
        .hint("to have a new one all the same: `tecnico ledger rebuild --set-aside`, which keeps the one that is there")
}
