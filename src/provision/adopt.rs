//! Adopting a technician the old system made: by the ids in `tecnicos.json`, never by making anything twice.

use std::collections::{BTreeMap, HashSet};

use super::{Applied, Candidate, Plan, Provisioner, Subject};
use crate::domain::clock;
use crate::domain::folder::{Role, WantedFolder};
use crate::domain::tags;
use crate::domain::technician::{UserId, folder_key};
use crate::drive::{Entry, FileId, Query};
use crate::error::{Exit, Failure};
use crate::fs_layout::Entry as RegistryEntry;
use crate::ledger::{Adopt, Outcome, Technician};

/// What was found for one entry, before anything is written.
pub struct Found {
    /// Who: the e-mail stands for the backend's id until a `create` names it.
    pub candidate: Candidate,
    /// The tree on Drive, by path.
    pub tree: BTreeMap<String, Entry>,
    /// Already adopted, as this technician.
    pub known: Option<Technician>,
}

impl Provisioner<'_> {
    /// Finds the tree of one entry on Drive. Fails with `import_row` (exit 65) where it cannot be the technician's.
    #[tracing::instrument(level = "error", name = "technician", skip_all, fields(name = entry.nome))]
    pub async fn find_registered(&self, entry: &RegistryEntry) -> anyhow::Result<Found> {
        let wrong = |why: String| super::fit::wrong(entry, why);
        let folder = entry.pasta_vm.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let user = if entry.email.is_empty() { folder } else { &entry.email };
        let email = (!entry.email.is_empty()).then_some(entry.email.as_str());
        let portal_user = (!entry.usuario_portal.is_empty()).then_some(entry.usuario_portal.as_str());
        let mut candidate = Candidate::parse(user, email, Some(&entry.nome), portal_user)?;
        folder.clone_into(&mut candidate.wanted.folder);
        if let Some(technician) = self.registered_as(entry, folder).await? {
            if !technician.is_at_work() || !self.is_half_made(&self.ledger.folder_ids(&technician.user).await?) {
                return Ok(Found { candidate, tree: BTreeMap::new(), known: Some(technician) });
            }
            // An adoption that was killed goes on.
            candidate.user = technician.user;
        }
        let root = FileId::new(&entry.pasta_drive_id).map_err(|e| wrong(e.to_string()))?;
        let visible = self.drive.get(&root).await?.filter(Entry::is_folder);
        let root = visible.ok_or_else(|| {
            wrong(format!("its folder {} is not found on Drive by {}", entry.pasta_drive_id, self.drive.account()))
                .hint(format!("share it with {} as writer, or correct pasta_drive_id", self.drive.account()))
        })?;
        if let Some(parent) = tags::parent(&root.app_properties).filter(|p| *p != self.settings.drive.parent_folder_id)
            && !root.parents.iter().any(|p| p.as_str() == self.settings.drive.parent_folder_id)
        {
            return Err(wrong(format!("its folder {} is another installation's, whose parent folder is {parent}", root.id))
                .hint("if it is to be this one's, move it in Drive into the folder of `drive.parent_folder_id` first")
                .into());
        }
        // Made by tecnico, whose ledger is lost: the mark says who it is.
        if let Some(user) = root.app_properties.get(tags::USER).and_then(|user| UserId::parse(user).ok()) {
            candidate.user = user;
        }
        self.check_root(entry, &root, &candidate.user).await?;
        let mut tree = BTreeMap::from([(String::new(), root)]);
        for wanted in self.settings.layout.drive_folders().into_iter().skip(1) {
            let named = if wanted.role == Role::Novos { FileId::new(&entry.pasta_novos_id).ok() } else { None };
            let found = match named {
                Some(id) => self.drive.get(&id).await?,
                None => self.child(&tree, &wanted).await?,
            };
            if let Some(found) = found.filter(Entry::is_folder) {
                self.check_part(entry, &found, &tree, &candidate.user).await?;
                tree.insert(wanted.path, found);
            }
        }
        Ok(Found { candidate, tree, known: None })
    }

    async fn child(&self, tree: &BTreeMap<String, Entry>, wanted: &WantedFolder) -> anyhow::Result<Option<Entry>> {
        let Some(parent) = super::plan::parent_path(&wanted.path).and_then(|p| tree.get(p)) else { return Ok(None) };
        let name = wanted.path.rsplit('/').next().unwrap_or_default();
        let found = self.drive.list(&Query::children_of(&parent.id).named(name).folders_only().trashed(false)).await?;
        Ok(found.into_iter().min_by_key(|e| (e.created_time, e.id.to_string())))
    }

    /// Takes a found tree over: its ids into the ledger, tecnico's mark on its folders, and what is missing made.
    #[tracing::instrument(level = "error", name = "technician", skip_all, fields(user = %found.candidate.user))]
    pub async fn adopt(&self, found: &Found) -> anyhow::Result<(Plan, Applied)> {
        let candidate = &found.candidate;
        let _lock = self.ledger.lock_technician(&candidate.user).await?;
        let taken = self.ledger.technician_by_folder(&candidate.wanted.folder).await?;
        if let Some(other) = taken.filter(|t| t.user != candidate.user && folder_key(&t.folder) == folder_key(&candidate.wanted.folder)) {
            return Err(
                Failure::new(Exit::Data, "import_row", format!("the folder {} is already that of {}", other.folder, other.user)).into()
            );
        }
        let reserved = self.ledger.reserve(&candidate.user, &candidate.wanted, &HashSet::new(), clock::now()).await?;
        let adopted = self.adopt_as(reserved.technician, found).await;
        if adopted.is_err() && reserved.outcome == Outcome::New {
            // Not theirs yet: the same entry is read again from the beginning.
            if let Err(why) = self.ledger.forget(&candidate.user).await {
                tracing::warn!("what was recorded of them stays: {why}");
            }
        }
        adopted
    }

    async fn adopt_as(&self, technician: Technician, found: &Found) -> anyhow::Result<(Plan, Applied)> {
        let folders = self.settings.layout.drive_folders();
        let ids: Vec<(WantedFolder, String)> =
            folders.iter().filter_map(|f| found.tree.get(&f.path).map(|e| (f.clone(), e.id.to_string()))).collect();
        self.ledger.adopt_ids(&technician.user, &ids, Adopt::KeepOurs).await?;
        self.assign(&technician, &folders).await?;
        let mut prepared = self.known(technician).await?;
        let subject = Subject { user: &prepared.technician.user, folder: &prepared.technician.folder, rows: &prepared.rows };
        let survey = self.survey(&[subject]).await?;
        let there = self.observe(&prepared.technician, &prepared.rows, &survey).await?;
        let plan = self.plan(&prepared, &there).await?;
        let applied = self.apply(&mut prepared, &plan, &there, None).await?;
        Ok((plan, applied))
    }
}
