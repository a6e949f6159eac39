//! `tecnico init`.

mod answers;
mod ask;
mod place;
mod service_user;
mod tried;
mod units;
mod written;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::owner::of_the_package;
use crate::config::places::{OF_THE_MACHINE, callback_key, is_of_the_machine, keys_dir};
use crate::config::{self, Settings};
use crate::context::Context;
use crate::document::Document;
use crate::domain::text::shell_word;
use crate::error::{Exit, Failure};
use crate::ui::Ui;
use answers::Answers;
use units::Note;

/// Ask what is needed, try each answer out, and write a commented config
///
/// As root it writes /etc/tecnico/config.toml, for the service user of the Debian package; otherwise
/// into your own configuration folder; with --config where you say. The credentials are copied to
/// the folder `keys` beside it, readable by their owner alone, and a key for portal passwords is
/// made there, and one that signs what the backend is told. The technicians' folder and the
/// ledger's are made for the service user, and where they are not those of the package the units of
/// systemd are let in by a drop-in, tecnico-paths.conf. Nothing else that exists is overwritten.
/// Ends with 1 where all is written but a unit stays shut out, which is told with the command that
/// lets it in.
///
///     sudo tecnico init
///     tecnico --config ./config.toml init --answers answers.toml
///
/// A file of answers holds credentials and parent_folder, and where wanted subject, base_dir,
/// backend_url, command (an array), ledger, endpoint, portal_key = false (make no key for portal
/// passwords), callback_key = false (sign nothing) and service_user = true (make the user tecnico and
/// its folders; as root).
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Take the answers from this TOML file and ask nothing
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Talk to an emulator at this address in place of Google's
    #[arg(long, value_name = "URL", conflicts_with = "answers")]
    endpoint: Option<String>,
}

/// The configuration that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    config: String,
    /// The Google account it works as.
    account: String,
    /// The folder the keys were copied to.
    keys: String,
    /// The drop-ins that were written, which let the units of systemd write to the folders.
    drop_ins: Vec<String>,
    /// What is not as it should be in spite of that.
    notes: Vec<Note>,
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
    let answers = match &args.answers {
        Some(file) => Answers::read(file)?,
        None => ask::ask(Answers { endpoint: args.endpoint.clone(), ..Answers::default() }, &target, context).await?,
    };
    let ready = tried::all(&answers, &target).await?;
    let whole_machine = sets_up_the_machine(&target);
    if answers.service_user || (whole_machine && of_the_package().is_some()) {
        service_user::make(&ready.settings, &target)?;
    }
    place::write(&ready, &answers, &target)?;
    let (drop_ins, note) = if whole_machine { units::let_in(Path::new("/"), &ready.settings) } else { (Vec::new(), None) };
    let exit = if note.is_none() { Exit::Done } else { Exit::NotClean };
    let text = |path: &Path| path.display().to_string();
    let report = Report {
        config: text(&target),
        account: ready.account,
        keys: text(&keys_dir(&target)),
        drop_ins: drop_ins.iter().map(|d| text(d)).collect(),
        notes: note.into_iter().collect(),
    };
    tell(&report, ready.signed, &target, &context.ui);
    Ok(exit)
}

/// `signed`: there is a key that the backend needs a copy of.
fn tell(report: &Report, signed: bool, target: &Path, ui: &Ui) {
    if ui.is_json() {
        return ui.json(report);
    }
    ui.say(format!("{} wrote {}", ui.good("✓"), report.config));
    for drop_in in &report.drop_ins {
        ui.say(format!("{} wrote {drop_in}: the unit may write to your folders", ui.good("✓")));
    }
    for note in &report.notes {
        ui.say(format!("{} {}", ui.bad("but"), note.message));
        ui.say(ui.dim(format!("    fix: {}", note.fix)));
    }
    if signed {
        ui.say(format!("  the backend verifies with the key in {}: give it a copy", callback_key(target).display()));
    }
    let (user, config) = if is_of_the_machine(target) {
        (of_the_package(), String::new())
    } else {
        (None, format!("--config {} ", shell_word(&report.config)))
    };
    let command = |rest: &str| {
        let command = format!("tecnico {config}{rest}");
        user.as_ref().map_or_else(|| command.clone(), |user| user.runs(&command))
    };
    let (doctor, create) = (command("doctor"), command("create 42 --email ana@example.com --name \"Ana Maria\""));
    ui.say(format!("  next: `{doctor}`, then `{create}`, with your backend's id for 42"));
}

/// Answers that were tried out.
struct Ready {
    text: String,
    credentials: PathBuf,
    account: String,
    /// Those that `text` makes.
    settings: Settings,
    /// Callbacks are signed, with the key at its place.
    signed: bool,
}

fn target(context: &Context) -> Result<PathBuf, Failure> {
    if let Some(path) = &context.global.config {
        return Ok(path.clone());
    }
    if rustix::process::geteuid().is_root() {
        return Ok(OF_THE_MACHINE.into());
    }
    config::users_folder(&|name| std::env::var(name).ok())
        .map(|h| h.join("tecnico/config.toml"))
        .ok_or_else(|| Failure::new(Exit::Usage, "usage", "there is no home to write to").hint("say where: --config FILE"))
}

/// Whether root is setting up the whole machine, with its services.
fn sets_up_the_machine(target: &Path) -> bool {
    rustix::process::geteuid().is_root() && is_of_the_machine(target)
}
