//! Making a technician whole, `tecnicos.json` with them, and what there is to say of it: the command and the HTTP API do
//! the same.

use crate::callback::payload::{Done, DriveFolders, Folders, VmFolders};
use crate::domain::folder::Role;
use crate::fs_layout::{Credentials, Key};
use crate::provision::{Candidate, Outcome, Prepared, Provisioner, Status};

/// A technician after a creation.
pub struct Made {
    /// How it ended.
    pub outcome: Outcome,
    /// Both trees.
    pub folders: Folders,
}

/// Makes, finishes or mends one technician, and enters them in `tecnicos.json`.
pub async fn create(provisioner: &Provisioner<'_>, candidate: &Candidate, secrets: Option<(&Key, &Credentials)>) -> anyhow::Result<Made> {
    let outcome = provisioner.create(candidate, None, secrets).await?;
    if let Some(entry) = &outcome.applied.registry {
        provisioner.base.registry().upsert(entry)?;
    }
    let folders = folders(&outcome.prepared, outcome.applied.novos_link.clone(), outcome.applied.shared, provisioner)?;
    Ok(Made { outcome, folders })
}

/// In the words of the callback.
pub fn in_words(status: Status) -> Done {
    match status {
        Status::Created => Done::Created,
        Status::Unchanged => Done::Unchanged,
        Status::Repaired => Done::Repaired,
        Status::Restored => Done::Restored,
    }
}

/// Both trees of a technician, as CONTRACT 3.3 names them.
pub fn folders(prepared: &Prepared, link: Option<String>, shared: bool, provisioner: &Provisioner<'_>) -> anyhow::Result<Folders> {
    let layout = &provisioner.settings.layout;
    let id = |role| {
        let path = layout.path_of(role);
        prepared.rows.iter().find(|r| r.path == path).map(|r| r.drive_id.clone()).unwrap_or_default()
    };
    let technician = &prepared.technician;
    let at_home = provisioner.base.tree(&technician.folder)?.path();
    let root = technician.place.as_ref().map_or(at_home, |place| provisioner.base.path().join(place));
    let local = |role| match layout.path_of(role) {
        "" => root.display().to_string(),
        path => root.join(path).display().to_string(),
    };
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
