//! `tecnico demo`: the whole product in one command, against the embedded Drive.

mod backend;
mod files;
mod trees;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use super::report::Cost;
use crate::agent::{Agent, CycleReport, Plan, Scope};
use crate::callback::Client;
use crate::context::{Context, Global};
use crate::document::Document;
use crate::domain::item::Outcome as Verdict;
use crate::error::{Exit, Failure};
use crate::provision::{Candidate, Outcome, Provisioner};
use backend::Backend;

/// The technicians of the demo: the backend's id, the e-mail, the name. Two are called the same.
const TECHNICIANS: [(&str, &str, &str); 3] =
    [("42", "ana@example.com", "Ana Maria"), ("43", "joao@example.com", "João Silva"), ("44", "bea@example.com", "Ana Maria")];

/// After so many cycles everything there is has been handled.
const CYCLES: usize = 5;

/// See it all work: an embedded Drive, technicians, work orders, callbacks; no account.
///
/// Needs no account, no configuration and no network. Three technicians drop files of every
/// kind into their novos; the agent handles them; a small backend receives the callbacks and
/// verifies them. Everything stays in one directory, which the commands it proposes at the
/// end go on with.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to keep it [default: a new directory for temporary files]
    dir: Option<PathBuf>,
}

/// Where the demo lies, and what it cost.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    dir: String,
    drive: Cost,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.demo/1";
}

/// Runs `tecnico demo`.
pub async fn run(args: Args, outer: &Context) -> anyhow::Result<Exit> {
    let dir = match args.dir.or_else(|| outer.global.sandbox.clone()) {
        Some(dir) => fresh(dir)?,
        None => new_directory()?,
    };
    files::write_processor(&dir)?;
    introduce(&dir, outer);
    let context = Context::new(outer.ui.clone(), Global { sandbox: Some(dir.clone()), ..outer.global.clone() });
    let begun = Instant::now();
    let provisioner = context.provisioner().await?;
    create(&provisioner, &context).await?;
    files::drop_all(&provisioner, &context).await?;
    trees::show("Before", &provisioner, &context)?;
    let backend = Backend::start(&dir).await?;
    work(&dir, &backend, &provisioner, &context).await?;
    trees::show("After", &provisioner, &context)?;
    files::explain(&context);
    backend.show(&context);
    let meter = provisioner.drive.meter();
    let ui = &context.ui;
    ui.say("");
    let seconds = begun.elapsed().as_secs_f32();
    ui.say(format!(
        "{}: {} Drive calls, {} quota units, {} of them writes, {seconds:.1} s",
        ui.bold("Cost"),
        meter.calls,
        meter.units,
        meter.writes
    ));
    if ui.is_json() {
        ui.json(&Report { dir: dir.display().to_string(), drive: meter.into() });
    }
    next(&dir, &context);
    context.close().await;
    Ok(Exit::Done)
}

/// What somebody who knows nothing has to know.
fn introduce(dir: &Path, context: &Context) {
    let ui = &context.ui;
    ui.say("Technicians put work orders into a folder on Google Drive called novos, the only one they may see. tecnico takes each file to");
    ui.say("the VM, has a program judge it, files it under processados or erro on both sides, and tells a backend.");
    ui.say(ui.dim(format!("Drive, VM and backend are small ones of this demo's own, in {}. Nothing leaves this machine.", dir.display())));
    ui.say("");
}

/// A directory of somebody's own is not written into.
fn fresh(dir: PathBuf) -> Result<PathBuf, Failure> {
    let refused = |why: String| {
        Failure::new(Exit::CannotCreate, "demo_directory", why).hint("name a directory that is not there yet: `tecnico demo DIR`")
    };
    match std::fs::read_dir(&dir).map(Iterator::count) {
        Ok(entries) if entries > 0 => Err(refused(format!("{} is not empty; the demo starts from nothing", dir.display()))),
        Ok(_) => Ok(dir),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => match std::fs::create_dir_all(&dir) {
            Ok(()) => Ok(dir),
            Err(e) => Err(refused(format!("cannot make {}", dir.display())).because(e)),
        },
        Err(e) => Err(refused(format!("cannot use {}", dir.display())).because(e)),
    }
}

