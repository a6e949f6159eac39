//! `tecnico rename`.

use schemars::JsonSchema;
use serde::Serialize;

use super::check;
use super::folder_event::{self, JobArgs};
use super::report::Cost;
use crate::callback::payload::{Attempt, Done, Folders};
use crate::context::Context;
use crate::creation::folders;
use crate::document::Document;
use crate::domain::technician::Email;
use crate::error::{Exit, Failure};
use crate::ledger::Technician;
use crate::provision::{Changes, Provisioner, Renamed};

/// Give a technician another name or e-mail, with their folders and their access
///
/// The name renames both trees; a name that is taken gets a number, as with create. The e-mail moves
/// the access to novos: the new address has it before the old one loses it. Ids, files and
/// credenciais.json stay. The same command again changes nothing, and finishes what was cut off.
///
///     tecnico rename 42 --name "Ana Souza"
///     tecnico rename 42 --email ana.souza@example.com
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, group(clap::ArgGroup::new("change").args(["name", "email"]).required(true).multiple(true)))]
pub struct Args {
    /// The technician
    user: String,
    /// The new full name
    #[arg(long)]
    name: Option<String>,
    /// The new address
    #[arg(long, value_name = "E-MAIL")]
    email: Option<String>,
    /// Say what would be done and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    job: JobArgs,
}

/// A technician under another name or address.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    user: String,
    changed: bool,
    name: String,
    email: Option<String>,
    folder: String,
    former_name: String,
    former_email: Option<String>,
    former_folder: String,
    #[serde(flatten)]
    folders: Folders,
    drive: Cost,
}

/// What a rename would do.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DryRun {
    user: String,
    /// Sentences for people.
    steps: Vec<String>,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.rename/1";
}

impl Document for DryRun {
    const SCHEMA: &'static str = "tecnico.rename.plan/1";
}

/// Runs `tecnico rename`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let provisioner = context.provisioner().await?;
    let technician = check::known(&args.user, &provisioner).await?;
    let email = args.email.as_deref().map(|text| {
        Email::parse(text).map_err(|why| Failure::new(Exit::Data, "email_invalid", why).hint("nothing was changed; give another --email"))
    });
    let changes = Changes { name: args.name.clone(), email: email.transpose()? };
    if args.dry_run {
        return dry_run(&technician, &changes, &provisioner, context).await;
    }
    let job = args.job.job(&provisioner.settings.callback)?;
    let renamed = provisioner.rename(&technician, &changes).await;
    let told = match &renamed {
        Ok(renamed) => {
            let report = report(renamed, &provisioner)?;
            if report.changed || job.is_some() {
                let done = if report.changed { Done::Renamed } else { Done::Unchanged };
                folder_event::done(context, job.as_ref(), &technician.user, &report.name, done, &report.folders).await?;
                provisioner.renamed(&technician.user).await?;
            }
            Some(report)
        }
        Err(fault) => {
            folder_event::failed(context, job.as_ref(), &technician.user, &technician.name, Attempt::Rename, fault).await;
            None
        }
    };
    folder_event::send(context).await;
    let renamed = renamed?;
    if let Some(report) = told {
        tell(&report, &renamed, context);
    }
    Ok(Exit::Done)
}

fn report(renamed: &Renamed, provisioner: &Provisioner<'_>) -> anyhow::Result<Report> {
    let (before, now) = (&renamed.before, &renamed.prepared.technician);
    let is_other = |a: &Technician, b: &Technician| (&a.name, &a.email, &a.folder) != (&b.name, &b.email, &b.folder);
    Ok(Report {
        user: now.user.to_string(),
        // What an earlier run did and never told counts as this one's.
        changed: renamed.applied.changed || is_other(before, now) || before.renaming_at.is_some(),
        name: now.name.clone(),
        email: now.email.as_ref().map(ToString::to_string),
        folder: now.folder.clone(),
        former_name: before.name.clone(),
        former_email: before.email.as_ref().map(ToString::to_string),
        former_folder: before.folder.clone(),
        folders: folders(&renamed.prepared, renamed.applied.novos_link.clone(), renamed.applied.shared, provisioner)?,
        drive: provisioner.drive.meter().into(),
    })
}

async fn dry_run(technician: &Technician, changes: &Changes, provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<Exit> {
    let then = provisioner.preview_rename(technician, changes).await?;
    let mut steps = Vec::new();
    if then.folder != technician.folder {
        steps.push(format!("rename {} to {} on Drive and on the VM", technician.folder, then.folder));
    }
    if then.name != technician.name {
        steps.push(format!("call {} {:?} instead of {:?}", technician.user, then.name, technician.name));
    }
    if let Some(email) = then.email.as_ref().filter(|_| then.email != technician.email) {
        steps.push(format!("share novos with {email}"));
        steps.extend(technician.email.as_ref().map(|old| format!("then take novos from {old}")));
    }
    if context.ui.is_json() {
        context.ui.json(&DryRun { user: technician.user.to_string(), steps });
        return Ok(Exit::Done);
    }
    for step in &steps {
        context.ui.say(format!("would {step}"));
    }
    if steps.is_empty() {
        context.ui.say(format!("{}: nothing to do", technician.user));
    }
    Ok(Exit::Done)
}

fn tell(report: &Report, renamed: &Renamed, context: &Context) {
    let ui = &context.ui;
    if let Some(wanted) = &renamed.renumbered_from {
        ui.note(format!("note: the folder {wanted} is somebody else's; {} got {}", report.user, report.folder));
    }
    if ui.is_json() {
        return ui.json(report);
    }
    let word = if report.changed { "renamed" } else { "unchanged" };
    ui.say(format!("{} {} ({}): {}", ui.good("✓"), report.folder, report.user, ui.bold(word)));
    ui.say(format!("  VM      {}", report.folders.vm_folders.user_folder));
    ui.say(format!("  Drive   {}", report.folders.drive_folders.user_folder_id));
    if let Some(email) = &report.email {
        ui.say(format!("  novos   {}  shared with {email}", context.shown_link(&report.folders.drive_folders.novos_folder_link)));
    }
    ui.say(ui.dim(format!("  {}", report.drive)));
}
