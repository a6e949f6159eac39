//! One cycle, as a story: look, work, tell.

use std::collections::HashMap;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use super::hands::Hands;
use super::homes::Homes;
use super::left::Left;
use super::looking::Looking;
use super::naming::Naming;
use super::policy::Policy;
use super::report::{CycleReport, Fault, FiledLine, WaitingLine};
use super::setback::Setback;
use super::tell::Job;
use super::{Agent, Clock};
use crate::domain::clock::{self, Millis, rfc3339};
use crate::domain::item::{Item, Sighted};
use crate::domain::technician::UserId;
use crate::domain::text::visible;
use crate::drive::{FileId, Meter};
use crate::error::Failure;
use crate::fs_layout::LocalFile;
use crate::ledger::{Holder, Lock};

/// The log's name for what the report of a run says as well.
const SAID_AT_THE_END: &str = "tecnico::agent::said_at_the_end";

/// Which files a cycle is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's: the change feed, and some listings in rotation.
    Everyone,
    /// These technicians' `novos`, listed whole.
    Users(Vec<UserId>),
    /// One file.
    File(FileId),
}

/// How a cycle is to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which files.
    pub scope: Scope,
    /// Whether to stay until files that are only settling are done too: a single run has nobody coming after it.
    pub wait_for_settling: bool,
    /// How long to wait for a cycle under way elsewhere.
    pub patience: Duration,
    /// Whether what waits is taken at once because somebody asked for it now: by what, for its history.
    pub hurry: Option<&'static str>,
    /// The backend's task, where it asked for this run.
    pub job: Option<Job>,
    /// Cancelled when the cycle is to end after the steps in hand.
    pub stop: CancellationToken,
    /// How to go on looking while files are worked on; `None` for a run that looks once.
    pub looking: Option<Looking>,
}

impl Plan {
    /// A cycle over `scope` that gives way to another at once.
    pub fn over(scope: Scope) -> Self {
        let stop = CancellationToken::new();
        Self { scope, wait_for_settling: false, patience: Duration::ZERO, hurry: None, job: None, stop, looking: None }
    }
}

/// A cycle under way, or a look beside its work, with what it knows of folders.
pub(super) struct Cycle<'a> {
    pub agent: &'a Agent,
    pub plan: &'a Plan,
    /// What a cycle has in common with the looks beside its work ([`Cycle::afresh`]).
    pub shared: Arc<Shared>,
    homes: Mutex<Homes>,
}

/// What is one for a cycle and all looks beside its work.
pub(super) struct Shared {
    pub policy: Policy,
    /// Places for programs that judge.
    pub judging: Semaphore,
    /// What lay in the local `novos` of a technician at the beginning, and no item holds it.
    pub strays: tokio::sync::Mutex<HashMap<UserId, Vec<LocalFile>>>,
    /// The files that somebody has in hand.
    pub hands: Hands,
    /// Whose turn it is to name a local copy.
    pub naming: Naming,
    /// Woken when there may be more to take up: a look or the work on a file has ended.
    pub more: Notify,
    /// How many looks there were beside the work.
    pub looks: AtomicU32,
    /// Whether nothing is taken up because another waits for its turn.
    pub gives_way: AtomicBool,
    /// When the stretch that is to be reported next began, and what Drive had been asked by then.
    begun: Mutex<(Millis, Meter)>,
    report: Mutex<CycleReport>,
    halted: AtomicBool,
}

impl Agent {
    /// Runs one cycle. What goes wrong with files and technicians is in the report; an error is what kept the cycle from
    /// running at all: `cycle_busy` (75) while another runs, or the ledger.
    pub async fn run_cycle(&self, plan: &Plan) -> Result<CycleReport, Failure> {
        let lock = self.ledger.lock_cycle(plan.patience, || plan.stop.is_cancelled()).await?;
        self.run_cycle_under(&lock, plan).await
    }

