//! What commands print of a technician, in the fields that CONTRACT 3.3 and the issue fix.

use schemars::JsonSchema;
use serde::Serialize;

use crate::callback::payload::Folders;
use crate::document::Document;
use crate::drive::Meter;
use crate::provision::{Outcome, Provisioner, Status};

/// A technician and both trees, after `create`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Created {
    pub user: String,
    pub email: Option<String>,
    pub name: String,
    pub folder: String,
    pub status: Status,
    #[serde(flatten)]
    pub folders: Folders,
    pub drive: Cost,
}

impl Document for Created {
    const SCHEMA: &'static str = "tecnico.create/1";
}

/// What a run cost on Drive.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub struct Cost {
    pub calls: u64,
    pub units: u64,
    pub writes: u64,
}

impl From<Meter> for Cost {
    fn from(m: Meter) -> Self {
        Self { calls: m.calls, units: m.units, writes: m.writes }
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Drive: calls {}, quota units {}, writes {}", self.calls, self.units, self.writes)
    }
}

impl Created {
    /// The document of one creation; `cost` is that of the whole run.
    pub fn new(outcome: &Outcome, folders: Folders, provisioner: &Provisioner<'_>) -> Self {
        let technician = &outcome.prepared.technician;
        Self {
            user: technician.user.to_string(),
            email: technician.email.as_ref().map(ToString::to_string),
            name: technician.name.clone(),
            folder: technician.folder.clone(),
            status: outcome.status,
            folders,
            drive: provisioner.drive.meter().into(),
        }
    }
}
