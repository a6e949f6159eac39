//! Whole-file replacement: a reader sees the old file or the new one, never half of either.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use cap_std::fs::Dir;
use rustix::fs::OFlags;

use super::handle::{self, io_failure};
use crate::error::Failure;

/// Puts `bytes` in the place of `name` in `dir` (shown to people as `shown`), with exactly `mode`.
///
/// The bytes are on disk before the name points to them, and the name is on disk before this
/// returns. `temp` is the name used on the way; a leftover under it is from a run that was killed.
pub(super) fn replace(dir: &Dir, shown: &Path, name: &str, temp: &str, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    replace_with(dir, name, temp, mode, |file| file.write_all(bytes)).map_err(|e| io_failure("write", &shown.join(name), e))
}

fn replace_with(dir: &Dir, name: &str, temp: &str, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    remove_if_there(dir, temp)?;
    let mut file = handle::open_file(dir, temp, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, 0o600)?;
    let done = write(&mut file)
        .and_then(|()| handle::set_mode(&file, mode))
        .and_then(|()| file.sync_all())
        .and_then(|()| Ok(rustix::fs::renameat(dir, temp, dir, name)?));
    if let Err(e) = done {
        // The first error is the one to tell; a temp file that cannot be removed is met again next time.
        let _ = remove_if_there(dir, temp);
        return Err(e);
    }
    handle::sync_dir(dir)
}

fn remove_if_there(dir: &Dir, name: &str) -> io::Result<()> {
    match rustix::fs::unlinkat(dir, name, rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn replaces_with_the_mode_asked_for_and_leaves_no_temp() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let handle = handle::open_base(dir.path())?;
        for (bytes, mode) in [(&b"um"[..], 0o640), (b"dois", 0o600)] {
            replace(&handle, dir.path(), "x.json", ".x.tmp", bytes, mode)?;
            assert_eq!(std::fs::read(dir.path().join("x.json"))?, bytes);
            assert_eq!(std::fs::metadata(dir.path().join("x.json"))?.permissions().mode() & 0o7777, mode);
        }
        assert_eq!(std::fs::read_dir(dir.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn a_full_disk_leaves_the_old_file_and_no_temp() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let handle = handle::open_base(dir.path())?;
        std::fs::write(dir.path().join("x.json"), "velho")?;
        let full = replace_with(&handle, "x.json", ".x.tmp", 0o640, |file| {
            file.write_all(b"no")?;
            Err(rustix::io::Errno::NOSPC.into())
        });
        assert_eq!(full.expect_err("the disk is full").kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read_to_string(dir.path().join("x.json"))?, "velho");
        assert_eq!(std::fs::read_dir(dir.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn a_link_at_the_target_is_replaced_not_written_through() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let outside = tempfile::NamedTempFile::new()?;
        std::fs::write(outside.path(), "alheio")?;
        std::os::unix::fs::symlink(outside.path(), dir.path().join("x.json"))?;
        std::os::unix::fs::symlink(outside.path(), dir.path().join(".x.tmp"))?;
        let handle = handle::open_base(dir.path())?;
        replace(&handle, dir.path(), "x.json", ".x.tmp", b"nosso", 0o640)?;
        assert_eq!(std::fs::read_to_string(outside.path())?, "alheio");
        assert_eq!(std::fs::read_to_string(dir.path().join("x.json"))?, "nosso");
        Ok(())
    }
}
