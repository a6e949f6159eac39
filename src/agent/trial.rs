//! The program that judges, tried on a file of the administrator's choice: for `doctor`.

use std::path::Path;

use tokio::process::Command;

use super::judge::{LATER, last_json, reason};
use super::run_command::{How, run};
use crate::config::settings::ProcessSettings;
use crate::error::{Exit, Failure};

/// The user id, file id and item id the program is told in a trial.
const NOBODY: &str = "doctor";

/// How the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// Exit 0: the file would go to `processados`. With what would be `data`.
    Processed(Option<String>),
    /// Exit 75: it would be asked again later.
    Later(String),
    /// Another exit: `erro`, for this reason.
    Refused(String),
    /// It took too long, or a signal ended it.
    Broke(String),
}

/// Runs `process.command` on a copy of `file`, with its time limit. Fails where the file cannot be read or the program
/// cannot be started.
pub async fn try_program(settings: &ProcessSettings, file: &Path) -> Result<Trial, Failure> {
    let [program, arguments @ ..] = settings.command.as_slice() else {
        return Ok(Trial::Processed(None));
    };
    let unreadable = || Failure::new(Exit::Data, "file_unreadable", format!("{} cannot be copied for the trial", file.display()));
    let dir = tempfile::tempdir().map_err(|e| unreadable().because(e))?;
    // The program may move or delete what it is given.
    let copy = dir.path().join(file.file_name().ok_or_else(unreadable)?);
    std::fs::copy(file, &copy).map_err(|e| unreadable().because(e))?;
    let path = copy.display().to_string();
    let filled = |text: &String| text.replace("{user}", NOBODY).replace("{file_id}", NOBODY).replace("{path}", &path);
    let mut command = Command::new(program);
    command
        .args(arguments.iter().map(filled))
        .current_dir(dir.path())
        .envs([("TECNICO_ITEM_ID", NOBODY), ("TECNICO_USER", NOBODY), ("TECNICO_ATTEMPT", "1")])
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
        .env_remove("VM_API_KEY");
    let ended = run(command, settings.timeout).await.map_err(|e| {
        Failure::new(Exit::Config, "command_unusable", format!("process.command cannot be started: {program}: {e}"))
            .hint("give its whole path, make it executable (chmod +x), and see that what its first line names exists")
    })?;
    let said = reason(&ended.stderr);
    Ok(match ended.how {
        How::Exit(0) => Trial::Processed(last_json(&ended.stdout).unwrap_or_default()),
        How::Exit(LATER) => Trial::Later(said),
        How::Exit(code) => Trial::Refused(if said.is_empty() { format!("exit {code}") } else { said }),
        How::Signal(signal) => Trial::Broke(format!("signal {signal} ended it")),
        How::OutOfTime => Trial::Broke(format!("it did not end within {:?}", settings.timeout)),
    })
}
