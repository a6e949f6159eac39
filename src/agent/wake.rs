//! `watch --follow`: what decides when to look. It never decides what is true; a cycle does.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver};
use tokio_util::sync::CancellationToken;

use super::{Agent, CycleReport, Looking, Plan, Scope};
use crate::config::settings::Mode;
use crate::domain::clock::rfc3339;
use crate::error::{Exit, Failure};
use crate::ledger::{self, Lock};

/// Events of one change come in a bunch.
const BUNCH: Duration = Duration::from_millis(50);
/// A signal that comes this soon after an edit was noticed belongs to it: it is how the edit is put in force.
const ONE_THING: Duration = Duration::from_secs(2);
/// Longer than any cycle.
const LONG: Duration = Duration::from_hours(24);

/// How to follow.
#[derive(Debug, Clone)]
pub struct Follow {
    /// Instead of `watch.interval`.
    pub interval: Option<Duration>,
    /// The configuration file, to notice its changes.
    pub config: Option<PathBuf>,
}

/// What there is to tell while following.
#[derive(Debug)]
pub enum Told<'a> {
    /// A cycle ended.
    Cycle(&'a CycleReport),
    /// A cycle could not run; it is tried again.
    Trouble(&'a Failure),
    /// The configuration was read again.
    Reloaded {
        /// Whether the file is another than before: keys may have changed in files of their own.
        changed: bool,
    },
    /// It could not be; the old one stays in force.
    NotReloaded(&'a anyhow::Error),
    /// Asked to end in the middle of a cycle: what is in hand is finished first.
    Ending,
}

/// Why to look, or what else to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wake {
    /// Something moved in a local tree.
    Local,
    /// The configuration may have changed.
    Config,
    /// Somebody asked for the configuration to be read (SIGHUP).
    Hangup,
}

struct Wakers {
    wakes: Receiver<Wake>,
    hangup: Signal,
    // Held: they stop with it.
    watchers: Vec<RecommendedWatcher>,
    /// The weightiest reason heard of that nobody was told of yet.
    heard: Option<Wake>,
    /// The configuration file as it was last read: one edit is many events.
    config: Option<Vec<u8>>,
}

/// Runs cycles until SIGTERM or SIGINT, which ends after the step in hand. `reload` makes the agent of a configuration
/// that changed.
///
/// Fails where no cycle can be expected to run again: a damaged ledger, a defect; with `follow_busy` (75) where somebody
/// follows this ledger already.
pub async fn follow<R, F>(mut agent: Agent, follow: Follow, reload: R, mut tell: impl FnMut(Told<'_>)) -> anyhow::Result<()>
where
    R: Fn() -> F,
    F: Future<Output = anyhow::Result<Agent>>,
{
    let _only = only_one(&agent)?;
    let stop = CancellationToken::new();
    let ending = tokio::spawn(end_on_signals(stop.clone()));
    let mut wakers = Wakers::new(&agent, &follow)?;
    // When an edit was last noticed, and what was complained of.
    let mut edit: Option<(Instant, Option<String>)> = None;
    let ended = loop {
        let (reports, mut told) = mpsc::unbounded_channel();
        let every = follow.interval.unwrap_or(agent.settings.watch.interval);
        let looking = Looking { every, reports, enough: CancellationToken::new() };
        let plan = Plan { stop: stop.clone(), looking: Some(looking.clone()), ..Plan::over(Scope::Everyone) };
        let (ended, early) = stay(&agent, &plan, &looking, &mut wakers, &follow, &mut tell, &mut told).await;
        let next_due = match ended {
            Ok(report) => {
                tell(Told::Cycle(&report));
                // It was met in the middle of the work, and is met again.
                if let Some(fault) = report.faults.into_iter().find(|fault| ledger::is_damage(&fault.failure)) {
                    break Err(fault.failure.into());
                }
                report.next_due
            }
            Err(failure) if passes(&failure) => {
                // `process` taking its turn is everyday life.
                if failure.code() != "cycle_busy" {
                    tell(Told::Trouble(&failure));
                }
                None
            }
            Err(failure) => break Err(failure.into()),
        };
        if stop.is_cancelled() {
            break Ok(());
        }
        let wake = if early.is_some() {
            early
        } else {
            tokio::select! {
                () = stop.cancelled() => break Ok(()),
                wake = wakers.next(looking.pause(next_due, agent.now())) => wake,
            }
        };
        if matches!(wake, Some(Wake::Config | Wake::Hangup)) {
            let changed = wakers.config_changed(&follow);
            if !changed && wake == Some(Wake::Config) {
                continue;
            }
            let reloaded = reload().await;
            let complaint = reloaded.as_ref().err().map(|fault| format!("{fault:#}"));
            // Keys in files of their own were read again all the same.
            let is_told = !changed && edit.take().is_some_and(|(at, said)| at.elapsed() < ONE_THING && said == complaint);
            edit = (changed && wake == Some(Wake::Config)).then(|| (Instant::now(), complaint));
            match reloaded {
                Ok(new) => {
                    agent = new;
                    wakers.watch(&agent, &follow);
                    if !is_told {
                        tell(Told::Reloaded { changed });
                    }
                }
                Err(fault) if !is_told => tell(Told::NotReloaded(&fault)),
                Err(_) => {}
            }
        }
    };
    ending.abort();
    ended
}

/// One cycle that stays while there is work, and what was heard meanwhile. A configuration is put in force between two cycles,
/// so that one that changed ends this one.
async fn stay(
    agent: &Agent,
    plan: &Plan,
    looking: &Looking,
    wakers: &mut Wakers,
    follow: &Follow,
    mut tell: impl FnMut(Told<'_>),
    told: &mut UnboundedReceiver<CycleReport>,
) -> (Result<CycleReport, Failure>, Option<Wake>) {
    let (mut heard, mut is_ending) = (None, false);
    let mut cycle = Box::pin(agent.run_cycle(plan));
    let ended = loop {
        tokio::select! {
            ended = &mut cycle => break ended,
            Some(report) = told.recv() => tell(Told::Cycle(&report)),
            () = plan.stop.cancelled(), if !is_ending => {
                is_ending = true;
                tell(Told::Ending);
            }
            Some(wake) = wakers.next(LONG) => {
                if wake == Wake::Hangup || (wake == Wake::Config && wakers.is_config_another(follow)) {
                    looking.enough.cancel();
                }
                heard = heard.max(Some(wake));
            }
        }
    };
    while let Ok(report) = told.try_recv() {
        tell(Told::Cycle(&report));
    }
    (ended, heard)
}

/// One follower a ledger. Two would take turns without anybody knowing which of two configurations is in force.
fn only_one(agent: &Agent) -> Result<Lock, Failure> {
    if let Some(lock) = agent.ledger.try_lock("follow")? {
        return Ok(lock);
    }
    let holder = agent.ledger.lock_holder("follow")?;
    let who = holder.map(|h| format!(" (process {}, since {})", h.pid, rfc3339(h.since))).unwrap_or_default();
    let hint = holder.map_or_else(String::new, |h| format!("; to run this one instead, end it first: `kill {}`", h.pid));
    Err(Failure::new(Exit::Later, "follow_busy", format!("another `tecnico watch --follow`{who} works on this ledger"))
        .hint(format!("nothing is lost: it takes care of everything there is{hint}")))
}

/// Runs one cycle that a first SIGTERM or SIGINT ends after the steps in hand, and a second at once.
pub async fn run_once(agent: &Agent, plan: &Plan) -> Result<CycleReport, Failure> {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return agent.run_cycle(plan).await;
    };
    let mut cycle = std::pin::pin!(agent.run_cycle(plan));
    for signals in 1..=2 {
        tokio::select! {
            ended = &mut cycle => return ended,
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        if signals == 1 {
            tracing::warn!("ending after the steps in hand; once more to end at once");
            plan.stop.cancel();
        }
    }
    Err(Failure::new(Exit::Later, "interrupted", "ended at once, in the middle of a step")
        .hint("nothing is lost: the next run goes on from here"))
}

fn passes(failure: &Failure) -> bool {
    matches!(failure.exit(), Exit::Later | Exit::Io | Exit::Unavailable)
}

/// Cancels `stop` with the first SIGTERM or SIGINT.
pub async fn end_on_signals(stop: CancellationToken) {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else { return };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("ending after the step in hand");
    stop.cancel();
}

impl Wakers {
    fn new(agent: &Agent, follow: &Follow) -> Result<Self, Failure> {
        let hangup =
            signal(SignalKind::hangup()).map_err(|e| Failure::new(Exit::Bug, "no_signals", "signals cannot be heard").because(e))?;
        let (_, wakes) = mpsc::channel(1);
        let mut wakers = Self { wakes, hangup, watchers: Vec::new(), heard: None, config: None };
        wakers.watch(agent, follow);
        wakers.config_changed(follow);
        Ok(wakers)
    }

    /// Watches the configuration's folder and, in external mode, the local trees.
    fn watch(&mut self, agent: &Agent, follow: &Follow) {
        let (sender, wakes) = mpsc::channel(64);
        let mut watchers = Vec::new();
        if let Some(config) = follow.config.clone().and_then(|c| std::path::absolute(c).ok())
            && let Some(folder) = config.parent().map(Path::to_owned)
        {
            let name = config.file_name().map(ToOwned::to_owned);
            let is_it = move |event: &Event| {
                !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(|p| p.file_name() == name.as_deref())
            };
            watchers.extend(watcher(&folder, RecursiveMode::NonRecursive, sender.clone(), Wake::Config, is_it));
        }
        if agent.settings.process.mode == Mode::External {
            // A move is what counts; the bytes of a download under way are no news.
            let is_move = |event: &Event| {
                matches!(event.kind, EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
                    && event.paths.iter().any(|p| p.file_name().is_some_and(|n| !n.to_string_lossy().starts_with('.')))
            };
            watchers.extend(watcher(agent.base.path(), RecursiveMode::Recursive, sender, Wake::Local, is_move));
        }
        self.wakes = wakes;
        self.watchers = watchers;
    }

    /// Whether the configuration file is another than when this was last asked.
    fn config_changed(&mut self, follow: &Follow) -> bool {
        let now = follow.config.as_ref().and_then(|path| std::fs::read(path).ok());
        let changed = now != self.config;
        self.config = now;
        changed
    }

    /// [`Wakers::config_changed`], to be asked again.
    fn is_config_another(&self, follow: &Follow) -> bool {
        follow.config.as_ref().and_then(|path| std::fs::read(path).ok()) != self.config
    }

    /// The next reason to look, at the latest after `wait`. `None`: the time has come. Nothing heard is lost where the wait
    /// is given up.
    async fn next(&mut self, wait: Duration) -> Option<Wake> {
        if self.heard.is_none() {
            tokio::select! {
                () = tokio::time::sleep(wait) => return None,
                _ = self.hangup.recv() => self.heard = Some(Wake::Hangup),
                // Where nothing is watched this is none, and only time and signals are left.
                Some(first) = self.wakes.recv() => self.heard = Some(first),
            }
        }
        // What comes in a bunch is one thing.
        tokio::time::sleep(BUNCH).await;
        while let Ok(more) = self.wakes.try_recv() {
            self.heard = self.heard.max(Some(more));
        }
        if self.hangup.recv().now_or_never().is_some() {
            self.heard = Some(Wake::Hangup);
        }
        self.heard.take()
    }
}

/// A watcher of a folder; where there can be none (no inotify left), the timer has to do, and it is said so.
fn watcher(
    folder: &Path,
    mode: RecursiveMode,
    sender: Sender<Wake>,
    wake: Wake,
    counts: impl Fn(&Event) -> bool + Send + 'static,
) -> Option<RecommendedWatcher> {
    let heard = move |event: notify::Result<Event>| {
        if event.is_ok_and(|e| counts(&e)) {
            // A full channel has woken us already.
            let _ = sender.try_send(wake);
        }
    };
    let made = notify::recommended_watcher(heard).and_then(|mut watcher| watcher.watch(folder, mode).map(|()| watcher));
    made.inspect_err(|e| tracing::warn!("cannot watch {}: {e}; only the timer looks there", folder.display())).ok()
}
