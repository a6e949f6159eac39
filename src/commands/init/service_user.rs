//! The user of the services, where the package did not make it.

use std::path::Path;
use std::process::Command;

use super::{ETC, keys_dir};
use crate::error::{Exit, Failure};

const NAME: &str = "tecnico";
const HOME: &str = "/var/lib/tecnico";

/// Whether this machine has the user.
pub(super) fn exists() -> bool {
    Command::new("id").args(["-u", NAME]).output().is_ok_and(|id| id.status.success())
}

/// Whether it is worth offering: root is setting up the machine, and nobody made the user yet.
pub(super) fn is_missing(target: &Path) -> bool {
    rustix::process::geteuid().is_root() && target == Path::new(ETC) && !exists()
}

/// Whether root is setting up the machine for the user that is there: what it may lack are folders.
pub(super) fn is_at_home(target: &Path) -> bool {
    rustix::process::geteuid().is_root() && target == Path::new(ETC) && exists()
}

/// Makes the user and the folders that belong to it. What is there stays.
pub(super) fn make(base_dir: &Path, target: &Path) -> Result<(), Failure> {
    if !exists() {
        run(Command::new("useradd").args(["--system", "--user-group", "--home-dir", HOME, "--no-create-home"]).args([
            "--shell",
            "/usr/sbin/nologin",
            NAME,
        ]))?;
    }
    let keys = keys_dir(target);
    let config = target.parent().unwrap_or(Path::new("/"));
    for (owner, mode, folder) in
        [("root", "750", config), (NAME, "700", keys.as_path()), (NAME, "750", Path::new(HOME)), (NAME, "750", base_dir)]
    {
        if !folder.is_dir() {
            run(Command::new("install").args(["-d", "-o", owner, "-g", NAME, "-m", mode]).arg(folder))?;
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let refused = || {
        Failure::new(Exit::CannotCreate, "service_user", format!("the user {NAME} and its folders cannot be made with {shown}"))
            .hint("run init as root; or make the user by hand and leave service_user out")
    };
    let output = command.output().map_err(|e| refused().because(e))?;
    if output.status.success() {
        return Ok(());
    }
    Err(refused().because(anyhow::anyhow!("{}", String::from_utf8_lossy(&output.stderr).trim().to_owned())))
}
