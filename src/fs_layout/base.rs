//! The base directory (`vm.base_dir`): the one place opened by an absolute path.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;

use super::handle::{self, io_failure};
use super::{Registry, Tree};
use crate::config::owner;
use crate::config::settings::Modes;
use crate::domain::text::count;
use crate::error::{Exit, Failure};

/// An open base directory. Cheap to clone; everything below is reached from its handle.
#[derive(Debug, Clone)]
pub struct Base {
    pub(super) dir: Arc<Dir>,
    pub(super) path: PathBuf,
    pub(super) modes: Modes,
}

impl Base {
    /// Opens `base_dir`, and makes it where only its last part is missing. What is made in it gets these modes.
    ///
    /// Fails with `base_dir_missing` (exit 78) where the parent does not exist either: a mistyped path or a disk
    /// that is not mounted must not grow a tree of its own.
    pub fn open(base_dir: &Path, modes: Modes) -> Result<Self, Failure> {
        if let Some(base) = Self::open_existing(base_dir)? {
            return Ok(Self { modes, ..base });
        }
        match std::fs::create_dir(base_dir) {
            Ok(()) => {
                let dir = handle::open_base(base_dir).map_err(|e| io_failure("open", base_dir, e))?;
                handle::set_mode(&dir, modes.folder).map_err(|e| io_failure("set the mode of", base_dir, e))?;
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(missing(base_dir).because(e)),
            Err(e) => return Err(io_failure("create", base_dir, e)),
        }
        Self::open_existing(base_dir)?.map(|base| Self { modes, ..base }).ok_or_else(|| missing(base_dir))
    }

    /// Opens `base_dir` without making anything; `None` where it does not exist.
    pub fn open_existing(base_dir: &Path) -> Result<Option<Self>, Failure> {
        let path = std::path::absolute(base_dir).map_err(|e| io_failure("resolve", base_dir, e))?;
        match handle::open_base(&path) {
            Ok(dir) => Ok(Some(Self { dir: Arc::new(dir), path, modes: Modes::default() })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                Err(Failure::new(Exit::Config, "base_dir_not_a_directory", format!("vm.base_dir {} is not a directory", path.display()))
                    .hint("point vm.base_dir (or VM_BASE_FOLDER) to a directory")
                    .because(e))
            }
            Err(e) => Err(io_failure("open", &path, e)),
        }
    }

    /// The modes of what is made in it.
    pub fn modes(&self) -> Modes {
        self.modes
    }

    /// The absolute path of the base directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tree of the technician whose folder is called `folder_name` (one plain name; nothing is touched yet).
    pub fn tree(&self, folder_name: &str) -> Result<Tree, Failure> {
        Tree::new(self.clone(), folder_name)
    }

    /// `tecnicos.json` of this base directory.
    pub fn registry(&self) -> Registry {
        Registry::new(self.clone())
    }

    /// The names of the folders directly below, sorted: what a rebuild of a lost ledger starts from.
    pub fn folders(&self) -> Result<Vec<String>, Failure> {
        let failed = |e| io_failure("list", &self.path, e);
        let mut names = Vec::new();
        for entry in self.dir.entries().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// What to look at where folders are not where they were.
const MOUNT: &str = "is its disk mounted? `findmnt --fstab` lists those that should be, `sudo mount -a` mounts them";

/// What holds meanwhile, and what to do where no disk comes back.
const LOST: &str = "nothing is lost, files wait. Only where the folders are lost for good `tecnico check --repair --anew` makes empty ones";

/// The base directory is gone in which there were technicians' folders. An empty one in its place would hide the disk that
/// is missing, and grow a second tree. Not now (75): a disk may be mounted late, and a service tries again.
pub fn base_missing(base_dir: &Path) -> Failure {
    let message = format!("the base directory {} does not exist, in which technicians have their folders", base_dir.display());
    Failure::new(Exit::Later, "base_dir_missing", message).hint(format!("{MOUNT}; {LOST}"))
}

/// It is there, and none of the `folders` that technicians had in it, nor `tecnicos.json`.
pub fn base_empty(base_dir: &Path, folders: usize) -> Failure {
    let folders = count(folders as u64, "technician's folder", "technicians' folders");
    let message = format!("the base directory {} is empty, in which {folders} should lie", base_dir.display());
    Failure::new(Exit::Later, "base_dir_empty", message).hint(format!("{MOUNT}; {LOST}"))
}

fn missing(base_dir: &Path) -> Failure {
    let parent = base_dir.parent().unwrap_or(base_dir);
    Failure::new(
        Exit::Config,
        "base_dir_missing",
        format!("the base directory {} does not exist, nor does {}", base_dir.display(), parent.display()),
    )
    .hint(format!("check vm.base_dir (or VM_BASE_FOLDER), mount the disk, or make it: `{}`", owner::service([]).makes_folder(base_dir)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_last_part_is_made_and_no_more() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let base = Base::open(&dir.path().join("tecnicos"), Modes::default())?;
        assert_eq!(std::fs::metadata(base.path())?.permissions().mode() & 0o7777, 0o750);
        let refused = Base::open(&dir.path().join("a/b"), Modes::default()).expect_err("the parent is missing");
        assert_eq!((refused.code(), refused.exit()), ("base_dir_missing", Exit::Config));
        assert!(!dir.path().join("a").exists());
        assert!(Base::open_existing(&dir.path().join("c"))?.is_none());
        assert!(!dir.path().join("c").exists());
        Ok(())
    }

    #[test]
    fn a_file_in_its_place_is_told() -> anyhow::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let refused = Base::open(file.path(), Modes::default()).expect_err("a file is no directory");
        assert_eq!(refused.code(), "base_dir_not_a_directory");
        Ok(())
    }

    #[test]
    fn folders_lists_real_folders_only() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        std::fs::create_dir(dir.path().join("Bea_Souza"))?;
        std::fs::create_dir(dir.path().join("Ana_Maria"))?;
        std::fs::write(dir.path().join("tecnicos.json"), "[]")?;
        std::os::unix::fs::symlink("/", dir.path().join("raiz"))?;
        assert_eq!(Base::open(dir.path(), Modes::default())?.folders()?, ["Ana_Maria", "Bea_Souza"]);
        Ok(())
    }
}
