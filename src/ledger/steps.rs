//! Progress of items: every step is recorded with its history line, and with the event it makes true, in one transaction.
//!
//! Many files are under way at once, and each step waits until the disk has it. Steps that come while the disk is busy
//! with others share the next transaction: the disk is waited for once, and each is answered only when it is on it.

use std::sync::{Mutex, PoisonError};

use sqlx::{Sqlite, Transaction};
use tokio::sync::oneshot;

use super::items::Intake;
use super::{Ledger, failure};
use crate::domain::clock::Millis;
use crate::domain::event::NewEvent;
use crate::domain::item::{Act, Item, Sighted};
use crate::domain::text::quoted;
use crate::error::{Exit, Failure};

/// How many steps share one transaction: other processes wait for it.
const TOGETHER: usize = 64;

type Taken = Result<(Item, Option<Intake>), Failure>;

/// A step that somebody wants to take.
#[derive(Debug, Clone)]
struct Step {
    item: Item,
    act: Act,
    event: Option<NewEvent>,
    newer: Option<Sighted>,
    now: Millis,
}

/// Steps that wait for their transaction, each with whoever waits for it.
#[derive(Debug, Default)]
pub(super) struct Steps {
    waiting: Mutex<Vec<(Step, oneshot::Sender<Taken>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl Ledger {
    /// Takes one step with an item as it was read, and gives it back as it is now.
    ///
    /// [`Act::Filed`], [`Act::FiledBefore`] and [`Act::Withdrawn`] take the event that tells the backend; without one there is nobody
    /// to tell and the item goes on to `reported` by itself. Other acts take none. Fails with `item_changed`
    /// (75) when somebody else took a step since the item was read, `illegal_step` (70) when the step cannot follow.
    pub async fn advance(&self, item: &Item, act: &Act, event: Option<&NewEvent>, now: Millis) -> Result<Item, Failure> {
        Ok(self.advance_and_find(item, act, event, None, now).await?.0)
    }

    /// [`Ledger::advance`], and in the same transaction [`Ledger::found`] of another version of the file that showed itself.
    pub async fn advance_and_find(
        &self,
        item: &Item,
        act: &Act,
        event: Option<&NewEvent>,
        newer: Option<&Sighted>,
        now: Millis,
    ) -> Result<(Item, Option<Intake>), Failure> {
        let step = Step { item: item.clone(), act: act.clone(), event: event.cloned(), newer: newer.cloned(), now };
        let (answer, taken) = oneshot::channel();
        self.steps.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((step, answer));
        // A task of its own: a caller who gives up takes nobody else's step along.
        let ledger = self.clone();
        tokio::spawn(async move { ledger.take_waiting_steps().await });
        taken.await.map_err(|e| Failure::new(Exit::Later, "ledger_busy", "the program is ending").because(e))?
    }

    async fn take_waiting_steps(&self) {
        let _turn = self.steps.turn.lock().await;
        let together: Vec<_> = {
            let mut waiting = self.steps.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let n = waiting.len().min(TOGETHER);
            waiting.drain(..n).collect()
        };
        let (steps, answers): (Vec<Step>, Vec<_>) = together.into_iter().unzip();
        let taken = match self.take_together(&steps).await {
            Ok(taken) => taken.into_iter().map(Ok).collect(),
            // One that cannot be taken undoes them all: each by itself then, so that the others are.
            Err(why) if steps.len() == 1 => vec![Err(why)],
            Err(_) => self.take_one_by_one(&steps).await,
        };
        for (answer, taken) in answers.into_iter().zip(taken) {
            // Whoever asked may be gone; the step is taken all the same.
            let _ = answer.send(taken);
        }
    }

    async fn take_one_by_one(&self, steps: &[Step]) -> Vec<Taken> {
        let mut taken = Vec::with_capacity(steps.len());
        for step in steps {
            taken.push(self.take_together(std::slice::from_ref(step)).await.and_then(|mut one| {
                one.pop().ok_or_else(|| {
                    failure::defect("step_unanswered", format!("no step was taken with {}", quoted(&step.item.sighted.name)))
                })
            }));
        }
        taken
    }

    /// All of the steps, in one transaction, or none.
    async fn take_together(&self, steps: &[Step]) -> Result<Vec<(Item, Option<Intake>)>, Failure> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        let mut taken = Vec::with_capacity(steps.len());
        for step in steps {
            taken.push(self.take(&mut tx, step).await?);
        }
        self.commit(tx).await?;
        Ok(taken)
    }

    async fn take(&self, tx: &mut Transaction<'static, Sqlite>, step: &Step) -> Taken {
        let Step { item, act, event, newer, now } = step;
        let mut current = self.item_in(tx, &item.id).await?.ok_or_else(|| self.unreadable("reference to item", &item.id))?;
        if (current.standing, current.attempt) != (item.standing, item.attempt) {
            return Err(Failure::new(
                Exit::Later,
                "item_changed",
                format!(
                    "the file {} is {} by now; it was {} a moment ago",
                    quoted(&item.sighted.name),
                    current.standing.state,
                    item.standing.state
                ),
            ));
        }
        let reports = matches!(act, Act::Filed { .. } | Act::FiledBefore { .. } | Act::Withdrawn { .. });
        if event.is_some() && !reports {
            return Err(failure::defect("illegal_step", format!("no event is due when an item is {}", act.word())));
        }
        self.step(tx, &mut current, act, *now).await?;
        if reports {
            if let Some(event) = event {
                current.event_id = Some(self.insert_event(tx, event, *now).await?.as_str().to_owned());
                self.update_item(tx, &current).await?;
            } else {
                self.step(tx, &mut current, &Act::Reported { note: "there is no callback address".into() }, *now).await?;
            }
        }
        let Some(seen) = newer else { return Ok((current, None)) };
        let mut seq = self.last_seq(tx).await?;
        Ok((current, Some(self.take_in(tx, seen, &mut seq, *now).await?)))
    }

    /// One legal step and its history line.
    pub(super) async fn step(&self, tx: &mut Transaction<'static, Sqlite>, item: &mut Item, act: &Act, now: Millis) -> Result<(), Failure> {
        let from = item.standing.state;
        item.apply(act, now).map_err(|e| failure::defect("illegal_step", format!("{}: {e}", quoted(&item.sighted.name))))?;
        self.update_item(tx, item).await?;
        self.append_history(tx, item, Some(from), &act.note(), now).await
    }
}
