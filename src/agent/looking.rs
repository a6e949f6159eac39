//! A cycle that stays goes on looking while files are worked on: one that takes long holds up nobody else's.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::cycle::Cycle;
use super::homes::Homes;
use super::report::CycleReport;
use super::setback::Setback;
use crate::domain::clock::Millis;

/// Two looks are at least this far apart.
const BREATH: Duration = Duration::from_millis(100);

/// How a cycle goes on looking.
#[derive(Debug, Clone)]
pub struct Looking {
    /// How often.
    pub every: Duration,
    /// Where what was done by each look is told; the rest is in the report of the cycle.
    pub reports: UnboundedSender<CycleReport>,
    /// Cancelled when the cycle is to end once what it has in hand is done.
    pub enough: CancellationToken,
}

impl Looking {
    /// How long to wait for the next look.
    pub(super) fn pause(&self, next_due: Option<Millis>, now: Millis) -> Duration {
        let until_due = next_due.map(|at| Duration::from_millis(u64::try_from(at - now).unwrap_or_default()));
        until_due.map_or(self.every, |due| due.min(self.every)).max(BREATH)
    }
}

impl Cycle<'_> {
    /// Takes every step that is due, and looks again meanwhile where the cycle stays.
    pub(super) async fn work_and_look(&self) -> Result<(), Setback> {
        let Some(looking) = &self.plan.looking else { return Box::pin(self.work()).await };
        loop {
            let worked = CancellationToken::new();
            let work = async {
                let done = Box::pin(self.work()).await;
                worked.cancel();
                done
            };
            let (done, looked_late) = tokio::join!(work, Box::pin(self.look_until(looking, &worked)));
            done?;
            if !looked_late {
                return Ok(());
            }
        }
    }

    /// Looks until the work has ended, or the cycle is to. `true`: a look outlasted the work, and may have found more.
    async fn look_until(&self, looking: &Looking, worked: &CancellationToken) -> bool {
        loop {
            let next_due = self.agent.ledger.next_due(self.now()).await.unwrap_or_default();
            tokio::select! {
                () = worked.cancelled() => return false,
                () = looking.enough.cancelled() => return false,
                () = self.plan.stop.cancelled() => return false,
                () = tokio::time::sleep(looking.pause(next_due, self.now())) => {}
            }
            // Somebody waits for a turn at the folders: what is in hand is done, and the rest when they are, or give up.
            let is_wanted = self.agent.ledger.is_cycle_wanted().unwrap_or_default();
            self.shared.gives_way.store(is_wanted, Ordering::Relaxed);
            if is_wanted {
                continue;
            }
            self.go_on();
            if let Err(setback) = self.look_meanwhile().await {
                self.fault(setback, "the cycle");
            }
            match self.account().await {
                // Nobody listens who does not want to know.
                Ok(report) => _ = looking.reports.send(report),
                Err(failure) => _ = self.fault(failure.into(), "the cycle"),
            }
            self.shared.looks.fetch_add(1, Ordering::Relaxed);
            self.shared.more.notify_one();
            if worked.is_cancelled() {
                return true;
            }
        }
    }

    /// One look beside the work. It concludes nothing from folders as an earlier one saw them, nor does the work from then on.
    async fn look_meanwhile(&self) -> Result<(), Setback> {
        self.agent.ledger.still_there()?;
        *self.homes() = Homes::default();
        let look = self.afresh();
        look.look().await?;
        look.move_emptied_folders().await
    }
}
