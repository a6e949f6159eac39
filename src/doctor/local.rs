//! The machine: the user, the disk, the key for passwords.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Finding, Findings, gigabytes};
use crate::config::Settings;
use crate::config::owner::{self, Person};
use crate::domain::folder::Role;
use crate::domain::text::{count, shell_path};
use crate::error::Exit;
use crate::fs_layout::{Base, Key, base_missing};
use crate::ledger::Technician;

/// Fewer bytes free than this are a warning.
const LITTLE: u64 = 1_000_000_000;
/// Fewer bytes free than this are a problem: what one technician uploads in a minute no longer fits.
const TOO_LITTLE: u64 = 100_000_000;

/// The places that belong to whom tecnico works as.
fn places(settings: &Settings) -> Vec<&Path> {
    let (ledger, key) = (settings.ledger_path.as_path(), settings.key_file.as_path());
    [Some(ledger), ledger.parent(), key.parent(), Some(settings.base_dir.as_path())].into_iter().flatten().collect()
}

/// Whether we are the user everything belongs to: what root makes, the service cannot write to. A single file of root's
/// among the others, such as a lock, is enough to stop it.
pub fn user(settings: &Settings) -> Findings {
    let me = Person::me();
    let service = owner::service(places(settings));
    let uid_of = |path: &Path| path.metadata().ok().map(|m| m.uid());
    let state: Vec<PathBuf> = std::iter::once(settings.ledger_path.clone()).chain(beside(&settings.ledger_path)).collect();
    let mut findings = Vec::new();
    let theirs = state.iter().chain([&settings.base_dir]).find(|p| uid_of(p) == Some(service.uid));
    if let Some(theirs) = theirs.filter(|_| me.uid != service.uid) {
        let message =
            format!("this runs as {}, but {} belongs to {}, who cannot change what is made now", me.name, theirs.display(), service.name);
        findings.push(Finding::warning("user", message, service.runs("tecnico doctor")));
    }
    let foreign: Vec<(&Path, u32)> =
        state.iter().filter_map(|p| Some((p.as_path(), uid_of(p)?))).filter(|(_, uid)| *uid != service.uid).collect();
    if let [(first, uid), rest @ ..] = foreign.as_slice() {
        let more = if rest.is_empty() { String::new() } else { format!(", as do {} files beside it", rest.len()) };
        let message = format!("{} belongs to {}{more}: {} cannot work with it", first.display(), Person::of(*uid).name, service.name);
        findings.push(Finding::problem("user", message, service.takes(&foreign.iter().map(|(path, _)| *path).collect::<Vec<_>>())));
    }
    if let Some(uid) = uid_of(&settings.base_dir).filter(|uid| *uid != service.uid) {
        let message = format!("{} belongs to {}, and not to {}", settings.base_dir.display(), Person::of(uid).name, service.name);
        findings.push(Finding::warning("user", message, service.takes(&[&settings.base_dir])));
    }
    if findings.is_empty() {
        findings.push(Finding::good("user", format!("everything here belongs to {}, who runs this", me.name)));
    }
    findings
}

/// What lies beside the ledger and is part of it: SQLite's own files, the locks and the tokens.
fn beside(ledger: &Path) -> Vec<PathBuf> {
    let with = |suffix: &str| ledger.with_file_name(format!("{}{suffix}", ledger.file_name().unwrap_or_default().to_string_lossy()));
    let mut found = vec![with("-wal"), with("-shm")];
    for folder in [with(".locks"), ledger.with_file_name("cache")] {
        let inside = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        found.extend(inside);
        found.push(folder);
    }
    found
}

/// Whether the base directory is the one with the technicians' folders, can be written to, has room, and is one file system.
/// Where nobody ever was, it need not be there yet: the first creation makes it.
pub fn disk(settings: &Settings, technicians: &[Technician], is_first: bool) -> Findings {
    let service = owner::service(places(settings));
    let base = match Base::open_existing(&settings.base_dir) {
        Ok(Some(base)) => base,
        Ok(None) => {
            if !technicians.is_empty() {
                return vec![Finding::of_failure("disk", &base_missing(&settings.base_dir))];
            }
            let (shown, make) = (settings.base_dir.display(), service.makes_folder(&settings.base_dir));
            let mounted = "is its disk mounted? `findmnt --fstab` lists those that should be, `sudo mount -a` mounts them";
            let above = settings.base_dir.parent().unwrap_or(Path::new("/"));
            if is_first && tempfile::tempfile_in(above).is_ok() {
                let message = format!("vm.base_dir {shown} does not exist yet: the first `tecnico create` makes it");
                let fix = format!("where it is to be on a disk of its own, {mounted}; to have it now:\n    {make}");
                return vec![Finding::warning("disk", message, fix)];
            }
            // An empty folder in the place of a disk looks as if all were well.
            let fix = format!("{mounted}; only where there never was such a folder:\n    {make}");
            return vec![Finding::problem("disk", format!("vm.base_dir {shown} does not exist"), fix)];
        }
        Err(failure) => return vec![Finding::of_failure("disk", &failure)],
    };
    let mut findings: Findings = missing_trees(&base, technicians).into_iter().collect();
    // By doing: permissions, a read-only mount and a full disk all show here.
    if let Err(e) = tempfile::Builder::new().prefix(".tecnico-doctor.").tempfile_in(base.path()).and_then(|f| f.as_file().sync_all()) {
        findings.push(Finding::problem(
            "disk",
            format!("cannot write to {}: {e}", base.path().display()),
            unwritable(&e, base.path(), &service),
        ));
    }
    match base.free_bytes() {
        Ok(free) => findings.push(room(free, base.path(), findings.is_empty())),
        Err(failure) => findings.push(Finding::of_failure("disk", &failure)),
    }
    findings.extend(technicians.iter().filter_map(|t| split_tree(settings, &base, &t.folder)));
    findings.extend(split_archive(settings, &base));
    findings
}

