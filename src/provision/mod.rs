//! A technician's folders, grants and registry entry: observe what is there, plan the difference, apply it.
//!
//! One planner serves `create`, `create --dry-run`, `check` and `check --repair` (DESIGN §3). Spans name the technician in
//! every log line; they are of the level of errors, so that no filter drops them.

mod adopt;
mod apply;
mod bulk;
mod candidate;
mod claim;
mod create;
mod drift;
mod fit;
mod former;
mod grants;
mod home;
mod observe;
mod plan;
mod preview;
mod reach;
mod recall;
mod remove;
mod rename;
mod stands;
mod twins;

pub use adopt::Found;
pub use apply::Applied;
pub use bulk::{Prepared, prepare};
pub use candidate::Candidate;
pub use create::{Foreseen, Outcome, Status};
pub use drift::{Drift, Plan, Problem};
pub use grants::NO_ROLE;
pub use observe::{Observed, Subject, Survey};
pub use recall::{Found as Recalled, Recollection};
pub use remove::Removed;
pub use rename::{Changes, Renamed};
pub use stands::Stands;

use crate::config::Settings;
use crate::domain::reach::Reach;
use crate::drive::Drive;
use crate::fs_layout::Base;
use crate::ledger::Ledger;

/// What provisioning works with.
#[derive(Clone, Copy)]
pub struct Provisioner<'a> {
    /// The settings in force.
    pub settings: &'a Settings,
    /// Drive.
    pub drive: &'a Drive,
    /// What tecnico knows.
    pub ledger: &'a Ledger,
    /// The VM's base directory.
    pub base: &'a Base,
    /// Whom it may touch and name.
    pub reach: &'a Reach,
}
