//! `tecnico check`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::folder_event;
use super::report::Cost;
use crate::callback::payload::Done;
use crate::context::Context;
use crate::creation::folders;
use crate::document::Document;
use crate::domain::clock::rfc3339;
use crate::domain::technician::UserId;
use crate::domain::text::{count, shell_path};
use crate::error::{Exit, Failure};
use crate::ledger::Technician;
use crate::provision::{Drift, Prepared, Problem, Provisioner};
use crate::verdict::advice;

/// Say what is missing or wrong, for one technician or all; --repair puts it right.
///
/// Compares what is wanted with what is on Drive and on the VM: folders missing, trashed,
/// moved, renamed or twice there; novos not shared, or shared with somebody nobody asked for;
/// the local tree and its modes; tecnicos.json. One line a finding, with the command that mends
/// it. Ends with 1 when something is left that differs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The technicians to check [default: all]
    users: Vec<String>,
    /// Put right what can be put right
    #[arg(long)]
    repair: bool,
    /// With --repair: only say what would be put right
    #[arg(long, requires = "repair")]
    dry_run: bool,
    /// With --repair: make the folders on the VM anew although none is left there. They are lost for good, and no disk is
    /// only not mounted
    #[arg(long, requires = "repair")]
    anew: bool,
}

/// What differs from what is wanted, on Drive and on the VM.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    checked: usize,
    findings: Vec<Finding>,
    repaired: usize,
    left: usize,
    drive: Cost,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Finding {
    user: String,
    folder: String,
    problem: &'static str,
    place: String,
    message: String,
    fix: String,
    repaired: bool,
    /// Why its repair failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.check/1";
}

/// Runs `tecnico check`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    if args.anew {
        context.new_base().await?;
    }
    let provisioner = context.provisioner().await?;
    let technicians = wanted(&args.users, &provisioner, context).await?;
    let mut prepared = Vec::with_capacity(technicians.len());
    for technician in technicians {
        prepared.push(provisioner.known(technician).await?);
    }
    let plans = provisioner.plans(&prepared).await?;
    let mut findings = Vec::new();
    let mut told = false;
    for (one, mut plan) in prepared.iter_mut().zip(plans) {
        plan.drifts.extend(untold(&one.technician, &provisioner));
        let repairable = plan.drifts.iter().any(|d| d.problem.is_repairable());
        let tried = if args.repair && !args.dry_run && repairable { Some(repair(one, &provisioner, context).await) } else { None };
        told |= matches!(tried, Some(Ok(true)));
        findings.extend(plan.drifts.iter().map(|drift| finding(one, drift, tried.as_ref())));
    }
    if told {
        folder_event::send(context).await;
    }
    if args.users.is_empty() {
        findings.extend(unknown_entries(&provisioner).await?);
        findings.extend(registry_mode(&provisioner, args.repair && !args.dry_run)?);
    }
    let repaired = findings.iter().filter(|f| f.repaired).count();
    let report =
        Report { checked: prepared.len(), repaired, left: findings.len() - repaired, findings, drive: provisioner.drive.meter().into() };
    let users: BTreeSet<String> = prepared.iter().map(|one| one.technician.user.to_string()).collect();
    tell(&report, &users, &args, context);
    Ok(if report.left == 0 { Exit::Done } else { Exit::NotClean })
}

