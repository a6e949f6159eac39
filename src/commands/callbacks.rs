//! `tecnico callbacks`.

use clap::Subcommand;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::{self, rfc3339};
use crate::domain::event::{Event, EventId};
use crate::domain::text::{count, visible};
use crate::error::{Exit, Failure};
use crate::ledger::{Ledger, Which};

/// Show and resend what the backend is told
///
/// An event keeps its id (webhook-id) however often it is sent. One the backend does not take is tried for about three
/// days; then it is given up, and stays here until somebody sends it again:
///
///     tecnico callbacks
///     tecnico callbacks show evt_0192f0c8
///     tecnico callbacks retry
///     tecnico callbacks retry evt_0192f0c8
///
/// The beginning of an id is enough where only one event has it. An event that was delivered is sent again too when it is
/// named, under the same id: for a backend that lost its data.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List what is undelivered, the newest first
    List {
        /// The delivered ones too
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one event, with its body
    Show {
        /// Its id
        id: String,
    },
    /// Send one event, delivered or not, or all that are undelivered, now
    Retry {
        /// Its id [default: all that are undelivered]
        id: Option<String>,
    },
}

#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    id: String,
    #[schemars(extend("enum" = ["folders", "process"]))]
    kind: &'static str,
    user: String,
    job_id: String,
    url: String,
    /// `held`: its address is closed until somebody says `callbacks retry`.
    #[schemars(extend("enum" = ["pending", "delivered", "given_up", "held"]))]
    state: &'static str,
    created_at: String,
    /// How often it was sent in all.
    attempts: u32,
    next_attempt_at: Option<String>,
    delivered_at: Option<String>,
    last_error: Option<String>,
}

/// Events, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct List {
    events: Vec<Line>,
}

impl Document for List {
    const SCHEMA: &'static str = "tecnico.callbacks/1";
}

/// One event and its body.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct One {
    event: Line,
    /// The body as it is sent.
    payload: Value,
}

impl Document for One {
    const SCHEMA: &'static str = "tecnico.callback/1";
}

/// How sending went.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Resent {
    /// How many events were to be sent.
    revived: usize,
    /// How many of them the backend took.
    delivered: usize,
    /// How many it has not: it refused them, or they were not tried, for their address did not answer.
    failed: usize,
    last_error: Option<String>,
}

impl Document for Resent {
    const SCHEMA: &'static str = "tecnico.callbacks.retry/1";
}

/// Runs `tecnico callbacks`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    match args.what.unwrap_or(What::List { all: false, limit: 100 }) {
        What::List { all, limit } => list(all, limit, context).await,
        What::Show { id } => show(&id, context).await,
        What::Retry { id } => retry(id.as_deref(), context).await,
    }
}

async fn list(all: bool, limit: u32, context: &Context) -> anyhow::Result<Exit> {
    let ledger = context.ledger().await?;
    let stopped: Vec<String> = ledger.stopped_addresses().await?.into_iter().map(|s| s.url).collect();
    let events = ledger.events(if all { Which::All } else { Which::Undelivered }, limit).await?;
    let lines: Vec<Line> = events.iter().map(|e| line(e, &stopped)).collect();
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&List { events: lines });
    } else if lines.is_empty() {
        ui.say(if all { "no events yet" } else { "everything is delivered" });
    } else {
        let rows = lines.into_iter().map(|l| {
            let told = visible(&l.last_error.unwrap_or_default()).into_owned();
            [l.id, l.created_at, l.user, l.kind.to_owned(), l.state.to_owned(), l.attempts.to_string(), told]
        });
        ui.table(["ID", "MADE", "USER", "KIND", "STATE", "TRIES", "LAST ERROR"], rows);
    }
    Ok(Exit::Done)
}

