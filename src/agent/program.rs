//! The configured program on one file, ready to be started, and why it could not be.

use std::io;
use std::path::Path;

use tokio::process::Command;

use crate::error::{Exit, Failure};

/// The code of a program that cannot be started.
pub const COMMAND_UNUSABLE: &str = "command_unusable";

/// What a program is told of a file.
pub(super) struct Told<'t> {
    /// Its whole path.
    pub path: &'t str,
    /// Whose it is.
    pub user: &'t str,
    /// Drive's id of it.
    pub file_id: &'t str,
    /// Our id of it, the same at every try.
    pub item_id: &'t str,
    /// Which try.
    pub attempt: u32,
}

/// `program` with its arguments filled in, to run in `folder`.
pub(super) fn command(program: &str, arguments: &[String], told: &Told<'_>, folder: &Path) -> Command {
    // The path last: it holds a name from outside, which may look like a placeholder.
    let filled = |text: &String| text.replace("{user}", told.user).replace("{file_id}", told.file_id).replace("{path}", told.path);
    let mut command = Command::new(program);
    command
        .args(arguments.iter().map(filled))
        .current_dir(folder)
        .env("TECNICO_ITEM_ID", told.item_id)
        .env("TECNICO_USER", told.user)
        .env("TECNICO_ATTEMPT", told.attempt.to_string())
        // What opens Drive or the API is none of its business.
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
        .env_remove("VM_API_KEY");
    command
}

/// The program is missing or cannot be run: the files wait.
pub(super) fn not_started(program: &str, error: &io::Error) -> Failure {
    let looked =
        if program.contains('/') { String::new() } else { format!(" (looked for in PATH: {})", std::env::var("PATH").unwrap_or_default()) };
    Failure::new(Exit::Config, COMMAND_UNUSABLE, format!("process.command cannot be started: {program}{looked}: {error}")).hint(
        "`tecnico doctor --only processor` says what is wrong: its path, its mode (chmod +x), or what its first line names; the files wait",
    )
}