fn new_directory() -> anyhow::Result<PathBuf> {
    let made = tempfile::Builder::new().prefix("tecnico-demo-").tempdir().map_err(|e| {
        Failure::new(Exit::CannotCreate, "no_temporary_directory", "cannot make a directory for the demo")
            .hint("name one you may write to: `tecnico demo DIR`")
            .because(e)
    })?;
    Ok(made.keep())
}

async fn create(provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<()> {
    let ui = &context.ui;
    let control = context.embedded()?.control();
    ui.say(ui.bold("Three technicians, two of one name"));
    for (user, email, name) in TECHNICIANS {
        // They have Google accounts, as real ones would.
        control.user(email)?;
        let candidate = Candidate::parse(user, Some(email), Some(name), None)?;
        let Outcome { prepared, applied, .. } = provisioner.create(&candidate, None, None).await?;
        if let Some(entry) = &applied.registry {
            provisioner.base.registry().upsert(entry)?;
        }
        let folder = &prepared.technician.folder;
        let told = prepared.renumbered_from.map(|taken| format!("  ({taken} is somebody else's)")).unwrap_or_default();
        ui.say(format!("  {} tecnico create {user} --email {email} --name \"{name}\"  →  {folder}{told}", ui.good("✓")));
    }
    Ok(())
}

/// Cycles until nothing is left to do, as `tecnico watch` would be run by a timer.
async fn work(dir: &Path, backend: &Backend, provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<()> {
    let ui = &context.ui;
    let mut settings = context.settings().await?.clone();
    settings.callback.url = Some(backend.url.clone());
    settings.callback.secret_file = Some(backend.secret_file.clone());
    let client = Client::new(&settings.callback)?;
    let agent = Agent::new(Arc::new(settings), provisioner.drive.clone(), provisioner.ledger.clone(), provisioner.base.clone(), client);
    for n in 1..=CYCLES {
        let plan = Plan::over(Scope::Everyone);
        let (report, ()) =
            tokio::try_join!(async { anyhow::Ok(agent.run_cycle(&plan).await?) }, files::replace_while_handled(dir, n, context))?;
        if report.is_quiet() && report.delivered == 0 {
            break;
        }
        ui.say("");
        ui.say(format!("{}  {}", ui.bold(format!("tecnico watch, cycle {n}")), ui.dim(format!("{} Drive calls", report.drive.calls))));
        tell(&report, context);
    }
    Ok(())
}

fn tell(report: &CycleReport, context: &Context) {
    let ui = &context.ui;
    for line in &report.filed {
        let word = format!("{:<11}", line.outcome.as_str());
        let word = if line.outcome == Verdict::Processado { ui.good(word) } else { ui.bad(word) };
        let reason = line.reason.as_deref().map(|r| ui.dim(format!("  {}", r.escape_debug()))).unwrap_or_default();
        ui.say(format!("  {word} {}  {}{reason}", line.user, line.name.escape_debug()));
    }
    for fault in &report.faults {
        ui.say(format!("  {} {}", ui.bad("error"), fault.failure));
    }
}

fn next(dir: &Path, context: &Context) {
    let ui = &context.ui;
    let program = std::env::args().next().filter(|p| p.contains('/')).unwrap_or_else(|| "tecnico".to_owned());
    ui.say("");
    ui.say(ui.bold("Try next, on the same Drive"));
    for (command, shows) in [
        ("why 16517191.pdf", "what happened to a file, step by step"),
        ("status", "whether all is well"),
        ("check", "whether both trees and the shares are as they should be"),
        ("create rui@example.com", "one more technician"),
        ("share 42 --list", "who has access to a novos"),
    ] {
        ui.say(format!("  {program} --sandbox {} {command:<24}{}", dir.display(), ui.dim(shows)));
    }
}
