//! Whether somebody's folders stand, without looking at everything that `check` looks at.

use std::time::Duration;

use super::Provisioner;
use crate::domain::folder::Role;
use crate::drive::FileId;
use crate::error::{Exit, Failure};
use crate::fs_layout::{LocalState, Tree};
use crate::ledger::{FolderRow, FolderState};

/// Who asks is waiting: a Drive that takes longer is one that does not answer.
const LOOK: Duration = Duration::from_secs(5);

/// What of a tree stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stands {
    /// Every folder on the VM, and nothing else in the place of one.
    pub on_vm: bool,
    /// The folders on Drive; as they last stood where Drive was not asked or did not answer.
    pub on_drive: bool,
    /// Whether Drive said so now.
    pub drive_checked: bool,
}

impl Provisioner<'_> {
    /// Looks at the tree on the VM, and on Drive at `novos`, which is in the trash with any folder that it lies in: 1 Drive
    /// call of at most 5 s, none where the ledger knows that a folder was never made. A Drive that does not answer is a warning
    /// in the log.
    pub async fn stands(&self, tree: Tree, rows: &[FolderRow]) -> Result<Stands, Failure> {
        let layout = &self.settings.layout;
        let wanted = layout.local_folders();
        let on_vm = tokio::task::spawn_blocking(move || tree.observe(&wanted)).await.map_err(broke)?;
        let on_vm = on_vm.is_ok_and(|folders| folders.iter().all(|f| f.state == LocalState::Present));
        let made = |path: &str| rows.iter().find(|r| r.path == path && r.state == FolderState::Created);
        let stands = |on_drive, drive_checked| Ok(Stands { on_vm, on_drive, drive_checked });
        let Some(novos) = made(layout.path_of(Role::Novos)).filter(|_| layout.drive_folders().iter().all(|f| made(&f.path).is_some()))
        else {
            return stands(false, true);
        };
        let id = FileId::new(&novos.drive_id).map_err(|e| Failure::new(Exit::Data, "ledger_damaged", e.to_string()))?;
        match tokio::time::timeout(LOOK, self.drive.get(&id)).await {
            Ok(Ok(there)) => stands(there.is_some_and(|folder| !folder.trashed), true),
            Ok(Err(error)) => {
                tracing::warn!("whether the folders stand on Drive is not known: {error}");
                stands(true, false)
            }
            Err(_) => {
                tracing::warn!("whether the folders stand on Drive is not known: no answer in {} s", LOOK.as_secs());
                stands(true, false)
            }
        }
    }
}

fn broke(why: tokio::task::JoinError) -> Failure {
    Failure::new(Exit::Bug, "task_broke", "a look at the local tree broke off").because(why)
}
