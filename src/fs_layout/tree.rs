//! One technician's tree: what is there, and making what is missing.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use rustix::fs::{FileType, Mode};

use super::Base;
use super::handle::{self, components, io_failure, link_refused};
use crate::error::{Exit, Failure};

/// What lies at the place of a wanted folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalState {
    /// A folder.
    Present,
    /// Nothing.
    Missing,
    /// A file, a link or something else, here or at a folder above.
    NotADirectory,
}

/// One folder as observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFolder {
    /// Path below the technician's folder; empty for the folder itself.
    pub path: String,
    /// What is there.
    pub state: LocalState,
    /// Its permission bits, where it is present.
    pub mode: Option<u32>,
}

/// A technician's folder. Holds no open handle: each act starts from the base directory again,
/// so that a folder moved away meanwhile is noticed.
#[derive(Debug, Clone)]
pub struct Tree {
    pub(super) base: Base,
    name: String,
}

enum Step {
    Found(Dir),
    Missing,
    NotADirectory,
}

impl Tree {
    pub(super) fn new(base: Base, name: &str) -> Result<Self, Failure> {
        if components(name)?.len() != 1 {
            return Err(Failure::new(Exit::Data, "unsafe_path", format!("{name:?} is not the name of one folder")));
        }
        Ok(Self { base, name: name.to_owned() })
    }

    /// The absolute path of the technician's folder.
    pub fn path(&self) -> PathBuf {
        self.base.path().join(&self.name)
    }

