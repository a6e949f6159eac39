//! `tecnico remove`.

use schemars::JsonSchema;
use serde::Serialize;

use super::check;
use super::folder_event::{self, JobArgs};
use super::report::Cost;
use crate::agent::{Agent, Plan, Scope};
use crate::callback::payload::{Attempt, Done, Folders};
use crate::context::Context;
use crate::creation::folders;
use crate::document::Document;
use crate::domain::clock::rfc3339;
use crate::domain::text::visible;
use crate::error::{Exit, Failure};
use crate::ledger::{Lock, Technician};
use crate::provision::{Drift, Problem, Provisioner, Removed};

/// Take a technician out: end what is pending, take all access away, put both trees into the archive
///
/// Nothing is deleted: the tree goes to the folder of layout.archive, on Drive and on the VM, and
/// `tecnico create USER` brings it back. What cannot come to an end now stops the removal (75);
/// run it again. It ends with 0 only when Drive itself says that nobody outside has access.
///
///     tecnico remove 42 --dry-run
///     tecnico remove 42 --confirm 42
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The technician
    user: String,
    /// The same user id again, against a slip of the hand
    #[arg(long, value_name = "USER", conflicts_with = "dry_run")]
    confirm: Option<String>,
    /// Say what would be done and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    job: JobArgs,
}

/// A technician who is out, as Drive was read back.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    user: String,
    name: String,
    folder: String,
    /// `removed`, or `unchanged` where they were already.
    status: &'static str,
    removed_at: Option<String>,
    /// The tree's name in the archive on Drive, and the archive's id.
    archived_as: Option<String>,
    archive_folder_id: Option<String>,
    revoked: Vec<Revoked>,
    /// Files in the tree that belong to somebody outside: Drive lets nobody take those.
    owned_by_others: Vec<Owner>,
    /// What lies in the archived novos unprocessed.
    waiting_in_novos: Vec<String>,
    #[serde(flatten)]
    folders: Folders,
    drive: Cost,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Revoked {
    who: String,
    role: String,
    on: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Owner {
    who: String,
    items: usize,
}

/// What a removal would do.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DryRun {
    user: String,
    /// Files known to be under way, which would end first.
    pending: Vec<String>,
    steps: Vec<Step>,
    drive: Cost,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    problem: &'static str,
    place: String,
    message: String,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.remove/1";
}

impl Document for DryRun {
    const SCHEMA: &'static str = "tecnico.remove.plan/1";
}

/// Runs `tecnico remove`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let provisioner = context.provisioner().await?;
    let technician = check::recorded(&args.user, &provisioner).await?;
    if args.dry_run {
        return dry_run(&technician, &provisioner, context).await;
    }
    if args.confirm.as_deref() != Some(technician.user.as_str()) {
        return Err(unconfirmed(&args, &technician, &provisioner).await?.into());
    }
    let job = args.job.job(&provisioner.settings.callback)?;
    let agent = context.agent().await?;
    let removed = provisioner.remove(&technician.user, async |lock| drain(&agent, &technician, lock).await).await;
    let told = match &removed {
        Ok(removed) => {
            let now = &removed.prepared.technician;
            let report = report(removed, &provisioner)?;
            if removed.changed || job.is_some() {
                folder_event::done(context, job.as_ref(), &now.user, &now.name, Done::Removed, &report.folders).await?;
            }
            provisioner.removed(removed).await?;
            Some(report)
        }
        Err(fault) => {
            folder_event::failed(context, job.as_ref(), &technician.user, &technician.name, Attempt::Remove, fault).await;
            None
        }
    };
    folder_event::send(context).await;
    removed?;
    if let Some(report) = told {
        tell(&report, context);
    }
    Ok(Exit::Done)
}

/// A cycle over their novos alone. What went wrong with all of it stops the removal; what one file waits for is looked up
/// in the ledger afterwards.
async fn drain(agent: &Agent, technician: &Technician, lock: &Lock) -> anyhow::Result<()> {
    let plan = Plan { wait_for_settling: true, ..Plan::over(Scope::Users(vec![technician.user.clone()])) };
    let report = agent.run_cycle_under(lock, &plan).await?;
    // A tree that was never whole has nothing to end.
    let mut faults = report.faults.into_iter().filter(|fault| fault.failure.code() != "folders_not_made");
    match faults.find(|fault| fault.systemic || fault.failure.code() == "novos_gone") {
        Some(fault) => Err(fault.failure.into()),
        None => Ok(()),
    }
}

