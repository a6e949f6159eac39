//! Locks between processes, beside the ledger. Each dies with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Ledger;
use crate::domain::technician::UserId;
use crate::error::{Exit, Failure};

/// How many technicians can be worked on at once; two that share a lock wait for each other.
const TECHNICIAN_LOCKS: u64 = 256;
/// How long another process may work on a technician before we give up.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a held lock is tried again.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Held until dropped, or until the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    waited: bool,
}

impl Lock {
    /// Whether somebody else held it first: what was looked at before may have changed.
    pub fn waited(&self) -> bool {
        self.waited
    }
}

impl Ledger {
    /// Waits until nobody else changes this technician's things: concurrent writes to one file's grants lose one of
    /// them (drive-v3-behaviour 3.4). Fails with `technician_busy` (exit 75) after two minutes.
    pub async fn lock_technician(&self, user: &UserId) -> Result<Lock, Failure> {
        let mut hasher = DefaultHasher::new();
        user.hash(&mut hasher);
        let name = format!("tecnico-{:03}", hasher.finish() % TECHNICIAN_LOCKS);
        let until = Instant::now() + PATIENCE;
        let mut waited = false;
        loop {
            if let Some(lock) = self.try_lock(&name)? {
                return Ok(Lock { waited, ..lock });
            }
            waited = true;
            if Instant::now() >= until {
                return Err(Failure::new(Exit::Later, "technician_busy", format!("another tecnico is at work on {user}"))
                    .hint("run the same command again when it is done"));
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }

    /// Takes a lock of this name; `None` where another process holds it.
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, Failure> {
        let path = self.locks_dir()?.join(name);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(|e| cannot(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file, waited: false })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(cannot(&path, e)),
        }
    }

    fn locks_dir(&self) -> Result<PathBuf, Failure> {
        let mut name = self.path().file_name().unwrap_or_default().to_owned();
        name.push(".locks");
        let dir = self.path().with_file_name(name);
        match std::fs::create_dir(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(cannot(&dir, e)),
            _ => Ok(dir),
        }
    }
}

fn cannot(path: &std::path::Path, why: std::io::Error) -> Failure {
    Failure::new(Exit::CannotCreate, "lock_unusable", format!("cannot use the lock {}", path.display()))
        .hint("the ledger's directory must be writable by the user tecnico runs as")
        .because(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_is_held_until_dropped() {
        let dir = tempfile::tempdir().expect("a directory");
        let ledger = Ledger::open(&dir.path().join("ledger.db")).await.expect("opens");
        let held = ledger.try_lock("cycle").expect("tried").expect("free");
        assert!(ledger.try_lock("cycle").expect("tried").is_none());
        drop(held);
        assert!(ledger.try_lock("cycle").expect("tried").is_some());
    }
}
