//! The program that judges, tried on a file of the administrator's choice: for `doctor`.

use std::path::Path;

use super::judge::{LATER, last_json, reason};
use super::program::{self, Told};
use super::run_command::{How, run};
use crate::config::settings::ProcessSettings;
use crate::error::{Exit, Failure};

/// The user id, file id and item id the program is told in a trial.
const NOBODY: &str = "doctor";

/// How the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// Exit 0: the file would go to `processados`. With what would be `data`, or why that would be dropped.
    Processed(Result<Option<String>, String>),
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
        return Ok(Trial::Processed(Ok(None)));
    };
    let unreadable = || {
        Failure::new(Exit::Data, "file_unreadable", format!("the file for the trial, {}, cannot be read", file.display()))
            .hint("name a file that this user can read, such as a work order from a processados: --try-file FILE")
    };
    let dir = tempfile::tempdir().map_err(|e| unreadable().because(e))?;
    // The program may move or delete what it is given.
    let copy = dir.path().join(file.file_name().ok_or_else(unreadable)?);
    std::fs::copy(file, &copy).map_err(|e| unreadable().because(e))?;
    let path = copy.display().to_string();
    let told = Told { path: &path, user: NOBODY, file_id: NOBODY, item_id: NOBODY, attempt: 1 };
    let command = program::command(program, arguments, &told, dir.path());
    let ended = run(command, settings.timeout).await.map_err(|e| program::not_started(program, &e))?;
    let said = reason(&ended.stderr);
    Ok(match ended.how {
        How::Exit(0) => Trial::Processed(last_json(&ended.stdout)),
        How::Exit(LATER) => Trial::Later(said),
        How::Exit(code) => Trial::Refused(if said.is_empty() { format!("exit {code}") } else { said }),
        How::Signal(signal) => Trial::Broke(format!("signal {signal} ended it")),
        How::OutOfTime => Trial::Broke(format!("it did not end within {:?}", settings.timeout)),
    })
}
