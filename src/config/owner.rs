//! Whose a new file is, where root makes it for the service.

use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

/// Gives what root made to whom the folder around it belongs: the user of the service could not use it otherwise. Does
/// nothing for other users.
pub fn like_its_folder(path: &Path) -> io::Result<()> {
    like(path, path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Gives what root made to whom `model` belongs. Does nothing for other users.
pub fn like(path: &Path, model: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let model = model.metadata()?;
    if path.symlink_metadata()?.uid() == model.uid() {
        return Ok(());
    }
    lchown(path, Some(model.uid()), Some(model.gid()))
}
