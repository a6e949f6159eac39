//! `tecnico init`.

mod answers;
mod ask;
mod place;
mod service_user;
mod tried;
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
/// made there. Nothing that exists is overwritten.
///
///     sudo tecnico init
///     tecnico --config ./config.toml init --answers answers.toml
///
/// A file of answers holds credentials and parent_folder, and where wanted subject, base_dir,
/// backend_url, command (an array), ledger, endpoint, portal_key = false (make no key for portal
/// passwords) and service_user = true (make the user tecnico and its folders; as root).
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
    if answers.service_user {
        service_user::make(&ready.base_dir, &target)?;
    }
    place::write(&ready, answers.portal_key, &target)?;
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&Report { config: target.display().to_string(), account: ready.account, keys: keys_dir(&target).display().to_string() });
        return Ok(Exit::Done);
    }
    ui.say(format!("{} wrote {}", ui.good("✓"), target.display()));
    let sudo = if service_user::exists() && target == Path::new(ETC) { "sudo -u tecnico " } else { "" };
    let config = if target == Path::new(ETC) { String::new() } else { format!("--config {} ", target.display()) };
    ui.say(format!("  next: `{sudo}tecnico {config}doctor`, then `{sudo}tecnico {config}create ana@example.com`"));
    Ok(Exit::Done)
}

/// Answers that were tried out.
struct Ready {
    text: String,
    credentials: PathBuf,
    account: String,
    base_dir: PathBuf,
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