async fn show(id: &str, context: &Context) -> anyhow::Result<Exit> {
    let ledger = context.ledger().await?;
    let event = ledger.event(&meant(id, ledger).await?).await?.ok_or_else(|| unknown(id))?;
    let stopped: Vec<String> = ledger.stopped_addresses().await?.into_iter().map(|s| s.url).collect();
    let body: Value = serde_json::from_str(&event.event.payload).unwrap_or_else(|_| Value::String(event.event.payload.clone()));
    let ui = &context.ui;
    let line = line(&event, &stopped);
    if ui.is_json() {
        ui.json(&One { event: line, payload: body });
        return Ok(Exit::Done);
    }
    let tries = count(line.attempts, "try", "tries");
    ui.say(format!("{}  {} for {} ({}), {tries}", ui.bold(&line.id), line.kind, line.user, line.state));
    ui.say(format!("  made {}, to {}", line.created_at, line.url));
    for (what, value) in [("delivered", &line.delivered_at), ("next try", &line.next_attempt_at), ("last error", &line.last_error)] {
        if let Some(value) = value {
            ui.say(format!("  {what} {}", visible(value)));
        }
    }
    ui.say(serde_json::to_string_pretty(&body)?);
    Ok(Exit::Done)
}

async fn retry(id: Option<&str>, context: &Context) -> anyhow::Result<Exit> {
    let agent = context.agent().await?;
    let id = match id {
        Some(id) => Some(meant(id, &agent.ledger).await?),
        None => None,
    };
    // Before: an address nothing goes to any more need not be opened again, but the new one may have to be.
    agent.readdress().await?;
    let revived = agent.ledger.revive(id.as_ref(), clock::now()).await?;
    let done = agent.deliver_due().await?;
    // Of those that were to be sent, each counted once; what else was due went along.
    let left = agent.ledger.undelivered_of(&revived).await?;
    let delivered = revived.len() - left;
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&Resent { revived: revived.len(), delivered, failed: left, last_error: done.last_error });
    } else if revived.is_empty() {
        ui.say("everything is delivered");
    } else {
        ui.say(format!("{delivered} delivered, {left} not"));
        if left > 0 {
            let error = done.last_error.unwrap_or_else(|| "its address takes nothing now".to_owned());
            ui.warn(format!("{} {}", ui.bad("error:"), visible(&error)));
            ui.warn("fix: `tecnico doctor --only backend` tries the address; `tecnico callbacks` names what is undelivered, and the next cycles go on");
        }
    }
    Ok(if left == 0 { Exit::Done } else { Exit::NotClean })
}

/// How many ids are named where several are meant.
const NAMED: u32 = 5;

/// The event whose id this is, or the beginning of.
async fn meant(typed: &str, ledger: &Ledger) -> Result<EventId, Failure> {
    let whole = EventId::stored(typed);
    if ledger.event(&whole).await?.is_some() {
        return Ok(whole);
    }
    let found = if typed.is_empty() { Vec::new() } else { ledger.events_beginning(typed, NAMED + 1).await? };
    match found.as_slice() {
        [] => Err(unknown(typed)),
        [one] => Ok(one.clone()),
        many => {
            let mut names: Vec<&str> = many.iter().take(NAMED as usize).map(EventId::as_str).collect();
            names.extend((many.len() > NAMED as usize).then_some("and more"));
            let message = format!("several events begin with {typed:?}: {}", names.join(", "));
            Err(Failure::new(Exit::Data, "event_ambiguous", message).hint("give more of the id"))
        }
    }
}

fn unknown(id: &str) -> Failure {
    Failure::new(Exit::Data, "event_unknown", format!("there is no event {id:?}")).hint("`tecnico callbacks list --all` names them")
}

fn line(event: &Event, stopped: &[String]) -> Line {
    let state = match event {
        e if e.delivered_at.is_some() => "delivered",
        e if e.dead_at.is_some() => "given_up",
        e if stopped.contains(&e.event.url) => "held",
        _ => "pending",
    };
    Line {
        id: event.id.to_string(),
        kind: event.event.kind.as_str(),
        user: event.event.user.to_string(),
        job_id: event.event.job_id.clone(),
        url: event.event.url.clone(),
        state,
        created_at: rfc3339(event.created_at),
        attempts: event.tries(),
        next_attempt_at: (state == "pending").then(|| rfc3339(event.next_attempt_at)),
        delivered_at: event.delivered_at.map(rfc3339),
        last_error: event.last_error.clone(),
    }
}
