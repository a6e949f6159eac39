//! Trying answers out: what works here works for every other command.

use std::path::Path;

use serde::de::IgnoredAny;

use super::Ready;
use super::answers::{Answers, folder_id};
use super::written::{self, quoted};
use crate::config::places::{account_key, callback_key, portal_key};
use crate::config::{self, Settings};
use crate::doctor::{self, Finding, Verdict};
use crate::drive::{Drive, FileId, LONGEST_KEY};
use crate::error::{Exit, Failure};

/// Where the system keeps its own, and what is gone after a start.
const OF_THE_SYSTEM: [&str; 10] = ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/run", "/sbin", "/usr"];
/// A folder that every account has, in place of the one that is asked for only later.
const SOME_FOLDER: &str = "root";

/// All of them, in the order of the questions.
pub(super) async fn all(answers: &Answers, target: &Path) -> anyhow::Result<Ready> {
    if answers.credentials.as_os_str().is_empty() || answers.parent_folder.trim().is_empty() {
        return Err(Failure::new(Exit::Data, "answers_missing", "credentials and parent_folder are needed").into());
    }
    let account = key(answers, target).await?;
    let parent = parent(answers, target).await?;
    let settings = base_dir(answers, target)?;
    ledger(answers, &settings)?;
    command(answers, target)?;
    // A backend that is not up yet is no reason to stop a machine that is set up by a program: `doctor` asks it.
    let signed = callback_key(target).exists() || (answers.callback_key && !answers.backend_url.is_empty());
    let text = compose(answers, &parent, &account_key(target), signed, target);
    Ok(Ready { text, credentials: answers.credentials.clone(), account, settings, signed })
}

/// Whether Google takes the key; gives whose it is.
pub(super) async fn key(answers: &Answers, target: &Path) -> anyhow::Result<String> {
    if answers.credentials.as_os_str().is_empty() {
        return Err(Failure::new(Exit::Data, "answers_missing", "the key file is needed").into());
    }
    is_json(&answers.credentials)?;
    let settings = settings(answers, target)?;
    let drive = Drive::connect_for_once(&settings.drive).await.map_err(|fault| match fault.code() {
        "key_missing" | "key_not_a_file" => fault.hint("name the JSON file of the service account's key, as it was downloaded"),
        _ => fault,
    })?;
    Ok(drive.about().await?.email)
}

/// Whether the file can be a key at all: of a program or a picture its mode is the least of what is wrong.
fn is_json(file: &Path) -> Result<(), Failure> {
    let read = file.metadata().ok().filter(|m| m.is_file() && m.len() <= LONGEST_KEY).and_then(|_| std::fs::read(file).ok());
    // What is too long for one, or cannot be read, is told where it is opened.
    if read.is_none_or(|bytes| serde_json::from_slice::<IgnoredAny>(&bytes).is_ok()) {
        return Ok(());
    }
    let message = format!("{} holds no JSON, which the key of a service account is", file.display());
    Err(Failure::new(Exit::Refused, "key_malformed", message).hint("name the file that the Cloud console gave you: … .json"))
}

/// The folder the trees are to lie in.
pub(super) struct Parent {
    id: String,
    /// The shared drive it turns out to lie in.
    pub(super) shared_drive: Option<FileId>,
}

/// Whether the account may write to the folder and share it.
pub(super) async fn parent(answers: &Answers, target: &Path) -> anyhow::Result<Parent> {
    let id = folder_id(&answers.parent_folder)?;
    let mut parent = Parent { id: id.to_string(), shared_drive: None };
    let mut settings = config::resolve_text(&compose(answers, &parent, &answers.credentials, false, target))?;
    let drive = Drive::connect_for_once(&settings.drive).await?;
    parent.shared_drive = drive.get(&id).await?.and_then(|folder| folder.drive_id);
    settings.drive.shared_drive_id = parent.shared_drive.as_ref().map(ToString::to_string);
    good(doctor::drive::parent(&drive, &settings.drive).await?, Exit::Refused, "parent_unusable")?;
    Ok(parent)
}

/// Whether the technicians' folders have a place.
pub(super) fn base_dir(answers: &Answers, target: &Path) -> anyhow::Result<Settings> {
    let settings = settings(answers, target)?;
    is_for_files(&settings.base_dir)?;
    has_place(&settings.base_dir, &|trouble, message| match trouble {
        Trouble::Missing => Failure::new(Exit::Config, "base_dir_missing", message),
        Trouble::NoFolder => Failure::new(Exit::Config, "base_dir_not_a_directory", message),
        Trouble::Unwritable => Failure::new(Exit::CannotCreate, "base_dir_unwritable", message),
    })?;
    Ok(settings)
}

/// Whether the folder is one for people's files, and not what was meant for another question.
fn is_for_files(folder: &Path) -> Result<(), Failure> {
    let unfit = |why: &str| {
        let message = format!("{} {why}", folder.display());
        Err(Failure::new(Exit::Config, "base_dir_unfit", message).hint("name a folder for the technicians' files: /srv/tecnicos"))
    };
    if folder.to_string_lossy().contains(['{', '}']) {
        return unfit("looks like a command, and not like a folder");
    }
    // By its true name: /lib may be a link, and the folder itself is yet to be made.
    let above = folder.ancestors().find_map(|f| f.canonicalize().ok()).unwrap_or_default();
    if folder == Path::new("/") || OF_THE_SYSTEM.iter().any(|of| folder.starts_with(of) || above.starts_with(of)) {
        return unfit("belongs to the system");
    }
    Ok(())
}

