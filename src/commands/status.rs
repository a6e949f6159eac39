//! `tecnico status`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::agent::COMMAND_UNUSABLE;
use crate::callback::Client;
use crate::config::Settings;
use crate::config::settings::Mode;
use crate::context::Context;
use crate::doctor::work::{Standing, Trouble, ago, standing};
use crate::doctor::{Verdict, in_full, processor::processor};
use crate::document::Document;
use crate::domain::clock::{self, Millis, rfc3339};
use crate::domain::item::{Item, State, shown};
use crate::domain::text::{count, visible};
use crate::error::Exit;
use crate::ledger::DroppedFolder;
use crate::verdict::{Advice, advice};

/// How many stuck files are named.
const NAMED: usize = 20;

/// Say in a line whether all is well, or what is stuck, failed and undelivered.
///
/// Asks nothing of Drive, and reads a ledger of up to 256 MB (some 100,000 files) for damage. Ends with 1 when a file is
/// stuck (it has got no step further for status.stuck), the program that judges cannot be started, a key cannot be used,
/// vm.base_dir is gone, a callback was given up or its address closed, or no cycle has gone well for longer than
/// status.silence.
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
    problems: Vec<Trouble>,
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

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.status/1";
}

/// Runs `tecnico status`.
pub async fn run(_args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let ledger = context.ledger().await?;
    // Pages that do not fit together can be read without a complaint, and give answers.
    ledger.check_if_quick().await?;
    let settings = context.settings().await?;
    let now = clock::now();
    let Standing { counts, last, stuck, stopped, troubles } =
        standing(ledger, settings, &context.config_path().unwrap_or_default(), now).await?;
    let empty = ledger.empty_folders(ago(now, settings.watch.settle)).await?;
    let held_up = ledger.open_items(None).await?.into_iter().filter(|i| i.setback.as_deref() == Some(COMMAND_UNUSABLE));
    // What stops everything is said first.
    let mut problems = unusable(context).await?;
    problems.extend(unusable_processor(settings, &held_up.collect::<Vec<_>>()));
    problems.extend(troubles);
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

/// What ends every cycle before it begins, so that none is there to tell of it: keys that cannot be used, and a base
/// directory that is gone.
async fn unusable(context: &Context) -> anyhow::Result<Vec<Trouble>> {
    let settings = context.settings().await?;
    let problem = |fault: &anyhow::Error| {
        let Advice { code, hint, .. } = advice(fault);
        Trouble { code, message: in_full(fault.as_ref()), fix: hint.unwrap_or_else(|| "`tecnico doctor` says what is wrong".to_owned()) }
    };
    let mut problems = Vec::new();
    problems.extend(context.drive().await.err().as_ref().map(problem));
    problems.extend(Client::new(&settings.callback).err().map(anyhow::Error::from).as_ref().map(problem));
    problems.extend(context.lost_base().await?.map(anyhow::Error::from).as_ref().map(problem));
    Ok(problems)
}

/// A program that cannot be started holds up every file: said at once.
fn unusable_processor(settings: &Settings, held_up: &[Item]) -> Option<Trouble> {
    if settings.process.mode != Mode::Command {
        return None;
    }
    let finding = processor(settings).into_iter().find(|f| f.verdict == Verdict::Problem);
    let told = held_up.iter().rev().find_map(|i| i.reason.clone());
    let message = finding.as_ref().map(|f| f.message.clone()).or(told)?;
    let waiting = match held_up.len() as u64 {
        0 => String::new(),
        n => format!("; {}", count(n, "file waits for it", "files wait for it")),
    };
    let mend = finding.and_then(|f| f.fix).unwrap_or_else(|| "`tecnico doctor --only processor` says what is wrong".to_owned());
    let fix = format!("{mend}; then `tecnico process --all` takes what waits at once");
    Some(Trouble { code: "command_unusable", message: format!("{message}{waiting}"), fix })
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
        ui.say(ui.dim(format!("    fix: {}", ui.mend(&problem.fix).replace('\n', "\n    "))));
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
