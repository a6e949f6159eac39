//! `tecnico share`.

use schemars::JsonSchema;
use serde::Serialize;

use super::check;
use super::folder_event::{self, JobArgs};
use super::report::Cost;
use crate::agent::Job;
use crate::callback::payload::{Attempt, Done};
use crate::context::Context;
use crate::creation;
use crate::document::Document;
use crate::domain::folder::Role;
use crate::domain::technician::Email;
use crate::drive::{FileId, Grant, NewGrant};
use crate::error::{Exit, Failure};
use crate::ledger::{Technician, WantedGrant};
use crate::provision::{NO_ROLE, Provisioner};

/// Say or change with whom a technician's novos is shared
///
/// What is said here is remembered: `check` then wants it so. Without --with, the technician's
/// own e-mail is meant.
///
///     tecnico share 42 --list
///     tecnico share 42 --with boss@example.com --role reader
///     tecnico share 42 --with boss@example.com --revoke
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The technician
    user: String,
    /// Whom to share with [default: the technician's e-mail]; with --revoke also a domain, or anyone
    #[arg(long, value_name = "E-MAIL")]
    with: Option<String>,
    /// What they may do [default: share.role]
    #[arg(long, value_parser = ["reader", "commenter", "writer"], conflicts_with = "revoke")]
    role: Option<String>,
    /// Let Google send its e-mail
    #[arg(long, conflicts_with = "revoke")]
    notify: bool,
    /// Take the access away
    #[arg(long)]
    revoke: bool,
    /// Only list who has access
    #[arg(long, conflicts_with_all = ["with", "role", "notify", "revoke"])]
    list: bool,
    /// Say what would be done and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    job: JobArgs,
}

/// With whom a `novos` is shared, after what was asked for was done.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    user: String,
    folder: String,
    novos_folder_id: String,
    changed: bool,
    grants: Vec<Line>,
    drive: Cost,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    who: String,
    role: String,
    kind: String,
    inherited: bool,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.share/1";
}

/// Runs `tecnico share`.
#[tracing::instrument(level = "error", name = "technician", skip_all, fields(user = args.user))]
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let provisioner = context.provisioner().await?;
    let technician = check::known(&args.user, &provisioner).await?;
    let novos = novos_of(&technician, &provisioner).await?;
    let _lock = provisioner.ledger.lock_technician(&technician.user).await?;
    // Whoever held the lock may have removed them, or given them another address.
    let technician = if args.list { technician } else { provisioner.in_service(&technician).await? };
    let before = provisioner.drive.permissions(&novos).await?;
    let job = args.job.job(&provisioner.settings.callback)?;
    let changed = if args.list { Ok(false) } else { change(&args, &technician, &novos, &before, &provisioner, context).await };
    event(&args, job.as_ref(), &technician, &novos, &changed, &provisioner, context).await?;
    let changed = changed?;
    let grants = if changed { provisioner.drive.permissions(&novos).await? } else { before };
    let report = Report {
        user: technician.user.to_string(),
        folder: technician.folder.clone(),
        novos_folder_id: novos.to_string(),
        changed,
        grants: grants.iter().map(line).collect(),
        drive: provisioner.drive.meter().into(),
    };
    if context.ui.is_json() {
        context.ui.json(&report);
        return Ok(Exit::Done);
    }
    let account = provisioner.drive.account();
    let rows = report.grants.into_iter().map(|g| {
        let through = match &g {
            g if g.who == account => "tecnico itself",
            g if g.inherited => "has a folder above, and so all that is in it",
            _ => "",
        };
        [g.who.clone(), g.role.clone(), through.to_owned()]
    });
    context.ui.table(["WHO", "ROLE", ""], rows);
    Ok(Exit::Done)
}

/// Tells the backend, where something changed, failed, or was asked for by it.
async fn event(
    args: &Args,
    job: Option<&Job>,
    technician: &Technician,
    novos: &FileId,
    changed: &anyhow::Result<bool>,
    provisioner: &Provisioner<'_>,
    context: &Context,
) -> anyhow::Result<()> {
    match changed {
        Ok(false) if job.is_none() || args.list || args.dry_run => return Ok(()),
        Ok(_) => {
            let link = provisioner.drive.get(novos).await?.and_then(|e| e.web_view_link);
            let prepared = provisioner.known(technician.clone()).await?;
            let shared = provisioner.is_shared(&prepared).await?;
            let done = if args.revoke { Done::Revoked } else { Done::Shared };
            let folders = creation::folders(&prepared, link, shared, provisioner)?;
            folder_event::done(context, job, &technician.user, &technician.name, done, &folders).await?;
        }
        Err(fault) => folder_event::failed(context, job, &technician.user, &technician.name, Attempt::Prepare, fault).await,
    }
    folder_event::send(context).await;
    Ok(())
}

