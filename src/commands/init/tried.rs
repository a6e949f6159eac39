//! Trying answers out: what works here works for every other command.

use std::io::Write;
use std::path::Path;

use super::answers::{Answers, folder_id};
use super::written::{self, quoted};
use super::{Ready, keys_dir};
use crate::config::{self, Flags, Settings};
use crate::doctor::{self, Finding, Verdict};
use crate::drive::{Drive, FileId};
use crate::error::{Exit, Failure};

/// A folder that every account has, in place of the one that is asked for only later.
const SOME_FOLDER: &str = "root";

/// All of them, in the order of the questions.
pub(super) async fn all(answers: &Answers, target: &Path) -> anyhow::Result<Ready> {
    if answers.credentials.as_os_str().is_empty() || answers.parent_folder.trim().is_empty() {
        return Err(Failure::new(Exit::Data, "answers_missing", "credentials and parent_folder are needed").into());
    }
    let account = key(answers, target).await?;
    let shared_drive = parent(answers, target).await?;
    let settings = base_dir(answers, target)?;
    command(answers, target)?;
    // A backend that is not up yet is no reason to stop a machine that is set up by a program: `doctor` asks it.
    let kept = keys_dir(target).join("service-account.json");
    let text = compose(answers, &folder_id(&answers.parent_folder), &kept, shared_drive.as_ref(), target);
    Ok(Ready { text, credentials: answers.credentials.clone(), account, base_dir: settings.base_dir })
}

/// Whether Google takes the key; gives whose it is.
pub(super) async fn key(answers: &Answers, target: &Path) -> anyhow::Result<String> {
    if answers.credentials.as_os_str().is_empty() {
        return Err(Failure::new(Exit::Data, "answers_missing", "the key file is needed").into());
    }
    let settings = settings_of(&compose(answers, SOME_FOLDER, &answers.credentials, None, target))?;
    Ok(drive(&settings).await?.about().await?.email)
}

/// Whether the account may write to the folder and share it; gives the shared drive the folder turns out to lie in.
pub(super) async fn parent(answers: &Answers, target: &Path) -> anyhow::Result<Option<FileId>> {
    let id = FileId::new(folder_id(&answers.parent_folder)).map_err(|e| {
        Failure::new(Exit::Data, "parent_invalid", e.to_string()).hint("open the folder in the browser and copy its address")
    })?;
    let mut settings = settings_of(&compose(answers, id.as_str(), &answers.credentials, None, target))?;
    let drive = drive(&settings).await?;
    let shared_drive = drive.get(&id).await?.and_then(|folder| folder.drive_id);
    settings.drive.shared_drive_id = shared_drive.as_ref().map(ToString::to_string);
    good(doctor::drive::parent(&drive, &settings.drive).await?, Exit::Refused, "parent_unusable")?;
    Ok(shared_drive)
}

/// Whether the technicians' folders have a place.
pub(super) fn base_dir(answers: &Answers, target: &Path) -> anyhow::Result<Settings> {
    let settings = settings_of(&compose(answers, SOME_FOLDER, &answers.credentials, None, target))?;
    if !settings.base_dir.is_dir() && !settings.base_dir.parent().is_some_and(Path::is_dir) {
        let message = format!("{} does not exist, nor the folder above it", settings.base_dir.display());
        return Err(Failure::new(Exit::Config, "base_dir_missing", message).hint("make the folder above it, or mount its disk").into());
    }
    if settings.base_dir.symlink_metadata().is_ok() && !settings.base_dir.is_dir() {
        let message = format!("{} is not a folder", settings.base_dir.display());
        return Err(Failure::new(Exit::Config, "base_dir_not_a_directory", message)
            .hint("name a folder, or one that is to be made")
            .into());
    }
    let above = settings.base_dir.parent().unwrap_or(Path::new("/"));
    let place = if settings.base_dir.is_dir() { &settings.base_dir } else { above };
    tempfile::tempfile_in(place).map_err(|e| {
        Failure::new(Exit::CannotCreate, "base_dir_unwritable", format!("nothing can be written to {}: {e}", place.display()))
            .hint("name a folder that this user may write to, or run init with sudo")
            .because(e)
    })?;
    Ok(settings)
}

