//! `tecnico ledger restore`: a backup in the place of the ledger.

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::{self, Millis, rfc3339};
use crate::domain::text::count;
use crate::error::Exit;
use crate::ledger::Backup;

/// A backup has taken the ledger's place.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Restored {
    path: String,
    /// The backup.
    file: String,
    /// Nothing was changed.
    dry_run: bool,
    /// When the backup was last changed.
    modified_at: Option<String>,
    /// When the last cycle ended that it knows of.
    last_cycle_at: Option<String>,
    technicians: usize,
    /// Files that it knows to be under way: the next cycle looks where they are now.
    open_items: u64,
    /// Folders that keep what lay there before.
    set_aside: Vec<String>,
}

impl Document for Restored {
    const SCHEMA: &'static str = "tecnico.ledger.restore/1";
}

/// Runs `tecnico ledger restore`.
pub(super) async fn run(file: &Path, dry_run: bool, context: &Context) -> anyhow::Result<Exit> {
    let path = &context.settings().await?.ledger_path;
    let backup = Backup::read(file, path, dry_run).await?;
    let mut document = Restored {
        path: path.display().to_string(),
        file: file.display().to_string(),
        dry_run,
        modified_at: backup.modified_at.map(rfc3339),
        last_cycle_at: backup.last_cycle.as_ref().map(|l| rfc3339(l.ended_at)),
        technicians: backup.technicians,
        open_items: backup.open_items,
        set_aside: Vec::new(),
    };
    let made_at = backup.last_cycle.as_ref().map(|l| l.ended_at).or(backup.modified_at);
    let kept: Vec<PathBuf> = if dry_run { Vec::new() } else { backup.restore().await? };
    document.set_aside = kept.iter().map(|k| k.display().to_string()).collect();
    tell(&document, made_at, path.exists(), context);
    Ok(Exit::Done)
}

fn tell(document: &Restored, made_at: Option<Millis>, is_there: bool, context: &Context) {
    let ui = &context.ui;
    if ui.is_json() {
        return ui.json(document);
    }
    let what = if document.dry_run { "would be restored" } else { "is restored" };
    let of = made_at.map(|at| format!(" as it was {} ({} ago)", rfc3339(at), age(clock::now() - at))).unwrap_or_default();
    ui.say(format!(
        "{} {what} from {}{of}: {}, {} under way",
        document.path,
        document.file,
        count(document.technicians, "technician", "technicians"),
        count(document.open_items, "file", "files")
    ));
    for kept in &document.set_aside {
        ui.say(format!("  what lay there is kept in {kept}"));
    }
    if document.dry_run {
        let kept = if is_there { "; what lies there would be set aside and kept" } else { "" };
        return ui.say(format!("  nothing was changed{kept}"));
    }
    ui.say("  since then: files that were put away stay where they lie and `why` does not know them; those in novos are found again");
    if document.open_items > 0 {
        ui.say("  what was under way is looked for on Drive first: it ends as it lies there, and is told again under its id");
    }
    ui.say(format!("  next: `{}`, `{}`, then start the units", ui.mend("tecnico watch"), ui.mend("tecnico check")));
    ui.say(format!("  technicians who were made since: `{}` names them", ui.mend("tecnico doctor --only leftovers")));
}

/// A length of time in its largest unit.
fn age(length: Millis) -> String {
    let minutes = Duration::from_millis(u64::try_from(length).unwrap_or_default()).as_secs() / 60;
    match minutes {
        0..120 => count(minutes, "minute", "minutes"),
        120..2880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}
