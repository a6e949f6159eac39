//! `tecnico import`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::report::Cost;
use crate::context::Context;
use crate::document::Document;
use crate::domain::text::count;
use crate::error::{Exit, Failure};
use crate::fs_layout::{Entry as RegistryEntry, Registry, registry};
use crate::ledger::{Draft, is_missing};
use crate::provision::{Found, Provisioner};

/// Adopt the technicians and trees of an existing tecnicos.json.
///
/// Every tree is taken over by the ids in the file: nothing is made a second time. The folders
/// get tecnico's mark, what is missing is made. A technician is known by their e-mail until
/// `tecnico create ID --email …` names the backend's id. Try it first with --dry-run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tecnicos.json to read
    file: PathBuf,
    /// Say what would be adopted and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What became of each entry of a `tecnicos.json`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    dry_run: bool,
    rows: Vec<Row>,
    drive: Cost,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    name: String,
    user: Option<String>,
    #[schemars(extend("enum" = ["adopted", "adoptable", "unchanged", "failed"]))]
    status: &'static str,
    message: String,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.import/1";
}

impl Args {
    /// Whether nothing is to be done.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

/// Runs `tecnico import`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    // Here a ledger may begin, though tecnicos.json has entries; not by looking.
    let looking;
    let ledger = if args.dry_run && is_missing(&context.settings().await?.ledger_path) {
        looking = Draft::for_looking().await?;
        looking.ledger()
    } else {
        context.first_ledger().await?
    };
    let provisioner = context.provisioner_on(ledger).await?;
    let text = std::fs::read_to_string(&args.file).map_err(|e| {
        Failure::new(Exit::Data, "import_unreadable", format!("cannot read {}", args.file.display()))
            .hint("name the tecnicos.json of the old system, as this user may read it")
            .because(e)
    })?;
    let entries = registry::parse(&text, &args.file)?;
    let bar = context.ui.progress(entries.len() as u64, "importing");
    let mut rows = Vec::with_capacity(entries.len());
    for entry in &entries {
        rows.push(match row(entry, &args, &provisioner).await {
            Ok(row) => row,
            Err(fault) => Row { name: entry.nome.clone(), user: None, status: "failed", message: format!("{fault:#}") },
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !args.dry_run {
        settle_mode(&provisioner.base.registry(), provisioner.base.modes().file, context)?;
    }
    let failed = rows.iter().any(|r| r.status == "failed");
    let report = Report { dry_run: args.dry_run, rows, drive: provisioner.drive.meter().into() };
    if context.ui.is_json() {
        context.ui.json(&report);
    } else {
        for row in &report.rows {
            let status = if row.status == "failed" { context.ui.bad(row.status) } else { context.ui.good(row.status) };
            context.ui.say(format!("{status} {}: {}", row.name, row.message));
        }
        context.ui.say(context.ui.dim(report.drive));
    }
    Ok(if failed { Exit::NotClean } else { Exit::Done })
}

async fn row(entry: &RegistryEntry, args: &Args, provisioner: &Provisioner<'_>) -> anyhow::Result<Row> {
    let found = provisioner.find_registered(entry).await?;
    let row =
        |found: &Found, status, message| Row { name: entry.nome.clone(), user: Some(found.candidate.user.to_string()), status, message };
    if let Some(known) = &found.known {
        return Ok(row(&found, "unchanged", format!("already known as {}", known.user)));
    }
    let standing = found.tree.len();
    let missing = provisioner.settings.layout.drive_folders().len() - standing;
    let modes = other_modes(&found, provisioner, args.dry_run)?;
    if args.dry_run {
        return Ok(row(&found, "adoptable", format!("{standing} folders on Drive would be adopted, {missing} made{modes}")));
    }
    let (_, applied) = provisioner.adopt(&found).await?;
    if let Some(entry) = &applied.registry {
        provisioner.base.registry().upsert(entry)?;
    }
    Ok(row(&found, "adopted", format!("{standing} folders on Drive adopted, {missing} made{modes}")))
}

/// What is said of folders on the VM that other programs may not be able to use afterwards.
fn other_modes(found: &Found, provisioner: &Provisioner<'_>, dry_run: bool) -> anyhow::Result<String> {
    let wants = provisioner.base.modes().folder;
    let there = provisioner.base.tree(&found.candidate.wanted.folder)?.observe(&provisioner.settings.layout.local_folders())?;
    let modes: Vec<String> = there.iter().filter_map(|f| f.mode).filter(|m| *m != wants).map(|m| format!("{m:04o}")).collect();
    if modes.is_empty() {
        return Ok(String::new());
    }
    let (folders, distinct) = (count(modes.len() as u64, "folder", "folders"), modes.into_iter().collect::<BTreeSet<_>>());
    let became = if dry_run { "would become" } else { "became" };
    let modes = distinct.into_iter().collect::<Vec<_>>().join(" and ");
    Ok(format!("; the mode of {folders} on the VM, {modes}, {became} {wants:04o} (vm.folder_mode)"))
}

/// `tecnicos.json` as the old system left it gets the mode it will have.
fn settle_mode(registry: &Registry, wants: u32, context: &Context) -> Result<(), Failure> {
    let Some(mode) = registry.mode()?.filter(|m| *m != wants) else { return Ok(()) };
    registry.fix_mode()?;
    context.ui.note(format!("the mode of {}, {mode:04o}, became {wants:04o} (vm.file_mode)", registry.path().display()));
    Ok(())
}