async fn wanted(users: &[String], provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<Vec<Technician>> {
    if users.is_empty() {
        let mut technicians = provisioner.ledger.technicians().await?;
        let half_way = provisioner.ledger.unfinished_removals().await?;
        technicians.extend(half_way.into_iter().filter(|t| t.removed_at.is_some()));
        return Ok(technicians);
    }
    let mut technicians = Vec::new();
    for user in users {
        let technician = recorded(user, provisioner).await?;
        match technician.removed_at {
            Some(at) if technician.removing_at.is_none() => {
                context.ui.note(format!("note: {user} was removed on {}; nothing of theirs is checked", rfc3339(at)));
            }
            _ => technicians.push(technician),
        }
    }
    Ok(technicians)
}

/// The technician in service of a user id typed by somebody.
pub(super) async fn known(user: &str, provisioner: &Provisioner<'_>) -> anyhow::Result<Technician> {
    let technician = recorded(user, provisioner).await?;
    if technician.removed_at.is_some() { provisioner.in_service(&technician).await } else { Ok(technician) }
}

/// The technician of a user id typed by somebody, removed or not.
pub(super) async fn recorded(user: &str, provisioner: &Provisioner<'_>) -> anyhow::Result<Technician> {
    let unknown = || {
        Failure::new(Exit::Data, "user_unknown", format!("there is no technician {user:?}"))
            .hint(format!("`tecnico list` shows who there is; `tecnico create {user}` makes one"))
    };
    let id = UserId::parse(user).map_err(|_| unknown())?;
    provisioner.may_touch(&id)?;
    Ok(provisioner.ledger.technician(&id).await?.ok_or_else(unknown)?)
}

/// A rename that died before the backend was told, where there is one to tell.
fn untold(technician: &Technician, provisioner: &Provisioner<'_>) -> Option<Drift> {
    let is_untold = technician.renaming_at.is_some() && technician.removing_at.is_none() && provisioner.settings.callback.url.is_some();
    is_untold.then(|| Drift { place: technician.folder.clone(), problem: Problem::RenameUntold })
}

/// Puts one technician right; whether the backend is told of something.
async fn repair(one: &mut Prepared, provisioner: &Provisioner<'_>, context: &Context) -> anyhow::Result<bool> {
    let applied = provisioner.repair(one).await?;
    if let Some(entry) = &applied.registry {
        provisioner.base.registry().upsert(entry)?;
    }
    if one.technician.renaming_at.is_none() {
        return Ok(false);
    }
    let folders = folders(one, applied.novos_link, applied.shared, provisioner)?;
    folder_event::done(context, None, &one.technician.user, &one.technician.name, Done::Renamed, &folders).await?;
    provisioner.renamed(&one.technician.user).await?;
    Ok(true)
}

/// A repair that failed has put right an unknown part: all of it counts as left.
fn finding(one: &Prepared, drift: &Drift, tried: Option<&anyhow::Result<bool>>) -> Finding {
    let user = one.technician.user.to_string();
    let fault = tried.and_then(|t| t.as_ref().err()).filter(|_| drift.problem.is_repairable());
    let repaired = matches!(tried, Some(Ok(_))) && drift.problem.is_repairable();
    Finding {
        fix: fault.and_then(|f| advice(f).hint).unwrap_or_else(|| drift.fix(&one.technician.user)),
        error: fault.map(|f| format!("{f:#}")),
        user,
        folder: one.technician.folder.clone(),
        problem: drift.problem.code(),
        place: drift.place.clone(),
        message: drift.sentence(),
        repaired,
    }
}

/// Entries of `tecnicos.json` that nobody here knows: left by the old system.
async fn unknown_entries(provisioner: &Provisioner<'_>) -> anyhow::Result<Vec<Finding>> {
    let registry = provisioner.base.registry();
    let mut findings = Vec::new();
    for entry in registry.read()? {
        if provisioner.ledger.folder_by_drive_id(&entry.pasta_drive_id).await?.is_none() {
            findings.push(Finding {
                user: entry.email.clone(),
                folder: entry.pasta_vm.clone(),
                problem: "registry_unknown",
                place: registry.path().display().to_string(),
                message: format!("tecnicos.json names {} ({}), whom tecnico does not know", entry.nome, entry.pasta_vm),
                fix: format!("`tecnico import {}`", shell_path(&registry.path())),
                repaired: false,
                error: None,
            });
        }
    }
    Ok(findings)
}

/// `tecnicos.json` is everybody's; its mode is looked at once.
fn registry_mode(provisioner: &Provisioner<'_>, repair: bool) -> anyhow::Result<Option<Finding>> {
    let registry = provisioner.base.registry();
    let wants = provisioner.base.modes().file;
    let Some(mode) = registry.mode()?.filter(|m| *m != wants) else { return Ok(None) };
    if repair {
        registry.fix_mode()?;
    }
    Ok(Some(Finding {
        user: "-".to_owned(),
        folder: String::new(),
        problem: "local_mode",
        place: registry.path().display().to_string(),
        message: format!("tecnicos.json has mode {mode:04o} instead of {wants:04o}"),
        fix: "`tecnico check --repair`".to_owned(),
        repaired: repair,
        error: None,
    }))
}

fn tell(report: &Report, users: &BTreeSet<String>, args: &Args, context: &Context) {
    let ui = &context.ui;
    if ui.is_json() {
        return ui.json(report);
    }
    for finding in &report.findings {
        if finding.repaired {
            ui.say(format!("{} {}: {}", ui.good("repaired"), finding.user, finding.message));
        } else {
            ui.say(format!("{} {}: {}", ui.bad(finding.problem), finding.user, finding.message));
            if let Some(error) = &finding.error {
                ui.say(format!("    the repair failed: {error}"));
            }
            ui.say(ui.dim(format!("    fix: {}", ui.mend(&finding.fix))));
        }
    }
    // What concerns nobody, or somebody unknown here, is a finding and no technician.
    let about: BTreeSet<&String> = report.findings.iter().filter(|f| !f.repaired).map(|f| &f.user).filter(|u| users.contains(*u)).collect();
    let about = if about.is_empty() { String::new() } else { format!(", about {} of them", about.len()) };
    let verdict = match (report.findings.len(), report.left) {
        (0, _) => ui.good("all as wanted"),
        (n, 0) => ui.good(format!("{n} put right")),
        (_, left) if args.repair => ui.bad(format!("{} put right, {left} left", report.repaired)),
        (_, left) => ui.bad(format!("{} to mend{about}", count(left, "finding", "findings"))),
    };
    ui.say(format!("{} checked: {verdict}", count(report.checked, "technician", "technicians")));
    ui.say(ui.dim(report.drive));
}
