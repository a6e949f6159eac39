//! What commands print of a technician, in the fields that CONTRACT 3.3 and the issue fix.

use serde::Serialize;

use crate::domain::folder::Role;
use crate::drive::Meter;
use crate::provision::{Outcome, Provisioner, Status};

/// `tecnico.create/1`.
#[derive(Debug, Clone, Serialize)]
pub struct Created {
    pub schema: &'static str,
    pub user: String,
    pub email: Option<String>,
    pub name: String,
    pub folder: String,
    pub status: Status,
    pub drive_folders: DriveFolders,
    pub vm_folders: VmFolders,
    pub drive: Cost,
}

/// The folders on Drive.
#[derive(Debug, Clone, Serialize)]
pub struct DriveFolders {
    pub user_folder_id: String,
    pub novos_folder_id: String,
    pub processados_folder_id: String,
    pub erros_folder_id: String,
    pub novos_folder_link: Option<String>,
    pub compartilhado: bool,
}

/// The folders on the VM, as absolute paths.
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are CONTRACT 3.3")]
pub struct VmFolders {
    pub user_folder: String,
    pub novos_folder: String,
    pub processados_folder: String,
    pub erros_folder: String,
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
        let layout = &provisioner.settings.layout;
        let id = |role| {
            let path = layout.path_of(role);
            outcome.prepared.rows.iter().find(|r| r.path == path).map(|r| r.drive_id.clone()).unwrap_or_default()
        };
        let tree = provisioner.base.tree(&technician.folder)?;
        let local = |role| tree.path_of(layout.path_of(role)).display().to_string();
        Ok(Self {
            schema: "tecnico.create/1",
            user: technician.user.to_string(),
            email: technician.email.as_ref().map(ToString::to_string),
            name: technician.name.clone(),
            folder: technician.folder.clone(),
            status: outcome.status,
            drive_folders: DriveFolders {
                user_folder_id: id(Role::Usuario),
                novos_folder_id: id(Role::Novos),
                processados_folder_id: id(Role::Processados),
                erros_folder_id: id(Role::Erro),
                novos_folder_link: outcome.applied.novos_link.clone(),
                compartilhado: outcome.applied.shared,
            },
            vm_folders: VmFolders {
                user_folder: local(Role::Usuario),
                novos_folder: local(Role::Novos),
                processados_folder: local(Role::Processados),
                erros_folder: local(Role::Erro),
            },
            drive: provisioner.drive.meter().into(),
        })
    }
}
