//! What tecnico knows that Drive and the VM do not say: who the technicians are, which ids belong to
//! their folders, what became of every file, and which events the backend has not heard yet.
//!
//! One SQLite file (DESIGN §7). Every method is one transaction: when it returns, what it says is on
//! disk; when the process dies inside it, nothing of it happened. Several processes may share the file.
//! The SQL keeps to what PostgreSQL also runs.

mod alone;
mod aside;
mod backup;
mod counts;
mod draft;
mod dropped;
mod events;
mod failure;
mod feeds;
mod folders;
mod grants;
mod item_row;
mod items;
mod jobs;
mod lock;
mod look;
mod missing;
mod offboard;
mod open;
mod outbox;
mod recalled;
mod recheck;
mod restore;
mod schema;
mod sketch;
mod steps;
mod technicians;
mod units;
mod unmade;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::error::Failure;

pub use counts::Counts;
pub use draft::Draft;
pub use dropped::DroppedFolder;
pub use events::Which;
pub use failure::is_damage;
pub use feeds::LastCycle;
pub use folders::{Adopt, Assigned, FolderRow, FolderState};
pub use grants::WantedGrant;
pub use items::{Intake, Order, Source};
pub use jobs::{JobKind, JobRow, JobState, NewJob};
pub use lock::{Holder, Lock};
pub use look::HistoryLine;
pub use missing::{is_missing, lost, lost_too, none_yet};
pub use offboard::Renaming;
pub use outbox::StoppedAddress;
pub use recalled::Recalled;
pub use restore::Backup;
pub use technicians::{Field, Outcome, Reserved, Technician, WantedTechnician};
pub use units::Units;
pub use unmade::Unmade;

/// Bytes that are read for damage in half a second.
const QUICKLY: u64 = 256 * 1024 * 1024;

/// The open ledger. Cheap to clone; clones share one connection.
#[derive(Debug, Clone)]
pub struct Ledger {
    // One connection a process: writers would only queue inside SQLite, where waiting is polling and unfair.
    pool: SqlitePool,
    path: Arc<PathBuf>,
    /// Device and inode of the file that is open.
    file: (u64, u64),
    steps: Arc<steps::Steps>,
}

impl Ledger {
    /// Where the ledger lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole file for damage: 0.4 s for 100,000 files (250 MB), so only where it is asked for.
    pub async fn check(&self) -> Result<(), Failure> {
        let said: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(5)").fetch_all(&self.pool).await.map_err(|e| self.failed(e))?;
        match said.as_slice() {
            [ok] if ok == "ok" => Ok(()),
            findings => Err(failure::damaged(&self.path, &findings.join("; "))),
        }
    }

    /// [`Ledger::check`] where it is small enough to be read in half a second (256 MB): `status` runs each minute.
    pub async fn check_if_quick(&self) -> Result<(), Failure> {
        if self.path.metadata().is_ok_and(|file| file.len() > QUICKLY) {
            return Ok(());
        }
        self.check().await
    }

    /// Writes everything into the one file and lets go of it. Not needed for safety; leaves no `-wal` behind.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// A transaction that may write. It takes the write lock at once: taking it after a read fails when
    /// another process wrote in between, and no waiting helps (DEPENDENCIES, rule 3).
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, Failure> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| self.failed(e))
    }

    async fn commit(&self, tx: Transaction<'static, Sqlite>) -> Result<(), Failure> {
        tx.commit().await.map_err(|e| self.failed(e))
    }

    fn failed(&self, e: sqlx::Error) -> Failure {
        failure::from_sqlx(&self.path, e)
    }

    /// A stored value that no version of tecnico writes.
    fn unreadable(&self, what: &str, value: &str) -> Failure {
        failure::damaged(&self.path, &format!("it holds the {what} {value:?}"))
    }
}