async fn unconfirmed(args: &Args, technician: &Technician, provisioner: &Provisioner<'_>) -> anyhow::Result<Failure> {
    let (user, archive) = (technician.user.typed(), &provisioner.settings.layout.archive);
    let pending = provisioner.ledger.open_items(Some(&technician.user)).await?.len();
    let why = match &args.confirm {
        Some(other) => format!("--confirm says {other:?}, not {:?}", technician.user.as_str()),
        None => "a removal must be confirmed".to_owned(),
    };
    let message = format!(
        "{why}; it would end what is pending ({pending} files known), take all access to {} away, and move it to {archive} on Drive and on \
         the VM. Nothing was changed",
        technician.folder
    );
    let hint = format!("`tecnico remove {user} --confirm {user}`; with --dry-run it says all it would do");
    Ok(Failure::new(Exit::Usage, "not_confirmed", message).hint(hint))
}

async fn dry_run(technician: &Technician, provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<Exit> {
    let plan = provisioner.preview_removal(technician).await?;
    let pending: Vec<String> = provisioner.ledger.open_items(Some(&technician.user)).await?.into_iter().map(|i| i.sighted.name).collect();
    if context.ui.is_json() {
        let step = |d: &Drift| Step { problem: d.problem.code(), place: d.place.clone(), message: d.sentence() };
        let steps = plan.drifts.iter().map(step).collect();
        context.ui.json(&DryRun { user: technician.user.to_string(), pending, steps, drive: provisioner.drive.meter().into() });
        return Ok(Exit::Done);
    }
    for name in &pending {
        context.ui.say(format!("would end first: {}", visible(name)));
    }
    for drift in &plan.drifts {
        context.ui.say(format!("would change: {}", drift.sentence()));
    }
    if plan.drifts.is_empty() && pending.is_empty() {
        context.ui.say(format!("{}: nothing to do", technician.user));
    }
    Ok(Exit::Done)
}

fn report(removed: &Removed, provisioner: &Provisioner<'_>) -> anyhow::Result<Report> {
    let technician = &removed.prepared.technician;
    let revoked = removed.revoked.iter().filter_map(|drift| match &drift.problem {
        Problem::Access { on, role, .. } => Some(Revoked { who: drift.place.clone(), role: role.clone(), on: on.clone() }),
        _ => None,
    });
    Ok(Report {
        user: technician.user.to_string(),
        name: technician.name.clone(),
        folder: technician.folder.clone(),
        status: if removed.changed { "removed" } else { "unchanged" },
        removed_at: technician.removed_at.map(rfc3339),
        archived_as: removed.archived.as_ref().map(|(_, name)| name.clone()),
        archive_folder_id: removed.archived.as_ref().map(|(id, _)| id.to_string()),
        revoked: revoked.collect(),
        owned_by_others: removed.owners.iter().map(|(who, items)| Owner { who: who.clone(), items: *items }).collect(),
        waiting_in_novos: removed.waiting.clone(),
        folders: folders(&removed.prepared, None, false, provisioner)?,
        drive: provisioner.drive.meter().into(),
    })
}

fn tell(report: &Report, context: &Context) {
    let ui = &context.ui;
    for owner in &report.owned_by_others {
        ui.note(format!(
            "note: {} of the files in the tree belong to {} and stay visible to their owner: Drive lets nobody take a file from its owner",
            owner.items, owner.who
        ));
    }
    if !report.waiting_in_novos.is_empty() {
        ui.note(format!(
            "note: {} lie in the archived novos and are not processed; `tecnico create {}` brings everything back",
            report.waiting_in_novos.len(),
            report.user
        ));
    }
    if ui.is_json() {
        return ui.json(report);
    }
    ui.say(format!("{} {} ({}): {}", ui.good("✓"), report.folder, report.user, ui.bold(report.status)));
    let mut who: Vec<&str> = report.revoked.iter().map(|r| r.who.as_str()).collect();
    who.sort_unstable();
    who.dedup();
    let taken = if who.is_empty() { String::new() } else { format!("taken from {}; ", who.join(", ")) };
    ui.say(format!("  access  {taken}read back from Drive: nobody outside has any"));
    ui.say(format!("  VM      {}", report.folders.vm_folders.user_folder));
    if let Some(name) = &report.archived_as {
        ui.say(format!("  Drive   {name} in the archive  {}", report.folders.drive_folders.user_folder_id));
    }
    ui.say(ui.dim(format!("  {}", report.drive)));
}
