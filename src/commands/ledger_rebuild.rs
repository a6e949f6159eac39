//! `tecnico ledger rebuild`: a new ledger from what Drive, the VM and `tecnicos.json` say.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;

use super::report::Cost;
use crate::agent::{Agent, Tally};
use crate::callback::Client;
use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::rfc3339;
use crate::domain::text::count;
use crate::error::Exit;
use crate::ledger::{Draft, Technician};
use crate::provision::Recalled;

/// What no other place knows.
const LOST: [&str; 6] = [
    "callbacks that had not been delivered; files already in processados or erro are not told again",
    "what happened to each file before (`tecnico why`), and older versions of files that were replaced",
    "folders that had been moved to processados: what is put into them late counts as processed",
    "shares that were taken back or had failed: `tecnico check` names a novos that its technician cannot open",
    "requests that the HTTP API had accepted and not done",
    "of technicians who were taken out: the e-mail, the full name, and what became of their files",
];

/// A new ledger, and what it knows.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Rebuilt {
    path: String,
    /// Nothing was written.
    dry_run: bool,
    technicians: Vec<Line>,
    /// Those who were taken out: `create` brings them back.
    removed: Vec<TakenOut>,
    /// What somebody should look at.
    notes: Vec<String>,
    /// Whom other installations on the same account have, in sentences.
    left_out: Vec<String>,
    /// What no other place knows, in sentences.
    lost: Vec<&'static str>,
    /// Folders that keep the ledger that lay there before.
    set_aside: Vec<String>,
    drive: Cost,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    user: String,
    name: String,
    email: Option<String>,
    folder: String,
    /// With whom `novos` is shared beside the technician: wanted from now on.
    grants: Vec<Grant>,
    /// Files recorded as ended.
    processados: usize,
    /// Files recorded as ended.
    erro: usize,
    /// Files that were decided but not put away: the next cycle goes on with them.
    unfinished: usize,
    /// Files in `novos` on Drive, which the next cycle finds.
    novos: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TakenOut {
    user: String,
    folder: String,
    removed_at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Grant {
    email: String,
    role: String,
}

impl Document for Rebuilt {
    const SCHEMA: &'static str = "tecnico.ledger.rebuild/1";
}

/// Runs `tecnico ledger rebuild`.
pub(super) async fn run(dry_run: bool, set_aside: bool, context: &Context) -> anyhow::Result<Exit> {
    let settings = context.settings().await?;
    // Refuses root before there is anything of root's that the service would stumble over.
    let (drive, base) = (context.drive().await?, context.new_base().await?);
    let draft = if dry_run { Draft::for_looking().await? } else { Draft::of(&settings.ledger_path, set_aside).await? };
    let provisioner = context.provisioner_on(draft.ledger()).await?;
    let callbacks = Client::new(&settings.callback)?;
    let agent = Agent::new(Arc::new(settings.clone()), drive.clone(), draft.ledger().clone(), base.clone(), callbacks);
    agent.recall_feeds().await?;
    let found = provisioner.recall().await?;
    let bar = context.ui.progress(found.technicians.len() as u64, "rebuilding");
    let tallies: Vec<Tally> = stream::iter(&found.technicians)
        .map(|one| async {
            let tally = agent.recall(&one.technician.user).await;
            bar.inc(1);
            tally
        })
        .buffered(settings.watch.concurrency.max(1))
        .try_collect()
        .await?;
    bar.finish_and_clear();
    drop(agent);
    let kept = draft.publish().await?;
    let document = Rebuilt {
        path: settings.ledger_path.display().to_string(),
        dry_run,
        technicians: found.technicians.iter().zip(tallies).map(|(one, tally)| line(one, tally)).collect(),
        removed: found.removed.iter().map(removed).collect(),
        notes: found.notes,
        left_out: found.left_out,
        lost: LOST.to_vec(),
        set_aside: kept.iter().map(|k| k.display().to_string()).collect(),
        drive: drive.meter().into(),
    };
    tell(&document, context);
    Ok(if document.notes.is_empty() { Exit::Done } else { Exit::NotClean })
}

fn line(one: &Recalled, tally: Tally) -> Line {
    let technician = &one.technician;
    Line {
        user: technician.user.to_string(),
        name: technician.name.clone(),
        email: technician.email.as_ref().map(ToString::to_string),
        folder: technician.folder.clone(),
        grants: one.grants.iter().map(|g| Grant { email: g.email.to_string(), role: g.role.clone() }).collect(),
        processados: tally.processados,
        erro: tally.erro,
        unfinished: tally.unfinished,
        novos: tally.novos,
    }
}

fn removed(technician: &Technician) -> TakenOut {
    TakenOut { user: technician.user.to_string(), folder: technician.folder.clone(), removed_at: technician.removed_at.map(rfc3339) }
}

fn tell(document: &Rebuilt, context: &Context) {
    let ui = &context.ui;
    if ui.is_json() {
        return ui.json(document);
    }
    for line in &document.technicians {
        let half = if line.unfinished > 0 { format!(", {} half put away", line.unfinished) } else { String::new() };
        ui.say(format!(
            "{} ({}): {} processados, {} erro, {} in novos{half}",
            ui.bold(&line.folder),
            line.user,
            line.processados,
            line.erro,
            line.novos
        ));
        for grant in &line.grants {
            ui.say(format!("  novos is shared with {} as {}: wanted from now on", grant.email, grant.role));
        }
    }
    for removed in &document.removed {
        let since = removed.removed_at.as_deref().unwrap_or("an unknown time");
        ui.say(format!("{} ({}): taken out, since {since}", ui.bold(&removed.folder), removed.user));
    }
    for note in &document.notes {
        ui.say(format!("{} {note}", ui.bad("look:")));
    }
    document.left_out.iter().for_each(|out| ui.say(format!("left out: {out}")));
    ui.say("No other place knows, so these are gone:");
    document.lost.iter().for_each(|lost| ui.say(format!("  {lost}")));
    document.set_aside.iter().for_each(|kept| ui.say(format!("what lay there is kept in {kept}")));
    let out = if document.removed.is_empty() { String::new() } else { format!(", {} taken out", document.removed.len()) };
    let what = if document.dry_run { "would be rebuilt; nothing was written" } else { "is rebuilt; `tecnico check`, then start the units" };
    let known = count(document.technicians.len(), "technician", "technicians");
    ui.say(format!("{} {what}: {known}{out}", document.path));
    ui.say(ui.dim(document.drive));
}
