//! The user of the services, where the package did not make it.

use std::path::Path;
use std::process::Command;

use crate::config::Settings;
use crate::config::owner::{OF_THE_PACKAGE as NAME, of_the_package};
use crate::config::places::keys_dir;
use crate::error::{Exit, Failure};

const HOME: &str = "/var/lib/tecnico";

/// Makes the user and the folders that belong to it. What is there stays.
pub(super) fn make(settings: &Settings, target: &Path) -> Result<(), Failure> {
    if of_the_package().is_none() {
        run(Command::new("useradd").args(["--system", "--user-group", "--home-dir", HOME, "--no-create-home"]).args([
            "--shell",
            "/usr/sbin/nologin",
            NAME,
        ]))?;
    }
    let keys = keys_dir(target);
    let root = Path::new("/");
    let (config, ledger) = (target.parent().unwrap_or(root), settings.ledger_path.parent().unwrap_or(root));
    for (owner, mode, folder) in [
        ("root", "750", config),
        (NAME, "700", keys.as_path()),
        (NAME, "750", Path::new(HOME)),
        (NAME, "750", &settings.base_dir),
        (NAME, "750", ledger),
    ] {
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