/// Whether the ledger has a place, where one is named: that of the settings is made by the package, or beside the config.
fn ledger(answers: &Answers, settings: &Settings) -> Result<(), Failure> {
    let Some(folder) = answers.ledger.as_ref().and(settings.ledger_path.parent()) else { return Ok(()) };
    if settings.ledger_path.is_dir() {
        let message = format!("ledger {} is a folder", settings.ledger_path.display());
        return Err(Failure::new(Exit::CannotCreate, "ledger_unwritable", message).hint("name a file in it: ledger.db"));
    }
    has_place(folder, &|trouble, message| match trouble {
        Trouble::Missing | Trouble::NoFolder => Failure::new(Exit::CannotCreate, "ledger_directory", message),
        Trouble::Unwritable => Failure::new(Exit::CannotCreate, "ledger_unwritable", message),
    })
}

/// What a folder may lack.
#[derive(Clone, Copy)]
enum Trouble {
    /// It cannot be made: the one above is not there either.
    Missing,
    /// It is something else.
    NoFolder,
    /// It takes nothing.
    Unwritable,
}

/// Whether the folder is there, or the one it can be made in, and takes files.
fn has_place(folder: &Path, failure: &dyn Fn(Trouble, String) -> Failure) -> Result<(), Failure> {
    let shown = folder.display();
    let above = folder.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() && !above.is_dir() {
        let message = format!("{shown} does not exist, nor the folder above it");
        return Err(failure(Trouble::Missing, message).hint("make the folder above it, or mount its disk"));
    }
    if folder.symlink_metadata().is_ok() && !folder.is_dir() {
        return Err(failure(Trouble::NoFolder, format!("{shown} is not a folder")).hint("name a folder, or one that is to be made"));
    }
    let place = if folder.is_dir() { folder } else { above };
    tempfile::tempfile_in(place).map_err(|e| {
        failure(Trouble::Unwritable, format!("nothing can be written to {}: {e}", place.display()))
            .hint("name a folder that this user may write to, or run init with sudo")
            .because(e)
    })?;
    Ok(())
}

/// Whether the program that judges can be started.
pub(super) fn command(answers: &Answers, target: &Path) -> anyhow::Result<()> {
    let settings = settings(answers, target)?;
    good(doctor::processor::processor(&settings), Exit::Config, "processor_missing")
}

/// Whether the address of the backend is one that would be sent to; gives what it says to a ping. One that is down, or wants
/// a signature, is kept all the same.
pub(super) async fn backend(answers: &Answers, target: &Path) -> anyhow::Result<Option<String>> {
    let settings = settings(answers, target)?;
    if settings.callback.url.is_none() {
        return Ok(None);
    }
    let said = doctor::backend::ping(&settings.callback, target).await?.into_iter().next();
    Ok(said.map(|f| if f.verdict == Verdict::Good { f.message } else { format!("kept, though {}", f.message) }))
}

fn good(findings: Vec<Finding>, exit: Exit, code: &'static str) -> anyhow::Result<()> {
    match findings.into_iter().find(|f| f.verdict == Verdict::Problem) {
        Some(bad) => Err(Failure::new(exit, code, bad.message).hint(bad.fix.unwrap_or_default()).into()),
        None => Ok(()),
    }
}

/// The settings these answers make, whatever folder they name.
fn settings(answers: &Answers, target: &Path) -> Result<Settings, Failure> {
    let some = Parent { id: SOME_FOLDER.to_owned(), shared_drive: None };
    config::resolve_text(&compose(answers, &some, &answers.credentials, callback_key(target).is_file(), target))
}

/// The config these answers make, with the credentials where they lie now, and with the key for signing or without it.
fn compose(answers: &Answers, parent: &Parent, credentials: &Path, signed: bool, target: &Path) -> String {
    let path = |p: &Path| quoted(&std::path::absolute(p).unwrap_or_else(|_| p.to_owned()).display().to_string());
    let mut command = answers.command.clone();
    // Like every other path that is typed here, it counts from where it is typed.
    if let Some(program) = command.first_mut().filter(|p| p.contains('/')) {
        *program = std::path::absolute(&*program).map_or_else(|_| program.clone(), |p| p.display().to_string());
    }
    let mut values = vec![
        ("drive.parent_folder_id", quoted(&parent.id)),
        ("drive.credentials", path(credentials)),
        ("drive.subject", quoted(&answers.subject)),
        ("drive.shared_drive_id", quoted(parent.shared_drive.as_ref().map_or("", FileId::as_str))),
        ("secrets.key_file", path(&portal_key(target))),
        ("callback.url", quoted(&answers.backend_url)),
        ("process.command", config::array(&command)),
    ];
    values.extend(signed.then(|| ("callback.secret_file", path(&callback_key(target)))));
    values.extend(answers.base_dir.as_deref().map(|p| ("vm.base_dir", path(p))));
    // Another user than root has no business in /var/lib.
    let beside = (!target.starts_with("/etc")).then(|| target.with_file_name("ledger.db"));
    values.extend(answers.ledger.clone().or(beside).map(|p| ("ledger.path", path(&p))));
    values.extend(answers.endpoint.as_deref().map(|e| ("drive.endpoint", quoted(e))));
    written::config(&values)
}
