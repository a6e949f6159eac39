//! A tree that somebody threw parts of away: what is pending in it can only end where its folders are.

use super::super::{Problem, Provisioner, Subject};
use crate::ledger::{FolderState, Technician};

impl Provisioner<'_> {
    /// Brings back what of a technician's tree is in the trash, gone or elsewhere, on both sides, as a repair would. Nobody
    /// gets access by it. A tree that was never whole is left as it is: nothing was ever taken from it.
    ///
    /// Fails with `parent_trashed` (77) where the folder of all trees lies in the trash itself.
    pub(super) async fn make_whole(&self, technician: &Technician) -> anyhow::Result<()> {
        let mut prepared = self.known(technician.clone()).await?;
        if prepared.rows.is_empty() || prepared.rows.iter().any(|row| row.state == FolderState::Reserved) {
            return Ok(());
        }
        let wanted = self.settings.layout.drive_folders();
        if wanted.iter().any(|w| !prepared.rows.iter().any(|row| row.path == w.path)) {
            // The layout was changed since: what is pending ends where it has its folders now.
            prepared.rows = self.assign(technician, &wanted).await?;
        }
        let subject = Subject { user: &prepared.technician.user, folder: &prepared.technician.folder, rows: &prepared.rows };
        let survey = self.survey(&[subject]).await?;
        let there = self.observe(&prepared.technician, &prepared.rows, &survey).await?;
        let plan = self.plan(&prepared, &there).await?;
        if plan.drifts.iter().any(|d| d.problem == Problem::ParentTrashed) {
            return Err(self.parent_trashed().into());
        }
        if plan.drifts.iter().any(|d| keeps_files(&d.problem)) {
            self.apply_local(&mut prepared, &plan).await?;
            self.replace_gone(&mut prepared, &there).await?;
            self.apply_folders(&prepared, &there).await?;
        }
        Ok(())
    }
}

/// Whether files cannot come to their end because of it, or would be left behind.
fn keeps_files(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::FolderMissing | Problem::FolderGone { .. } | Problem::FolderTrashed | Problem::FolderMoved { .. } | Problem::LocalMissing
    )
}
