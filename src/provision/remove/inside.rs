//! Everything that lies in a technician's tree on Drive, with who may use it.

use std::collections::{BTreeMap, HashSet};

use futures_util::StreamExt;
use futures_util::stream;

use super::plan::{Departing, Held, Insiders};
use crate::domain::tags;
use crate::domain::technician::Email;
use crate::drive::{Entry, FileId, Grant, Kind, Query};
use crate::error::{Exit, Failure};
use crate::ledger::{FolderRow, Technician};
use crate::provision::Provisioner;
use crate::provision::claim::{Claim, Claims};

/// How many folders one listing covers, as for a survey.
const PER_LISTING: usize = 20;
/// Looks at single items side by side.
const SIDE_BY_SIDE: usize = 8;

impl Provisioner<'_> {
    /// Looks at everything a removal is about. `archive` is the archive folder, where it is made.
    pub(super) async fn departing(
        &self,
        technician: &Technician,
        rows: &[FolderRow],
        archive: Option<&FileId>,
    ) -> anyhow::Result<Departing> {
        let parent = self.parent()?;
        let grants = self.drive.permissions(archive.unwrap_or(&parent)).await?;
        let account = self.drive.about().await?.email;
        let leaving = [&technician.email, &technician.former_email].into_iter().flatten().map(|e: &Email| e.to_string()).collect();
        let root_id = rows.iter().find(|r| r.path.is_empty()).map(|r| r.drive_id.clone());
        let mut starts = Vec::new();
        let marked = self.drive.list(&Query::with_property(tags::USER, technician.user.as_str()).folders_only()).await?;
        for row in rows {
            // Listings lag; the word of a look at the id itself counts.
            starts.extend(self.drive.get(&FileId::new(&row.drive_id)?).await?);
        }
        let places =
            [Some(parent.as_str()), archive.map(FileId::as_str)].into_iter().flatten().chain(rows.iter().map(|r| r.drive_id.as_str()));
        let claims = Claims {
            parent: parent.as_str(),
            places: places.collect(),
            registry: &[],
            marked: marked.iter().map(|e| (e.id.as_str(), e)).collect(),
        };
        let unclear = marked.iter().find(|e| !e.trashed && claims.on(e) == Claim::Unclear).cloned();
        starts.extend(marked.iter().filter(|e| claims.on(e) == Claim::Ours).cloned());
        let found = self.all_below(starts, technician, archive).await?;
        let own_id = root_id.as_deref().unwrap_or_default();
        Ok(Departing {
            root: root_id.clone().filter(|id| found.iter().any(|(_, e)| e.id.as_str() == id)),
            items: self.with_grants(found).await?,
            is_on_vm: self.base.is_taken(&technician.folder)?,
            is_registered: !own_id.is_empty() && self.base.registry().raw(own_id)?.is_some(),
            archive_id: archive.map(ToString::to_string),
            unclear,
            insiders: Insiders { account, grants, leaving },
        })
    }

    /// `starts`, and everything in their folders, each once, the trash included: who may see it there may see it.
    ///
    /// Fails with `tree_holds_others` (77) before anything of anybody else's is looked into.
    async fn all_below(
        &self,
        starts: Vec<Entry>,
        technician: &Technician,
        archive: Option<&FileId>,
    ) -> anyhow::Result<Vec<(String, Entry)>> {
        let folder = &technician.folder;
        let mut seen: HashSet<FileId> = HashSet::new();
        let mut found: Vec<(String, Entry)> = Vec::new();
        let mut paths: BTreeMap<FileId, String> = BTreeMap::new();
        let mut level = starts;
        while !level.is_empty() {
            level.retain(|entry| seen.insert(entry.id.clone()));
            for entry in &level {
                let own = tags::path(&entry.app_properties).map(|path| crate::provision::plan::below(folder, path));
                let placed = entry.parents.first().and_then(|p| paths.get(p)).map(|above| format!("{above}/{}", entry.name));
                let path = own.or(placed).unwrap_or_else(|| entry.name.clone());
                paths.insert(entry.id.clone(), path.clone());
                found.push((path, entry.clone()));
            }
            for entry in level.iter().filter(|e| e.is_folder()) {
                self.check_theirs(technician, entry, archive).await?;
            }
            let folders: Vec<FileId> = level.into_iter().filter(Entry::is_folder).map(|e| e.id).collect();
            level = Vec::new();
            for chunk in folders.chunks(PER_LISTING) {
                level.extend(self.drive.list(&Query::any(chunk.iter().map(Query::children_of))).await?);
            }
        }
        Ok(found)
    }

    /// What a removal takes access from, and puts into the archive, is this technician's alone.
    async fn check_theirs(&self, technician: &Technician, folder: &Entry, archive: Option<&FileId>) -> anyhow::Result<()> {
        if folder.id == self.parent()? || Some(&folder.id) == archive {
            return Err(holds_others(technician, &folder.id).into());
        }
        let Some(other) = self.someone_elses(folder, &technician.user).await? else { return Ok(()) };
        let (user, id) = (&technician.user, &folder.id);
        let what = format!("{:?} ({id}), which is a folder of {} ({})", folder.name, other.user, other.name);
        let hint = format!(
            "`tecnico check {} --repair` puts it where it belongs; then run `tecnico remove {1} --confirm {1}` again",
            other.user.typed(),
            user.typed()
        );
        let message = format!("{user} ({}) is not removed: in their tree on Drive lies {what}", technician.name);
        Err(Failure::new(Exit::Refused, "tree_holds_others", message).hint(hint).into())
    }

    /// Fails with `tree_holds_others` (77) where the ledger has the folder of all trees as this technician's.
    pub(super) fn check_rows(&self, technician: &Technician, rows: &[FolderRow]) -> anyhow::Result<()> {
        let parent = self.parent()?;
        if rows.iter().any(|row| row.drive_id == parent.as_str()) {
            return Err(holds_others(technician, &parent).into());
        }
        Ok(())
    }

    async fn with_grants(&self, found: Vec<(String, Entry)>) -> anyhow::Result<Vec<Held>> {
        let looks = found.into_iter().map(|(path, entry)| async move {
            let grants = match (&entry.permissions, entry.has_own_grants) {
                (Some(grants), _) => Some(grants.clone()),
                (None, Some(false)) => Some(Vec::new()),
                (None, _) => self.visible_grants(&entry.id).await?,
            };
            anyhow::Ok(Held { path, entry, grants })
        });
        stream::iter(looks).buffered(SIDE_BY_SIDE).collect::<Vec<_>>().await.into_iter().collect()
    }

    async fn visible_grants(&self, id: &FileId) -> anyhow::Result<Option<Vec<Grant>>> {
        match self.drive.permissions(id).await {
            Ok(grants) => Ok(Some(grants)),
            Err(error) if error.kind == Kind::Refused => Ok(None),
            // Deleted a moment ago.
            Err(error) if error.kind == Kind::Gone => Ok(Some(Vec::new())),
            Err(error) => Err(error.into()),
        }
    }
}

fn holds_others(technician: &Technician, id: &FileId) -> Failure {
    let user = technician.user.typed();
    let message = format!(
        "{} ({}) is not removed: the folder {id}, which the ledger has as theirs, holds the trees of others",
        technician.user, technician.name
    );
    Failure::new(Exit::Refused, "tree_holds_others", message).hint(format!(
        "`tecnico ledger rebuild --set-aside` makes a ledger of the marks on Drive, and keeps this one; then run `tecnico remove {user} --confirm {user}` again"
    ))
}
