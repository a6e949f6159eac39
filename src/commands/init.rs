//! `tecnico init`.

mod answers;
mod written;

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use dialoguer::Input;
use rand::RngCore;
use schemars::JsonSchema;
use serde::Serialize;

use crate::config::{self, Flags, Settings};
use crate::context::Context;
use crate::doctor::{self, Verdict};
use crate::document::Document;
use crate::drive::{Drive, FileId};
use crate::error::{Exit, Failure};
use answers::{Answers, folder_id};
use written::{list, quoted};

/// Where a machine's configuration lies.
const ETC: &str = "/etc/tecnico/config.toml";

/// Ask what is needed, try each answer out, and write a commented config
///
/// As root it writes /etc/tecnico/config.toml, for the service user of the Debian package; otherwise
/// into your own configuration folder; with --config where you say. The credentials are copied to
/// the folder `keys` beside it, readable by their owner alone, and a key for portal passwords is
/// made there. Nothing that exists is overwritten.
///
///     sudo tecnico init
///     tecnico --config ./config.toml init --answers answers.toml
///
/// A file of answers holds credentials and parent_folder, and where wanted subject, base_dir,
/// backend_url, command (an array), ledger and endpoint.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Take the answers from this TOML file and ask nothing
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
}

/// The configuration that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    config: String,
    /// The Google account it works as.
    account: String,
    /// The folder the keys were copied to.
    keys: String,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.init/1";
}

/// Runs `tecnico init`.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let target = std::path::absolute(target(context)?)?;
    if target.symlink_metadata().is_ok() {
        return Err(Failure::new(Exit::CannotCreate, "config_exists", format!("{} exists already; nothing was changed", target.display()))
            .hint("edit it, or move it away first; `tecnico doctor` says whether it works")
            .into());
    }
    let ready = match &args.answers {
        Some(file) => check(&Answers::read(file)?, &target).await?,
        None => ask(&target, context).await?,
    };
    write(&ready, &target)?;
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&Report { config: target.display().to_string(), account: ready.account, keys: keys_dir(&target).display().to_string() });
        return Ok(Exit::Done);
    }
    ui.say(format!("{} wrote {}", ui.good("✓"), target.display()));
    ui.say(format!("  next: `tecnico --config {} doctor`, then `tecnico create ana@example.com`", target.display()));
    Ok(Exit::Done)
}

/// Answers that were tried out.
struct Ready {
    text: String,
    credentials: PathBuf,
    account: String,
}

fn target(context: &Context) -> Result<PathBuf, Failure> {
    if let Some(path) = &context.global.config {
        return Ok(path.clone());
    }
    if rustix::process::geteuid().is_root() {
        return Ok(ETC.into());
    }
    config::users_folder(&|name| std::env::var(name).ok())
        .map(|h| h.join("tecnico/config.toml"))
        .ok_or_else(|| Failure::new(Exit::Usage, "usage", "there is no home to write to").hint("say where: --config FILE"))
}

fn keys_dir(target: &Path) -> PathBuf {
    target.with_file_name("keys")
}

/// The config these answers make, with the credentials where they lie now.
fn compose(answers: &Answers, credentials: &Path, shared_drive: Option<&FileId>, target: &Path) -> String {
    let path = |p: &Path| quoted(&std::path::absolute(p).unwrap_or_else(|_| p.to_owned()).display().to_string());
    let mut values = vec![
        ("drive.parent_folder_id", quoted(&folder_id(&answers.parent_folder))),
        ("drive.credentials", path(credentials)),
        ("drive.subject", quoted(&answers.subject)),
        ("drive.shared_drive_id", quoted(shared_drive.map_or("", FileId::as_str))),
        ("secrets.key_file", path(&keys_dir(target).join("segredo.key"))),
        ("callback.url", quoted(&answers.backend_url)),
        ("process.command", list(&answers.command)),
    ];
    values.extend(answers.base_dir.as_deref().map(|p| ("vm.base_dir", path(p))));
    // Another user than root has no business in /var/lib.
    let beside = (!target.starts_with("/etc")).then(|| target.with_file_name("ledger.db"));
    values.extend(answers.ledger.clone().or(beside).map(|p| ("ledger.path", path(&p))));
    values.extend(answers.endpoint.as_deref().map(|e| ("drive.endpoint", quoted(e))));
    written::config(&values)
}

/// The settings of a text, as a run would read them.
fn settings_of(text: &str) -> anyhow::Result<Settings> {
    let mut file = tempfile::Builder::new().prefix("tecnico-init.").suffix(".toml").tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(config::resolve(&Flags { config: Some(file.path().to_owned()), ..Flags::default() }, &|_| None)?)
}

