//! Working off what is due: several files side by side, the versions of one file one after another.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use tracing::Instrument;

use super::about;
use super::cycle::Cycle;
use super::hands::Held;
use super::homes::Home;
use super::setback::Setback;
use crate::config::settings::Mode;
use crate::domain::item::{Item, State};
use crate::domain::technician::UserId;
use crate::domain::text::quoted;
use crate::error::{Exit, Failure};
use crate::ledger::Order;

/// For each file that is judged this many are under way in all: the others are on their way from Drive or back, which is
/// mostly waiting.
const UNDER_WAY: usize = 4;
/// How many items are read at once.
const BATCH: u32 = 2000;
/// How often one item may come due in one cycle, or until its next look: more would be a circle.
const ROUNDS: u32 = 10;
/// How many steps one item may take in a row: found, fetched, judged, filed, with a fetch or two anew.
const STEPS: usize = 12;

/// What is to be taken up, as it was last asked of the ledger.
#[derive(Debug, Default)]
struct Due {
    lines: VecDeque<Vec<Item>>,
    /// How often each item was taken up since the last look.
    rounds: HashMap<String, u32>,
    looks: u32,
}

impl Cycle<'_> {
    /// Takes every step that is due, until none is. What comes due while others are under way is taken up beside them.
    pub(super) async fn work(&self) -> Result<(), Setback> {
        let (under_way, failed) = (&AtomicUsize::new(0), &Mutex::new(None));
        let lines = stream::unfold(Due::default(), |mut due| async move {
            match self.next_line(&mut due, under_way).await {
                Ok(line) => line.map(|line| (line, due)),
                Err(failure) => {
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                    None
                }
            }
        });
        let most = self.agent.settings.watch.concurrency.max(1) * UNDER_WAY;
        lines
            .for_each_concurrent(most, |(held, line)| async move {
                self.take_line(line).await;
                drop(held);
                under_way.fetch_sub(1, Ordering::Relaxed);
                self.shared.more.notify_one();
            })
            .await;
        let failed: Option<Failure> = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(()), |failure| Err(failure.into()))
    }

    async fn take_line(&self, line: Vec<Item>) {
        for item in line {
            if self.is_stopped() {
                return;
            }
            if let Err(failure) = self.take_on(&item.id).instrument(about::item(&item)).await {
                self.fault(failure.into(), "the cycle");
                return;
            }
        }
    }

    /// What to take up next, in hand already; waits for it while something is under way. `None`: that is all.
    async fn next_line(&self, due: &mut Due, under_way: &AtomicUsize) -> Result<Option<(Held, Vec<Item>)>, Failure> {
        loop {
            let enough = self.plan.looking.as_ref().is_some_and(|looking| looking.enough.is_cancelled());
            if enough || self.plan.stop.is_cancelled() {
                return Ok(None);
            }
            if !self.is_stopped() && !self.shared.gives_way.load(Ordering::Relaxed) {
                let mut line = self.take_up(due);
                if line.is_none() {
                    due.lines = self.due_lines().await?;
                    line = self.take_up(due);
                }
                if line.is_some() {
                    under_way.fetch_add(1, Ordering::Relaxed);
                    return Ok(line);
                }
            }
            if under_way.load(Ordering::Relaxed) == 0 {
                return Ok(None);
            }
            self.shared.more.notified().await;
        }
    }

    /// The first line that nobody has in hand.
    fn take_up(&self, due: &mut Due) -> Option<(Held, Vec<Item>)> {
        let looks = self.shared.looks.load(Ordering::Relaxed);
        if due.looks != looks {
            (due.looks, due.rounds) = (looks, HashMap::new());
        }
        while let Some(mut line) = due.lines.pop_front() {
            let Some(held) = line.first().and_then(|item| self.shared.hands.take(&item.sighted.key.file_id)) else { continue };
            line.retain(|item| {
                let round = due.rounds.entry(item.id.clone()).or_default();
                *round += 1;
                *round <= ROUNDS
            });
            if !line.is_empty() {
                return Some((held, line));
            }
        }
        None
    }

    async fn due_lines(&self) -> Result<VecDeque<Vec<Item>>, Failure> {
        let process = &self.agent.settings.process;
        let order = if process.ordered { Order::PerTechnician } else { Order::Any };
        let states: &[State] = match process.mode {
            Mode::Command => &[State::Found, State::Fetched, State::Judged],
            // A fetched file is another program's.
            Mode::External => &[State::Found, State::Judged],
        };
        let mut due = self.agent.ledger.due(self.now(), BATCH, order, states).await?;
        due.retain(|item| self.concerns(item));
        let unsure = self.agent.ledger.ids_to_recheck().await?;
        due.retain(|item| !unsure.contains(&item.id));
        // The items of technicians who were taken out stay where they are.
        let homeless = self.homeless(&due).await?;
        due.retain(|item| !homeless.contains(&item.sighted.user));
        Ok(lines(due, process.ordered).into())
    }

    async fn homeless(&self, items: &[Item]) -> Result<HashSet<UserId>, Failure> {
        let mut homeless = HashSet::new();
        for item in items {
            if self.home_of(&item.sighted.user).await?.is_none() {
                homeless.insert(item.sighted.user.clone());
            }
        }
        Ok(homeless)
    }

    /// Takes one item as far as it goes now. An error is the ledger's; everything else is recorded with the item.
    async fn take_on(&self, item_id: &str) -> Result<(), Failure> {
        let Some(mut item) = self.agent.ledger.item(item_id).await? else { return Ok(()) };
        let Some(home) = self.home_of(&item.sighted.user).await? else { return Ok(()) };
        if item.missing_since.is_some() && item.standing.state != State::Judged {
            match self.found_again(&item).await {
                Ok(Some(there)) => item = there,
                Ok(None) => return Ok(()),
                Err(setback) => return self.put_off(&home, &item, setback).await,
            }
        }
        // What an earlier run began may be done already on Drive.
        let mut look_first = item.standing.state == State::Judged || item.attempt > 1;
        for _ in 0..STEPS {
            if !item.is_open() || self.is_stopped() {
                return Ok(());
            }
            match self.step(&home, &item, look_first).await {
                Ok(next) if next.standing == item.standing => return Ok(()),
                Ok(next) => {
                    look_first |= next.attempt > 1;
                    item = next;
                }
                Err(setback) => return self.put_off(&home, &item, setback).await,
            }
        }
        let why = Failure::new(Exit::Bug, "item_circles", format!("{} goes round in a circle", quoted(&item.sighted.name)));
        self.put_off(&home, &item, why.into()).await
    }

    async fn step(&self, home: &Arc<Home>, item: &Item, look_first: bool) -> Result<Item, Setback> {
        match item.standing.state {
            State::Found => self.fetch(home, item).await,
            State::Fetched if self.agent.settings.process.mode == Mode::External => Ok(item.clone()),
            State::Fetched => self.judge(home, item).await,
            State::Judged => self.file_away(home, item, look_first).await,
            State::Filed | State::Withdrawn | State::Reported => Ok(item.clone()),
        }
    }
}

/// What may not run side by side, one after another: the versions of one file, or all files of one technician.
fn lines(due: Vec<Item>, ordered: bool) -> Vec<Vec<Item>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut lines: Vec<Vec<Item>> = Vec::new();
    for item in due {
        let key = if ordered { item.sighted.user.to_string() } else { item.sighted.key.file_id.clone() };
        let place = *places.entry(key).or_insert_with(|| {
            lines.push(Vec::new());
            lines.len() - 1
        });
        lines[place].push(item);
    }
    lines
}
