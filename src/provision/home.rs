//! Trees on the VM that lie somewhere else than in their folder: after a rename, or in the archive.

use serde_json::value::RawValue;

use super::{Plan, Prepared, Problem, Provisioner};
use crate::domain::tags;
use crate::drive::Entry;
use crate::error::{Exit, Failure};
use crate::fs_layout::Relocated;
use crate::ledger::Technician;

impl Provisioner<'_> {
    /// Brings the tree on the VM into its folder, where the ledger says that it lies elsewhere. Whether there was anything to do.
    ///
    /// Fails with `local_in_the_way` (73) where something else has the name by now.
    pub(super) async fn bring_home(&self, technician: &mut Technician) -> anyhow::Result<bool> {
        let Some(place) = technician.place.clone() else { return Ok(false) };
        if self.base.relocate(&place, &technician.folder)? == Relocated::Taken {
            return Err(self.folder_taken(technician, &place).into());
        }
        self.ledger.tree_is_home(&technician.user).await?;
        technician.place = None;
        Ok(true)
    }

    fn folder_taken(&self, technician: &Technician, place: &str) -> Failure {
        let (folder, from) = (self.base.path().join(&technician.folder), self.base.path().join(place));
        let why = format!("{} is in the way of {}, the folder of {}", folder.display(), from.display(), technician.user);
        Failure::new(Exit::CannotCreate, "local_in_the_way", why)
            .hint(format!("move {} elsewhere and run the same command again; tecnico replaces nothing", folder.display()))
    }

    /// Whether the tree on the VM can be made where it is to be: [`Provisioner::bring_home`] and what follows it would not fail.
    pub(super) fn check_way_is_free(&self, technician: &Technician, plan: &Plan) -> anyhow::Result<()> {
        if let Some(place) = &technician.place
            && self.base.is_taken(place)?
            && self.base.is_taken(&technician.folder)?
        {
            return Err(self.folder_taken(technician, place).into());
        }
        Ok(check_nothing_blocks(technician, plan)?)
    }

    /// Somebody whose ledger was lost after their removal: the mark on the tree on Drive says that the one on the VM lies in
    /// the archive too, under the same name.
    pub(super) async fn find_archived(&self, technician: &mut Technician, tree: &Entry) -> anyhow::Result<()> {
        let place = self.in_archive(&tree.name);
        if technician.place.is_none()
            && tree.app_properties.contains_key(tags::REMOVED)
            && self.base.is_taken(&place)?
            && !self.base.is_taken(&technician.folder)?
        {
            self.ledger.tree_lies_at(&technician.user, &place).await?;
            technician.place = Some(place);
        }
        Ok(())
    }

    /// What other programs had noted of them in `tecnicos.json` before they were removed goes back; what has changed since
    /// is brought up to date by the entry that follows.
    pub(super) async fn put_back_registry_entry(&self, prepared: &mut Prepared) -> anyhow::Result<()> {
        let Some(entry) = prepared.technician.registry_entry.take() else { return Ok(()) };
        let own_id = prepared.rows.iter().find(|r| r.path.is_empty()).map(|r| r.drive_id.as_str()).unwrap_or_default();
        // Damage here is no reason to refuse somebody back: a new entry is written all the same.
        if let Ok(raw) = RawValue::from_string(entry) {
            self.base.registry().put_back(own_id, raw)?;
        }
        Ok(self.ledger.keep_registry_entry(&prepared.technician.user, None).await?)
    }

    /// A technician in service as recorded now: what was read before the lock was taken may be old.
    pub async fn in_service(&self, technician: &Technician) -> anyhow::Result<Technician> {
        let user = &technician.user;
        let now = self.ledger.technician(user).await?.unwrap_or_else(|| technician.clone());
        if now.removed_at.is_none() && now.removing_at.is_none() {
            return Ok(now);
        }
        let failure = if now.removing_at.is_some() {
            Failure::new(Exit::Data, "removal_unfinished", format!("{user} ({}) is being removed", now.name))
        } else {
            Failure::new(Exit::Data, "user_removed", format!("{user} ({}) was removed", now.name))
        };
        Err(failure.hint(format!("`tecnico create {}` brings them back, with their folders", user.typed())).into())
    }
}

/// Something that is no folder, where one of theirs is to be.
pub(super) fn check_nothing_blocks(technician: &Technician, plan: &Plan) -> Result<(), Failure> {
    let Some(blocked) = plan.drifts.iter().find(|d| d.problem == Problem::LocalInTheWay) else { return Ok(()) };
    let hint = blocked.fix(&technician.user);
    Err(Failure::new(Exit::CannotCreate, "local_in_the_way", blocked.sentence()).hint(hint))
}
