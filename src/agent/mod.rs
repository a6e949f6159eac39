//! The agent: takes what reaches a `novos`, has it judged, files it away, and tells the backend (DESIGN §4).
//!
//! A cycle can be killed anywhere and run again: what is true is looked up, what was promised stands in the ledger,
//! and every step either was recorded or is found done when it is tried again.

mod about;
mod absence;
mod cycle;
mod deliver;
mod destination;
mod dropped;
mod external;
mod fetch;
mod file_away;
mod hands;
mod homes;
mod intake;
mod judge;
mod left;
mod local;
mod look;
mod looking;
mod naming;
mod parent;
mod policy;
mod program;
mod recall;
mod reconcile;
mod report;
mod restored;
mod run_command;
mod setback;
mod sight;
mod tell;
mod trial;
pub mod wake;
mod work;

use std::sync::Arc;

use crate::callback::Client;
use crate::config::Settings;
use crate::domain::clock::{self, Millis};
use crate::drive::Drive;
use crate::fs_layout::Base;
use crate::ledger::{Ledger, Units};

pub use cycle::{Plan, Scope};
pub use deliver::{Deliveries, is_of_callbacks};
pub use looking::Looking;
pub use program::COMMAND_UNUSABLE;
pub use recall::Tally;
pub use report::{CycleReport, Fault, FiledLine, WaitingLine};
pub use tell::{Job, event, new_job_id, tell};
pub use trial::{Trial, try_program};

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Everything a cycle works with. Cheap to clone.
#[derive(Clone)]
pub struct Agent {
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// Drive.
    pub drive: Drive,
    /// What tecnico knows and has promised.
    pub ledger: Ledger,
    /// The VM's base directory.
    pub base: Base,
    /// How the backend is told.
    pub callbacks: Client,
    /// The time.
    pub clock: Clock,
}

impl Agent {
    /// An agent on the machine's clock.
    pub fn new(settings: Arc<Settings>, drive: Drive, ledger: Ledger, base: Base, callbacks: Client) -> Self {
        Self { settings, drive, ledger, base, callbacks, clock: Arc::new(clock::now) }
    }

    fn now(&self) -> Millis {
        (self.clock)()
    }
}

/// Counts what was asked of Drive since the last time, where it was anything.
pub async fn record_units(ledger: &Ledger, drive: &Drive, now: Millis) -> Result<(), crate::error::Failure> {
    let spent = drive.unrecorded();
    if spent.calls == 0 {
        return Ok(());
    }
    ledger.add_units(Units { calls: spent.calls, units: spent.units, writes: spent.writes }, now).await
}

/// Runs what blocks (the local tree) off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::error::Failure> + Send + 'static,
) -> Result<T, crate::error::Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| {
        Err(crate::error::Failure::new(crate::error::Exit::Bug, "task_broke", "a step on the local tree broke off").because(e))
    })
}
