//! `tecnico why`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::rfc3339;
use crate::domain::event::EventId;
use crate::domain::item::{Item, State};
use crate::error::{Exit, Failure};
use crate::ledger::{HistoryLine, Ledger};

/// Say what happened to a file, step by step, and when
///
///     tecnico why 16517189.pdf
///
/// Takes the file's name on Drive, its id there, or an item id (TECNICO_ITEM_ID). Every version of every file of that
/// name is shown, the oldest first. Reads the ledger only.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A file's name, its id on Drive, or an item id
    #[arg(value_name = "FILE|ID")]
    what: String,
}

/// Every version of every file of that name, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    items: Vec<Story>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Story {
    item_id: String,
    user: String,
    file_id: String,
    version: String,
    name: String,
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
    let mut items = Vec::new();
    for item in ledger.items_called(&args.what).await? {
        items.push(story(item, ledger).await?);
    }
    if items.is_empty() {
        return Err(Failure::new(Exit::Data, "file_unknown", format!("nothing is known of {:?}", args.what))
            .hint("`tecnico process USER` looks into a novos; names are compared letter by letter")
            .into());
    }
    let report = Report { items };
    if context.ui.is_json() {
        context.ui.json(&report);
    } else {
        report.items.iter().for_each(|story| tell(story, context));
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
        name: item.sighted.name,
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

fn tell(story: &Story, context: &Context) {
    let ui = &context.ui;
    let end = story.outcome.unwrap_or(story.state);
    ui.say(format!("{}  {} of {}  {}", ui.bold(story.name.escape_debug()), end, story.user, ui.dim(&story.item_id)));
    if let Some(reason) = &story.reason {
        ui.say(format!("  {}", reason.escape_debug()));
    }
    for step in &story.history {
        let what = if step.from == Some(step.to) { "·" } else { step.to };
        ui.say(format!("  {}  {what:<9}  {}", step.at, step.note.escape_debug()).trim_end());
    }
    if let Some(callback) = &story.callback {
        let how = match (&callback.delivered_at, &callback.last_error) {
            (Some(at), _) => format!("delivered {at}"),
            (None, Some(error)) => format!("not delivered after {} tries: {}", callback.attempts, error.escape_debug()),
            (None, None) => "not sent yet".to_owned(),
        };
        ui.say(format!("  callback {}: {how}", callback.event_id));
    }
    if let Some(at) = &story.next_attempt_at {
        ui.say(format!("  next try {at}"));
    }
}
