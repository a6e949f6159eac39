//! A backup that takes the ledger's place. A plain copy is not enough: the log of the ledger that lay there before would be
//! taken for the backup's, and SQLite would write pages of the one over the other.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::alone::nobody_writes;
use super::open::{from_io, sidecar};
use super::{Draft, LastCycle, failure, missing};
use crate::config::owner;
use crate::domain::clock::{self, Millis, millis};
use crate::error::{Exit, Failure};

/// A backup that was found whole, as a copy that is ready to take the ledger's place.
pub struct Backup {
    draft: Draft,
    /// Technicians it knows.
    pub technicians: usize,
    /// Files it knows to be under way.
    pub open_items: u64,
    /// The last cycle before it was made.
    pub last_cycle: Option<LastCycle>,
    /// When the file was last changed.
    pub modified_at: Option<Millis>,
}

impl Backup {
    /// Copies `file` and reads the copy for damage; `file` and the ledger stay as they are. One `for_looking` is never restored.
    ///
    /// Fails with `backup_unusable` (65) where it is missing, unreadable, damaged, no ledger, or the one at `ledger` itself;
    /// `ledger_newer` (78); `ledger_in_use` (75) while somebody works with the one that is to go, or with `file`.
    pub async fn read(file: &Path, ledger: &Path, for_looking: bool) -> Result<Self, Failure> {
        let draft = Draft::copy_of(file, ledger, for_looking).await?;
        let copy = draft.ledger();
        let name = |e: Failure| unusable(file, &e);
        copy.check().await.map_err(name)?;
        let technicians = copy.technicians().await.map_err(name)?.len();
        let open_items = copy.counts(clock::now()).await.map_err(name)?.open();
        let last_cycle = copy.last_cycle().await.map_err(name)?;
        let modified = file.metadata().and_then(|m| m.modified()).ok();
        let modified_at = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map(millis);
        Ok(Self { draft, technicians, open_items, last_cycle, modified_at })
    }

    /// Puts it in the ledger's place, with everything that was under way to be looked for on Drive first. Gives the folders in which what lay there is kept.
    pub async fn restore(self) -> Result<Vec<PathBuf>, Failure> {
        self.draft.ledger().recheck_all(clock::now()).await?;
        self.draft.publish().await
    }
}

/// The backup, opened for reading.
pub(super) fn source(file: &Path, ledger: &Path) -> Result<File, Failure> {
    let found = file.metadata().map_err(|e| cannot(file, "it cannot be read").because(e))?;
    if !found.is_file() {
        return Err(cannot(file, "it is not a file"));
    }
    // Before it is opened: closing it would give our lock on the ledger back.
    if missing::file_at(ledger) == Some((found.dev(), found.ino())) {
        return Err(cannot(file, "it is the ledger itself"));
    }
    if found.len() == 0 {
        return Err(cannot(file, "it is empty"));
    }
    let source = File::open(file).map_err(|e| cannot(file, "it cannot be read").because(e))?;
    nobody_writes(file, &source)?;
    Ok(source)
}

/// Copies the backup, and its log where it has one.
pub(super) fn copy(file: &Path, source: &mut File, to: &Path) -> io::Result<()> {
    let new = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    io::copy(source, &mut new(to)?)?;
    owner::like_its_folder(to)?;
    let log = sidecar(file, "-wal");
    match log.metadata().and_then(|found| if found.is_file() { File::open(&log) } else { Err(io::Error::other("its log is no file")) }) {
        Ok(mut log) => {
            let to = sidecar(to, "-wal");
            io::copy(&mut log, &mut new(&to)?)?;
            owner::like_its_folder(&to)
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// Why it was not copied.
pub(super) fn uncopied(file: &Path, ledger: &Path, e: io::Error) -> Failure {
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => from_io(ledger, e),
        _ => cannot(file, "it cannot be copied beside the ledger").because(e),
    }
}

/// What is wrong with a backup, where the ledger itself would be called damaged or of a newer program.
pub(super) fn unusable(file: &Path, why: &Failure) -> Failure {
    if failure::is_damage(why) {
        return cannot(file, &why.to_string());
    }
    if why.exit() == Exit::Bug {
        return cannot(file, "its tables are not those of a ledger");
    }
    let hint = match why.code() {
        "ledger_newer" => "install the newer tecnico first, or restore an older backup; nothing was changed",
        _ => why.hint_text().unwrap_or("nothing was changed"),
    };
    Failure::new(why.exit(), why.code(), why.to_string()).hint(hint)
}

fn cannot(file: &Path, why: &str) -> Failure {
    Failure::new(Exit::Data, "backup_unusable", format!("{} cannot be restored: {why}", file.display()))
        .hint("name a copy that `ledger backup` made and that you may read; the ledger is as it was. Without one: `tecnico ledger rebuild`")
}
