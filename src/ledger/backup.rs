//! A copy of the ledger as it is at one moment, while others go on writing.

use std::fs::File;
use std::io;
use std::path::Path;

use super::{Ledger, failure};
use crate::config::owner;
use crate::error::{Exit, Failure};

impl Ledger {
    /// Writes a whole, checked copy to `to` (mode 0600), which must not exist yet. What is committed when it begins is
    /// in it. Half a copy is never seen under that name.
    ///
    /// Fails with `backup_exists` or `backup_unwritable` (73), or with `disk_full` (74).
    pub async fn backup(&self, to: &Path) -> Result<(), Failure> {
        let unwritable = |e: io::Error| match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Failure::new(Exit::Io, "disk_full", format!("there is no space left for {}", to.display())).because(e)
            }
            io::ErrorKind::AlreadyExists => {
                Failure::new(Exit::CannotCreate, "backup_exists", format!("{} exists already; nothing was overwritten", to.display()))
                    .hint("name a new file, for example with the date in it")
            }
            _ => Failure::new(Exit::CannotCreate, "backup_unwritable", format!("the copy {} cannot be written", to.display()))
                .hint("name a file in a directory that exists and that you may write to")
                .because(e),
        };
        if to.symlink_metadata().is_ok() {
            return Err(unwritable(io::ErrorKind::AlreadyExists.into()));
        }
        let directory = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let copy = tempfile::Builder::new().prefix(".tecnico-backup.").tempfile_in(directory).map_err(unwritable)?;
        // SQLite fills an empty file that is there, which keeps its mode.
        sqlx::query("VACUUM INTO $1")
            .bind(copy.path().to_string_lossy().into_owned())
            .execute(&self.pool)
            .await
            .map_err(|e| failure::from_sqlx(to, e))?;
        Self::open(copy.path()).await?.check_and_close().await?;
        // What root copies, the service must be able to put back.
        owner::like(copy.path(), self.path()).map_err(unwritable)?;
        copy.as_file().sync_all().map_err(unwritable)?;
        copy.persist_noclobber(to).map_err(|e| unwritable(e.error))?;
        File::open(directory).and_then(|d| d.sync_all()).map_err(unwritable)
    }

    pub(super) async fn check_and_close(self) -> Result<(), Failure> {
        let checked = self.check().await;
        self.close().await;
        checked
    }
}
