//! `tecnico status`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::agent::COMMAND_UNUSABLE;
use crate::config::Settings;
use crate::context::Context;
use crate::doctor::{Verdict, processor::processor};
use crate::document::Document;
use crate::domain::clock::{self, Millis, rfc3339};
use crate::domain::item::{Item, State, shown};
use crate::domain::text::{count, visible};
use crate::error::Exit;
use crate::ledger::{Counts, DroppedFolder, LastCycle, StoppedAddress};

/// How many stuck files are named.
const NAMED: usize = 20;

/// Say in a line whether all is well, or what is stuck, failed and undelivered.
///
/// Asks nothing of Drive. Ends with 1 when a file is stuck (it has got no step further for status.stuck), the program that judges
/// cannot be started, a callback was given up or its address closed, or no cycle has gone well for longer than status.silence.
/// A folder that somebody dropped into novos and left empty is named; it stays where it is.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Whether all is well, from the ledger alone.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    ok: bool,
    last_cycle_at: Option<String>,
    last_success_at: Option<String>,
    last_failure: Option<String>,
    pending: u64,
    waiting: u64,
    refused: u64,
    stuck: Vec<Stuck>,
    /// Folders in a `novos` in which no work order was ever found: no problem, but somebody may have forgotten them.
    empty_folders: Vec<EmptyFolder>,
    callbacks: Callbacks,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Stuck {
    user: String,
    item_id: String,
    name: String,
    #[schemars(extend("enum" = State::ALL.map(State::as_str)))]
    state: &'static str,
    /// When it took its last step.
    since: String,
    next_attempt_at: String,
    reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EmptyFolder {
    user: String,
    folder_id: String,
    /// Its path below `novos`.
    path: String,
    since: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Callbacks {
    undelivered: u64,
    held: u64,
    dead: u64,
    stopped: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Problem {
    code: &'static str,
    message: String,
    fix: String,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.status/1";
}

/// Runs `tecnico status`.
pub async fn run(_args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let ledger = context.ledger().await?;
    let settings = context.settings().await?;
    let now = clock::now();
    let counts = ledger.counts(now).await?;
    let last = ledger.last_cycle().await?;
    let stopped = ledger.stopped_addresses().await?;
    let ago = |time: Duration| now.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    let stuck = ledger.stuck_items(ago(settings.stuck)).await?;
    let empty = ledger.empty_folders(ago(settings.watch.settle)).await?;
    let held_up = ledger.open_items(None).await?.into_iter().filter(|i| i.setback.as_deref() == Some(COMMAND_UNUSABLE));
    let mut problems = problems(&counts, last.as_ref(), &stopped, stuck.len(), ago(settings.silence));
    problems.splice(0..0, unusable_processor(settings, &held_up.collect::<Vec<_>>()));
    let report = Report {
        ok: problems.is_empty(),
        last_cycle_at: last.as_ref().map(|l| rfc3339(l.ended_at)),
        last_success_at: last.as_ref().and_then(|l| l.succeeded_at).map(rfc3339),
        last_failure: last.and_then(|l| l.failure),
        pending: counts.open(),
        waiting: counts.waiting,
        refused: counts.refused,
        stuck: stuck.iter().map(|(item, since)| stuck_line(item, *since)).collect(),
        empty_folders: empty.into_iter().map(empty_line).collect(),
        callbacks: Callbacks {
            undelivered: counts.undelivered,
            held: counts.held,
            dead: counts.dead,
            stopped: stopped.into_iter().map(|s| s.url).collect(),
        },
        problems,
    };
    let exit = if report.ok { Exit::Done } else { Exit::NotClean };
    tell(&report, context);
    Ok(exit)
}

fn problems(counts: &Counts, last: Option<&LastCycle>, stopped: &[StoppedAddress], stuck: usize, heard_since: Millis) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |code, message: String, fix: &str| problems.push(Problem { code, message, fix: fix.to_owned() });
    match last {
        None => add("no_cycle_yet", "no cycle has run yet".into(), "`tecnico watch`, best from a timer"),
        Some(l) if l.succeeded_at.is_none_or(|at| at < heard_since) => {
            let since = l.succeeded_at.map_or_else(|| "ever".to_owned(), |at| format!("since {}", rfc3339(at)));
            let why = l.failure.as_deref().map(|f| format!("; the last one: {f}")).unwrap_or_default();
            add("silence", format!("no cycle has gone well {since}{why}"), "`tecnico watch -v` shows what is wrong");
        }
        Some(_) => {}
    }
    if stuck > 0 {
        let message = format!("{}: no step further for longer than status.stuck", count(stuck, "file is stuck", "files are stuck"));
        add("stuck", message, "`tecnico why FILE` says why");
    }
    if counts.dead > 0 {
        let message = count(counts.dead, "callback was given up", "callbacks were given up");
        add("callbacks_dead", message, "`tecnico callbacks retry` sends them again");
    }
    for address in stopped {
        let message = format!("nothing is sent to {} since {}: {}", address.url, rfc3339(address.stopped_at), address.reason);
        add("address_stopped", message, "`tecnico callbacks retry`, once it takes callbacks again");
    }
    problems
}

/// A program that cannot be started holds up every file: said at once, and first.
fn unusable_processor(settings: &Settings, held_up: &[Item]) -> Option<Problem> {
    let finding = processor(settings).into_iter().find(|f| f.verdict == Verdict::Problem);
    let told = held_up.iter().rev().find_map(|i| i.reason.clone());
    let message = finding.as_ref().map(|f| f.message.clone()).or(told)?;
    let waiting = match held_up.len() as u64 {
        0 => String::new(),
        n => format!("; {}", count(n, "file waits for it", "files wait for it")),
    };
    let mend = finding.and_then(|f| f.fix).unwrap_or_else(|| "`tecnico doctor --only processor` says what is wrong".to_owned());
    let fix = format!("{mend}; then `tecnico process --all` takes what waits at once");
    Some(Problem { code: "command_unusable", message: format!("{message}{waiting}"), fix })
}

fn empty_line(folder: DroppedFolder) -> EmptyFolder {
    EmptyFolder { user: folder.user.to_string(), folder_id: folder.id, path: folder.below, since: rfc3339(folder.seen_at) }
}

fn stuck_line(item: &Item, since: Millis) -> Stuck {
    Stuck {
        user: item.sighted.user.to_string(),
        item_id: item.id.clone(),
        name: item.sighted.name.clone(),
        state: item.standing.state.as_str(),
        since: rfc3339(since),
        next_attempt_at: rfc3339(item.next_attempt_at),
        reason: item.reason.clone(),
    }
}

fn tell(report: &Report, context: &Context) {
    let ui = &context.ui;
    if ui.is_json() {
        return ui.json(report);
    }
    let callbacks = &report.callbacks;
    let last = report.last_success_at.as_deref().unwrap_or("never");
    let word = if report.ok { ui.good("ok") } else { ui.bad("not ok") };
    // Not yet a problem (`status.silence` says when), but no good news either.
    let failed = report.last_failure.as_deref().filter(|_| report.ok).map(|f| format!(" (the last one failed: {})", visible(f)));
    ui.say(format!(
        "{word}  last good cycle {last}{}; {} pending, {} of them waiting; {} in erro; {} undelivered",
        failed.unwrap_or_default(),
        report.pending,
        report.waiting,
        report.refused,
        count(callbacks.undelivered + callbacks.held + callbacks.dead, "callback", "callbacks")
    ));
    for problem in &report.problems {
        ui.say(format!("{} {}", ui.bad(problem.code), visible(&problem.message)));
        ui.say(ui.dim(format!("    fix: {}", problem.fix)));
    }
    for item in report.stuck.iter().take(NAMED) {
        let reason = visible(item.reason.as_deref().unwrap_or("-"));
        ui.say(format!("    {}  {}  {} since {}: {reason}", item.user, shown(&item.name), item.state, item.since));
    }
    if report.stuck.len() > NAMED {
        ui.say(format!("    and {} more (--json names all)", report.stuck.len() - NAMED));
    }
    for folder in &report.empty_folders {
        ui.say(ui.dim(format!(
            "empty  {}  {}/ lies in novos since {}, and no work order in it",
            folder.user,
            shown(&folder.path),
            folder.since
        )));
    }
}
