//! The archive: one folder beside the trees on Drive, one on the VM, and names in it that nobody has yet.

use crate::domain::tags;
use crate::domain::technician::numbered_folder;
use crate::drive::{Created, Entry, FileId, NewFolder, Query};
use crate::error::{Exit, Failure};
use crate::provision::Provisioner;

/// How often the folder is made anew where it is gone as soon as it is there.
const TRIES: usize = 3;

impl Provisioner<'_> {
    /// The archive folder on Drive, where it is there already and not in the trash.
    pub(in crate::provision) async fn archive_if_there(&self) -> anyhow::Result<Option<FileId>> {
        let (parent, name) = (&self.settings.drive.parent_folder_id, &self.settings.layout.archive);
        if let Some(known) = self.ledger.archive_id(parent, name).await?
            && let Some(entry) = self.drive.get(&FileId::new(known)?).await?.filter(|e| self.serves(e))
        {
            return Ok(Some(entry.id));
        }
        let named = Query::children_of(&self.parent()?).named(name).folders_only().trashed(false);
        let found = self.drive.list(&named).await?.into_iter().filter(|e| self.serves(e));
        Ok(found.min_by_key(|e| (e.created_time, e.id.to_string())).map(|e| e.id))
    }

    /// The archive folder on Drive, made where it is missing. One that a person put into the trash is left there, and
    /// another is made: what is to be kept must not lie in the trash.
    ///
    /// As with the trees, the id is recorded before the create: whoever comes second, or again, makes no second one.
    pub(super) async fn archive(&self) -> anyhow::Result<FileId> {
        let (parent, name) = (&self.settings.drive.parent_folder_id, &self.settings.layout.archive);
        if let Some(other) = self.ledger.technician_by_folder(name).await? {
            let why = format!("layout.archive is {name:?}, but that is the folder of {} ({})", other.user, other.name);
            return Err(Failure::new(Exit::Config, "archive_taken", why).hint("give layout.archive another name").into());
        }
        for _ in 0..TRIES {
            if let Some(there) = self.archive_if_there().await? {
                return Ok(FileId::new(self.ledger.set_archive_id(parent, name, there.as_str(), None).await?)?);
            }
            let known = self.ledger.archive_id(parent, name).await?;
            // A reserved id that nothing has yet is used; that of a folder which is gone, or no archive any more, is not.
            let reserved = match &known {
                Some(id) if self.drive.get(&FileId::new(id)?).await?.is_none() => Some(FileId::new(id)?),
                _ => None,
            };
            if let Some(id) = reserved
                && self.make_archive(&id).await?
            {
                return Ok(id);
            }
            let fresh = self.drive.generate_ids(1).await?.remove(0);
            let id = FileId::new(self.ledger.set_archive_id(parent, name, fresh.as_str(), known.as_deref()).await?)?;
            if self.make_archive(&id).await? {
                return Ok(id);
            }
        }
        Err(Failure::new(Exit::Later, "archive_not_visible", format!("the folder {name:?} for removed technicians could not be made"))
            .hint("run the same command again in a minute")
            .into())
    }

    /// `false` where the id is used up: by another process, which has made it, or by a folder that was deleted.
    async fn make_archive(&self, id: &FileId) -> anyhow::Result<bool> {
        let name = self.settings.layout.archive.clone();
        let new = NewFolder { id: id.clone(), name, parent: self.parent()?, app_properties: tags::of_archive() };
        match self.drive.create_folder(&new).await? {
            Created::New(entry) if entry.trashed => Err(self.parent_trashed().into()),
            Created::New(_) => Ok(true),
            Created::Existing => Ok(self.drive.get(id).await?.is_some_and(|e| self.serves(&e))),
        }
    }

    fn serves(&self, entry: &Entry) -> bool {
        let parent = &self.settings.drive.parent_folder_id;
        let is_a_technicians = entry.app_properties.contains_key(tags::USER);
        entry.is_folder() && !entry.trashed && !is_a_technicians && entry.parents.iter().any(|p| p.as_str() == parent)
    }

    /// `folder`, or the first of `folder_2`, `folder_3` … that nothing in the archive is called, on either side. `own` is
    /// the tree itself.
    pub(super) async fn free_in_archive(&self, archive: &FileId, folder: &str, own: Option<&str>) -> anyhow::Result<String> {
        let mut name = folder.to_owned();
        for number in 2.. {
            let same = self.drive.list(&Query::children_of(archive).named(&name)).await?;
            let is_taken = same.iter().any(|e| Some(e.id.as_str()) != own) || self.base.is_taken(&self.in_archive(&name))?;
            if !is_taken {
                break;
            }
            name = numbered_folder(folder, number);
        }
        Ok(name)
    }

    /// A name in the archive on the VM, below the base directory.
    pub(in crate::provision) fn in_archive(&self, name: &str) -> String {
        format!("{}/{name}", self.settings.layout.archive)
    }
}
