//! What is there: one listing for many technicians, then single looks where the listing may lag.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::future::try_join_all;

use super::Provisioner;
use super::twins::{Twin, Whose};
use crate::domain::folder::Layout;
use crate::domain::tags;
use crate::domain::technician::{Email, UserId};
use crate::drive::{DriveError, Entry, FileId, Grant, Kind, Query};
use crate::error::Failure;
use crate::fs_layout::credentials::FILE as CREDENTIALS;
use crate::fs_layout::{Entry as RegistryEntry, LocalFolder, LocalState, Tree};
use crate::ledger::{FolderRow, FolderState, Technician};

/// How many technicians one listing covers: its `q` stays at a few kilobytes (drive-v3-behaviour 2.54), and
/// under the fifty parents up to which the answers are known to be whole (2.42).
const PER_LISTING: usize = 20;

/// What a listing is to cover for one technician.
pub struct Subject<'a> {
    /// Who.
    pub user: &'a UserId,
    /// The folder name they have or would like.
    pub folder: &'a str,
    /// The folders the ledger knows.
    pub rows: &'a [FolderRow],
}

/// Everything that may concern the technicians asked about: folders on Drive, `tecnicos.json`, the base directory.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    pub(super) by_id: HashMap<String, Entry>,
    pub(super) registry: Vec<RegistryEntry>,
    local: Vec<String>,
}

/// One wanted folder, as Drive has it.
#[derive(Debug, Clone)]
pub enum Seen {
    /// Its id was reserved; no create is known to have succeeded.
    NeverMade,
    /// It was there; now its id is not found.
    Gone {
        /// The id it had.
        id: String,
    },
    /// As it is.
    There(Box<Entry>),
}

/// Everything there is of one technician.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The wanted folders, by path.
    pub folders: BTreeMap<String, Seen>,
    /// Second folders of the same part.
    pub twins: Vec<Twin>,
    /// Who may do what in `novos`.
    pub grants: Vec<Grant>,
    /// The tree on the VM.
    pub local: Vec<LocalFolder>,
    /// The permission bits of `credenciais.json`, where there is one.
    pub credentials_mode: Option<u32>,
    /// The entry in `tecnicos.json`.
    pub registry: Option<RegistryEntry>,
}

impl Survey {
    /// A folder of this name beside the trees, which is not `user`'s.
    pub fn namesake(&self, parent: &FileId, folder: &str, user: &UserId) -> Option<&Entry> {
        self.by_id
            .values()
            .find(|e| !e.trashed && e.parents.contains(parent) && e.name == folder && tags::user(&e.app_properties) != Some(user.as_str()))
    }

    /// The entry of `tecnicos.json` for a tree on Drive.
    pub fn registered_tree(&self, drive_id: &FileId) -> Option<&RegistryEntry> {
        self.registry.iter().find(|e| e.pasta_drive_id == drive_id.as_str())
    }

    /// An entry of `tecnicos.json` with this e-mail.
    pub fn registered(&self, email: &Email) -> Option<&RegistryEntry> {
        self.registry.iter().find(|e| e.email.eq_ignore_ascii_case(email.as_str()))
    }

    /// Folder names that are taken on the VM or in `tecnicos.json`, and that of the archive.
    pub fn occupied(&self, layout: &Layout) -> HashSet<String> {
        let registered = self.registry.iter().filter_map(|e| e.pasta_vm.trim_end_matches('/').rsplit('/').next());
        registered.map(str::to_owned).chain(self.local.iter().cloned()).chain([layout.archive.clone()]).collect()
    }

    fn registry_entry(&self, own_id: Option<&str>, pasta_vm: &str) -> Option<RegistryEntry> {
        self.registry.iter().find(|e| Some(e.pasta_drive_id.as_str()) == own_id || e.pasta_vm == pasta_vm).cloned()
    }
}

