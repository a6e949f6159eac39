//! Where the file of a secret lies, and whether others can read it: systemd has its own place for both.
//!
//! A unit with `LoadCredential=keys:/etc/tecnico/keys` gets copies of the files in that folder, as `keys_NAME`, in a
//! folder that the service alone may enter. The settings go on naming /etc/tecnico/keys/NAME, which the service's user
//! then need not be able to read; with `LoadCredential=NAME:PATH` the copy is called NAME.
//!
//! The copies are of the moment the unit was started. Where the file itself can be read it is, so that a key that was
//! changed counts from the next reload on.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use secrecy::zeroize::Zeroizing;

use super::env_names;
use super::owner::{self, Person};
use crate::domain::text::shell_path;
use crate::error::{Exit, Failure};

/// A file with a secret in it, as messages call it, and the words for programs of what may be wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct SecretFile<'p> {
    /// Where it lies.
    pub path: &'p Path,
    /// `callback.secret_file`, for one.
    pub what: &'static str,
    /// The code where there is none (exit 78).
    pub missing: &'static str,
    /// The code where this user cannot read it (exit 77, or 74 where it is the disk's fault).
    pub unreadable: &'static str,
    /// The code where others than its owner can (exit 77).
    pub open: &'static str,
    /// No good one has more bytes; more is not read.
    pub longest: u64,
}

impl SecretFile<'_> {
    /// What stands in it, where its owner alone can know. `how_to_get_one` is the hint where there is none.
    pub fn read(&self, how_to_get_one: impl FnOnce() -> String) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let shown = self.path.display();
        let unreadable = |e: std::io::Error| {
            let theirs = owner::service(self.path.parent()).takes(&closed(self.path));
            let (exit, code, hint) = match e.kind() {
                ErrorKind::NotFound => (Exit::Config, self.missing, how_to_get_one()),
                ErrorKind::PermissionDenied => {
                    (Exit::Refused, self.unreadable, format!("the user tecnico runs as has to own it:\n    {theirs}"))
                }
                _ => (Exit::Io, self.unreadable, format!("`ls -l {}` shows what lies there", shell_path(self.path))),
            };
            let trouble = if exit == Exit::Config { "does not exist" } else { "cannot be read" };
            Failure::new(exit, code, format!("{} {shown} {trouble}", self.what)).hint(hint).because(e)
        };
        let mut bytes = Zeroizing::new(Vec::new());
        let (facts, file) = match File::open(self.path).and_then(|file| Ok((file.metadata()?, file))) {
            Ok(opened) => opened,
            Err(e) => return Err(unreadable(e)),
        };
        let mode = facts.mode() & 0o7777;
        if is_open(self.path, mode) {
            let why = format!("{} {shown} can be used by others (mode {mode:04o})", self.what);
            return Err(Failure::new(Exit::Refused, self.open, why)
                .hint(Person::of(facts.uid()).runs(&format!("chmod 600 {}", shell_path(self.path)))));
        }
        file.take(self.longest).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }
}

/// What this user has to be given to get at a file: it, and its folder where that is closed.
fn closed(path: &Path) -> Vec<&Path> {
    let folder = path.parent().filter(|folder| rustix::fs::access(*folder, Access::EXEC_OK).is_err());
    folder.into_iter().chain([path]).collect()
}

/// systemd's copy of a secret, where this user cannot read the file itself and `dir` has one.
pub(super) fn stand_in(path: &Path, dir: &Path) -> Option<PathBuf> {
    if std::fs::File::open(path).is_ok() { None } else { copy(path, dir) }
}

fn copy(path: &Path, dir: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().and_then(Path::file_name).and_then(|f| f.to_str()).unwrap_or_default();
    [format!("{folder}_{name}"), name.to_owned()].into_iter().map(|n| dir.join(n)).find(|p| p.exists())
}

/// Whether a secret with this mode can be read by others than its owner.
fn is_open(path: &Path, mode: u32) -> bool {
    let of_systemd = std::env::var_os(env_names::CREDENTIALS_DIRECTORY).is_some_and(|dir| path.starts_with(dir));
    is_open_in(mode, of_systemd)
}

/// systemd gives the service its copies by an access list, whose mask stands where the group's bits are; the folder
/// around them is closed to everybody else.
fn is_open_in(mode: u32, of_systemd: bool) -> bool {
    mode & if of_systemd { 0o027 } else { 0o077 } != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_can_be_read_is_newer_than_its_copy() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, copies) = (dir.path().join("callback.secret"), dir.path().join("copies"));
        std::fs::create_dir(&copies).expect("made");
        std::fs::write(copies.join("callback.secret"), "old").expect("written");
        assert_eq!(stand_in(&file, &copies), Some(copies.join("callback.secret")));
        std::fs::write(&file, "new").expect("written");
        assert_eq!(stand_in(&file, &copies), None);
    }

    #[test]
    fn a_copy_of_systemds_is_found_by_its_name_or_folder_and_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let asked = Path::new("/etc/tecnico/keys/service-account.json");
        assert_eq!(copy(asked, dir.path()), None);
        std::fs::write(dir.path().join("service-account.json"), "plain").expect("written");
        assert_eq!(copy(asked, dir.path()), Some(dir.path().join("service-account.json")));
        std::fs::write(dir.path().join("keys_service-account.json"), "folder").expect("written");
        assert_eq!(copy(asked, dir.path()), Some(dir.path().join("keys_service-account.json")));
        assert_eq!(copy(Path::new("/etc/tecnico/keys/other"), dir.path()), None);
    }

    #[test]
    fn a_group_that_reads_is_a_fault_everywhere_but_in_systemds_folder() {
        assert!(is_open_in(0o640, false) && is_open_in(0o604, false) && !is_open_in(0o600, false) && !is_open_in(0o400, false));
        assert!(!is_open_in(0o440, true) && is_open_in(0o444, true) && is_open_in(0o420, true));
    }
}
