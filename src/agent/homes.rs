//! Whose folder an id of Drive is, in memory: a feed page of a thousand entries asks this a thousand times.

use std::collections::HashMap;
use std::sync::Arc;

use super::Agent;
use crate::domain::clock::Millis;
use crate::domain::folder::Role;
use crate::domain::technician::UserId;
use crate::drive::{Entry, FeedEntry, FileId};
use crate::error::{Exit, Failure};
use crate::fs_layout::Tree;
use crate::ledger::{DroppedFolder, FolderState, Technician};

/// How long a dropped folder that was emptied and moved on is still watched: its owner's upload may still be under way.
const AFTERLIFE: Millis = 30 * 24 * 3_600_000;

/// A technician with a tree.
#[derive(Debug)]
pub(super) struct Home {
    /// Who.
    pub technician: Technician,
    /// `novos` on Drive.
    pub novos: FileId,
    /// `processados` on Drive, without the part of a template.
    pub processados: FileId,
    /// `erro` on Drive, likewise.
    pub erro: FileId,
    /// The tree on the VM.
    pub tree: Tree,
}

/// A folder whose files are work orders: a `novos`, or a folder dropped into one.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Whose.
    pub home: Arc<Home>,
    /// Path below `novos`; empty for `novos` itself.
    pub below: String,
    /// The record of a dropped folder.
    pub dropped: Option<DroppedFolder>,
}

/// Every technician's folders.
#[derive(Debug, Default)]
pub(super) struct Homes {
    users: HashMap<UserId, Arc<Home>>,
    places: HashMap<String, Place>,
    /// `processados`, `erro` and their sub-folders.
    ends: HashMap<String, (UserId, Role)>,
    /// The folders a `novos` lies in: what happens to them happens to it, and the feed need not say so (4.20).
    above: HashMap<String, UserId>,
}

impl Homes {
    /// Reads them all.
    pub(super) async fn read(agent: &Agent) -> Result<Self, Failure> {
        let layout = &agent.settings.layout;
        let mut by_role: HashMap<(UserId, Role), FileId> = HashMap::new();
        let mut homes = Self::default();
        let mut technicians = Vec::new();
        for role in [Role::Novos, Role::Processados, Role::Erro, Role::Usuario, Role::Caminho] {
            for (technician, row) in agent.ledger.folders_of_role(role).await? {
                let below = |end: Role| row.path == layout.path_of(end) || row.path.starts_with(&format!("{}/", layout.path_of(end)));
                if let Some(end) = [Role::Processados, Role::Erro].into_iter().find(|end| below(*end)) {
                    homes.ends.insert(row.drive_id.clone(), (technician.user.clone(), end));
                } else if matches!(role, Role::Usuario | Role::Caminho) {
                    homes.above.insert(row.drive_id.clone(), technician.user.clone());
                }
                if row.path == layout.path_of(role) && !matches!(role, Role::Usuario | Role::Caminho) && row.state == FolderState::Created {
                    by_role.insert((technician.user.clone(), role), id(&row.drive_id)?);
                    if role == Role::Novos {
                        technicians.push(technician);
                    }
                }
            }
        }
        for technician in technicians {
            let mut take = |role| by_role.remove(&(technician.user.clone(), role));
            // A creation that stopped half-way has no place to file things away yet: `check --repair` finishes it.
            let (Some(novos), Some(processados), Some(erro)) = (take(Role::Novos), take(Role::Processados), take(Role::Erro)) else {
                continue;
            };
            let tree = agent.base.tree(&technician.folder)?;
            let home = Arc::new(Home { technician, novos, processados, erro, tree });
            homes.places.insert(home.novos.to_string(), Place { home: home.clone(), below: String::new(), dropped: None });
            homes.users.insert(home.technician.user.clone(), home);
        }
        for folder in agent.ledger.dropped_folders(agent.now() - AFTERLIFE).await? {
            homes.add_dropped(folder);
        }
        Ok(homes)
    }

    /// A technician's.
    pub(super) fn of(&self, user: &UserId) -> Option<Arc<Home>> {
        self.users.get(user).cloned()
    }

    /// All technicians'.
    pub(super) fn all(&self) -> Vec<Arc<Home>> {
        self.users.values().cloned().collect()
    }

    /// The folder of this id, where its files are work orders.
    pub(super) fn place(&self, folder_id: &str) -> Option<&Place> {
        self.places.get(folder_id)
    }

    /// The place an entry lies in.
    pub(super) fn place_of(&self, entry: &Entry) -> Option<(&Place, String)> {
        entry.parents.iter().find_map(|p| self.place(p.as_str()).map(|place| (place, p.to_string())))
    }

    /// The technician whose folder a change is about, or lies in.
    pub(super) fn user_of(&self, change: &FeedEntry) -> Option<UserId> {
        let place = self.place(change.file_id.as_str()).or_else(|| change.entry.as_ref().and_then(|e| self.place_of(e)).map(|(p, _)| p));
        place.map(|p| p.home.technician.user.clone())
    }

    /// Whose `novos` lies somewhere in this folder.
    pub(super) fn below(&self, folder_id: &str) -> Option<&UserId> {
        self.above.get(folder_id)
    }

    /// Whether an entry lies in `processados` or `erro` (or a sub-folder of theirs), and in which folder.
    pub(super) fn end_of(&self, entry: &Entry) -> Option<(Role, FileId)> {
        entry.parents.iter().find_map(|p| self.ends.get(p.as_str()).map(|(_, role)| (*role, p.clone())))
    }

    /// Whether a folder is an `erro`, or a sub-folder of one.
    pub(super) fn is_erro(&self, folder: &FileId) -> bool {
        self.ends.get(folder.as_str()).is_some_and(|(_, role)| *role == Role::Erro)
    }

    /// The dropped folders of a technician that are still in `novos`, parents before children.
    pub(super) fn dropped_by(&self, user: &UserId) -> Vec<DroppedFolder> {
        let theirs = self.places.values().filter_map(|p| p.dropped.as_ref()).filter(|d| d.user == *user && d.ended_at.is_none());
        let mut folders: Vec<DroppedFolder> = theirs.cloned().collect();
        folders.sort_by(|a, b| a.below.cmp(&b.below).then_with(|| a.id.cmp(&b.id)));
        folders
    }

    /// Takes note of a dropped folder.
    pub(super) fn add_dropped(&mut self, folder: DroppedFolder) {
        if let Some(home) = self.of(&folder.user) {
            self.places.insert(folder.id.clone(), Place { home, below: folder.below.clone(), dropped: Some(folder) });
        }
    }

    /// A dropped folder that is no place of ours any more.
    pub(super) fn remove_place(&mut self, folder_id: &str) {
        self.places.remove(folder_id);
    }

    /// Takes note of a sub-folder of `processados` or `erro`.
    pub(super) fn add_end(&mut self, folder_id: &FileId, user: &UserId, role: Role) {
        self.ends.insert(folder_id.to_string(), (user.clone(), role));
    }
}

impl Home {
    /// The technician in messages.
    pub(super) fn blame(&self) -> String {
        format!("technician {} ({})", self.technician.user, self.technician.name)
    }
}

/// An id of Drive as the ledger has it.
pub(super) fn id(stored: &str) -> Result<FileId, Failure> {
    FileId::new(stored).map_err(|e| Failure::new(Exit::Data, "ledger_damaged", format!("the ledger holds a bad id: {e}")))
}