async fn change(
    args: &Args,
    technician: &Technician,
    novos: &FileId,
    before: &[Grant],
    provisioner: &Provisioner<'_>,
    context: &Context,
) -> anyhow::Result<bool> {
    if let Some(who) = args.with.as_deref().filter(|w| args.revoke && !w.contains('@')) {
        return revoke_link(who, novos, before, args.dry_run, provisioner, context).await;
    }
    let email = match (&args.with, &technician.email) {
        (Some(text), _) => Email::parse(text).map_err(|why| Failure::new(Exit::Data, "email_invalid", why).hint("nothing was changed"))?,
        (None, Some(own)) => own.clone(),
        (None, None) => {
            return Err(Failure::new(Exit::Data, "email_missing", format!("{} has no e-mail", technician.user))
                .hint(format!("`tecnico share {} --with E-MAIL`, or `tecnico create {} --email E-MAIL`", technician.user, technician.user))
                .into());
        }
    };
    let held = before.iter().find(|g| g.is_for(email.as_str()));
    let role = args.role.clone().unwrap_or_else(|| provisioner.settings.share.role.clone());
    if args.dry_run {
        let what = if args.revoke { format!("take novos from {email}") } else { format!("share novos with {email} as {role}") };
        context.ui.note(format!("would {what}; nothing was changed"));
        return Ok(false);
    }
    if args.revoke {
        if held.is_none() {
            context.ui.note(format!("note: {email} had no access"));
        }
        return revoke(technician, &email, novos, held, provisioner).await;
    }
    let wanted = WantedGrant { email: email.clone(), role: role.clone(), notify: args.notify };
    match held {
        Some(g) if g.role == role => {}
        Some(g) if !g.inherited => {
            provisioner.drive.regrant(novos, &g.id, &role).await?;
        }
        _ => {
            let notify = args.notify || provisioner.settings.share.notify;
            provisioner.drive.grant(novos, &NewGrant { email: email.to_string(), role: role.clone(), notify }).await?;
        }
    }
    provisioner.ledger.want_grant(&technician.user, &wanted).await?;
    Ok(held.is_none_or(|g| g.role != role))
}

async fn revoke(
    technician: &Technician,
    email: &Email,
    novos: &FileId,
    held: Option<&Grant>,
    provisioner: &Provisioner<'_>,
) -> anyhow::Result<bool> {
    if technician.email.as_ref() == Some(email) {
        let never = WantedGrant { email: email.clone(), role: NO_ROLE.to_owned(), notify: false };
        provisioner.ledger.want_grant(&technician.user, &never).await?;
    } else {
        provisioner.ledger.unwant_grant(&technician.user, email).await?;
    }
    let Some(grant) = held else { return Ok(false) };
    take_away(grant, novos, provisioner).await?;
    Ok(true)
}

/// Takes back a share with a whole domain or with `anyone`, which nobody makes here but a technician can.
async fn revoke_link(
    who: &str,
    novos: &FileId,
    before: &[Grant],
    dry_run: bool,
    provisioner: &Provisioner<'_>,
    context: &Context,
) -> anyhow::Result<bool> {
    let Some(grant) = before.iter().find(|g| g.is_for(who)) else {
        return Err(Failure::new(Exit::Data, "not_shared", format!("novos is not shared with {who:?}"))
            .hint("`--list` shows with whom it is; nothing was changed")
            .into());
    };
    if dry_run {
        context.ui.note(format!("would take novos from {who}; nothing was changed"));
        return Ok(false);
    }
    take_away(grant, novos, provisioner).await?;
    Ok(true)
}

async fn take_away(grant: &Grant, novos: &FileId, provisioner: &Provisioner<'_>) -> anyhow::Result<()> {
    if grant.inherited {
        return Err(Failure::new(Exit::Refused, "grant_inherited", format!("{} has access through a folder above novos", grant.who()))
            .hint("take it away on that folder, in Drive")
            .into());
    }
    Ok(provisioner.drive.revoke(novos, &grant.id).await?)
}

/// The `novos` of a technician.
pub(super) async fn novos_of(technician: &Technician, provisioner: &Provisioner<'_>) -> anyhow::Result<FileId> {
    let path = provisioner.settings.layout.path_of(Role::Novos);
    let rows = provisioner.ledger.folder_ids(&technician.user).await?;
    let row = rows.iter().find(|r| r.path == path).ok_or_else(|| {
        Failure::new(Exit::Data, "not_created", format!("the folders of {} were never made", technician.user))
            .hint(format!("`tecnico check {} --repair`", technician.user))
    })?;
    Ok(FileId::new(&row.drive_id)?)
}

fn line(grant: &Grant) -> Line {
    Line { who: grant.who().to_owned(), role: grant.role.clone(), kind: grant.kind.clone(), inherited: grant.inherited }
}