    /// [`Agent::run_cycle`] for somebody who holds the lock on cycles and keeps it.
    pub async fn run_cycle_under(&self, lock: &Lock, plan: &Plan) -> Result<CycleReport, Failure> {
        let begun = (self.now(), self.drive.meter());
        self.ledger.still_there()?;
        if let Some(holder) = lock.cut_off() {
            self.note_cut_off(holder).await?;
        }
        let shared = Shared {
            policy: Policy::new(&self.settings.process)?,
            judging: Semaphore::new(self.settings.watch.concurrency.max(1)),
            strays: tokio::sync::Mutex::default(),
            hands: Hands::default(),
            naming: Naming::default(),
            more: Notify::new(),
            looks: AtomicU32::new(0),
            gives_way: AtomicBool::new(false),
            begun: Mutex::new(begun),
            report: Mutex::default(),
            halted: AtomicBool::new(false),
        };
        let cycle = Cycle { agent: self, plan, shared: Arc::new(shared), homes: Mutex::default() };
        // Telling goes on beside the work, so that a slow backend holds nothing up.
        let worked = CancellationToken::new();
        let (looked, told) = tokio::join!(
            async {
                let done = cycle.look_and_work().await;
                let failure = done.err().map(|setback| {
                    let code = setback.code();
                    cycle.fault(setback, "the cycle");
                    code
                });
                let left = cycle.left_and_told(failure).await;
                worked.cancel();
                left
            },
            self.deliver_until(&worked)
        );
        let left = looked?;
        if plan.scope != Scope::Everyone {
            // Who asked for these files wants to hear of all that wait, whenever they began to.
            cycle.report().waiting = left.iter().map(Left::line).collect();
        }
        match told {
            Ok(told) => told.enter(&mut cycle.report()),
            Err(failure) => cycle.report().faults.push(Fault { failure, systemic: true }),
        }
        let report = cycle.account().await?;
        let (found, filed, faults, calls) = (report.found, report.filed.len(), report.faults.len(), report.drive.calls);
        // A day has thousands of cycles with nothing to do.
        if found + filed + faults + report.delivered > 0 {
            tracing::info!(found, filed, faults, calls, "cycle ended");
        } else {
            tracing::debug!(calls, "cycle ended, nothing to do");
        }
        Ok(report)
    }
}

impl Agent {
    /// A run that was killed tells nobody: the next one does, with each file that was due then.
    async fn note_cut_off(&self, holder: Holder) -> Result<(), Failure> {
        let note = format!("a run (process {}, begun {}) was cut off; this one goes on from here", holder.pid, rfc3339(holder.since));
        tracing::warn!("{note}");
        let mut items = self.ledger.open_items(None).await?;
        items.retain(|i| i.next_attempt_at <= self.now());
        self.ledger.note_of(&items, &note, self.now()).await
    }
}

