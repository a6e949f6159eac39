//! The VM side, on real directories.

mod credentials;
mod moves;
mod registry;
mod tree;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tecnico::fs_layout::Base;
use tempfile::TempDir;

/// A fresh base directory.
fn base() -> anyhow::Result<(TempDir, Base)> {
    let dir = tempfile::tempdir()?;
    let base = Base::open(&dir.path().join("tecnicos"), tecnico::config::settings::Modes::default())?;
    Ok((dir, base))
}

/// The folders every technician has.
fn folders() -> Vec<String> {
    ["", "pdfs", "pdfs/novos", "pdfs/processados", "pdfs/erro", "logs"].map(str::to_owned).to_vec()
}

fn mode(path: &Path) -> anyhow::Result<u32> {
    Ok(std::fs::symlink_metadata(path)?.permissions().mode() & 0o7777)
}

/// Runs a test of this binary again as a process of its own, with an environment variable that makes it the other side.
fn respawn(test: &str, variable: &str, value: &str) -> anyhow::Result<std::process::Child> {
    Ok(std::process::Command::new(std::env::current_exe()?)
        .args([test, "--exact", "--quiet"])
        .env(variable, value)
        .stdout(std::process::Stdio::null())
        .spawn()?)
}
