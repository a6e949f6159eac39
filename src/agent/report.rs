//! What a cycle did, as a plain value: commands print it.

use crate::domain::clock::Millis;
use crate::domain::item::{Item, Outcome};
use crate::drive::Meter;
use crate::error::{Exit, Failure};

/// What a cycle did.
#[derive(Debug, Default)]
pub struct CycleReport {
    /// When it began.
    pub started_at: Millis,
    /// When it ended.
    pub ended_at: Millis,
    /// Files seen for the first time, or again after they had ended.
    pub found: usize,
    /// Files that came to an end.
    pub filed: Vec<FiledLine>,
    /// Files that wait for a later try.
    pub waiting: Vec<WaitingLine>,
    /// What went wrong.
    pub faults: Vec<Fault>,
    /// What a person should know although nothing went wrong.
    pub notes: Vec<String>,
    /// Events the backend took.
    pub delivered: usize,
    /// Deliveries that failed and will be tried again.
    pub undelivered: usize,
    /// What was asked of Drive.
    pub drive: Meter,
    /// When the next file becomes due.
    pub next_due: Option<Millis>,
}

/// One file that came to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledLine {
    /// Whose.
    pub user: String,
    /// [`Item::id`].
    pub item_id: String,
    /// Drive's id.
    pub file_id: String,
    /// Its name on Drive.
    pub name: String,
    /// Which way.
    pub outcome: Outcome,
    /// Why.
    pub reason: Option<String>,
    /// Where the local copy lies, below the technician's folder.
    pub local_path: Option<String>,
}

/// One file that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingLine {
    /// Whose.
    pub user: String,
    /// [`Item::id`].
    pub item_id: String,
    /// Drive's id.
    pub file_id: String,
    /// Its name on Drive.
    pub name: String,
    /// Until when; `None` where it is for another program, or the next cycle, to say.
    pub until: Option<Millis>,
    /// Why.
    pub reason: String,
}

/// Something that went wrong; what it concerns is tried again.
#[derive(Debug)]
pub struct Fault {
    /// What, with the hint that mends it.
    pub failure: Failure,
    /// Whether it concerns more than one file: it then decides the exit code.
    pub systemic: bool,
}

impl CycleReport {
    /// Whether everything went as it should.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether there is nothing to tell anybody.
    pub fn is_quiet(&self) -> bool {
        self.faults.is_empty() && self.filed.is_empty() && self.waiting.is_empty() && self.notes.is_empty()
    }

    /// How a command that ran this cycle ends.
    pub fn exit(&self) -> Exit {
        match self.faults.iter().find(|f| f.systemic) {
            Some(fault) => fault.failure.exit(),
            None if self.is_clean() => Exit::Done,
            None => Exit::NotClean,
        }
    }

    /// The faults in one line, for the ledger.
    pub(super) fn in_one_line(&self) -> Option<String> {
        let first = self.faults.iter().find(|f| f.systemic).or(self.faults.first())?;
        let more = self.faults.len() - 1;
        Some(match more {
            0 => first.failure.to_string(),
            _ => format!("{} (and {more} more)", first.failure),
        })
    }
}

impl FiledLine {
    pub(super) fn of(item: &Item) -> Option<Self> {
        Some(Self {
            user: item.sighted.user.to_string(),
            item_id: item.id.clone(),
            file_id: item.sighted.key.file_id.clone(),
            name: item.sighted.name.clone(),
            outcome: item.standing.outcome?,
            reason: item.reason.clone(),
            local_path: item.local_path.clone(),
        })
    }
}