    /// The absolute path of something in it; the empty path is the folder itself.
    pub fn path_of(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.path() } else { self.path().join(path) }
    }

    /// Looks at each path, in the order given. Writes nothing. Fails where the technician's folder itself is a link.
    pub fn observe(&self, paths: &[String]) -> Result<Vec<LocalFolder>, Failure> {
        paths.iter().map(|path| self.observe_one(path)).collect()
    }

    fn observe_one(&self, path: &str) -> Result<LocalFolder, Failure> {
        let found = |state, mode| LocalFolder { path: path.to_owned(), state, mode };
        Ok(match self.walk(path)? {
            Step::Found(dir) => {
                let stat = rustix::fs::fstat(&dir).map_err(|e| io_failure("look at", &self.path_of(path), e.into()))?;
                found(LocalState::Present, Some(handle::mode(&stat)))
            }
            Step::Missing => found(LocalState::Missing, None),
            Step::NotADirectory => found(LocalState::NotADirectory, None),
        })
    }

    /// Makes the folders that are missing (with their mode whatever the umask, and those on the way) and gives the paths it made.
    /// Folders already there keep their mode; several processes at once make one tree.
    pub fn create(&self, paths: &[String]) -> Result<Vec<String>, Failure> {
        let mut made = Vec::new();
        let (root, new) = self.enter_or_make(&self.base.dir, &self.name, "")?;
        if new {
            made.push(String::new());
        }
        for path in paths {
            let mut at = root.try_clone().map_err(|e| io_failure("open", &self.path(), e))?;
            let mut so_far = String::new();
            for part in components(path)? {
                if !so_far.is_empty() {
                    so_far.push('/');
                }
                so_far.push_str(part);
                let (next, new) = self.enter_or_make(&at, part, &so_far)?;
                at = next;
                if new {
                    made.push(so_far.clone());
                }
            }
        }
        Ok(made)
    }

    /// Gives a folder its mode again.
    pub fn fix_mode(&self, path: &str) -> Result<(), Failure> {
        let dir = self.dir(path)?;
        handle::set_mode(&dir, self.base.modes.folder).map_err(|e| io_failure("set the mode of", &self.path_of(path), e))
    }

    /// The permission bits of a file directly in the tree (`credenciais.json`), where there is one.
    pub fn file_mode(&self, path: &str) -> Result<Option<u32>, Failure> {
        let (folder, name) = split(path);
        let Step::Found(dir) = self.walk(folder)? else { return Ok(None) };
        let stat = handle::stat(&dir, name).map_err(|e| io_failure("look at", &self.path_of(path), e))?;
        Ok(stat.filter(|s| handle::kind(s) == FileType::RegularFile).map(|s| handle::mode(&s)))
    }

    /// Sets the permission bits of a file of the tree; a link in its place is refused.
    pub fn fix_file_mode(&self, path: &str, mode: u32) -> Result<(), Failure> {
        let (folder, name) = split(path);
        let dir = self.dir(folder)?;
        handle::open_file(&dir, name, rustix::fs::OFlags::RDONLY, 0)
            .and_then(|file| handle::set_mode(&file, mode))
            .map_err(|e| io_failure("set the mode of", &self.path_of(path), e))
    }

    /// The open folder at `path`; fails with `local_folder_missing` (exit 73) or `link_refused` where it is none.
    pub(super) fn dir(&self, path: &str) -> Result<Dir, Failure> {
        match self.walk(path)? {
            Step::Found(dir) => Ok(dir),
            Step::Missing => {
                Err(Failure::new(Exit::CannotCreate, "local_folder_missing", format!("{} does not exist", self.path_of(path).display()))
                    .hint("run `tecnico check --repair`"))
            }
            Step::NotADirectory => Err(self.not_a_directory(path)),
        }
    }

    fn walk(&self, path: &str) -> Result<Step, Failure> {
        let mut at = match self.enter(&self.base.dir, &self.name)? {
            Step::NotADirectory => return Err(self.not_a_directory("")),
            Step::Missing => return Ok(Step::Missing),
            Step::Found(dir) => dir,
        };
        for part in components(path)? {
            match self.enter(&at, part)? {
                Step::Found(next) => at = next,
                other => return Ok(other),
            }
        }
        Ok(Step::Found(at))
    }

    fn enter(&self, parent: &Dir, name: &str) -> Result<Step, Failure> {
        match handle::open_dir(parent, name) {
            Ok(dir) => Ok(Step::Found(dir)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Step::Missing),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory || handle::is_link(&e) => Ok(Step::NotADirectory),
            Err(e) => Err(io_failure("open", &self.path().join(name), e)),
        }
    }

    /// Opens `name` below `parent`, making it first where it is missing; `true` when this call made it.
    fn enter_or_make(&self, parent: &Dir, name: &str, path: &str) -> Result<(Dir, bool), Failure> {
        let shown = self.path_of(path);
        match self.enter(parent, name)? {
            Step::Found(dir) => return Ok((dir, false)),
            Step::NotADirectory => return Err(self.not_a_directory(path)),
            Step::Missing => {}
        }
        let new = match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(self.base.modes.folder)) {
            Ok(()) => true,
            Err(rustix::io::Errno::EXIST) => false, // somebody else was faster
            Err(e) => return Err(io_failure("create", &shown, e.into())),
        };
        match self.enter(parent, name)? {
            Step::Found(dir) => {
                if new {
                    handle::set_mode(&dir, self.base.modes.folder).map_err(|e| io_failure("set the mode of", &shown, e))?;
                }
                Ok((dir, new))
            }
            Step::Missing | Step::NotADirectory => Err(self.not_a_directory(path)),
        }
    }

    fn not_a_directory(&self, path: &str) -> Failure {
        let shown = first_odd_one(self.base.path(), Path::new(&self.name).join(path).as_path());
        if shown.is_symlink() {
            return link_refused(&shown);
        }
        Failure::new(Exit::CannotCreate, "not_a_directory", format!("{} is in the way: it is not a folder", shown.display()))
            .hint("move it elsewhere and run it again; tecnico removes nothing")
    }
}

/// Splits `a/b/name` into `a/b` and `name`.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The first component of `below` that is not a real folder: the one to name in the message.
fn first_odd_one(base: &Path, below: &Path) -> PathBuf {
    let mut at = base.to_owned();
    for part in below.components() {
        at.push(part);
        if !at.symlink_metadata().is_ok_and(|m| m.is_dir()) {
            break;
        }
    }
    at
}
