//! The units of the package write to their own places only: where the answers name others, a drop-in lets them in.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ETC, Ready};
use crate::doctor::systemd::{drop_in, installed};
use crate::error::{Exit, Failure};

/// Lets the installed units write where the answers put things. Gives the drop-ins it wrote; none where nothing was needed,
/// or where this is not the machine's own configuration.
pub(super) fn let_in(ready: &Ready, target: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !rustix::process::geteuid().is_root() || target != Path::new(ETC) {
        return Ok(Vec::new());
    }
    let ledger = ready.ledger.parent().unwrap_or(Path::new("/"));
    let mut written = Vec::new();
    for service in installed(Path::new("/")) {
        let shut: Vec<&Path> = [ready.base_dir.as_path(), ledger].into_iter().filter(|p| !service.may_write(p)).collect();
        if shut.is_empty() {
            continue;
        }
        let folder = Path::new("/etc/systemd/system").join(format!("{}.d", service.name));
        let file = folder.join("paths.conf");
        let unwritable = || {
            Failure::new(Exit::CannotCreate, "init_unwritable", format!("{} cannot be written", file.display()))
                .hint("`tecnico doctor --only services` prints the command that does it")
        };
        std::fs::create_dir_all(&folder).map_err(|e| unwritable().because(e))?;
        let text =
            format!("# Written by `tecnico init`: vm.base_dir and ledger.path lie elsewhere than the unit expects.\n{}", drop_in(&shut));
        // One that is there is somebody's.
        let mut new = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&file).map_err(|e| unwritable().because(e))?;
        new.write_all(text.as_bytes()).map_err(|e| unwritable().because(e))?;
        written.push(file);
    }
    if !written.is_empty() {
        // Where systemd does not run it reads them when it starts.
        let _ = Command::new("systemctl").arg("daemon-reload").output();
    }
    Ok(written)
}
