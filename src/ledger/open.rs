//! Opening the ledger, and making it where there is none.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlitePool};

use super::{Ledger, aside, failure, missing, schema};
use crate::config::owner;
use crate::error::{Exit, Failure};

/// How long we wait for another process that is writing.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

impl Ledger {
    /// Opens the ledger at `path`; makes it (mode 0600, its directory 0750) where there is none and the
    /// directory above exists.
    ///
    /// Fails with `ledger_damaged` (65), `ledger_newer` (78), `ledger_busy` (75), `disk_full` or `ledger_io` (74),
    /// `ledger_unwritable` or `ledger_directory` (73). A file that is there is never replaced by an empty one.
    pub async fn open(path: &Path) -> Result<Self, Failure> {
        Self::open_patiently(path, PATIENCE).await
    }

    pub(super) async fn open_patiently(path: &Path, patience: Duration) -> Result<Self, Failure> {
        // The log is looked for first: whoever makes a ledger makes its file before its log.
        let log_there = sidecar(path, "-wal").exists();
        match std::fs::metadata(path) {
            Ok(file) if file.len() == 0 => return Err(failure::damaged(path, "the file is empty")),
            Ok(file) if !file.is_file() => return Err(failure::cannot_write(path)),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                if log_there {
                    return Err(aside::only_a_log(path));
                }
                make(path).await?;
            }
            Err(e) => return Err(failure::cannot_write(path).because(e)),
        }
        let before = missing::file_at(path);
        let ledger = Self::connected(path, path, patience).await?;
        if before.is_some_and(|before| before != ledger.file) {
            // Another took its place (`ledger restore`) while we waited for the old one.
            ledger.close().await;
            return Box::pin(Self::open_patiently(path, patience)).await;
        }
        Ok(ledger)
    }

    /// Opens the ledger at `path`, which is there; failures name it as `of`.
    pub(super) async fn connected(path: &Path, of: &Path, patience: Duration) -> Result<Self, Failure> {
        let pool = connect(path, patience).await.map_err(|e| failure::from_sqlx(of, e))?;
        schema::upgrade(&pool, of).await?;
        let file = missing::file_at(path).ok_or_else(|| failure::cannot_write(of))?;
        Ok(Self { pool, path: Arc::new(of.to_owned()), file, steps: Arc::default() })
    }
}

async fn connect(path: &Path, patience: Duration) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: an id is used on Drive the moment it is recorded, so the record must survive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(patience);
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(patience)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        // SQLite ends a transaction by itself on a full disk; the connection is not told, and could never begin another.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .connect_with(options)
        .await
}

/// Makes a whole ledger under another name, then gives it its own: nobody ever sees half of one.
async fn make(path: &Path) -> Result<(), Failure> {
    let (directory, made_directory) = directory_for(path)?;
    let name = path.file_name().ok_or_else(|| failure::cannot_write(path))?.to_string_lossy().into_owned();
    // A temporary file has mode 0600, and SQLite gives its log the mode of the file.
    let new = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".new").tempfile_in(directory).map_err(|e| from_io(path, e))?;
    let pool = connect(new.path(), PATIENCE).await.map_err(|e| failure::from_sqlx(path, e))?;
    schema::create(&pool, path).await?;
    pool.close().await;
    owner::like_its_folder(new.path()).map_err(|e| from_io(path, e))?;
    match new.persist_noclobber(path) {
        Ok(file) => file.sync_all().map_err(|e| from_io(path, e))?,
        // Another process made it first; ours goes.
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(e) => return Err(from_io(path, e.error)),
    }
    let above = directory.parent().filter(|p| made_directory && !p.as_os_str().is_empty());
    for synced in [Some(directory), above].into_iter().flatten() {
        File::open(synced).and_then(|d| d.sync_all()).map_err(|e| from_io(path, e))?;
    }
    Ok(())
}

/// The directory a ledger is to lie in, made where only it is missing, and whether it was.
pub(super) fn directory_for(path: &Path) -> Result<(&Path, bool), Failure> {
    let directory = parent(path);
    match DirBuilder::new().mode(0o750).create(directory) {
        Ok(()) => Ok((directory, true)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok((directory, false)),
        Err(e) => Err(no_directory(path, directory).because(e)),
    }
}

/// The directory `path` lies in.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn sidecar(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn no_directory(path: &Path, directory: &Path) -> Failure {
    Failure::new(
        Exit::CannotCreate,
        "ledger_directory",
        format!("the directory {} for the ledger {} cannot be made", directory.display(), path.display()),
    )
    .hint("make it, owned by the user tecnico runs as, or set `ledger.path` in the config to another place")
}

pub(super) fn from_io(path: &Path, e: io::Error) -> Failure {
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Failure::new(Exit::Io, "disk_full", format!("there is no space left for the ledger {}", path.display()))
                .hint("free some space and run the same command again")
                .because(e)
        }
        _ => failure::cannot_write(path).because(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::technician::UserId;
    use crate::ledger::WantedTechnician;

    fn wanted() -> WantedTechnician {
        WantedTechnician { folder: "Ana_Maria".into(), ..WantedTechnician::default() }
    }

    #[tokio::test]
    async fn a_ledger_locked_by_another_process_ends_with_75() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("ledger.db");
        let ledger = Ledger::open_patiently(&path, Duration::from_millis(500)).await.expect("opens");
        let other = connect(&path, PATIENCE).await.expect("connects");
        let held = other.begin_with("BEGIN IMMEDIATE").await.expect("locks");
        let user = UserId::parse("42").expect("user");
        let refused = ledger.reserve(&user, &wanted(), &[].into(), 1).await.expect_err("is locked");
        assert_eq!((refused.exit(), refused.code()), (Exit::Later, "ledger_busy"));
        drop(held);
        other.close().await;
        ledger.reserve(&user, &wanted(), &[].into(), 1).await.expect("works once the lock is gone");
    }

    /// As it does on a full disk; the connection then believes for ever that it is in a transaction.
    #[tokio::test]
    async fn what_sqlite_rolled_back_by_itself_keeps_nobody_from_going_on() {
        let dir = tempfile::tempdir().expect("temp dir");
        let ledger = Ledger::open(&dir.path().join("ledger.db")).await.expect("opens");
        let mut tx = ledger.write().await.expect("begins");
        sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.expect("rolls back");
        drop(tx);
        let user = UserId::parse("42").expect("user");
        ledger.reserve(&user, &wanted(), &[].into(), 1).await.expect("goes on");
    }

    #[tokio::test]
    async fn a_full_disk_ends_with_74_and_loses_nothing() {
        let dir = tempfile::tempdir().expect("temp dir");
        let ledger = Ledger::open(&dir.path().join("ledger.db")).await.expect("opens");
        let user = UserId::parse("42").expect("user");
        ledger.reserve(&user, &wanted(), &[].into(), 1).await.expect("reserves");
        // SQLite answers a file at its page limit the way it answers a full disk.
        sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&ledger.pool).await.expect("limits");
        let ids: Vec<String> = (0..5000).map(|n| format!("id-{n:040}")).collect();
        let refused = ledger.add_spare_ids(&ids).await.expect_err("is full");
        assert_eq!((refused.exit(), refused.code()), (Exit::Io, "disk_full"));
        assert_eq!(ledger.spare_ids().await.expect("reads"), 0);
        assert!(ledger.technician(&user).await.expect("reads").is_some());
        ledger.check().await.expect("is whole");
        sqlx::raw_sql("PRAGMA max_page_count = 100000").execute(&ledger.pool).await.expect("has room again");
        ledger.add_spare_ids(&ids).await.expect("goes on");
    }
}