fn question(subjects: &[Subject<'_>], parent: &FileId, archive: &str, with_children: bool) -> Query {
    let (key, value) = tags::ARCHIVE;
    let mut parts = vec![
        Query::children_of(parent).named_one_of(subjects.iter().map(|s| s.folder).chain([archive])),
        Query::children_of(parent).app_property(key, value),
    ];
    for subject in subjects {
        parts.push(Query::with_property(tags::USER, subject.user.as_str()));
        let inner = subject.rows.iter().filter(|row| with_children && subject.rows.iter().any(|below| is_child(&row.path, &below.path)));
        parts.extend(inner.filter_map(|row| FileId::new(&row.drive_id).ok()).map(|id| Query::children_of(&id)));
    }
    Query::any(parts).folders_only()
}

fn is_child(parent: &str, path: &str) -> bool {
    super::plan::parent_path(path) == Some(parent)
}

impl Provisioner<'_> {
    /// Looks at what there is of many technicians at once: 1 Drive call for every 20 of them. The files are read first,
    /// so that whoever they name is in the ledger when it is read afterwards.
    pub async fn survey(&self, subjects: &[Subject<'_>]) -> anyhow::Result<Survey> {
        let registry = self.base.registry().read()?;
        let local = self.base.folders()?;
        let parent = self.parent()?;
        let listings = subjects.chunks(PER_LISTING).map(|chunk| self.listing(chunk, &parent));
        let by_id = try_join_all(listings).await?.into_iter().flatten().map(|e| (e.id.to_string(), e)).collect();
        Ok(Survey { by_id, registry, local })
    }

    /// All folders that may concern these technicians. Drive refuses the whole question where one folder it names was
    /// deleted: then each technician is asked for alone, and those with such a folder by their mark and name only.
    async fn listing(&self, subjects: &[Subject<'_>], parent: &FileId) -> anyhow::Result<Vec<Entry>> {
        let archive = &self.settings.layout.archive;
        let gone = match self.drive.list(&question(subjects, parent, archive, true)).await {
            Err(error) if error.kind == Kind::Gone => error,
            answer => return Ok(answer?),
        };
        if subjects.iter().all(|s| s.rows.is_empty()) {
            return Err(self.parent_not_found(gone));
        }
        let mut found = Vec::new();
        for subject in subjects {
            let subject = std::slice::from_ref(subject);
            let answer = match self.drive.list(&question(subject, parent, archive, true)).await {
                Err(error) if error.kind == Kind::Gone => self.drive.list(&question(subject, parent, archive, false)).await,
                answer => answer,
            };
            found.extend(answer.map_err(|e| if e.kind == Kind::Gone { self.parent_not_found(e) } else { e.into() })?);
        }
        Ok(found)
    }

    /// The folder every tree is to lie in is not there for us.
    pub(super) fn parent_not_found(&self, error: DriveError) -> anyhow::Error {
        crate::drive::parent_not_found(&self.settings.drive.parent_folder_id, &self.drive.account()).because(error).into()
    }

    /// The tree on the VM. Something else in the place of the technician's folder hides all the rest.
    fn local(&self, tree: &Tree) -> Result<Vec<LocalFolder>, Failure> {
        match tree.observe(&self.settings.layout.local_folders()) {
            Err(f) if matches!(f.code(), "link_refused" | "not_a_directory") => {
                Ok(vec![LocalFolder { path: String::new(), state: LocalState::NotADirectory, mode: None }])
            }
            seen => seen,
        }
    }

    /// Whether a folder of the technician's name, without a mark, is theirs for certain: it is empty, or the `novos`
    /// inside is shared with them.
    async fn is_theirs(&self, folder: &Entry, technician: &Technician) -> anyhow::Result<bool> {
        let Some(email) = &technician.email else { return Ok(false) };
        let mut at = folder.clone();
        for name in self.settings.layout.inbox.split('/') {
            let children = self.drive.list(&Query::children_of(&at.id).trashed(false)).await?;
            if children.is_empty() {
                return Ok(at.id == folder.id);
            }
            match children.into_iter().find(|c| c.is_folder() && c.name == name) {
                Some(child) => at = child,
                None => return Ok(false),
            }
        }
        let grants = match at.permissions {
            Some(grants) => grants,
            None => self.drive.permissions(&at.id).await?,
        };
        Ok(grants.iter().any(|g| g.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(email.as_str()))))
    }

    /// Looks at everything of one technician. Ids the listing does not show are asked for one by one: listings lag,
    /// `files.get` does not (drive-v3-behaviour 2.41).
    #[tracing::instrument(level = "error", name = "technician", skip_all, fields(user = %technician.user))]
    pub async fn observe(&self, technician: &Technician, rows: &[FolderRow], survey: &Survey) -> anyhow::Result<Observed> {
        let wanted = self.settings.layout.drive_folders();
        let looks = rows.iter().filter(|row| wanted.iter().any(|w| w.path == row.path)).map(|row| async {
            let listed = survey.by_id.get(&row.drive_id).cloned();
            let seen = match (listed, row.state) {
                (Some(entry), _) => Seen::There(Box::new(entry)),
                (None, FolderState::Reserved) => Seen::NeverMade,
                (None, FolderState::Created) => match self.drive.get(&FileId::new(&row.drive_id)?).await? {
                    Some(entry) => Seen::There(Box::new(entry)),
                    None => Seen::Gone { id: row.drive_id.clone() },
                },
            };
            anyhow::Ok((row.path.clone(), seen))
        });
        let folders: BTreeMap<String, Seen> = try_join_all(looks).await?.into_iter().collect();
        let novos = self.settings.layout.path_of(crate::domain::folder::Role::Novos);
        let grants = match folders.get(novos) {
            Some(Seen::There(entry)) => match &entry.permissions {
                Some(grants) => grants.clone(),
                None => self.drive.permissions(&entry.id).await?,
            },
            _ => Vec::new(),
        };
        let mut twins = survey.twins(technician, self.settings, &wanted, rows);
        if !self.reach.is_everybody() {
            // Whose such a folder is, is not for whoever chose its name and an address to say.
            twins.retain(|t| t.whose != Whose::Unknown);
        }
        for twin in twins.iter_mut().filter(|t| t.whose == Whose::Unknown) {
            if self.is_theirs(&twin.entry, technician).await? {
                twin.whose = Whose::Theirs;
            }
        }
        let tree = self.base.tree(&technician.folder)?;
        let own_id = rows.iter().find(|r| r.path.is_empty()).map(|r| r.drive_id.as_str());
        Ok(Observed {
            twins,
            folders,
            grants,
            local: self.local(&tree)?,
            credentials_mode: tree.file_mode(CREDENTIALS).ok().flatten(),
            registry: survey.registry_entry(own_id, &tree.path().display().to_string()),
        })
    }

    /// The folder every tree lies in.
    pub fn parent(&self) -> anyhow::Result<FileId> {
        Ok(FileId::new(&self.settings.drive.parent_folder_id)?)
    }
}
