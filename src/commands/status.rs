//! `tecnico status`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::{self, Millis, rfc3339};
use crate::domain::item::{Item, State};
use crate::error::Exit;
use crate::ledger::{Counts, LastCycle, StoppedAddress};

/// How many stuck files are named.
const NAMED: usize = 20;

/// Say in a line whether all is well, or what is stuck, failed and undelivered.
///
/// Reads the ledger only: no call to Drive. Ends with 1 when a file is stuck, a callback was given up or its address closed,
/// or no cycle has gone well for longer than status.silence.
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
    since: String,
    next_attempt_at: String,
    reason: Option<String>,
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
    let silence = i64::try_from(settings.silence.as_millis()).unwrap_or(i64::MAX);
    let stuck: Vec<Item> = ledger.open_items(None).await?.into_iter().filter(|i| i.is_stuck(now, silence)).collect();
    let problems = problems(&counts, last.as_ref(), &stopped, stuck.len(), now, silence);
    let report = Report {
        ok: problems.is_empty(),
        last_cycle_at: last.as_ref().map(|l| rfc3339(l.ended_at)),
        last_success_at: last.as_ref().and_then(|l| l.succeeded_at).map(rfc3339),
        last_failure: last.and_then(|l| l.failure),
        pending: counts.open(),
        waiting: counts.waiting,
        refused: counts.refused,
        stuck: stuck.iter().map(stuck_line).collect(),
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

fn problems(
    counts: &Counts,
    last: Option<&LastCycle>,
    stopped: &[StoppedAddress],
    stuck: usize,
    now: Millis,
    silence: Millis,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |code, message: String, fix: &str| problems.push(Problem { code, message, fix: fix.to_owned() });
    match last {
        None => add("no_cycle_yet", "no cycle has run yet".into(), "`tecnico watch`, best from a timer"),
        Some(l) if l.succeeded_at.is_none_or(|at| at < now.saturating_sub(silence)) => {
            let since = l.succeeded_at.map_or_else(|| "ever".to_owned(), |at| format!("since {}", rfc3339(at)));
            let why = l.failure.as_deref().map(|f| format!("; the last one: {f}")).unwrap_or_default();
            add("silence", format!("no cycle has gone well {since}{why}"), "`tecnico watch -v` shows what is wrong");
        }
        Some(_) => {}
    }
    if stuck > 0 {
        add("stuck", format!("{stuck} files are stuck"), "`tecnico why FILE` says why");
    }
    if counts.dead > 0 {
        add("callbacks_dead", format!("{} callbacks were given up", counts.dead), "`tecnico callbacks retry` sends them again");
    }
    for address in stopped {
        let message = format!("nothing is sent to {} since {}: {}", address.url, rfc3339(address.stopped_at), address.reason);
        add("address_stopped", message, "`tecnico callbacks retry`, once it takes callbacks again");
    }
    problems
}

fn stuck_line(item: &Item) -> Stuck {
    Stuck {
        user: item.sighted.user.to_string(),
        item_id: item.id.clone(),
        name: item.sighted.name.clone(),
        state: item.standing.state.as_str(),
        since: rfc3339(item.found_at),
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
    let failed = report.last_failure.as_deref().filter(|_| report.ok).map(|f| format!(" (the last one failed: {})", f.escape_debug()));
    ui.say(format!(
        "{word}  last good cycle {last}{}; {} pending, {} of them waiting; {} in erro; {} callbacks undelivered",
        failed.unwrap_or_default(),
        report.pending,
        report.waiting,
        report.refused,
        callbacks.undelivered + callbacks.held + callbacks.dead
    ));
    for problem in &report.problems {
        ui.say(format!("{} {}", ui.bad(problem.code), problem.message.escape_debug()));
        ui.say(ui.dim(format!("    fix: {}", problem.fix)));
    }
    for item in report.stuck.iter().take(NAMED) {
        let reason = item.reason.as_deref().unwrap_or("-").escape_debug();
        ui.say(format!("    {}  {}  {} since {}: {reason}", item.user, item.name.escape_debug(), item.state, item.since));
    }
    if report.stuck.len() > NAMED {
        ui.say(format!("    and {} more (--json names all)", report.stuck.len() - NAMED));
    }
}
