//! What was a technician's `novos` before the layout was changed: what lies in it comes over, and nobody keeps access to it.

use super::{Drift, Plan, Prepared, Problem, Provisioner, plan};
use crate::domain::folder::Role;
use crate::drive::{Change, Entry, FileId, Grant, Query};
use crate::error::Failure;
use crate::ledger::{FolderRow, FolderState};

impl Provisioner<'_> {
    /// The former `novos` that somebody still has access to, or that something lies in. `rows` are all that the ledger knows.
    pub(super) async fn former_inboxes(&self, prepared: &Prepared, rows: &[FolderRow]) -> anyhow::Result<Vec<Drift>> {
        let now = self.settings.layout.path_of(Role::Novos);
        let mut drifts = Vec::new();
        for row in rows.iter().filter(|r| r.role == Role::Novos && r.path != now && r.state == FolderState::Created) {
            let Some(folder) = self.drive.get(&FileId::new(&row.drive_id)?).await?.filter(|e| !e.trashed) else { continue };
            let shared = self.given_on(&folder).await?.len();
            let files = self.drive.list(&Query::children_of(&folder.id).trashed(false)).await?.len();
            if shared + files > 0 {
                let place = plan::below(&prepared.technician.folder, &row.path);
                drifts.push(Drift { place, problem: Problem::InboxFormer { id: row.drive_id.clone(), shared, files } });
            }
        }
        Ok(drifts)
    }

    /// Brings over what lies in them, and takes the access away: the new `novos` is shared by then.
    pub(super) async fn close_former_inboxes(&self, plan: &Plan, novos: &FileId) -> anyhow::Result<()> {
        for drift in &plan.drifts {
            let Problem::InboxFormer { id, .. } = &drift.problem else { continue };
            let id = FileId::new(id)?;
            let Some(folder) = self.drive.get(&id).await? else { continue };
            for grant in self.given_on(&folder).await? {
                self.drive.revoke(&id, &grant.id).await?;
            }
            for child in self.drive.list(&Query::children_of(&id).trashed(false)).await? {
                let to = Change { add_parent: Some(novos.clone()), remove_parent: Some(id.clone()), ..Change::default() };
                self.drive.update(&child.id, &to).await?;
            }
        }
        Ok(())
    }

    /// What was given on a folder itself, to anybody but its owner and tecnico.
    async fn given_on(&self, folder: &Entry) -> Result<Vec<Grant>, Failure> {
        let account = self.drive.account();
        let grants = match &folder.permissions {
            Some(grants) => grants.clone(),
            None => self.drive.permissions(&folder.id).await.map_err(|e| e.into_failure(&folder.name))?,
        };
        let is_given = |g: &Grant| !g.inherited && !g.deleted && matches!(g.role.as_str(), "reader" | "commenter" | "writer");
        Ok(grants.into_iter().filter(|g| is_given(g) && !g.is_for(&account)).collect())
    }
}