impl Cycle<'_> {
    /// The same cycle with nothing known of folders yet.
    pub(super) fn afresh(&self) -> Self {
        Self { agent: self.agent, plan: self.plan, shared: self.shared.clone(), homes: Mutex::default() }
    }

    /// What was done since the last time this was asked, recorded as how the cycle went.
    pub(super) async fn account(&self) -> Result<CycleReport, Failure> {
        let mut report = std::mem::take(&mut *self.report());
        report.ended_at = self.now();
        {
            let (now, mut begun) = (self.agent.drive.meter(), self.shared.begun.lock().unwrap_or_else(PoisonError::into_inner));
            report.started_at = begun.0;
            report.drive.calls = now.calls - begun.1.calls;
            report.drive.units = now.units - begun.1.units;
            report.drive.writes = now.writes - begun.1.writes;
            *begun = (report.ended_at, now);
        }
        let ledger = &self.agent.ledger;
        super::record_units(ledger, &self.agent.drive, self.now()).await?;
        report.next_due = ledger.next_due(self.now()).await?;
        if self.plan.scope == Scope::Everyone {
            ledger.cycle_ended(report.started_at, report.ended_at, report.in_one_line().as_deref()).await?;
        }
        Ok(report)
    }

    async fn look_and_work(&self) -> Result<(), Setback> {
        self.look().await?;
        loop {
            self.work_and_look().await?;
            let Some(wait) = self.settling().await? else { break };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.plan.stop.cancelled() => break,
            }
        }
        self.move_emptied_folders().await
    }

    /// Finds what there is to do.
    pub(super) async fn look(&self) -> Result<(), Setback> {
        self.look_for_restored().await?;
        match &self.plan.scope {
            Scope::Everyone => {
                self.name_unmade(None).await?;
                // A feed that cannot be read keeps nobody's files waiting: listings say the same.
                match self.intake().await {
                    Err(setback) if !setback.halts() => _ = self.fault(setback, "the cycle"),
                    other => other?,
                }
                self.reconcile().await?;
            }
            Scope::Users(users) => {
                self.name_unmade(Some(users)).await?;
                self.list_users(users).await?;
            }
            Scope::File(file) => self.glance(file).await?,
        }
        self.hurry().await?;
        self.watch_external().await
    }

    /// How long until the next file has settled, where this run is to stay for it.
    async fn settling(&self) -> Result<Option<Duration>, Failure> {
        if !self.plan.wait_for_settling || self.is_stopped() {
            return Ok(None);
        }
        let now = self.now();
        let settle = clock::millis(self.agent.settings.watch.settle);
        let open = self.agent.ledger.open_items(None).await?;
        let soon = open.iter().filter(|i| self.concerns(i) && i.waits == 0 && i.next_attempt_at > now && i.next_attempt_at <= now + settle);
        let next = soon.map(|i| i.next_attempt_at - now).min();
        Ok(next.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or_default() + 1)))
    }

    /// Whether the cycle is about this item.
    pub(super) fn concerns(&self, item: &Item) -> bool {
        match &self.plan.scope {
            Scope::Everyone => true,
            Scope::Users(users) => users.contains(&item.sighted.user),
            Scope::File(file) => item.sighted.key.file_id == file.as_str(),
        }
    }

    pub(super) fn now(&self) -> Millis {
        let clock: &Clock = &self.agent.clock;
        clock()
    }

    /// Whether nothing new is to be begun.
    pub(super) fn is_stopped(&self) -> bool {
        self.shared.halted.load(Ordering::Relaxed) || self.plan.stop.is_cancelled()
    }

    /// Ends what a trouble of everybody's began: the next look tries again.
    pub(super) fn go_on(&self) {
        self.shared.halted.store(false, Ordering::Relaxed);
    }

    /// The folders this cycle knows; never held over an await.
    pub(super) fn homes(&self) -> MutexGuard<'_, Homes> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> MutexGuard<'_, CycleReport> {
        self.shared.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, note: String) {
        tracing::warn!(target: SAID_AT_THE_END, "{note}");
        self.report().notes.push(note);
    }

    pub(super) fn note_found(&self, item: &Item) {
        let name = visible(&item.sighted.name);
        super::about::item(item).in_scope(|| tracing::info!(%name, "found"));
        self.report().found += 1;
    }

    pub(super) fn ended(&self, item: &Item) {
        if let Some(line) = FiledLine::of(item) {
            let name = visible(&item.sighted.name);
            tracing::info!(%name, outcome = %line.outcome, event = item.event_id.as_deref().map(tracing::field::display), "filed");
            self.report().filed.push(line);
        }
    }

    /// Whether a file of this technician came to an end in this cycle.
    pub(super) fn has_ended_one_of(&self, user: &UserId) -> bool {
        self.report().filed.iter().any(|line| line.user == user.as_str())
    }

    pub(super) fn waits(&self, item: &Item, until: Millis, reason: &str) {
        tracing::info!(until = %rfc3339(until), reason = %visible(reason), "waits");
        let line = WaitingLine {
            user: item.sighted.user.to_string(),
            item_id: item.id.clone(),
            file_id: item.sighted.key.file_id.clone(),
            name: item.sighted.name.clone(),
            until: Some(until),
            reason: reason.to_owned(),
        };
        self.report().waiting.push(line);
    }

    /// Takes note of what went wrong. A trouble that every file would meet ends the cycle early.
    /// Gives the sentence it is told in.
    pub(super) fn fault(&self, setback: Setback, blame: &str) -> String {
        if setback.halts() {
            self.shared.halted.store(true, Ordering::Relaxed);
        }
        let systemic = setback.is_systemic() || blame == "the cycle";
        let failure = setback.into_failure(blame);
        let sentence = failure.to_string();
        tracing::warn!(target: SAID_AT_THE_END, code = failure.code(), "{sentence}");
        let mut report = self.report();
        // The same trouble for every file is told once.
        if !systemic || !report.faults.iter().any(|f| f.systemic && f.failure.code() == failure.code()) {
            report.faults.push(Fault { failure, systemic });
        }
        sentence
    }

    /// The sighting of an entry that lies in a place of this id.
    pub(super) fn sight(&self, entry: &crate::drive::Entry, user: &UserId, parent_id: &str, below: &str) -> Sighted {
        super::sight::sighted(entry, user, parent_id, below, self.agent.settings.watch.settle, self.now())
    }
}
