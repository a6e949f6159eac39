//! `tecnico create`.

use std::io::Read;
use std::path::PathBuf;

use secrecy::SecretString;

use super::folder_event::{self, JobArgs};
use super::report::Created;
use super::{create_bulk, create_plan};
use crate::callback::payload::Attempt;
use crate::context::Context;
use crate::creation::{self, Made};
use crate::domain::tags;
use crate::domain::technician::Email;
use crate::domain::text::{shell_path, shell_word, visible};
use crate::error::{Exit, Failure};
use crate::fs_layout::{Credentials, Key};
use crate::provision::{Candidate, Outcome, Plan, Prepared, Problem, Status};

/// Make a technician's folders on Drive and on the VM, and share novos with them
///
/// Running it again changes nothing; after a failure it goes on where it stopped. USER is the
/// backend's id of the technician. An e-mail as USER is also the address to share with:
///
///     tecnico create ana@example.com
///     tecnico create 42 --email ana@example.com --name "Ana Maria"
///
/// Many at once, from a CSV file with the header user,email,name,portal_user:
///
///     tecnico create --from technicians.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The backend's id of the technician, or an e-mail
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    user: Option<String>,
    /// Whom to share novos with
    #[arg(long, value_name = "E-MAIL", conflicts_with = "from")]
    email: Option<String>,
    /// Full name; names the folder (spaces become _)
    #[arg(long, conflicts_with = "from")]
    name: Option<String>,
    /// User name at the portal, for tecnicos.json and credenciais.json
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    portal_user: Option<String>,
    /// Read the portal password from stdin and keep it encrypted in credenciais.json
    #[arg(long, requires = "portal_user")]
    portal_password_stdin: bool,
    /// Create every row of a CSV file ("-": stdin) with the header user,email,name,portal_user
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// With --from: rows side by side
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64), requires = "from")]
    parallel: u16,
    /// Say what would be done and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    job: JobArgs,
}

impl Args {
    /// Whether nothing is to be done.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

/// Runs `tecnico create`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    if let Some(file) = &args.from {
        return create_bulk::run(file, usize::from(args.parallel), args.dry_run, context).await;
    }
    let user = args.user.as_deref().unwrap_or_default();
    let candidate = Candidate::parse(user, args.email.as_deref(), args.name.as_deref(), args.portal_user.as_deref())?;
    if args.dry_run {
        return create_plan::of_one(&candidate, context).await;
    }
    let job = args.job.job(&context.settings().await?.callback)?;
    let created = create(&args, &candidate, context).await;
    match &created {
        Ok((outcome, document)) => {
            if job.is_some() || is_news(outcome, context).await? {
                let technician = &outcome.prepared.technician;
                let done = creation::in_words(outcome.status);
                folder_event::done(context, job.as_ref(), &technician.user, &technician.name, done, &document.folders).await?;
            }
        }
        Err(fault) => folder_event::failed(context, job.as_ref(), &candidate.user, &candidate.called, Attempt::Prepare, fault).await,
    }
    folder_event::send(context).await;
    let (outcome, document) = created?;
    tell(&outcome, &document, context);
    Ok(Exit::Done)
}

/// Whether the backend is to hear of it unasked: something was changed, or an earlier run died before it could tell.
async fn is_news(outcome: &Outcome, context: &Context) -> anyhow::Result<bool> {
    Ok(outcome.status != Status::Unchanged || !context.ledger().await?.has_told_of_folders(&outcome.prepared.technician.user).await?)
}

