//! Whose folder an id of Drive is.

use std::collections::HashMap;
use std::sync::Arc;

use super::cycle::Cycle;
use super::parent::Parent;
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
    /// What was `novos` before the layout was changed: files there are work orders still.
    pub former: Vec<FileId>,
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

/// What a folder of Drive is to us.
#[derive(Debug, Clone)]
enum Known {
    /// What comes into it is a work order.
    Place(Place),
    /// A `processados` or `erro`, or a sub-folder of one.
    End(Role),
    /// A folder the `novos` of this technician lies in: what happens to it happens to that, and the feed need not say so (4.20).
    Above(UserId),
    /// None of ours.
    Foreign,
}

/// What this cycle has come to know. It is asked of the ledger one by one: an idle cycle over ten thousand technicians asks
/// nothing, and holds none of them in memory.
#[derive(Debug, Default)]
pub(super) struct Homes {
    /// The folder that all of them lie in.
    pub parent: Option<Parent>,
    users: HashMap<UserId, Option<Arc<Home>>>,
    folders: HashMap<String, Known>,
}

impl Cycle<'_> {
    /// A technician's folders; `None` where there are none to work with. A creation that stopped half-way, or a layout that
    /// was changed since, leaves no place to file things away: each look says so ([`Cycle::name_unmade`]), and
    /// `check --repair` makes it.
    pub(super) async fn home_of(&self, user: &UserId) -> Result<Option<Arc<Home>>, Failure> {
        let known = { self.homes().users.get(user).cloned() };
        if let Some(known) = known {
            return Ok(known);
        }
        let home = self.read_home(user).await?.map(Arc::new);
        self.homes().users.insert(user.clone(), home.clone());
        Ok(home)
    }

    async fn read_home(&self, user: &UserId) -> Result<Option<Home>, Failure> {
        let (ledger, layout) = (&self.agent.ledger, &self.agent.settings.layout);
        let Some(technician) = ledger.technician(user).await?.filter(Technician::is_at_work) else { return Ok(None) };
        let rows = ledger.folder_ids(user).await?;
        let created = |role: Role| {
            let row = rows.iter().find(|r| r.path == layout.path_of(role) && r.role == role && r.state == FolderState::Created);
            row.map(|r| id(&r.drive_id)).transpose()
        };
        let (Some(novos), Some(processados), Some(erro)) = (created(Role::Novos)?, created(Role::Processados)?, created(Role::Erro)?)
        else {
            return Ok(None);
        };
        let former = rows.iter().filter(|r| r.role == Role::Novos && r.state == FolderState::Created && r.drive_id != novos.as_str());
        let former = former.map(|r| id(&r.drive_id)).collect::<Result<_, _>>()?;
        let tree = self.agent.base.tree(&technician.folder)?;
        Ok(Some(Home { technician, novos, former, processados, erro, tree }))
    }

    async fn known(&self, folder_id: &str) -> Result<Known, Failure> {
        let known = { self.homes().folders.get(folder_id).cloned() };
        if let Some(known) = known {
            return Ok(known);
        }
        let known = self.read_known(folder_id).await?;
        self.learn(folder_id, known.clone());
        Ok(known)
    }

    async fn read_known(&self, folder_id: &str) -> Result<Known, Failure> {
        let (ledger, layout) = (&self.agent.ledger, &self.agent.settings.layout);
        if let Some((technician, row)) = ledger.folder_by_drive_id(folder_id).await? {
            let below = |end: Role| row.path == layout.path_of(end) || row.path.starts_with(&format!("{}/", layout.path_of(end)));
            if !technician.is_at_work() {
                return Ok(Known::Foreign);
            }
            if let Some(end) = [Role::Processados, Role::Erro].into_iter().find(|end| below(*end)) {
                return Ok(Known::End(end));
            }
            if matches!(row.role, Role::Usuario | Role::Caminho) {
                return Ok(Known::Above(technician.user));
            }
            let home = self.home_of(&technician.user).await?.filter(|home| home.takes(folder_id));
            return Ok(home.map_or(Known::Foreign, |home| Known::Place(Place { home, below: String::new(), dropped: None })));
        }
        let Some(folder) = ledger.dropped_folder(folder_id, self.now() - AFTERLIFE).await? else { return Ok(Known::Foreign) };
        let home = self.home_of(&folder.user).await?;
        Ok(home.map_or(Known::Foreign, |home| Known::Place(Place { home, below: folder.below.clone(), dropped: Some(folder) })))
    }

    fn learn(&self, folder_id: &str, known: Known) {
        self.homes().folders.insert(folder_id.to_owned(), known);
    }

    /// The folder of this id, where its files are work orders.
    pub(super) async fn place(&self, folder_id: &str) -> Result<Option<Place>, Failure> {
        Ok(match self.known(folder_id).await? {
            Known::Place(place) => Some(place),
            Known::End(_) | Known::Above(_) | Known::Foreign => None,
        })
    }

    /// The place an entry lies in, and the id of that folder.
    pub(super) async fn place_of(&self, entry: &Entry) -> Result<Option<(Place, FileId)>, Failure> {
        for parent in &entry.parents {
            if let Some(place) = self.place(parent.as_str()).await? {
                return Ok(Some((place, parent.clone())));
            }
        }
        Ok(None)
    }

    /// The technician whose folder a change is about, or lies in.
    pub(super) async fn user_of(&self, change: &FeedEntry) -> Result<Option<UserId>, Failure> {
        let itself = self.place(change.file_id.as_str()).await?;
        let place = match (itself, &change.entry) {
            (None, Some(entry)) => self.place_of(entry).await?.map(|(place, _)| place),
            (itself, _) => itself,
        };
        Ok(place.map(|p| p.home.technician.user.clone()))
    }

    /// Whose `novos` lies somewhere in this folder.
    pub(super) async fn above_novos_of(&self, folder_id: &str) -> Result<Option<UserId>, Failure> {
        Ok(match self.known(folder_id).await? {
            Known::Above(user) => Some(user),
            Known::Place(_) | Known::End(_) | Known::Foreign => None,
        })
    }

    /// Whether an entry lies in `processados` or `erro` (or a sub-folder of theirs), and in which folder.
    pub(super) async fn end_of(&self, entry: &Entry) -> Result<Option<(Role, FileId)>, Failure> {
        for parent in &entry.parents {
            if let Known::End(role) = self.known(parent.as_str()).await? {
                return Ok(Some((role, parent.clone())));
            }
        }
        Ok(None)
    }

    /// Whether a folder is an `erro`, or a sub-folder of one.
    pub(super) async fn is_erro(&self, folder: &FileId) -> Result<bool, Failure> {
        Ok(matches!(self.known(folder.as_str()).await?, Known::End(Role::Erro)))
    }

    /// Takes note of a dropped folder.
    pub(super) fn know_dropped(&self, home: &Arc<Home>, folder: DroppedFolder) {
        let id = folder.id.clone();
        self.learn(&id, Known::Place(Place { home: home.clone(), below: folder.below.clone(), dropped: Some(folder) }));
    }

    /// A dropped folder that is no place of ours any more.
    pub(super) fn know_gone(&self, folder_id: &str) {
        self.learn(folder_id, Known::Foreign);
    }

    /// Takes note of a sub-folder of `processados` or `erro`.
    pub(super) fn know_end(&self, folder_id: &FileId, role: Role) {
        self.learn(folder_id.as_str(), Known::End(role));
    }
}

impl Home {
    /// Whether this folder is their `novos`, or was before the layout was changed.
    fn takes(&self, folder_id: &str) -> bool {
        self.novos.as_str() == folder_id || self.former.iter().any(|id| id.as_str() == folder_id)
    }

    /// The technician in messages.
    pub(super) fn blame(&self) -> String {
        format!("technician {} ({})", self.technician.user, self.technician.name)
    }
}

/// An id of Drive as the ledger has it.
pub(super) fn id(stored: &str) -> Result<FileId, Failure> {
    FileId::new(stored).map_err(|e| Failure::new(Exit::Data, "ledger_damaged", format!("the ledger holds a bad id: {e}")))
}
