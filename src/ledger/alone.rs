//! Being alone with a ledger, for whoever puts another in its place: what somebody wrote into the old one meanwhile would be lost.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::lock::{self, Lock};
use super::{failure, open};
use crate::domain::clock::rfc3339;
use crate::error::{Exit, Failure};

/// The locks of those who work with a ledger for long, what they are, and the units that do it under systemd.
const WORKERS: [(&str, &str, &str); 3] = [
    ("follow", "`tecnico watch --follow`", "tecnico-agent.service"),
    ("serve", "`tecnico serve`", "tecnico-serve.service"),
    ("cycle", "a cycle", "tecnico-watch.timer tecnico-watch.service"),
];

/// Nobody else has the ledger open, and nobody gets at it, until this is dropped.
pub(super) struct Alone {
    _locks: Vec<Lock>,
    /// SQLite's locks are of this kind: nobody reads or writes while it is held. The system gives all of a process's locks on a
    /// file back when *any* of its handles is closed: as long as this lives, this process opens the file nowhere else.
    _file: Option<File>,
}

impl Alone {
    /// Fails with `ledger_in_use` (75), which names who is at work and how to end it.
    pub(super) async fn with(path: &Path) -> Result<Self, Failure> {
        // Where there is no directory, nobody works in it.
        let directory = open::parent(path);
        if !directory.is_dir() {
            return Ok(Self { _locks: Vec::new(), _file: None });
        }
        let mut locks = Vec::new();
        for (name, what, units) in WORKERS {
            locks.push(turn(path, name, what, units).await?);
        }
        Ok(Self { _locks: locks, _file: nobody_has(path)? })
    }
}

async fn turn(path: &Path, name: &str, what: &str, units: &str) -> Result<Lock, Failure> {
    if let Some(lock) = lock::wait_at(path, name, Duration::ZERO, || Ok(false)).await? {
        return Ok(lock);
    }
    let holder = lock::holder_at(path, name)?;
    let who = holder.map(|h| format!(" (process {}, since {})", h.pid, rfc3339(h.since))).unwrap_or_default();
    let kill = holder.map(|h| format!(", or where systemd did not start it `kill {}`", h.pid)).unwrap_or_default();
    Err(in_use(path, &format!("{what}{who} works with"))
        .hint(format!("end it first: `sudo systemctl stop {units}`{kill}; start it again when this is done")))
}

/// Whoever has a ledger open holds a lock on its file as long as that is so, idle or not.
fn nobody_has(path: &Path) -> Result<Option<File>, Failure> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failure::cannot_write(path).because(e)),
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(_) => Err(opened_by(path, &file)),
    }
}

/// Fails with `ledger_in_use` (75) where another process has this file open as a ledger: a copy would be torn.
pub(super) fn nobody_writes(path: &Path, file: &File) -> Result<(), Failure> {
    match fcntl_getlk(file, &Flock::from(FlockType::WriteLock)) {
        Ok(Some(_)) => Err(opened_by(path, file)),
        _ => Ok(()),
    }
}

fn opened_by(path: &Path, file: &File) -> Failure {
    let lock = fcntl_getlk(file, &Flock::from(FlockType::WriteLock)).ok().flatten();
    let pid = lock.and_then(|l| l.pid).map(rustix::process::Pid::as_raw_nonzero);
    let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("the process {pid}"));
    let look = pid.map_or_else(|| "`fuser` on the file names it".to_owned(), |pid| format!("`ps -fp {pid}` says what it is"));
    in_use(path, &format!("{who} works with")).hint(format!("wait until it is done, or end it; {look}"))
}

fn in_use(path: &Path, who: &str) -> Failure {
    Failure::new(Exit::Later, "ledger_in_use", format!("{who} the ledger {}; nothing was changed", path.display()))
}
