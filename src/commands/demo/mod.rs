//! `tecnico demo`: the whole product in one command, against the embedded Drive. No line is wider than a small terminal.

mod backend;
mod directory;
mod files;
mod trees;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use super::report::Cost;
use crate::agent::{Agent, tell};
use crate::callback::Client;
use crate::callback::payload::{Task, folders_done};
use crate::context::{Context, Global};
use crate::creation::{self, Made};
use crate::document::Document;
use crate::domain::clock;
use crate::domain::event::EventKind;
use crate::domain::text::shell_path;
use crate::drive::Meter;
use crate::embedded::Embedded;
use crate::error::Exit;
use crate::provision::{Candidate, Provisioner};
use backend::Backend;

/// The technicians of the demo: the backend's id, the e-mail, the name. Two are called the same.
const TECHNICIANS: [(&str, &str, &str); 3] =
    [("42", "ana@example.com", "Ana Maria"), ("43", "joao@example.com", "João Silva"), ("44", "bea@example.com", "Ana Maria")];

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
        Some(dir) => directory::fresh(dir)?,
        None => directory::temporary()?,
    };
    // Begun while the directory is empty; its settings come after that.
    drop(Embedded::open(&dir, 0, true).await?);
    files::write_processor(&dir)?;
    introduce(&dir, outer);
    let context = Context::new(outer.ui.clone(), Global { sandbox: Some(dir.clone()), ..outer.global.clone() }, false);
    let begun = Instant::now();
    let provisioner = context.provisioner().await?;
    let backend = Backend::start(&dir).await?;
    let agent = agent(&backend, &provisioner, &context).await?;
    create(&agent, &provisioner, &context).await?;
    let made = provisioner.drive.meter();
    let drops = files::drop_all(&provisioner, &context).await?;
    trees::show("Before", &provisioner, &context).await?;
    work::work(&dir, &agent, &drops, &context).await?;
    trees::show("After", &provisioner, &context).await?;
    files::explain(&context);
    backend.forge().await?;
    backend.show(&drops, &context);
    let meter = provisioner.drive.meter();
    cost(made, meter, begun, &context);
    if outer.ui.is_json() {
        outer.ui.json(&Report { dir: dir.display().to_string(), drive: meter.into() });
    }
    next(&dir, &context);
    context.close().await;
    Ok(Exit::Done)
}

/// What somebody who knows nothing has to know.
fn introduce(dir: &Path, context: &Context) {
    let ui = &context.ui;
    for line in [
        "Field technicians put work orders (PDF files) into a folder on Google Drive",
        "that is shared with them: novos, Portuguese for \"new ones\". tecnico takes each",
        "file to the company's server, the VM, and has the company's own program judge",
        "it. Then it files it, on Drive and on the VM alike, under processados",
        "(\"processed\") or erro (\"error\"), and tells the company's backend.",
        "",
        "Here Drive, VM and backend are small ones of the demo. Nothing leaves this",
        "machine; everything is in",
    ] {
        ui.say(line);
    }
    ui.say(ui.dim(dir.display()));
}

/// The agent as a configuration with this backend would make it. The address is not kept: the backend ends with the demo.
async fn agent(backend: &Backend, provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<Agent> {
    let mut settings = context.settings().await?.clone();
    settings.callback.url = Some(backend.url.clone());
    settings.callback.secret_file = Some(backend.secret_file.clone());
    let client = Client::new(&settings.callback)?;
    Ok(Agent::new(Arc::new(settings), provisioner.drive.clone(), provisioner.ledger.clone(), provisioner.base.clone(), client))
}

/// Does what the commands it prints would do.
async fn create(agent: &Agent, provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<()> {
    let ui = &context.ui;
    heading(1, "Three technicians get their folders, on Drive and on the VM", context);
    for (user, email, name) in TECHNICIANS {
        // They have Google accounts, as real ones would.
        context.embedded()?.control().user(email)?;
        let candidate = Candidate::parse(user, Some(email), Some(name), None)?;
        let Made { outcome, folders } = creation::create(provisioner, &candidate, None).await?;
        let technician = &outcome.prepared.technician;
        let done = creation::in_words(outcome.status);
        let payload = |job_id: &str| folders_done(Task { user_id: user, job_id, name }, done, &folders);
        tell(&agent.ledger, &agent.settings.callback, EventKind::Folders, &technician.user, None, clock::now(), payload).await?;
        ui.say(format!("  {} tecnico create {user} --email {email} --name \"{name}\"", ui.good("✓")));
        if let Some(taken) = &outcome.prepared.renumbered_from {
            ui.say(ui.dim(format!("    {taken} is somebody else's: this folder is called {}", technician.folder)));
        }
    }
    agent.deliver_due().await?;
    Ok(())
}

fn heading(number: u8, text: &str, context: &Context) {
    context.ui.say("");
    context.ui.say(context.ui.bold(format!("{number}. {text}")));
}

fn cost(made: Meter, all: Meter, begun: Instant, context: &Context) {
    let ui = &context.ui;
    let seconds = begun.elapsed().as_secs_f32();
    ui.say("");
    ui.say(format!(
        "{}: {} calls to Drive ({} for the technicians, {} for the files), {seconds:.1} s,",
        ui.bold("Cost"),
        all.calls,
        made.calls,
        all.calls - made.calls
    ));
    ui.say(format!("{} quota units (what Google counts by; it allows 325,000 a minute).", all.units));
}

/// What to try on the Drive that is left.
fn next(dir: &Path, context: &Context) {
    let ui = &context.ui;
    let program = std::env::args().next().filter(|p| p.contains('/')).unwrap_or_else(|| "tecnico".to_owned());
    let dir = shell_path(dir);
    ui.say("");
    ui.say(ui.bold("Try next, on the same Drive"));
    for (shows, command) in [
        ("what happened to a file, step by step", format!("--sandbox {dir} why 16517191.pdf")),
        ("be a technician: drop a file of yours, then let the agent take it", format!("sandbox {dir} drop 42 FILE")),
        ("", format!("--sandbox {dir} watch")),
    ] {
        if !shows.is_empty() {
            ui.say(ui.dim(format!("  # {shows}")));
        }
        ui.say(format!("  {program} {command}"));
    }
}