/// Trees that the ledger knows and the disk does not have. Where none is there, the folder itself is likely another.
fn missing_trees(base: &Base, technicians: &[Technician]) -> Option<Finding> {
    let is_missing = |t: &&Technician| {
        let place = base.path().join(t.place.as_ref().unwrap_or(&t.folder));
        place.symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
    };
    let missing: Vec<&Technician> = technicians.iter().filter(is_missing).collect();
    let [first, ..] = missing.as_slice() else { return None };
    let (shown, folders) = (base.path().display(), count(missing.len() as u64, "folder", "folders"));
    Some(if missing.len() == technicians.len() {
        let message =
            format!("{shown} holds no technician's folder, and the ledger knows {folders}: this is another than the one they lie in");
        let fix = "is its disk mounted? `findmnt --fstab` lists those that should be, `sudo mount -a` mounts them. Only where they \
                   are lost for good, check --repair makes empty ones";
        Finding::problem("disk", message, fix)
    } else {
        let message = format!("{folders} of {} technicians' are missing in {shown}, {:?} for one", technicians.len(), first.folder);
        Finding::problem(
            "disk",
            message,
            "put them back, or else `tecnico check` says what is missing, and `tecnico check --repair` makes it",
        )
    })
}

/// An archive on another file system: a tree is moved there by renaming it, too.
fn split_archive(settings: &Settings, base: &Base) -> Option<Finding> {
    let archive = base.path().join(&settings.layout.archive);
    let device = |path: &Path| std::fs::metadata(path).ok().map(|m| m.dev());
    let is_apart = device(&archive)? != device(base.path())?;
    is_apart.then(|| {
        let message = format!("{} lies on another file system: nobody who is removed can be moved there", archive.display());
        Finding::problem("disk", message, format!("umount {}, and let it be a plain folder", shell_path(&archive)))
    })
}

/// What mends a folder that cannot be written to.
fn unwritable(error: &io::Error, path: &Path, service: &Person) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => service.takes(&[path]),
        io::ErrorKind::ReadOnlyFilesystem => "`dmesg` says why the file system is mounted read-only; remount it".to_owned(),
        _ => format!("free some space there: `df -h {0}`, `df -i {0}`", shell_path(path)),
    }
}

/// What so many free bytes mean.
fn room(free: u64, path: &Path, writable: bool) -> Finding {
    let fix = "free some space: downloads wait where they do not fit, and go on by themselves";
    let message = format!("only {} are free on {}", gigabytes(free), path.display());
    match free {
        0..TOO_LITTLE => Finding::problem("disk", message, fix),
        TOO_LITTLE..LITTLE => Finding::warning("disk", message, fix),
        _ => {
            let can = if writable { "is writable, " } else { "has " };
            Finding::good("disk", format!("{} {can}{} free", path.display(), gigabytes(free)))
        }
    }
}

/// A tree over two file systems: a file is moved by renaming it, which ends at the border.
fn split_tree(settings: &Settings, base: &Base, folder: &str) -> Option<Finding> {
    let tree = base.tree(folder).ok()?;
    let device = |role| std::fs::metadata(tree.path_of(settings.layout.path_of(role))).ok().map(|m| m.dev());
    let inbox = device(Role::Novos)?;
    let other = [Role::Processados, Role::Erro].into_iter().find(|role| device(*role).is_some_and(|d| d != inbox))?;
    let path = tree.path_of(settings.layout.path_of(other));
    let message = format!("{} lies on another file system than novos: files cannot be moved there", path.display());
    Some(Finding::problem("disk", message, format!("umount {}, or mount above {}", shell_path(&path), shell_path(&tree.path()))))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_disk_that_is_nearly_full_is_told_and_a_full_one_is_a_problem() {
        let verdict = |free| room(free, Path::new("/srv"), true).verdict;
        assert_eq!((verdict(0), verdict(TOO_LITTLE - 1)), (Verdict::Problem, Verdict::Problem));
        assert_eq!((verdict(TOO_LITTLE), verdict(LITTLE - 1)), (Verdict::Warning, Verdict::Warning));
        assert_eq!(verdict(LITTLE), Verdict::Good);
    }
}
