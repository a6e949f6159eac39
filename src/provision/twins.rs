//! Second folders of one part: what lies in them comes over, they step aside under another name. Nothing is deleted.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use super::claim::Claim;
use super::{Provisioner, Survey, plan};
use crate::config::Settings;
use crate::domain::folder::WantedFolder;
use crate::domain::tags;
use crate::drive::{Change, Entry, FileId, Query};
use crate::ledger::{FolderRow, Technician};

/// A second folder of one part.
#[derive(Debug, Clone)]
pub struct Twin {
    /// The part, as a path below the technician's folder.
    pub path: String,
    /// The folder.
    pub entry: Entry,
    /// What is known of whose it is.
    pub whose: Whose,
}

/// What is known of whose a second folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// This technician's for certain.
    Theirs,
    /// Somebody's who gave it their name.
    Unknown,
    /// It carries their mark, and may be another installation's.
    Unclear,
}

impl Twin {
    /// Whether what lies in it is to come over: one that lies in another is merged with that one.
    pub(super) fn is_to_be_merged(&self, twins: &[Twin]) -> bool {
        let is_inside = |other: &Twin| other.whose == Whose::Theirs && self.entry.parents.contains(&other.entry.id);
        self.whose == Whose::Theirs && !twins.iter().any(is_inside)
    }
}

impl Survey {
    /// Second folders: those with the mark of a part, or its name in its place, that are not the one the ledger knows.
    pub(super) fn twins(&self, technician: &Technician, settings: &Settings, wanted: &[WantedFolder], rows: &[FolderRow]) -> Vec<Twin> {
        let parent = settings.drive.parent_folder_id.as_str();
        let claims = LazyCell::new(|| self.claims(settings, rows));
        let id_of = |path: &str| rows.iter().find(|r| r.path == path).map(|r| r.drive_id.as_str());
        let mut twins = Vec::new();
        for entry in self.by_id.values().filter(|e| !e.trashed && !rows.iter().any(|r| r.drive_id == e.id.as_str())) {
            let owner = tags::user(&entry.app_properties);
            let marked = tags::path(&entry.app_properties)
                // Those of months, and of a layout before, are no second ones.
                .filter(|path| owner == Some(technician.user.as_str()) && wanted.iter().any(|w| w.path == *path));
            let placed = wanted.iter().find(|w| {
                let name = plan::drive_name(technician, w);
                let home = plan::parent_path(&w.path).map_or(Some(parent), id_of);
                entry.name == name && entry.parents.iter().any(|p| Some(p.as_str()) == home)
            });
            let path = marked.map(str::to_owned).or_else(|| placed.map(|w| w.path.clone()));
            if let Some(path) = path.filter(|_| owner.is_none() || marked.is_some()) {
                let whose = match marked.map(|_| claims.on(entry)) {
                    Some(Claim::Others) => continue,
                    Some(Claim::Unclear) => Whose::Unclear,
                    None if path.is_empty() => Whose::Unknown,
                    Some(Claim::Ours) | None => Whose::Theirs,
                };
                twins.push(Twin { path, entry: entry.clone(), whose });
            }
        }
        twins.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.entry.id.cmp(&b.entry.id)));
        twins
    }
}

impl Provisioner<'_> {
    /// Moves everything in `twin` into `keeper`, folder by folder where both have one of a name, then renames and
    /// unmarks the twin and takes it from the technician, so that nobody drops files into it again.
    pub(super) async fn merge_twin(&self, twin: &Entry, keeper: &FileId, technician: &Technician) -> anyhow::Result<()> {
        let children = self.drive.list(&Query::children_of(&twin.id).trashed(false)).await?;
        let ours = self.drive.list(&Query::children_of(keeper).folders_only().trashed(false)).await?;
        for child in children {
            if let Some(same) = ours.iter().find(|o| child.is_folder() && o.name == child.name && o.id != child.id) {
                Box::pin(self.merge_twin(&child, &same.id, technician)).await?;
            } else {
                let to = Change { add_parent: Some(keeper.clone()), remove_parent: Some(twin.id.clone()), ..Change::default() };
                self.drive.update(&child.id, &to).await?;
            }
        }
        let unmark: BTreeMap<String, Option<String>> =
            twin.app_properties.keys().filter(|k| k.starts_with(tags::PREFIX)).map(|k| (k.clone(), None)).collect();
        let aside = Change { name: Some(format!("{} (duplicada {})", twin.name, twin.id)), app_properties: unmark, ..Change::default() };
        self.drive.update(&twin.id, &aside).await?;
        let email = technician.email.as_ref().map(|e| e.as_str().to_owned());
        for grant in self.drive.permissions(&twin.id).await? {
            if !grant.inherited && grant.role != "owner" && grant.email.is_some() && grant.email == email {
                self.drive.revoke(&twin.id, &grant.id).await?;
            }
        }
        Ok(())
    }
}
