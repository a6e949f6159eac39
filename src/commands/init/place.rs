//! Writing what `init` found out, and never over anything.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use rand::RngCore;

use super::answers::Answers;
use super::{Ready, callback_key, keys_dir, portal_key};
use crate::error::{Exit, Failure};

/// Writes the keys, then the config: who finds a config finds its keys. Everything belongs to the owner of its folder,
/// which is the service user where the package made the folder.
pub(super) fn write(ready: &Ready, answers: &Answers, target: &Path) -> anyhow::Result<()> {
    let keys = keys_dir(target);
    if !keys.is_dir() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).map_err(|e| unwritable(&keys).because(e))?;
    }
    let credentials = std::fs::read(&ready.credentials).with_context(|| format!("cannot read {}", ready.credentials.display()))?;
    let kept = keys.join("service-account.json");
    // One that is there is another account's, unless it is the very one.
    if !put(&kept, &credentials, 0o600)? && std::fs::read(&kept).ok().as_ref() != Some(&credentials) {
        let fault = Failure::new(Exit::CannotCreate, "credentials_exist", format!("{} exists already and is another key", kept.display()));
        return Err(fault.hint("move it away, or name it as the credentials").into());
    }
    if answers.portal_key {
        put(&portal_key(target), format!("{}\n", URL_SAFE.encode(random())).as_bytes(), 0o600)?;
    }
    if ready.signed {
        put(&callback_key(target), format!("whsec_{}\n", STANDARD.encode(random())).as_bytes(), 0o600)?;
    }
    if !put(target, ready.text.as_bytes(), 0o640)? {
        return Err(Failure::new(Exit::CannotCreate, "config_exists", format!("{} appeared meanwhile", target.display())).into());
    }
    Ok(())
}

/// A new key.
fn random() -> [u8; 32] {
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    key
}

/// Makes a file that belongs to whom its folder belongs; `false` where there is one already, which stays.
fn put(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let cannot = || unwritable(path);
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
        Err(e) => return Err(cannot().because(e).into()),
    };
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| cannot().because(e))?;
    // The group of the folder as well: root keeps the config, and the service may read it.
    if rustix::process::geteuid().is_root() {
        let folder = path.parent().unwrap_or(Path::new(".")).metadata()?;
        std::os::unix::fs::chown(path, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(true)
}

fn unwritable(path: &Path) -> Failure {
    Failure::new(Exit::CannotCreate, "init_unwritable", format!("{} cannot be written", path.display()))
        .hint("run init as a user who may write there, or name another place with --config")
}
