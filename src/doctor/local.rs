//! The machine: the user, the disk, the key for passwords.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Finding, Findings, gigabytes};
use crate::config::Settings;
use crate::domain::folder::Role;
use crate::error::Exit;
use crate::fs_layout::{Base, Key};

/// Fewer bytes free than this are a warning.
const LITTLE: u64 = 1_000_000_000;

/// Whether we are the user everything belongs to: what root makes, the service cannot write to.
pub fn user(settings: &Settings) -> Findings {
    let me = rustix::process::geteuid().as_raw();
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|m| (path.to_owned(), m.uid()));
    let foreign = [&settings.ledger_path, &settings.base_dir].into_iter().filter_map(|p| owner(p)).find(|(_, uid)| *uid != me);
    match foreign {
        Some((path, uid)) => {
            let message =
                format!("this runs as user {me}, but {} belongs to user {uid}: what is made now, that user cannot change", path.display());
            vec![Finding::warning("user", message, format!("sudo -u '#{uid}' tecnico doctor"))]
        }
        None => vec![Finding::good("user", format!("everything here belongs to user {me}, who runs this"))],
    }
}

/// Whether the base directory can be written to, has room, and is one file system.
pub fn disk(settings: &Settings, folders: &[String]) -> Findings {
    let base = match Base::open_existing(&settings.base_dir) {
        Ok(Some(base)) => base,
        Ok(None) => {
            let fix = format!("sudo install -d -o \"$USER\" -m 750 '{}'", settings.base_dir.display());
            return vec![Finding::problem("disk", format!("vm.base_dir {} does not exist", settings.base_dir.display()), fix)];
        }
        Err(failure) => return vec![Finding::of_failure("disk", &failure)],
    };
    let mut findings = Vec::new();
    // By doing: permissions, a read-only mount and a full disk all show here.
    if let Err(e) = tempfile::Builder::new().prefix(".tecnico-doctor.").tempfile_in(base.path()).and_then(|f| f.as_file().sync_all()) {
        let fix = format!("sudo chown \"$USER\" '{}', or free some space there", base.path().display());
        findings.push(Finding::problem("disk", format!("cannot write to {}: {e}", base.path().display()), fix));
    }
    match base.free_bytes() {
        Ok(free) if free < LITTLE => {
            let message = format!("only {} are free on {}", gigabytes(free), base.path().display());
            findings.push(Finding::warning("disk", message, "free some space: downloads wait where they do not fit"));
        }
        Ok(free) => findings.push(Finding::good("disk", format!("{} is writable, {} free", base.path().display(), gigabytes(free)))),
        Err(failure) => findings.push(Finding::of_failure("disk", &failure)),
    }
    findings.extend(folders.iter().filter_map(|folder| split_tree(settings, &base, folder)));
    findings.extend(split_archive(settings, &base));
    findings
}

/// An archive on another file system: a tree is moved there by renaming it, too.
fn split_archive(settings: &Settings, base: &Base) -> Option<Finding> {
    let archive = base.path().join(&settings.layout.archive);
    let device = |path: &Path| std::fs::metadata(path).ok().map(|m| m.dev());
    let is_apart = device(&archive)? != device(base.path())?;
    is_apart.then(|| {
        let message = format!("{} lies on another file system: nobody who is removed can be moved there", archive.display());
        Finding::problem("disk", message, format!("umount '{}', and let it be a plain folder", archive.display()))
    })
}

/// A tree over two file systems: a file is moved by renaming it, which ends at the border.
fn split_tree(settings: &Settings, base: &Base, folder: &str) -> Option<Finding> {
    let tree = base.tree(folder).ok()?;
    let device = |role| std::fs::metadata(tree.path_of(settings.layout.path_of(role))).ok().map(|m| m.dev());
    let inbox = device(Role::Novos)?;
    let other = [Role::Processados, Role::Erro].into_iter().find(|role| device(*role).is_some_and(|d| d != inbox))?;
    let path = tree.path_of(settings.layout.path_of(other));
    let message = format!("{} lies on another file system than novos: files cannot be moved there", path.display());
    Some(Finding::problem("disk", message, format!("umount '{}', or mount above {}", path.display(), tree.path().display())))
}

/// Whether the key for portal passwords can be used. Without one, everything else works.
pub fn key(settings: &Settings) -> Findings {
    match Key::load(&settings.key_file) {
        Ok(_) => vec![Finding::good("key", format!("{} holds a key for portal passwords", settings.key_file.display()))],
        Err(failure) if failure.code() == "key_missing" && failure.exit() == Exit::Config => {
            let fix = failure.hint_text().unwrap_or_default().to_owned();
            vec![Finding::warning("key", format!("{failure}: portal passwords cannot be kept"), fix)]
        }
        Err(failure) => vec![Finding::of_failure("key", &failure)],
    }
}
