//! Whole trees under another name or in another folder of the base directory: one rename, and nothing is ever replaced.

use std::io;

use cap_std::fs::Dir;
use rustix::fs::{FileType, Mode, RenameFlags};
use rustix::io::Errno;

use super::Base;
use super::handle::{self, components, io_failure, link_refused};
use crate::error::{Exit, Failure};

/// What became of the move of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relocated {
    /// It was moved now.
    Moved,
    /// There is nothing at the old place: it was moved before, or there never was a tree.
    SourceGone,
    /// Something else has the name already; nothing was touched.
    Taken,
}

impl Base {
    /// Whether anything lies at `path` (one name, or a name in a folder); a link counts.
    pub fn is_taken(&self, path: &str) -> Result<bool, Failure> {
        let (folder, name) = self.place(path)?;
        let Some(dir) = self.open_folder(folder)? else { return Ok(false) };
        Ok(self.stat(&dir, name, path)?.is_some())
    }

    /// Moves the tree at `from` to `to`, both below the base directory: one name, or a name in a folder, which is made (0750)
    /// where it is missing. Both folders are durable before it returns; repeating it after a crash does no harm.
    ///
    /// Fails with `link_refused` where `from` or a folder on the way is a link, `other_file_system` (73) where the
    /// two are not on one.
    pub fn relocate(&self, from: &str, to: &str) -> Result<Relocated, Failure> {
        let ((from_folder, from_name), (to_folder, to_name)) = (self.place(from)?, self.place(to)?);
        let Some(source) = self.open_folder(from_folder)? else { return Ok(Relocated::SourceGone) };
        match self.stat(&source, from_name, from)? {
            None => return Ok(Relocated::SourceGone),
            Some(FileType::Directory) => {}
            Some(FileType::Symlink) => return Err(link_refused(&self.path.join(from))),
            Some(_) => return Err(self.not_a_folder(from)),
        }
        let target = self.make_folder(to_folder)?;
        match rename((&source, from_name), (&target, to_name)) {
            Err(Errno::EXIST | Errno::NOTEMPTY) => return Ok(Relocated::Taken),
            Err(Errno::NOENT) => return Ok(Relocated::SourceGone),
            Err(Errno::XDEV) => {
                let why = format!("{} and {} are on different file systems", self.path.join(from).display(), self.path.join(to).display());
                return Err(Failure::new(Exit::CannotCreate, "other_file_system", why)
                    .hint("let layout.archive be a plain folder on the file system of vm.base_dir"));
            }
            other => other.map_err(|e| io_failure("move", &self.path.join(from), e.into()))?,
        }
        let synced = handle::sync_dir(&target).and_then(|()| handle::sync_dir(&source));
        synced.map_err(|e| io_failure("move", &self.path.join(from), e))?;
        Ok(Relocated::Moved)
    }

    /// `a` and `a/b` are places; the folder of the first is the base directory itself.
    fn place<'p>(&self, path: &'p str) -> Result<(Option<&'p str>, &'p str), Failure> {
        match components(path)?.as_slice() {
            [name] => Ok((None, name)),
            [folder, name] => Ok((Some(folder), name)),
            _ => Err(Failure::new(Exit::Data, "unsafe_path", format!("{path:?} is no place below {}", self.path.display()))),
        }
    }

    fn stat(&self, dir: &Dir, name: &str, path: &str) -> Result<Option<FileType>, Failure> {
        let stat = handle::stat(dir, name).map_err(|e| io_failure("look at", &self.path.join(path), e))?;
        Ok(stat.map(|s| handle::kind(&s)))
    }

    fn open_folder(&self, name: Option<&str>) -> Result<Option<Dir>, Failure> {
        let Some(name) = name else { return self.itself().map(Some) };
        match self.stat(&self.dir, name, name)? {
            None => Ok(None),
            Some(FileType::Directory) => {
                handle::open_dir(&self.dir, name).map(Some).map_err(|e| io_failure("open", &self.path.join(name), e))
            }
            Some(FileType::Symlink) => Err(link_refused(&self.path.join(name))),
            Some(_) => Err(self.not_a_folder(name)),
        }
    }

    fn make_folder(&self, name: Option<&str>) -> Result<Dir, Failure> {
        if let Some(dir) = self.open_folder(name)? {
            return Ok(dir);
        }
        let name = name.unwrap_or_default();
        let failed = |e: io::Error| io_failure("create", &self.path.join(name), e);
        match rustix::fs::mkdirat(&*self.dir, name, Mode::from_raw_mode(self.modes.folder)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(failed(e.into())),
        }
        let dir = handle::open_dir(&self.dir, name).map_err(failed)?;
        handle::set_mode(&dir, self.modes.folder).and_then(|()| handle::sync_dir(&self.dir)).map_err(failed)?;
        Ok(dir)
    }

    fn itself(&self) -> Result<Dir, Failure> {
        self.dir.try_clone().map_err(|e| io_failure("open", &self.path, e))
    }

    fn not_a_folder(&self, path: &str) -> Failure {
        let why = format!("{} is in the way: it is not a folder", self.path.join(path).display());
        Failure::new(Exit::CannotCreate, "not_a_directory", why).hint("move it elsewhere and run it again; tecnico removes nothing")
    }
}

/// Fails where the target exists. Where the file system knows no such rename, a look before has to do: a plain rename
/// replaces nothing but an empty folder.
fn rename(from: (&Dir, &str), to: (&Dir, &str)) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match rustix::fs::statat(to.0, to.1, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => rustix::fs::renameat(from.0, from.1, to.0, to.1),
            Err(e) => Err(e),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Modes;

    #[test]
    fn a_tree_moves_there_and_back_and_replaces_nothing() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let base = Base::open(dir.path(), Modes::default())?;
        std::fs::create_dir_all(dir.path().join("Ana_Maria/pdfs"))?;
        assert_eq!(base.relocate("Ana_Maria", "arquivo/Ana_Maria")?, Relocated::Moved);
        assert_eq!(base.relocate("Ana_Maria", "arquivo/Ana_Maria")?, Relocated::SourceGone);
        assert!(dir.path().join("arquivo/Ana_Maria/pdfs").is_dir() && base.is_taken("arquivo/Ana_Maria")?);
        std::fs::create_dir(dir.path().join("Ana_Maria"))?;
        assert_eq!(base.relocate("arquivo/Ana_Maria", "Ana_Maria")?, Relocated::Taken);
        assert!(dir.path().join("arquivo/Ana_Maria/pdfs").is_dir());
        Ok(())
    }

    #[test]
    fn nothing_leaves_the_base_directory() -> anyhow::Result<()> {
        let (dir, outside) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let base = Base::open(dir.path(), Modes::default())?;
        std::fs::create_dir(dir.path().join("Ana_Maria"))?;
        std::os::unix::fs::symlink(outside.path(), dir.path().join("arquivo"))?;
        assert_eq!(base.relocate("Ana_Maria", "arquivo/Ana_Maria").expect_err("a link").code(), "link_refused");
        assert!(base.relocate("Ana_Maria", "../fora").is_err() && base.relocate("a/b/c", "d").is_err());
        std::os::unix::fs::symlink(outside.path(), dir.path().join("Bea"))?;
        assert_eq!(base.relocate("Bea", "Bea_Souza").expect_err("a link").code(), "link_refused");
        Ok(())
    }
}