async fn create(args: &Args, candidate: &Candidate, context: &Context) -> anyhow::Result<(Outcome, Created)> {
    let provisioner = context.provisioner().await?;
    let secrets = match &candidate.wanted.portal_user {
        Some(portal_user) if args.portal_password_stdin => {
            let key = Key::load(&provisioner.settings.key_file)?;
            Some((key, Credentials { usuario_portal: portal_user.clone(), senha_portal: password_from_stdin()? }))
        }
        _ => None,
    };
    let Made { outcome, folders } = creation::create(&provisioner, candidate, secrets.as_ref().map(|(k, c)| (k, c))).await?;
    let technician = &outcome.prepared.technician;
    if candidate.wanted.name.is_some() && !technician.folder.starts_with(&candidate.wanted.folder) {
        let how = format!("`tecnico rename {} --name {}`", technician.user.typed(), shell_word(&technician.name));
        let (name, folder, how) = (visible(&technician.name), &technician.folder, context.ui.mend(&how));
        context
            .ui
            .note(format!("note: {} is called {name} now, and the folders keep the name {folder}; {how} renames them", technician.user));
    }
    let document = Created::new(&outcome, folders, &provisioner);
    Ok((outcome, document))
}

fn tell(outcome: &Outcome, document: &Created, context: &Context) {
    let ui = &context.ui;
    notes(&outcome.prepared, &outcome.plan, outcome.former_email.as_ref(), context);
    if ui.is_json() {
        return ui.json(document);
    }
    let word = match outcome.status {
        Status::Created => "created",
        Status::Unchanged => "unchanged",
        Status::Repaired => "repaired",
        Status::Restored => "restored",
    };
    ui.say(format!("{} {} ({}): {}", ui.good("✓"), document.folder, document.user, ui.bold(word)));
    ui.say(format!("  VM      {}", document.folders.vm_folders.user_folder));
    ui.say(format!("  Drive   {}", document.folders.drive_folders.user_folder_id));
    let link = context.shown_link(&document.folders.drive_folders.novos_folder_link);
    match &document.email {
        Some(email) if document.folders.drive_folders.compartilhado => ui.say(format!("  novos   {link}  shared with {email}")),
        _ => ui.say(format!("  novos   {link}  not shared: `tecnico share {} --with E-MAIL`", document.user)),
    }
    ui.say(ui.dim(format!("  {}", document.drive)));
    if let Some(dir) = context.global.sandbox.as_ref().filter(|_| outcome.status == Status::Created) {
        let (dir, user) = (shell_path(dir), outcome.prepared.technician.user.typed());
        ui.note(format!("try: `tecnico sandbox {dir} drop {user} FILE` as the technician, then `tecnico --sandbox {dir} watch`"));
    }
}

/// What a person should know besides the result.
pub(super) fn notes(prepared: &Prepared, plan: &Plan, former_email: Option<&Email>, context: &Context) {
    let technician = &prepared.technician;
    if let Some(wanted) = &prepared.renumbered_from {
        context.ui.note(format!("note: the folder {wanted} is somebody else's; {} got {}", technician.user, technician.folder));
    }
    if let Some(other) = &prepared.left_alone {
        context.ui.note(format!(
            "note: another installation, whose parent folder is {}, has a technician {} too ({}, {}); theirs is left alone",
            tags::parent(&other.app_properties).unwrap_or_default(),
            technician.user,
            visible(&other.name),
            other.id
        ));
    }
    for drift in &plan.drifts {
        let former = former_email.is_some_and(|old| drift.place.eq_ignore_ascii_case(old.as_str()));
        if former && let Problem::GrantUnwanted { role } = &drift.problem {
            let how = context.ui.mend(&format!("`tecnico share {} --with {} --revoke`", technician.user.typed(), drift.place));
            context.ui.note(format!("note: {}, the address until now, still has access to novos (as {role}); {how} ends it", drift.place));
        } else if matches!(drift.problem, Problem::Namesake { .. } | Problem::GrantUnwanted { .. }) {
            context.ui.note(format!("note: {}; {}", drift.sentence(), context.ui.mend(&drift.fix(&technician.user))));
        }
    }
}

fn password_from_stdin() -> Result<SecretString, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .map_err(|e| Failure::new(Exit::Data, "password_unreadable", "the portal password on stdin cannot be read as UTF-8").because(e))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new(Exit::Data, "password_empty", "there is no portal password on stdin")
            .hint("pipe it in: `tecnico create USER --portal-user NAME --portal-password-stdin < FILE`"));
    }
    Ok(SecretString::from(password.to_owned()))
}
