//! Writing what `init` found out, and never over anything.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{Mode, OFlags};

use super::Ready;
use super::answers::Answers;
use crate::callback::new_key;
use crate::config::places::{account_key, callback_key, keys_dir, portal_key};
use crate::error::{Exit, Failure};
use crate::fs_layout::Key;

/// Writes the keys, then the config: who finds a config finds its keys. Everything belongs to the owner of its folder,
/// which is the service user where the package made the folder.
pub(super) fn write(ready: &Ready, answers: &Answers, target: &Path) -> anyhow::Result<()> {
    let keys = keys_dir(target);
    if !keys.is_dir() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).map_err(|e| unwritable(&keys).because(e))?;
    }
    let credentials = std::fs::read(&ready.credentials).with_context(|| format!("cannot read {}", ready.credentials.display()))?;
    let (keys, kept) = (Folder::open(&keys)?, account_key(target));
    // One that is there is another account's, unless it is the very one.
    if !keys.put(&kept, &credentials, 0o600)? && std::fs::read(&kept).ok().as_ref() != Some(&credentials) {
        let fault = Failure::new(Exit::CannotCreate, "credentials_exist", format!("{} exists already and is another key", kept.display()));
        return Err(fault.hint("move it away, or name it as the credentials").into());
    }
    let line = |key: &str| [key, "\n"].concat().into_bytes();
    if answers.portal_key {
        keys.put(&portal_key(target), &line(&Key::generate()), 0o600)?;
    }
    if ready.signed {
        keys.put(&callback_key(target), &line(&new_key()), 0o600)?;
    }
    if !Folder::open(target.parent().unwrap_or(Path::new("/")))?.put(target, ready.text.as_bytes(), 0o640)? {
        return Err(Failure::new(Exit::CannotCreate, "config_exists", format!("{} appeared meanwhile", target.display())).into());
    }
    Ok(())
}

/// A folder that is held: what is made in it, and whom that belongs to, goes by the folder and not by its name, which
/// somebody else may give to another meanwhile.
struct Folder {
    dir: OwnedFd,
    path: PathBuf,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, Failure> {
        let dir = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(|e| unwritable(path).because(e))?;
        Ok(Self { dir, path: path.to_owned() })
    }

    /// Makes a file under the last name of `path`, which belongs to whom the folder belongs, the group as well: root keeps
    /// the config, and the service may read it. `false` where there is one already, which stays.
    fn put(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<bool, Failure> {
        let name = path.file_name().unwrap_or_default();
        match self.make(Path::new(name), bytes, mode) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(unwritable(&self.path.join(name)).because(e)),
        }
    }

    fn make(&self, name: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.dir, name, new, Mode::from_raw_mode(mode))?);
        if rustix::process::geteuid().is_root() {
            let folder = rustix::fs::fstat(&self.dir)?;
            fchown(&file, Some(folder.st_uid), Some(folder.st_gid))?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    }
}

fn unwritable(path: &Path) -> Failure {
    Failure::new(Exit::CannotCreate, "init_unwritable", format!("{} cannot be written", path.display()))
        .hint("run init as a user who may write there, or name another place with --config")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, chown, symlink};

    use super::*;

    #[test]
    fn a_link_in_the_way_is_not_followed_and_what_is_there_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let (link, aim) = (dir.path().join("link"), dir.path().join("aim"));
        symlink(&aim, &link).expect("linked");
        let folder = Folder::open(dir.path()).expect("opened");
        assert!(!folder.put(&link, b"secret", 0o600).expect("told") && !aim.exists());
    }

    /// The name of the folder leads elsewhere by the time the file is made.
    #[test]
    fn a_file_belongs_to_the_folder_that_was_opened() {
        let dir = tempfile::tempdir().expect("a directory");
        let (ours, moved) = (dir.path().join("keys"), dir.path().join("moved"));
        std::fs::create_dir(&ours).expect("made");
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            chown(&ours, Some(4242), Some(4243)).expect("given away");
        }
        let folder = Folder::open(&ours).expect("opened");
        std::fs::rename(&ours, &moved).expect("moved");
        std::fs::create_dir(&ours).expect("made");
        assert!(folder.put(&ours.join("key"), b"k", 0o600).expect("made"));
        let made = moved.join("key").metadata().expect("there");
        assert!(!ours.join("key").exists() && made.mode() & 0o777 == 0o600);
        assert!(!is_root || (made.uid(), made.gid()) == (4242, 4243));
    }
}