/// Tries the answers out on Drive; the shared drive is the one the folder turns out to lie in.
async fn check(answers: &Answers, target: &Path) -> anyhow::Result<Ready> {
    if answers.credentials.as_os_str().is_empty() || answers.parent_folder.trim().is_empty() {
        return Err(Failure::new(Exit::Data, "answers_missing", "credentials and parent_folder are needed").into());
    }
    let mut settings = settings_of(&compose(answers, &answers.credentials, None, target))?;
    if !settings.base_dir.is_dir() && !settings.base_dir.parent().is_some_and(Path::is_dir) {
        let message = format!("{} does not exist, nor the folder above it", settings.base_dir.display());
        return Err(Failure::new(Exit::Config, "base_dir_missing", message).hint("make the folder above it, or mount its disk").into());
    }
    // Tokens of a trial are nobody's.
    let scratch = tempfile::tempdir()?;
    let drive = Drive::connect(&settings.drive, scratch.path()).await?;
    let account = drive.about().await?.email;
    let id =
        FileId::new(settings.drive.parent_folder_id.as_str()).map_err(|e| Failure::new(Exit::Data, "parent_invalid", e.to_string()))?;
    let shared_drive = drive.get(&id).await?.and_then(|folder| folder.drive_id);
    settings.drive.shared_drive_id = shared_drive.as_ref().map(ToString::to_string);
    if let Some(bad) = doctor::drive::parent(&drive, &settings.drive).await?.into_iter().find(|f| f.verdict == Verdict::Problem) {
        return Err(Failure::new(Exit::Refused, "parent_unusable", bad.message).hint(bad.fix.unwrap_or_default()).into());
    }
    if let Some(bad) = doctor::local::processor(&settings).into_iter().find(|f| f.verdict == Verdict::Problem) {
        return Err(Failure::new(Exit::Config, "processor_missing", bad.message).hint(bad.fix.unwrap_or_default()).into());
    }
    let kept = keys_dir(target).join("service-account.json");
    Ok(Ready { text: compose(answers, &kept, shared_drive.as_ref(), target), credentials: answers.credentials.clone(), account })
}

/// Asks a person, question by question, and again where an answer does not work.
async fn ask(target: &Path, context: &Context) -> anyhow::Result<Ready> {
    if context.global.no_input || !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, "no_terminal", "there is nobody to ask")
            .hint("give the answers in a file: --answers FILE")
            .into());
    }
    let ui = &context.ui;
    ui.note(format!("Five questions; the answers go to {}. Ctrl-C changes nothing.", target.display()));
    let mut answers = Answers::default();
    loop {
        let credentials = question("1/5  Key file of the service account (JSON)", &answers.credentials.display().to_string())?;
        answers.credentials = PathBuf::from(credentials.trim());
        answers.parent_folder = question("2/5  Drive folder that is to hold the trees (its address or id)", &answers.parent_folder)?;
        match check(&answers, target).await {
            Ok(ready) => {
                ui.note(format!("     {} may write there", ready.account));
                break;
            }
            Err(fault) => complain(&fault, context),
        }
    }
    loop {
        let base_dir = question("3/5  Folder on this machine for the technicians' files", "/srv/tecnicos")?;
        answers.base_dir = Some(PathBuf::from(base_dir.trim()));
        answers.command =
            words(&question("4/5  Program that judges a file ({path} is filled in; empty: none)", &answers.command.join(" "))?);
        let backend = question("5/5  Address of the backend (empty: nobody is told)", &answers.backend_url)?;
        backend.trim().clone_into(&mut answers.backend_url);
        match check(&answers, target).await {
            Ok(ready) => return Ok(ready),
            Err(fault) => complain(&fault, context),
        }
    }
}

fn question(prompt: &str, default: &str) -> anyhow::Result<String> {
    let mut input = Input::<String>::new().with_prompt(prompt).allow_empty(true);
    if !default.is_empty() {
        input = input.with_initial_text(default);
    }
    input.interact_text().context("no answer came")
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn complain(fault: &anyhow::Error, context: &Context) {
    context.ui.warn(format!("     {} {fault}", context.ui.bad("no:")));
    if let Some(hint) = crate::verdict::advice(fault).hint {
        context.ui.warn(format!("     fix: {hint}"));
    }
}

/// Writes the keys, then the config: who finds a config finds its keys. Everything belongs to the owner of its folder,
/// which is the service user where the package made the folder.
fn write(ready: &Ready, target: &Path) -> anyhow::Result<()> {
    let keys = keys_dir(target);
    if !keys.is_dir() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).with_context(|| format!("cannot make {}", keys.display()))?;
    }
    let credentials = std::fs::read(&ready.credentials).with_context(|| format!("cannot read {}", ready.credentials.display()))?;
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    let kept = keys.join("service-account.json");
    // One that is there is another account's, unless it is the very one.
    if !put(&kept, &credentials, 0o600)? && std::fs::read(&kept).ok().as_ref() != Some(&credentials) {
        let fault = Failure::new(Exit::CannotCreate, "credentials_exist", format!("{} exists already and is another key", kept.display()));
        return Err(fault.hint("move it away, or name it as the credentials").into());
    }
    put(&keys.join("segredo.key"), format!("{}\n", URL_SAFE.encode(key)).as_bytes(), 0o600)?;
    if !put(target, ready.text.as_bytes(), 0o640)? {
        return Err(Failure::new(Exit::CannotCreate, "config_exists", format!("{} appeared meanwhile", target.display())).into());
    }
    Ok(())
}

/// Makes a file that belongs to whom its folder belongs; `false` where there is one already, which stays.
fn put(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let cannot = || Failure::new(Exit::CannotCreate, "init_unwritable", format!("{} cannot be written", path.display()));
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
        Err(e) => return Err(cannot().because(e).into()),
    };
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| cannot().because(e))?;
    let folder = path.parent().unwrap_or(Path::new(".")).metadata()?;
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(true)
}
