//! A download under way: a hidden file beside its target, kept over crashes so that it can be resumed.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use cap_std::fs::Dir;
use rustix::fs::OFlags;

use super::handle::{self, io_failure, link_refused};
use super::{LocalFile, Tree, place};
use crate::error::{Exit, Failure};

const PREFIX: &str = ".tecnico-";
const SUFFIX: &str = ".part";

/// The bytes that have arrived of one item. Locked while open: a second writer is told to come back later.
#[derive(Debug)]
pub struct Part {
    dir: Dir,
    folder: PathBuf,
    temp: String,
    file: File,
}

impl Tree {
    /// Opens the download of `item` (`[A-Za-z0-9_-]`, at most 200) in `folder`, at its end where there is one already.
    pub fn part(&self, folder: &str, item: &str) -> Result<Part, Failure> {
        let temp = temp_name(item)?;
        let dir = self.dir(folder)?;
        let folder = self.path_of(folder);
        let path = folder.join(&temp);
        let file = match handle::open_file(&dir, &temp, OFlags::RDWR | OFlags::APPEND | OFlags::CREATE, self.base.modes.file) {
            Ok(file) => file,
            Err(e) if handle::is_link(&e) => return Err(link_refused(&path)),
            Err(e) => return Err(io_failure("create", &path, e)),
        };
        handle::set_mode(&file, self.base.modes.file).map_err(|e| io_failure("set the mode of", &path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Part { dir, folder, temp, file }),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(Failure::new(Exit::Later, "part_busy", format!("another process is writing {}", path.display())))
            }
            Err(std::fs::TryLockError::Error(e)) => Err(io_failure("lock", &path, e)),
        }
    }

    /// Removes the partial download of an item that is not wanted any more; none there is fine.
    pub fn discard_part(&self, folder: &str, item: &str) -> Result<(), Failure> {
        let temp = temp_name(item)?;
        match rustix::fs::unlinkat(self.dir(folder)?, &temp, rustix::fs::AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(e) => Err(io_failure("remove", &self.path_of(folder).join(temp), e.into())),
        }
    }

    /// The items with a partial download in `folder`, sorted: what a sweep for leftovers compares with the ledger.
    pub fn parts(&self, folder: &str) -> Result<Vec<String>, Failure> {
        let failed = |e| io_failure("list", &self.path_of(folder), e);
        let mut items = Vec::new();
        for entry in self.dir(folder)?.entries().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().into_string().unwrap_or_default();
            if let Some(item) = name.strip_prefix(PREFIX).and_then(|n| n.strip_suffix(SUFFIX)) {
                items.push(item.to_owned());
            }
        }
        items.sort();
        Ok(items)
    }
}

impl Part {
    /// Bytes that are there already: where to resume.
    pub fn len(&self) -> Result<u64, Failure> {
        Ok(self.file.metadata().map_err(|e| self.failed("look at", e))?.len())
    }

    /// Whether nothing has arrived yet.
    pub fn is_empty(&self) -> Result<bool, Failure> {
        Ok(self.len()? == 0)
    }

    /// A second handle on the file, for an async writer. It appends, wherever it was positioned.
    pub fn writer(&self) -> Result<File, Failure> {
        self.file.try_clone().map_err(|e| self.failed("open", e))
    }

    /// Throws away what has arrived: the server ignored the range, or the checksum was wrong.
    pub fn restart(&self) -> Result<(), Failure> {
        self.file.set_len(0).map_err(|e| self.failed("empty", e))
    }

    /// Size in bytes and md5 in lower-case hex of what has arrived.
    pub fn measure(&self) -> Result<(u64, String), Failure> {
        place::open_measured(&self.dir, &self.temp).map_err(|e| self.failed("read", e))
    }

    /// Makes the bytes durable and gives them the present time and their name in the same folder, or the first of
    /// [`super::name::candidates`] that is unused there and `is_free`; nothing is overwritten.
    pub fn finish(self, drive_name: &str, id: &str, is_free: &dyn Fn(&str) -> bool) -> Result<LocalFile, Failure> {
        handle::touch(&self.file).and_then(|()| self.file.sync_all()).map_err(|e| self.failed("write", e))?;
        // Under its name it may be taken away at once.
        let stat = rustix::fs::fstat(&self.file).map_err(|e| self.failed("look at", e.into()))?;
        let name = place::settle((&self.dir, &self.temp), &self.dir, drive_name, id, is_free).map_err(|e| self.failed("rename", e))?;
        handle::sync_dir(&self.dir).map_err(|e| self.failed("rename", e))?;
        Ok(place::local_file(name, &stat))
    }

    fn failed(&self, what: &str, error: io::Error) -> Failure {
        io_failure(what, &self.folder.join(&self.temp), error)
    }
}

fn temp_name(item: &str) -> Result<String, Failure> {
    if item.is_empty() || item.len() > 200 || !item.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return Err(Failure::new(Exit::Bug, "unsafe_item", format!("{item:?} cannot name a partial download")));
    }
    Ok(format!("{PREFIX}{item}{SUFFIX}"))
}
