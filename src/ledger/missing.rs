//! A ledger that is not there: a new machine has none yet, but where there are technicians it is lost.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Ledger;
use super::open::sidecar;
use crate::domain::text::shell_path;
use crate::error::{Exit, Failure};

/// What every SQLite file begins with (<https://sqlite.org/fileformat.html>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether there is no ledger at `path`, nor anything left of one.
pub fn is_missing(path: &Path) -> bool {
    [path.to_owned(), sidecar(path, "-wal")].into_iter().all(|p| p.symlink_metadata().is_err())
}

/// The ledger is gone, though `registry` (`tecnicos.json`) names so many technicians. An empty one in its place would know
/// nobody and call that well.
pub fn lost(path: &Path, technicians: usize, registry: &Path) -> Failure {
    let shown = path.display();
    let message = format!(
        "there is no ledger {shown}, though {} names {technicians} technicians: it is lost, or nothing was imported yet",
        registry.display()
    );
    let import = format!("`tecnico import {}`", shell_path(registry));
    Failure::new(Exit::Data, "ledger_missing", message)
        .hint(format!("{}; where only the old script has worked until now: {import}", put_back(path)))
}

/// The ledger is gone, and `registry` with it or emptied; `trace` is left of the technicians there were.
pub fn lost_too(path: &Path, registry: &Path, trace: &Path) -> Failure {
    let message = format!(
        "there is no ledger {}, and {} names nobody, though tecnico has kept technicians there: both are lost",
        path.display(),
        registry.display()
    );
    Failure::new(Exit::Data, "ledger_missing", message).hint(format!(
        "{}; to begin anew instead, knowing nobody: `rm {}`",
        put_back(path),
        shell_path(trace)
    ))
}

/// The way out of a ledger that is gone or damaged.
pub(super) fn put_back(path: &Path) -> String {
    match newest_backup(path) {
        Some(backup) => format!("put the newest backup in its place: `tecnico ledger restore {}`", shell_path(&backup)),
        None => "put a backup in its place with tecnico ledger restore, or without one `tecnico ledger rebuild`, which makes a new ledger \
                 from Drive and the VM"
            .to_owned(),
    }
}

/// There is no ledger to look at, and none was expected.
pub fn none_yet(path: &Path) -> Failure {
    Failure::new(Exit::Data, "ledger_missing", format!("there is no ledger {} yet", path.display()))
        .hint("the first `tecnico create` or `tecnico watch` makes it; another place is named by `ledger.path` in the config")
}

impl Ledger {
    /// Fails with `ledger_missing` (65) where the file this process works with lies in its place no more: what goes into it
    /// now, nobody would find again.
    pub fn still_there(&self) -> Result<(), Failure> {
        if file_at(&self.path) == Some(self.file) {
            return Ok(());
        }
        let message = format!("the ledger {} was moved away or replaced while it was in use", self.path.display());
        Err(Failure::new(Exit::Data, "ledger_missing", message)
            .hint("see `tecnico ledger check` for what lies there now; what runs on the old one must be started anew"))
    }
}

/// Device and inode of the file at `path`.
pub(super) fn file_at(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|file| (file.dev(), file.ino()))
}

/// The newest copy of a ledger beside it, by the time of its last change.
fn newest_backup(path: &Path) -> Option<PathBuf> {
    let set_aside = |name: &str| name.starts_with('.') || name.ends_with(".damaged");
    let files = std::fs::read_dir(path.parent()?).ok()?.flatten();
    let is_it = |copy: &Path| copy.file_name() == path.file_name();
    let copies = files.filter(|f| !set_aside(&f.file_name().to_string_lossy()) && !is_it(&f.path()) && is_sqlite(&f.path()));
    let dated = copies.filter_map(|f| Some((f.metadata().ok()?.modified().unwrap_or(SystemTime::UNIX_EPOCH), f.path())));
    dated.max().map(|(_, path)| path)
}

fn is_sqlite(path: &Path) -> bool {
    let mut head = [0; MAGIC.len()];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && &head == MAGIC
}
