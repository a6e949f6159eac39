//! `tecnico why`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::{self, rfc3339};
use crate::domain::event::EventId;
use crate::domain::item::{Item, State, shown};
use crate::domain::text::{count, quoted, visible};
use crate::error::{Exit, Failure};
use crate::ledger::{DroppedFolder, HistoryLine, Holder, Ledger};

/// Say what happened to a file, step by step, and when
///
///     tecnico why 16517189.pdf
///
/// Takes the file's name on Drive (the one it had when it was judged, or the newest), its id there, an item id
/// (TECNICO_ITEM_ID), or a folder somebody dropped into novos. Every version of every file of that name, or of that folder, is
/// shown, the oldest first. Reads the ledger only.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A file's name, its id on Drive, an item id, or a dropped folder's name
    #[arg(value_name = "FILE|ID")]
    what: String,
}

/// Every version of every file of that name, or in a dropped folder of that name, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    /// The folders dropped into a `novos` that are meant; their files are among the items.
    folders: Vec<Dropped>,
    items: Vec<Story>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Dropped {
    folder_id: String,
    user: String,
    /// Its path below `novos`.
    path: String,
    /// When it was first seen.
    seen_at: String,
    /// When it had been emptied and was moved to `processados`.
    ended_at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Story {
    item_id: String,
    user: String,
    file_id: String,
    version: String,
    /// The folder it lay in, inside `novos` or a folder dropped into it: Drive's id.
    folder_id: String,
    /// That folder's path below `novos`; empty for `novos` itself.
    folder: String,
    name: String,
    /// What the file is called on Drive by now, where it was renamed after it was judged.
    renamed_to: Option<String>,
    #[schemars(extend("enum" = State::ALL.map(State::as_str)))]
    state: &'static str,
    #[schemars(extend("enum" = ["processado", "erro", "retirado", null]))]
    outcome: Option<&'static str>,
    reason: Option<String>,
    attempt: u32,
    next_attempt_at: Option<String>,
    local_path: Option<String>,
    callback: Option<Callback>,
    history: Vec<Step>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Callback {
    event_id: String,
    attempts: u32,
    delivered_at: Option<String>,
    last_error: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    at: String,
    from: Option<&'static str>,
    to: &'static str,
    attempt: u32,
    note: String,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.why/1";
}

/// Runs `tecnico why`.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let ledger = context.ledger().await?;
    let mut found = ledger.items_called(&args.what).await?;
    let folders = ledger.folders_called(&args.what).await?;
    for folder in &folders {
        for item in ledger.items_found_in(&folder.id).await? {
            if !found.iter().any(|known| known.id == item.id) {
                found.push(item);
            }
        }
    }
    if found.is_empty() && folders.is_empty() {
        return Err(Failure::new(Exit::Data, "file_unknown", format!("nothing is known of {}", quoted(&args.what)))
            .hint("`tecnico process USER` looks into a novos; names are compared letter by letter, blanks too")
            .into());
    }
    let mut items = Vec::new();
    for item in found {
        items.push(story(item, ledger).await?);
    }
    let report = Report { folders: folders.into_iter().map(folder_line).collect(), items };
    if context.ui.is_json() {
        context.ui.json(&report);
    } else {
        report.folders.iter().for_each(|folder| tell_folder(folder, context));
        let at_work = ledger.cycle_under_way()?;
        report.items.iter().for_each(|story| tell(story, at_work, context));
    }
    Ok(Exit::Done)
}

async fn story(item: Item, ledger: &Ledger) -> Result<Story, Failure> {
    let callback = match &item.event_id {
        Some(id) => ledger.event(&EventId::stored(id.clone())).await?.map(|e| Callback {
            event_id: e.id.to_string(),
            attempts: e.tries(),
            delivered_at: e.delivered_at.map(rfc3339),
            last_error: e.last_error,
        }),
        None => None,
    };
    let history = ledger.history(&item.id).await?.into_iter().map(step).collect();
    Ok(Story {
        user: item.sighted.user.to_string(),
        state: item.standing.state.as_str(),
        outcome: item.standing.outcome.map(crate::domain::item::Outcome::as_str),
        next_attempt_at: item.is_open().then(|| rfc3339(item.next_attempt_at)),
        item_id: item.id,
        file_id: item.sighted.key.file_id,
        version: item.sighted.key.version,
        folder_id: item.sighted.parent_id,
        folder: item.sighted.below,
        name: item.sighted.name,
        renamed_to: item.renamed_to,
        reason: item.reason,
        attempt: item.attempt,
        local_path: item.local_path,
        callback,
        history,
    })
}

fn step(line: HistoryLine) -> Step {
    Step { at: rfc3339(line.at), from: line.from.map(State::as_str), to: line.to.as_str(), attempt: line.attempt, note: line.note }
}

fn folder_line(folder: DroppedFolder) -> Dropped {
    let (seen_at, ended_at) = (rfc3339(folder.seen_at), folder.ended_at.map(rfc3339));
    Dropped { folder_id: folder.id, user: folder.user.to_string(), path: folder.below, seen_at, ended_at }
}

fn tell_folder(folder: &Dropped, context: &Context) {
    let ui = &context.ui;
    let end = folder.ended_at.as_ref().map_or_else(
        || "it lies in novos until its files are filed, and stays there while none was ever in it".to_owned(),
        |at| format!("emptied and moved to processados {at}"),
    );
    let path = ui.bold(format!("{}/", shown(&folder.path)));
    ui.say(format!("{path}  folder in novos of {}  {}  seen {}; {end}", folder.user, ui.dim(&folder.folder_id), folder.seen_at));
}

fn tell(story: &Story, at_work: Option<Holder>, context: &Context) {
    let ui = &context.ui;
    let end = story.outcome.map_or_else(|| format!("under way ({})", story.state), str::to_owned);
    ui.say(format!("{}  of {}: {end}  {}", ui.bold(shown(&story.name)), story.user, ui.dim(&story.item_id)));
    let from = if story.folder.is_empty() { "novos".to_owned() } else { format!("novos/{}", story.folder) };
    ui.say(format!("  Drive {}, from {}", story.file_id, shown(&from)));
    if let Some(name) = &story.renamed_to {
        ui.say(format!("  called {} on Drive by now", shown(name)));
    }
    if let Some(reason) = &story.reason {
        ui.say(format!("  {}", visible(reason)));
    }
    for step in &story.history {
        let what = if step.from == Some(step.to) { "·" } else { step.to };
        ui.say(format!("  {}  {what:<9}  {}", step.at, visible(&step.note)).trim_end());
    }
    if let Some(callback) = &story.callback {
        let how = match (&callback.delivered_at, &callback.last_error) {
            (Some(at), _) => format!("delivered {at}"),
            (None, Some(error)) => format!("not delivered after {}: {}", count(callback.attempts, "try", "tries"), visible(error)),
            (None, None) => "not sent yet".to_owned(),
        };
        ui.say(format!("  callback {}: {how}", callback.event_id));
    }
    if let Some(at) = &story.next_attempt_at {
        // A time that is past was left by a run that was cut off, or by none having come since.
        let due = clock::parse(at).is_some_and(|at| at <= clock::now());
        ui.say(match at_work.filter(|_| due) {
            Some(cycle) => format!("  a cycle is at work (process {}, since {})", cycle.pid, rfc3339(cycle.since)),
            None if due => "  next try with the next cycle".to_owned(),
            None => format!("  next try {at}"),
        });
    }
}
