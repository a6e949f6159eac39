//! `tecnico demo`: the whole product in one command, against the embedded Drive.

mod trees;

use std::path::PathBuf;
use std::time::Instant;

use crate::context::{Context, Global};
use crate::error::{Exit, Failure};
use crate::provision::{Candidate, Outcome, Provisioner};

/// The technicians of the demo: the backend's id, the e-mail, the name. Two are called the same.
const TECHNICIANS: [(&str, &str, &str); 3] =
    [("42", "ana@example.com", "Ana Maria"), ("43", "joao@example.com", "João Silva"), ("44", "bea@example.com", "Ana Maria")];

/// See it all work: an embedded Drive, three technicians, both trees, no account.
///
/// Needs no account, no configuration and no network. Everything it makes stays in one
/// directory, which the commands it proposes at the end go on with.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to keep it [default: a new directory for temporary files]
    dir: Option<PathBuf>,
}

/// Runs `tecnico demo`.
pub async fn run(args: Args, outer: &Context) -> anyhow::Result<Exit> {
    let dir = match args.dir.or_else(|| outer.global.sandbox.clone()) {
        Some(dir) => dir,
        None => new_directory()?,
    };
    let context = Context::new(outer.ui.clone(), Global { sandbox: Some(dir.clone()), ..outer.global.clone() });
    let begun = Instant::now();
    let provisioner = context.provisioner().await?;
    people(&context)?;
    create(&provisioner, &context).await?;
    trees::show(&provisioner, &context)?;
    let meter = provisioner.drive.meter();
    let ui = &context.ui;
    ui.say("");
    ui.say(format!(
        "{} {} Drive calls, {} quota units, {} writes, {:.1} s",
        ui.bold("cost"),
        meter.calls,
        meter.units,
        meter.writes,
        begun.elapsed().as_secs_f32()
    ));
    next(&dir, &context);
    context.close().await;
    Ok(Exit::Done)
}

fn new_directory() -> anyhow::Result<PathBuf> {
    let made = tempfile::Builder::new().prefix("tecnico-demo-").tempdir().map_err(|e| {
        Failure::new(Exit::CannotCreate, "no_temporary_directory", "cannot make a directory for the demo")
            .hint("name one you may write to: `tecnico demo DIR`")
            .because(e)
    })?;
    Ok(made.keep())
}

/// The technicians have Google accounts, as real ones would.
fn people(context: &Context) -> anyhow::Result<()> {
    let control = context.embedded()?.control();
    for (_, email, _) in TECHNICIANS {
        control.user(email)?;
    }
    Ok(())
}

async fn create(provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<()> {
    let ui = &context.ui;
    ui.say(ui.bold("Three technicians, two of one name"));
    for (user, email, name) in TECHNICIANS {
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

fn next(dir: &std::path::Path, context: &Context) {
    let ui = &context.ui;
    let program = std::env::args().next().filter(|p| p.contains('/')).unwrap_or_else(|| "tecnico".to_owned());
    ui.say("");
    ui.say(ui.bold("Try next, on the same Drive"));
    for command in ["list", "check", "create rui@example.com", "share 42 --list"] {
        ui.say(format!("  {program} --sandbox {} {command}", dir.display()));
    }
}