/// Whether the program that judges can be started.
pub(super) fn command(answers: &Answers, target: &Path) -> anyhow::Result<()> {
    let settings = settings_of(&compose(answers, SOME_FOLDER, &answers.credentials, None, target))?;
    good(doctor::processor::processor(&settings), Exit::Config, "processor_missing")
}

/// Whether the address of the backend is one that would be sent to; gives what it says to a ping. One that is down, or wants
/// a signature, is kept all the same.
pub(super) async fn backend(answers: &Answers, target: &Path) -> anyhow::Result<Option<String>> {
    let settings = settings_of(&compose(answers, SOME_FOLDER, &answers.credentials, None, target))?;
    if settings.callback.url.is_none() {
        return Ok(None);
    }
    let said = doctor::backend::ping(&settings.callback).await?.into_iter().next();
    Ok(said.map(|f| if f.verdict == Verdict::Good { f.message } else { format!("kept, though {}", f.message) }))
}

fn good(findings: Vec<Finding>, exit: Exit, code: &'static str) -> anyhow::Result<()> {
    match findings.into_iter().find(|f| f.verdict == Verdict::Problem) {
        Some(bad) => Err(Failure::new(exit, code, bad.message).hint(bad.fix.unwrap_or_default()).into()),
        None => Ok(()),
    }
}

async fn drive(settings: &Settings) -> anyhow::Result<Drive> {
    // Tokens of a trial are nobody's.
    let scratch = tempfile::tempdir()?;
    Ok(Drive::connect(&settings.drive, scratch.path()).await?)
}

/// The settings of a text, as a run would read them.
fn settings_of(text: &str) -> anyhow::Result<Settings> {
    let mut file = tempfile::Builder::new().prefix("tecnico-init.").suffix(".toml").tempfile()?;
    file.write_all(text.as_bytes())?;
    config::resolve(&Flags { config: Some(file.path().to_owned()), ..Flags::default() }, &|_| None).map_err(|fault| {
        // The place in a file that nobody wrote says nothing.
        let told = fault.to_string();
        let place = format!("{}, line ", file.path().display());
        match told.strip_prefix(&place).and_then(|t| t.split_once(": ")) {
            Some((_, why)) => Failure::new(fault.exit(), fault.code(), why)
                .hint(fault.hint_text().unwrap_or("`tecnico config --example` says what each setting may be"))
                .into(),
            None => fault.into(),
        }
    })
}

/// The config these answers make, with the credentials where they lie now.
fn compose(answers: &Answers, parent: &str, credentials: &Path, shared_drive: Option<&FileId>, target: &Path) -> String {
    let path = |p: &Path| quoted(&std::path::absolute(p).unwrap_or_else(|_| p.to_owned()).display().to_string());
    let mut command = answers.command.clone();
    // Like every other path that is typed here, it counts from where it is typed.
    if let Some(program) = command.first_mut().filter(|p| p.contains('/')) {
        *program = std::path::absolute(&*program).map_or_else(|_| program.clone(), |p| p.display().to_string());
    }
    let mut values = vec![
        ("drive.parent_folder_id", quoted(parent)),
        ("drive.credentials", path(credentials)),
        ("drive.subject", quoted(&answers.subject)),
        ("drive.shared_drive_id", quoted(shared_drive.map_or("", FileId::as_str))),
        ("secrets.key_file", path(&keys_dir(target).join("segredo.key"))),
        ("callback.url", quoted(&answers.backend_url)),
        ("process.command", config::array(&command)),
    ];
    values.extend(answers.base_dir.as_deref().map(|p| ("vm.base_dir", path(p))));
    // Another user than root has no business in /var/lib.
    let beside = (!target.starts_with("/etc")).then(|| target.with_file_name("ledger.db"));
    values.extend(answers.ledger.clone().or(beside).map(|p| ("ledger.path", path(&p))));
    values.extend(answers.endpoint.as_deref().map(|e| ("drive.endpoint", quoted(e))));
    written::config(&values)
}
