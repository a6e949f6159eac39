//! What a failing ledger means for the person who runs the program.

use std::path::Path;

use super::missing;
use crate::error::{Exit, Failure};

/// Primary result codes of SQLite (<https://sqlite.org/rescode.html>).
mod code {
    pub(super) const PERM: i32 = 3;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
    /// Extended: the file ends before the page that was asked for.
    pub(super) const SHORT_READ: i32 = 522;
}

/// Whether this says that a ledger cannot be trusted.
pub fn is_damage(failure: &Failure) -> bool {
    failure.code() == "ledger_damaged"
}

/// The ledger cannot be trusted: stop, and say how to go on.
pub(super) fn damaged(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::Data, "ledger_damaged", format!("the ledger {} is damaged: {why}", path.display()))
        .hint(format!("with the agent stopped, {}; what is there is set aside and kept", missing::put_back(path)))
}

/// Another process has kept the write lock for longer than we wait.
pub(super) fn busy(path: &Path) -> Failure {
    Failure::new(Exit::Later, "ledger_busy", format!("the ledger {} is in use by another process", path.display()))
        .hint("try again in a moment; `fuser` on the file names the process that holds it")
}

pub(super) fn from_sqlx(path: &Path, e: sqlx::Error) -> Failure {
    let shown = path.display();
    match &e {
        sqlx::Error::PoolTimedOut => busy(path).because(e),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => damaged(path, "a stored value cannot be read").because(e),
        sqlx::Error::Io(_) => io(path).because(e),
        sqlx::Error::Database(d) => {
            let extended = d.code().and_then(|c| c.parse::<i32>().ok()).unwrap_or_default();
            match extended & 0xff {
                _ if extended == code::SHORT_READ => damaged(path, "the file ends too early").because(e),
                code::BUSY | code::LOCKED => busy(path).because(e),
                code::FULL => Failure::new(Exit::Io, "disk_full", format!("there is no space left for the ledger {shown}"))
                    .hint("free some space and run the same command again; what was recorded until now is safe")
                    .because(e),
                code::IOERR => io(path).because(e),
                code::CORRUPT => damaged(path, "its pages do not fit together").because(e),
                code::NOTADB => damaged(path, "it is not a SQLite file").because(e),
                code::READONLY | code::PERM | code::CANTOPEN => cannot_write(path).because(e),
                _ => bug(path).because(e),
            }
        }
        _ => bug(path).because(e),
    }
}

/// The file or its directory does not let this user write.
pub(super) fn cannot_write(path: &Path) -> Failure {
    Failure::new(Exit::CannotCreate, "ledger_unwritable", format!("the ledger {} cannot be opened for writing", path.display()))
        .hint("the user tecnico runs as must own the file and its directory; `ledger.path` in the config names it")
}

fn io(path: &Path) -> Failure {
    Failure::new(Exit::Io, "ledger_io", format!("reading or writing the ledger {} failed", path.display()))
        .hint("look at the disk (dmesg, df); what was recorded until now is safe")
}

/// A call that the rules of this program forbid.
pub(super) fn defect(code: &'static str, message: String) -> Failure {
    Failure::new(Exit::Bug, code, message).hint("this is a defect in tecnico; please report it with the causes shown")
}

fn bug(path: &Path) -> Failure {
    defect("ledger_bug", format!("the ledger {} refused a statement of this program", path.display()))
}
