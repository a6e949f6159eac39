//! Directory handles that never follow a link, and I/O errors in words.

use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW};

use crate::error::{Exit, Failure};

/// Opens a folder by its path: the base directory, and nothing else. The handle is a full one (cap-std's own
/// are `O_PATH`, which neither `fsync` nor `fchmod` accept).
pub(super) fn open_base(path: &Path) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty())?;
    Ok(Dir::from_std_file(File::from(fd)))
}

/// Opens the folder `name` directly below `parent`; a link in its place is an error.
pub(super) fn open_dir(parent: &Dir, name: &str) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    Ok(Dir::from_std_file(File::from(fd)))
}

/// Opens the regular file `name` directly below `dir`. `NONBLOCK`: a planted pipe must not hold us.
pub(super) fn open_file(dir: &Dir, name: &str, flags: OFlags, mode: u32) -> io::Result<File> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode))?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// What lies under `name` itself (a link is a link), or `None`.
pub(super) fn stat(dir: &Dir, name: &str) -> io::Result<Option<Stat>> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// The kind of thing a [`Stat`] describes.
pub(super) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// The permission bits of a [`Stat`].
pub(super) fn mode(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

/// Sets the permission bits whatever the umask is.
pub(super) fn set_mode(fd: impl std::os::fd::AsFd, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::fchmod(fd, Mode::from_raw_mode(mode))?)
}

/// Gives a file the present time of its file system.
pub(super) fn touch(fd: impl std::os::fd::AsFd) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Ok(rustix::fs::futimens(fd, &Timestamps { last_access: now, last_modification: now })?)
}

/// Makes the names in `dir` durable.
pub(super) fn sync_dir(dir: &Dir) -> io::Result<()> {
    Ok(rustix::fs::fsync(dir)?)
}

/// Whether an open failed because a link was in the way (`O_NOFOLLOW`).
pub(super) fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Splits `a/b/c`; whatever could leave the tree or is not one plain path is refused.
pub(super) fn components(path: &str) -> Result<Vec<&str>, Failure> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().any(|p| matches!(*p, "" | "." | "..") || p.contains('\0')) {
        return Err(Failure::new(Exit::Data, "unsafe_path", format!("the path {path:?} is not a plain path below a folder")));
    }
    Ok(parts)
}

/// An I/O error as a sentence that names the path, with the exit code the situation calls for.
pub(super) fn io_failure(what: &str, path: &Path, error: io::Error) -> Failure {
    let (exit, code, hint) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Exit::Io, "disk_full", Some("free some space there and run it again; nothing was lost"))
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            let hint = "the file system is mounted read-only: remount it, or choose another vm.base_dir; in a service of systemd's it is \
                        the unit that does not let it: `tecnico doctor --only services`";
            (Exit::CannotCreate, "read_only", Some(hint))
        }
        io::ErrorKind::PermissionDenied => {
            (Exit::Refused, "local_permission", Some("give the user tecnico runs as the right to this path (ls -ld shows the owner)"))
        }
        _ => (Exit::Io, "local_io", None),
    };
    let failure = Failure::new(exit, code, format!("cannot {what} {}: {error}", path.display())).because(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A link where a folder or file of our own should be.
pub(super) fn link_refused(path: &Path) -> Failure {
    Failure::new(
        Exit::Refused,
        "link_refused",
        format!("{} is a symbolic link; tecnico follows none below the base directory", path.display()),
    )
    .hint("replace the link by a real folder or file (move the contents, then remove the link)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_carry_the_exit_code_of_their_situation() {
        for (raw, exit, code) in [
            (rustix::io::Errno::NOSPC, Exit::Io, "disk_full"),
            (rustix::io::Errno::DQUOT, Exit::Io, "disk_full"),
            (rustix::io::Errno::ROFS, Exit::CannotCreate, "read_only"),
            (rustix::io::Errno::ACCESS, Exit::Refused, "local_permission"),
            (rustix::io::Errno::IO, Exit::Io, "local_io"),
        ] {
            let failure = io_failure("write", Path::new("/srv/x"), raw.into());
            assert_eq!((failure.exit(), failure.code()), (exit, code));
            assert!(failure.to_string().contains("/srv/x"), "{failure}");
        }
    }

    #[test]
    fn only_plain_paths_pass() {
        assert_eq!(components("pdfs/novos").ok(), Some(vec!["pdfs", "novos"]));
        for bad in ["/etc", "a//b", "../a", "a/..", "./a", "a/", "a/\0"] {
            assert!(components(bad).is_err(), "{bad:?}");
        }
    }
}
