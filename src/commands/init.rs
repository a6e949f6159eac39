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

use crate::config;
use crate::context::Context;
use crate::document::Document;
use crate::error::{Exit, Failure};
use answers::Answers;

/// Where a machine's configuration lies.
const ETC: &str = "/etc/tecnico/config.toml";

/// Ask what is needed, try each answer out, and write a commented config
///
/// As root it writes /etc/tecnico/config.toml, for the service user of the Debian package; otherwise
/// into your own configuration folder; with --config where you say. The credentials are copied to
/// the folder `keys` beside it, readable by their owner alone, and a key for portal passwords is
/// made there, and one that signs what the backend is told. The technicians' folder is made for the
/// service user, and where it is not /srv/tecnicos the units of systemd are let in by a drop-in.
/// Nothing that exists is overwritten.
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
    if answers.service_user || service_user::is_at_home(&target) {
        service_user::make(&ready.base_dir, &target)?;
    }
    let let_in = units::let_in(&ready, &target)?;
    place::write(&ready, &answers, &target)?;
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&Report { config: target.display().to_string(), account: ready.account, keys: keys_dir(&target).display().to_string() });
        return Ok(Exit::Done);
    }
    ui.say(format!("{} wrote {}", ui.good("✓"), target.display()));
    for drop_in in let_in {
        ui.say(format!("{} wrote {}: the unit may write to your folders", ui.good("✓"), drop_in.display()));
    }
    if ready.signed {
        ui.say(format!("  the backend verifies with the key in {}: give it a copy", callback_key(&target).display()));
    }
    let sudo = if service_user::exists() && target == Path::new(ETC) { "sudo -u tecnico " } else { "" };
    let config = if target == Path::new(ETC) { String::new() } else { format!("--config {} ", target.display()) };
    let create = "create 42 --email ana@example.com --name \"Ana Maria\"";
    ui.say(format!("  next: `{sudo}tecnico {config}doctor`, then `{sudo}tecnico {config}{create}`, with your backend's id for 42"));
    Ok(Exit::Done)
}

/// Answers that were tried out.
struct Ready {
    text: String,
    credentials: PathBuf,
    account: String,
    base_dir: PathBuf,
    ledger: PathBuf,
    /// Callbacks are signed, with the key at its place.
    signed: bool,
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

/// The key that portal passwords are encrypted with.
fn portal_key(target: &Path) -> PathBuf {
    keys_dir(target).join("segredo.key")
}

/// The key that signs callbacks.
fn callback_key(target: &Path) -> PathBuf {
    keys_dir(target).join("callback.secret")
}
