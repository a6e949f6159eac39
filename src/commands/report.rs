//! What commands print of a technician, in the fields that CONTRACT 3.3 and the issue fix.

use serde::Serialize;

use crate::callback::payload::{DriveFolders, Folders, VmFolders};
use crate::domain::folder::Role;
use crate::drive::Meter;
use crate::provision::{Outcome, Prepared, Provisioner, Status};

/// `tecnico.create/1`.
#[derive(Debug, Clone, Serialize)]
pub struct Created {
    pub schema: &'static str,
    pub user: String,
    pub email: Option<String>,
    pub name: String,
    pub folder: String,
    pub status: Status,
    #[serde(flatten)]
    pub folders: Folders,
    pub drive: Cost,
}

/// What a run cost on Drive.
#[derive(Debug, Clone, Copy, Serialize)]
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
    pub fn new(outcome: &Outcome, provisioner: &Provisioner<'_>) -> anyhow::Result<Self> {
        let technician = &outcome.prepared.technician;
        Ok(Self {
            schema: "tecnico.create/1",
            user: technician.user.to_string(),
            email: technician.email.as_ref().map(ToString::to_string),
            name: technician.name.clone(),
            folder: technician.folder.clone(),
            status: outcome.status,
            folders: folders(&outcome.prepared, outcome.applied.novos_link.clone(), outcome.applied.shared, provisioner)?,
            drive: provisioner.drive.meter().into(),
        })
    }
}

/// Both trees of a technician, as CONTRACT 3.3 names them.
pub(super) fn folders(prepared: &Prepared, link: Option<String>, shared: bool, provisioner: &Provisioner<'_>) -> anyhow::Result<Folders> {
    let layout = &provisioner.settings.layout;
    let id = |role| {
        let path = layout.path_of(role);
        prepared.rows.iter().find(|r| r.path == path).map(|r| r.drive_id.clone()).unwrap_or_default()
    };
    let tree = provisioner.base.tree(&prepared.technician.folder)?;
    let local = |role| tree.path_of(layout.path_of(role)).display().to_string();
    Ok(Folders {
        drive_folders: DriveFolders {
            user_folder_id: id(Role::Usuario),
            novos_folder_id: id(Role::Novos),
            processados_folder_id: id(Role::Processados),
            erros_folder_id: id(Role::Erro),
            novos_folder_link: link.unwrap_or_default(),
            compartilhado: shared,
        },
        vm_folders: VmFolders {
            user_folder: local(Role::Usuario),
            novos_folder: local(Role::Novos),
            processados_folder: local(Role::Processados),
            erros_folder: local(Role::Erro),
        },
    })
}
