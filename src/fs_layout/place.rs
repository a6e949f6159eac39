//! Filing a work order away on the VM: moves inside one tree that never overwrite.

use std::fs::File;
use std::io::{self, Read};

use cap_std::fs::Dir;
use md5::{Digest, Md5};
use rustix::fs::{AtFlags, FileType, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::handle::{self, io_failure, link_refused};
use super::{Base, Tree, name, tree};
use crate::domain::clock::Millis;
use crate::error::{Exit, Failure};

/// What became of a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The file lies in the wanted folder under this name.
    To(String),
    /// There is no file at the source: moved already, or taken away by somebody.
    SourceGone,
}

/// A work order as it lies on the VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Its name in the folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Last modification, in milliseconds since the epoch.
    pub modified: Millis,
    /// Inode number: the same file under another name keeps it.
    pub inode: u64,
}

impl Tree {
    /// Moves the file at `from` into `to_folder` under `wanted` or the first name of [`name::candidates`] that is unused
    /// there and `is_free`.
    ///
    /// One rename; both folders are durable before it returns. Repeating it after a crash does no harm.
    /// A link or folder at `from` is refused (`not_a_file`, exit 65).
    pub fn move_file(&self, from: &str, to_folder: &str, wanted: &str, id: &str, is_free: &dyn Fn(&str) -> bool) -> Result<Moved, Failure> {
        let (from_folder, from_name) = tree::split(from);
        let shown = self.path_of(from);
        let to_dir = self.dir(to_folder)?;
        let from_dir = self.dir(from_folder)?;
        match handle::stat(&from_dir, from_name).map_err(|e| io_failure("look at", &shown, e))? {
            None => return Ok(Moved::SourceGone),
            Some(stat) if handle::kind(&stat) == FileType::Symlink => return Err(link_refused(&shown)),
            Some(stat) if handle::kind(&stat) != FileType::RegularFile => {
                return Err(Failure::new(Exit::Data, "not_a_file", format!("{} is not a regular file", shown.display())));
            }
            Some(_) => {}
        }
        let name = match settle((&from_dir, from_name), &to_dir, wanted, id, is_free) {
            Ok(name) => name,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Moved::SourceGone),
            Err(e) => return Err(io_failure("move", &shown, e)),
        };
        handle::sync_dir(&to_dir).and_then(|()| handle::sync_dir(&from_dir)).map_err(|e| io_failure("move", &shown, e))?;
        Ok(Moved::To(name))
    }

    /// Looks in `folder` for a file a move or download of `id` may have left there before a crash: one of the
    /// candidate names, with this size and md5 (lower-case hex). Names with the id come before the plain one.
    pub fn find_same(&self, folder: &str, wanted: &str, id: &str, size: u64, md5: &str) -> Result<Option<String>, Failure> {
        let dir = self.dir(folder)?;
        let failed = |e| io_failure("look for a file in", &self.path_of(folder), e);
        let mut there = Vec::new();
        for (n, candidate) in name::candidates(wanted, id).enumerate() {
            match handle::stat(&dir, &candidate).map_err(failed)? {
                Some(stat) if handle::kind(&stat) == FileType::RegularFile => there.push((candidate, stat)),
                None if n >= 2 => break, // every name up to here was tried by the move
                Some(_) | None => {}
            }
        }
        for (candidate, stat) in there.into_iter().rev() {
            if u64::try_from(stat.st_size) == Ok(size) && open_measured(&dir, &candidate).map_err(failed)?.1 == md5 {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// The regular files of a folder by name, without hidden ones; fails where the folder is missing.
    pub fn files(&self, folder: &str) -> Result<Vec<LocalFile>, Failure> {
        let failed = |e| io_failure("list", &self.path_of(folder), e);
        let dir = self.dir(folder)?;
        let mut files = Vec::new();
        for entry in dir.entries().map_err(failed)? {
            // A name that is not UTF-8 cannot be one of ours: Drive's names are.
            let Ok(name) = entry.map_err(failed)?.file_name().into_string() else { continue };
            if name.starts_with('.') {
                continue;
            }
            // It may be moved away between the listing and the look.
            if let Some(stat) = handle::stat(&dir, &name).map_err(failed)?.filter(|s| handle::kind(s) == FileType::RegularFile) {
                files.push(local_file(name, &stat));
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// The regular file at `path`, where there is one (a link is none).
    pub fn file(&self, path: &str) -> Result<Option<LocalFile>, Failure> {
        let (folder, name) = tree::split(path);
        let stat = handle::stat(&self.dir(folder)?, name).map_err(|e| io_failure("look at", &self.path_of(path), e))?;
        Ok(stat.filter(|s| handle::kind(s) == FileType::RegularFile).map(|s| local_file(name.to_owned(), &s)))
    }

    /// Gives the file at `path` the present time, where this user may, and says what it is then.
    pub fn touch(&self, path: &str) -> Result<Option<LocalFile>, Failure> {
        let (folder, name) = tree::split(path);
        if let Ok(file) = handle::open_file(&self.dir(folder)?, name, OFlags::RDONLY, 0) {
            // Another user's file keeps the time it has.
            let _ = handle::touch(&file);
        }
        self.file(path)
    }

    /// Size in bytes and md5 in lower-case hex of the file at `path`.
    pub fn measure(&self, path: &str) -> Result<(u64, String), Failure> {
        let (folder, name) = tree::split(path);
        open_measured(&self.dir(folder)?, name).map_err(|e| io_failure("read", &self.path_of(path), e))
    }
}

impl Base {
    /// Bytes this user may still write.
    pub fn free_bytes(&self) -> Result<u64, Failure> {
        let stat = rustix::fs::fstatvfs(&*self.dir).map_err(|e| io_failure("look at the free space of", &self.path, e.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Fails with `disk_full` (exit 74) where fewer than `bytes` are free: better before a download than in it.
    pub fn require_free(&self, bytes: u64) -> Result<(), Failure> {
        let free = self.free_bytes()?;
        if free >= bytes {
            return Ok(());
        }
        let why = format!("{} has {free} bytes free and {bytes} are needed", self.path.display());
        Err(Failure::new(Exit::Io, "disk_full", why).hint("free some space there and run it again; nothing was lost"))
    }
}

pub(super) fn local_file(name: String, stat: &Stat) -> LocalFile {
    LocalFile {
        name,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        modified: stat.st_mtime * 1000 + i64::try_from(stat.st_mtime_nsec / 1_000_000).unwrap_or_default(),
        inode: stat.st_ino,
    }
}

/// Size and md5 of a file, with constant memory.
pub(super) fn open_measured(dir: &Dir, name: &str) -> io::Result<(u64, String)> {
    let mut file: File = handle::open_file(dir, name, OFlags::RDONLY, 0)?;
    let mut hash = Md5::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => {
                hash.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
    Ok((size, format!("{:x}", hash.finalize())))
}

/// Renames `from` into `to_dir` under the first candidate name that is unused there and `is_free`.
pub(super) fn settle(from: (&Dir, &str), to_dir: &Dir, wanted: &str, id: &str, is_free: &dyn Fn(&str) -> bool) -> io::Result<String> {
    for candidate in name::candidates(wanted, id).filter(|name| is_free(name)) {
        match rename_no_replace(from, (to_dir, &candidate), how_to_rename) {
            Ok(()) => return Ok(candidate),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

type Rename = fn((&Dir, &str), (&Dir, &str)) -> Result<(), Errno>;

fn how_to_rename(from: (&Dir, &str), to: (&Dir, &str)) -> Result<(), Errno> {
    rustix::fs::renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE)
}

/// A rename that fails where the target exists. File systems without it (NFS, some FUSE) get a second
/// name and lose the first; a crash in between is met as "both are one file" and finished.
fn rename_no_replace(from: (&Dir, &str), to: (&Dir, &str), rename: Rename) -> io::Result<()> {
    let done = match rename(from, to) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            rustix::fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty()).and_then(|()| drop_name(from))
        }
        other => other,
    };
    match done {
        Err(Errno::EXIST) if same_file(from, to)? => {
            if !same_place(from, to)? {
                drop_name(from)?;
            }
            Ok(())
        }
        other => Ok(other?),
    }
}

fn drop_name((dir, name): (&Dir, &str)) -> Result<(), Errno> {
    rustix::fs::unlinkat(dir, name, AtFlags::empty())
}

fn same_file(from: (&Dir, &str), to: (&Dir, &str)) -> io::Result<bool> {
    let (Some(a), Some(b)) = (handle::stat(from.0, from.1)?, handle::stat(to.0, to.1)?) else { return Ok(false) };
    Ok((a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
}

fn same_place(from: (&Dir, &str), to: (&Dir, &str)) -> io::Result<bool> {
    let (a, b) = (rustix::fs::fstat(from.0)?, rustix::fs::fstat(to.0)?);
    Ok(from.1 == to.1 && (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
}

#[cfg(test)]
mod tests {

    use super::*;

    const UNKNOWN: Rename = |_, _| Err(Errno::INVAL);

    fn folder(files: &[(&str, &str)]) -> anyhow::Result<(tempfile::TempDir, Dir)> {
        let dir = tempfile::tempdir()?;
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text)?;
        }
        let handle = handle::open_base(dir.path())?;
        Ok((dir, handle))
    }

    #[test]
    fn neither_way_of_renaming_overwrites() -> anyhow::Result<()> {
        for rename in [how_to_rename as Rename, UNKNOWN] {
            let (dir, handle) = folder(&[("a", "novo"), ("b", "velho")])?;
            let clash = rename_no_replace((&handle, "a"), (&handle, "b"), rename).expect_err("b is there");
            assert_eq!(clash.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read_to_string(dir.path().join("b"))?, "velho");
            rename_no_replace((&handle, "a"), (&handle, "c"), rename)?;
            assert_eq!(std::fs::read_to_string(dir.path().join("c"))?, "novo");
            assert!(!dir.path().join("a").exists());
        }
        Ok(())
    }

    #[test]
    fn a_crash_between_the_two_names_is_finished() -> anyhow::Result<()> {
        let (dir, handle) = folder(&[("a", "um")])?;
        std::fs::hard_link(dir.path().join("a"), dir.path().join("b"))?;
        rename_no_replace((&handle, "a"), (&handle, "b"), how_to_rename)?;
        assert_eq!(std::fs::read_dir(dir.path())?.count(), 1);
        rename_no_replace((&handle, "b"), (&handle, "b"), how_to_rename)?;
        assert_eq!(std::fs::read_to_string(dir.path().join("b"))?, "um");
        Ok(())
    }

    #[test]
    fn size_and_md5_of_known_bytes() -> anyhow::Result<()> {
        let (_dir, handle) = folder(&[("a", "abc"), ("vazio", "")])?;
        assert_eq!(open_measured(&handle, "a")?, (3, "900150983cd24fb0d6963f7d28e17f72".into()));
        assert_eq!(open_measured(&handle, "vazio")?, (0, "d41d8cd98f00b204e9800998ecf8427e".into()));
        Ok(())
    }
}
