//! Whether a folder on Drive can be a technician's: directly below the parent folder (CONTRACT 2.1), and nobody else's.

use std::collections::BTreeMap;

use super::Provisioner;
use crate::domain::folder::{Role, WantedFolder};
use crate::domain::tags;
use crate::domain::technician::{UserId, folder_key};
use crate::drive::{Entry, FileId};
use crate::error::{Exit, Failure};
use crate::fs_layout::Entry as RegistryEntry;
use crate::ledger::{FolderRow, FolderState, Technician};

/// How many folders are climbed from one towards another.
const CLIMB: usize = 20;
const CORRECT: &str = "correct pasta_drive_id: it is to name the folder of this technician alone";

/// Why an entry of `tecnicos.json` cannot be adopted.
pub(super) fn wrong(entry: &RegistryEntry, why: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Data, "import_row", format!("{}: {why}", entry.nome))
}

impl Provisioner<'_> {
    /// The technician of the folder an entry names, where it is theirs already; fails where it is somebody else's.
    pub(super) async fn registered_as(&self, entry: &RegistryEntry, folder: &str) -> anyhow::Result<Option<Technician>> {
        let id = &entry.pasta_drive_id;
        let Some((technician, row)) = self.ledger.folder_by_drive_id(id).await? else { return Ok(None) };
        let is_same = technician.email.as_ref().is_some_and(|e| e.as_str().eq_ignore_ascii_case(&entry.email))
            || folder_key(&technician.folder) == folder_key(folder);
        if row.path.is_empty() && is_same {
            return Ok(Some(technician));
        }
        let which = if row.path.is_empty() { "the folder" } else { row.path.as_str() };
        Err(wrong(entry, format!("pasta_drive_id {id} is {which} of {} ({})", technician.user, technician.name)).hint(CORRECT).into())
    }

    /// Fails with `import_row` where `root` cannot be the tree of `user`.
    pub(super) async fn check_root(&self, entry: &RegistryEntry, root: &Entry, user: &UserId) -> anyhow::Result<()> {
        let (parent, archive, id) = (self.parent()?, &self.settings.layout.archive, &root.id);
        let is_archive = |e: &Entry| e.name == *archive || tags::is_archive(&e.app_properties);
        if *id == parent || (!root.parents.contains(&parent) && self.lies_in(parent.clone(), id).await?) {
            let why = format!("pasta_drive_id {id} holds the trees of all technicians (drive.parent_folder_id is {parent})");
            return Err(wrong(entry, why).hint(CORRECT).into());
        }
        if !root.parents.contains(&parent) {
            let why = format!("its folder {id} does not lie directly in the folder of drive.parent_folder_id ({parent})");
            let hint = format!("move the folder {:?} there in Drive, or correct pasta_drive_id", root.name);
            return Err(wrong(entry, why).hint(hint).into());
        }
        if is_archive(root) {
            return Err(wrong(entry, format!("pasta_drive_id {id} is the archive of removed technicians")).hint(CORRECT).into());
        }
        let rows = self.ledger.folder_ids(user).await?;
        if let Some(other) = rows.iter().find(|r| r.path.is_empty() && r.drive_id != id.as_str()) {
            let why = format!("its folder {id} is a second one of {user}, who has {}", other.drive_id);
            let hint =
                format!("`tecnico check {}` names both; move what lies in the one to the other, then take the entry out", user.typed());
            return Err(wrong(entry, why).hint(hint).into());
        }
        Ok(())
    }

    /// Fails with `import_row` where a folder cannot be part of the tree that was found so far.
    pub(super) async fn check_part(
        &self,
        entry: &RegistryEntry,
        part: &Entry,
        tree: &BTreeMap<String, Entry>,
        user: &UserId,
    ) -> anyhow::Result<()> {
        let id = &part.id;
        let fix = "correct pasta_novos_id, or leave it empty: then it is looked for by its name";
        if let Some((path, _)) = tree.iter().find(|(_, e)| e.id == *id) {
            let which = if path.is_empty() { "the technician's folder" } else { path.as_str() };
            return Err(wrong(entry, format!("pasta_novos_id {id} is {which} itself")).hint(fix).into());
        }
        let Some(root) = tree.get("") else { return Ok(()) };
        let above = part.parents.first();
        let inside = match above {
            Some(above) => tree.values().any(|e| e.id == *above) || self.lies_in(above.clone(), &root.id).await?,
            None => false,
        };
        if !inside {
            let why = format!("pasta_novos_id {id} does not lie in its folder {}", root.id);
            return Err(wrong(entry, why).hint(format!("move {:?} into that folder in Drive, or {fix}", part.name)).into());
        }
        match self.someone_elses(part, user).await? {
            Some(other) => Err(wrong(entry, format!("the folder {id} is one of {} ({})", other.user, other.name)).hint(fix).into()),
            None => Ok(()),
        }
    }

    /// The other technician whose folder this is, by the ledger or by its mark.
    pub(super) async fn someone_elses(&self, folder: &Entry, user: &UserId) -> anyhow::Result<Option<Technician>> {
        let owner = match self.ledger.folder_by_drive_id(folder.id.as_str()).await? {
            Some((owner, _)) => Some(owner),
            None => match tags::user(&folder.app_properties).and_then(|u| UserId::parse(u).ok()) {
                Some(marked) => self.ledger.technician(&marked).await?,
                None => None,
            },
        };
        Ok(owner.filter(|owner| owner.user != *user))
    }

    /// Whether the folder `at` lies somewhere in `above`, or is it.
    async fn lies_in(&self, at: FileId, above: &FileId) -> anyhow::Result<bool> {
        let mut at = at;
        for _ in 0..CLIMB {
            if at == *above {
                return Ok(true);
            }
            match self.drive.get(&at).await?.and_then(|folder| folder.parents.into_iter().next()) {
                Some(parent) => at = parent,
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Whether an adoption was broken off before every folder was made.
    pub(super) fn is_half_made(&self, rows: &[FolderRow]) -> bool {
        // By their parts: another layout since has the same under other paths.
        let made = |role: Role| rows.iter().any(|r| r.role == role && r.state == FolderState::Created);
        let is_missing = |wanted: &WantedFolder| wanted.role != Role::Caminho && !made(wanted.role);
        rows.iter().any(|r| r.state == FolderState::Reserved) || self.settings.layout.drive_folders().iter().any(is_missing)
    }
}
