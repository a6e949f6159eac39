//! A ledger that another takes the place of: set aside with what belongs to it, and kept.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{CWD, renameat};

use super::failure;
use super::open::{from_io, parent, sidecar};
use crate::config::owner;
use crate::domain::clock;
use crate::error::Failure;

/// The ledger and what SQLite keeps beside it. The log belongs to this one file, and to no other that gets its name.
pub(super) const FILES: [&str; 3] = ["", "-wal", "-shm"];

/// Moves the ledger at `path` into a new folder beside it, `ledger.db.before-TIME` (UTC), with its -wal and -shm under their own
/// names, so that it can be opened there. Gives what is kept: nothing where nothing lies there.
///
/// Where it is cut off, the ledger is in neither place whole, and nothing opens what is left; the next call goes on. The
/// caller is alone with it.
pub(super) fn set_aside(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    move_all(path).map_err(|e| from_io(path, e))
}

/// Whether one was cut off here.
pub(super) fn is_cut_off(path: &Path) -> bool {
    half(path).is_some_and(|half| half.is_dir())
}

fn move_all(path: &Path) -> io::Result<Vec<PathBuf>> {
    let half = half(path).ok_or(io::ErrorKind::InvalidInput)?;
    let mut kept = Vec::new();
    // Somebody has begun another ledger since: what lies beside that is its own.
    if half.join(path.file_name().unwrap_or_default()).exists() && is_there(path) {
        kept.push(done(path, &half)?);
    }
    let there: Vec<&str> = FILES.into_iter().filter(|end| is_there(&sidecar(path, end))).collect();
    if there.is_empty() && !half.is_dir() {
        return Ok(kept);
    }
    match DirBuilder::new().mode(0o700).create(&half) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => owner::like_its_folder(&half)?,
    }
    sync(parent(path))?;
    for end in there {
        let from = sidecar(path, end);
        let to = half.join(from.file_name().unwrap_or_default());
        if is_there(&to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        renameat(CWD, &from, CWD, &to)?;
        // In this order on the disk too: a ledger without its log would look whole.
        sync(&half)?;
        sync(parent(path))?;
    }
    kept.push(done(path, &half)?);
    Ok(kept)
}

/// Gives the folder its name.
fn done(path: &Path, half: &Path) -> io::Result<PathBuf> {
    let now = Timestamp::from_millisecond(clock::now()).map_err(io::Error::other)?.strftime("%Y-%m-%dT%H%M%SZ").to_string();
    let mut to = sidecar(path, &format!(".before-{now}"));
    for n in 2.. {
        if !is_there(&to) {
            break;
        }
        to = sidecar(path, &format!(".before-{now}-{n}"));
    }
    renameat(CWD, half, CWD, &to)?;
    sync(parent(path))?;
    Ok(to)
}

/// Where it is while it is being moved.
fn half(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy();
    Some(path.with_file_name(format!(".{name}.aside")))
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// What is said where only the log of a ledger is left.
pub(super) fn only_a_log(path: &Path) -> Failure {
    let why = if is_cut_off(path) { "; a run that set it aside was cut off, and the next goes on" } else { "" };
    failure::damaged(path, &format!("the file is gone, but its -wal is still there{why}"))
}
