//! The Drive ids of a technician's folders, recorded before the first create is sent.

use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::{Ledger, Technician, technicians};
use crate::domain::folder::{Role, WantedFolder};
use crate::domain::technician::UserId;
use crate::error::{Exit, Failure};

/// How many ids one statement puts in.
const IDS_IN_A_STATEMENT: usize = 500;

/// Whether a create with the id is known to have succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderState {
    /// The id is ours; the folder may or may not exist.
    Reserved,
    /// The folder existed on Drive when we last looked.
    Created,
}

/// One folder of a technician, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRow {
    /// Path below the technician's folder; empty for the folder itself.
    pub path: String,
    /// The part it plays.
    pub role: Role,
    /// The id on Drive.
    pub drive_id: String,
    /// How far it is.
    pub state: FolderState,
}

/// The answer to [`Ledger::assign_ids`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assigned {
    /// One row for each wanted folder, in the order asked for.
    Ids(Vec<FolderRow>),
    /// Nothing was recorded: this many more ids must be put in with [`Ledger::add_spare_ids`] first.
    NeedIds(usize),
}

/// What becomes of an id that is already recorded for the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    /// It stays; only paths without one get the id given.
    KeepOurs,
    /// The id given takes its place.
    Replace,
}

#[derive(sqlx::FromRow)]
struct Row {
    path: String,
    role: String,
    drive_id: String,
    state: String,
}

/// A folder that technicians drop files into cannot become another part of the tree: what lies in it would be nobody's.
fn takes_inbox(user: &UserId, folder: &WantedFolder) -> Failure {
    let (path, part) = (&folder.path, folder.role);
    Failure::new(Exit::Config, "layout_takes_inbox", format!("technician {user}: {path} is their novos, and the layout makes it {part}"))
        .hint(format!("give it another path in [layout]: {path} stays a folder for files that wait, until they are brought over"))
}

impl Ledger {
    /// The folders recorded for a technician, parents before children.
    pub async fn folder_ids(&self, user: &UserId) -> Result<Vec<FolderRow>, Failure> {
        let rows: Vec<Row> = sqlx::query_as("SELECT path, role, drive_id, state FROM folders WHERE user_id = $1 ORDER BY path")
            .bind(user.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| self.folder_of(r)).collect()
    }

    /// Gives every wanted folder an id, taking spare ones where there is none yet. Whoever comes second,
    /// in this process or another, gets the ids of whoever came first. The technician must be reserved.
    pub async fn assign_ids(&self, user: &UserId, wanted: &[WantedFolder]) -> Result<Assigned, Failure> {
        let mut tx = self.write().await?;
        let known = self.folders_in(&mut tx, user).await?;
        let missing: Vec<&WantedFolder> = wanted.iter().filter(|w| !known.iter().any(|k| k.path == w.path)).collect();
        let spare: Vec<String> = sqlx::query_scalar("SELECT id FROM spare_ids ORDER BY id LIMIT $1")
            .bind(i64::try_from(missing.len()).unwrap_or(i64::MAX))
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        if spare.len() < missing.len() {
            return Ok(Assigned::NeedIds(missing.len() - spare.len()));
        }
        for (folder, id) in missing.into_iter().zip(&spare) {
            self.insert_folder(&mut tx, user, folder, id, FolderState::Reserved).await?;
            self.no_longer_spare(&mut tx, id).await?;
        }
        // The configured layout may have given a path another part to play.
        for folder in wanted.iter().filter(|w| known.iter().any(|k| k.path == w.path && k.role != w.role)) {
            if known.iter().any(|k| k.path == folder.path && k.role == Role::Novos && k.state == FolderState::Created) {
                return Err(takes_inbox(user, folder));
            }
            sqlx::query("UPDATE folders SET role = $3 WHERE user_id = $1 AND path = $2")
                .bind(user.as_str())
                .bind(&folder.path)
                .bind(folder.role.as_str())
                .execute(&mut *tx)
                .await
                .map_err(|e| self.failed(e))?;
        }
        let now_known = self.folders_in(&mut tx, user).await?;
        self.commit(tx).await?;
        Ok(Assigned::Ids(wanted.iter().filter_map(|w| now_known.iter().find(|k| k.path == w.path).cloned()).collect()))
    }

    /// Puts unused ids from `files.generateIds` in. Ids that are known already are passed over.
    pub async fn add_spare_ids<S: AsRef<str>>(&self, ids: &[S]) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        for some in ids.chunks(IDS_IN_A_STATEMENT) {
            let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO spare_ids (id) SELECT column1 FROM (");
            insert.push_values(some, |mut row, id| {
                row.push_bind(id.as_ref());
            });
            // What a list of values calls its column, here and in PostgreSQL.
            insert.push(") AS ids WHERE NOT EXISTS (SELECT 1 FROM folders WHERE drive_id = column1) ON CONFLICT (id) DO NOTHING");
            insert.build().execute(&mut *tx).await.map_err(|e| self.failed(e))?;
        }
        self.commit(tx).await
    }

    /// How many ids are left to take.
    pub async fn spare_ids(&self) -> Result<usize, Failure> {
        let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM spare_ids").fetch_one(&self.pool).await.map_err(|e| self.failed(e))?;
        Ok(usize::try_from(n).unwrap_or_default())
    }

    /// Records the ids of folders that exist on Drive (an import, a rebuild). Either all or none: an id that
    /// belongs to another path or technician is a failure (`folder_id_taken`, 65) that names its owner.
    pub async fn adopt_ids(&self, user: &UserId, folders: &[(WantedFolder, String)], mode: Adopt) -> Result<Vec<FolderRow>, Failure> {
        let mut tx = self.write().await?;
        let mut known = self.folders_in(&mut tx, user).await?;
        if mode == Adopt::Replace {
            // All rows that change go first, so that two paths may exchange their ids.
            for (folder, id) in folders {
                if known.iter().any(|k| k.path == folder.path && (k.drive_id != *id || k.role != folder.role)) {
                    self.delete_folder(&mut tx, user, &folder.path).await?;
                    known.retain(|k| k.path != folder.path);
                }
            }
        }
        for (folder, id) in folders {
            match known.iter().find(|k| k.path == folder.path) {
                Some(same) if same.drive_id == *id => self.set_created(&mut tx, user, &folder.path).await?,
                Some(_) => {}
                None => {
                    self.refuse_taken(&mut tx, user, folder, id).await?;
                    self.insert_folder(&mut tx, user, folder, id, FolderState::Created).await?;
                    self.no_longer_spare(&mut tx, id).await?;
                }
            }
        }
        let rows = self.folders_in(&mut tx, user).await?;
        self.commit(tx).await?;
        Ok(rows)
    }

    /// Notes that the folder exists on Drive under its recorded id.
    pub async fn mark_created(&self, user: &UserId, path: &str) -> Result<(), Failure> {
        self.mark_all_created(user, &[path]).await
    }

    /// [`Ledger::mark_created`] for several folders in one transaction.
    pub async fn mark_all_created(&self, user: &UserId, paths: &[&str]) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        for path in paths {
            self.set_created(&mut tx, user, path).await?;
        }
        self.commit(tx).await
    }

    /// Lets go of an id whose folder is gone from Drive for good, so that the next
    /// [`Ledger::assign_ids`] gives the path another. Does nothing when the path has another id by now.
    pub async fn forget_id(&self, user: &UserId, path: &str, drive_id: &str) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM folders WHERE user_id = $1 AND path = $2 AND drive_id = $3")
            .bind(user.as_str())
            .bind(path)
            .bind(drive_id)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// Whose folder has this id on Drive, and which of theirs it is.
    pub async fn folder_by_drive_id(&self, drive_id: &str) -> Result<Option<(Technician, FolderRow)>, Failure> {
        let Some((owner, path)) = sqlx::query_as::<_, (String, String)>("SELECT user_id, path FROM folders WHERE drive_id = $1")
            .bind(drive_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?
        else {
            return Ok(None);
        };
        let user = self.user_of(&owner)?;
        let technician = self.technician(&user).await?;
        let folder = self.folder_ids(&user).await?.into_iter().find(|f| f.path == path);
        Ok(technician.zip(folder))
    }

    /// Every technician not taken out who has a folder of this role, with that folder. One read for all.
    pub async fn folders_of_role(&self, role: Role) -> Result<Vec<(Technician, FolderRow)>, Failure> {
        #[derive(sqlx::FromRow)]
        struct Joined {
            #[sqlx(flatten)]
            technician: technicians::Row,
            #[sqlx(flatten)]
            folder: Row,
        }
        let rows: Vec<Joined> = sqlx::query_as(
            "SELECT t.user_id, t.name, t.email, t.portal_user, t.folder, t.created_at, t.removed_at, t.removing_at, t.place,
                    t.former_email, t.registry_entry, t.renaming_at, f.path, f.role, f.drive_id, f.state
             FROM technicians t JOIN folders f ON f.user_id = t.user_id
             WHERE f.role = $1 AND t.removed_at IS NULL ORDER BY t.folder_key",
        )
        .bind(role.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| Ok((self.technician_of(r.technician)?, self.folder_of(r.folder)?))).collect()
    }

    async fn folders_in(&self, tx: &mut Transaction<'static, Sqlite>, user: &UserId) -> Result<Vec<FolderRow>, Failure> {
        let rows: Vec<Row> = sqlx::query_as("SELECT path, role, drive_id, state FROM folders WHERE user_id = $1 ORDER BY path")
            .bind(user.as_str())
            .fetch_all(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| self.folder_of(r)).collect()
    }

    async fn insert_folder(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        folder: &WantedFolder,
        id: &str,
        state: FolderState,
    ) -> Result<(), Failure> {
        sqlx::query("INSERT INTO folders (user_id, path, role, drive_id, state) VALUES ($1, $2, $3, $4, $5)")
            .bind(user.as_str())
            .bind(&folder.path)
            .bind(folder.role.as_str())
            .bind(id)
            .bind(state.as_str())
            .execute(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    async fn delete_folder(&self, tx: &mut Transaction<'static, Sqlite>, user: &UserId, path: &str) -> Result<(), Failure> {
        sqlx::query("DELETE FROM folders WHERE user_id = $1 AND path = $2")
            .bind(user.as_str())
            .bind(path)
            .execute(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    async fn set_created(&self, tx: &mut Transaction<'static, Sqlite>, user: &UserId, path: &str) -> Result<(), Failure> {
        sqlx::query("UPDATE folders SET state = 'created' WHERE user_id = $1 AND path = $2")
            .bind(user.as_str())
            .bind(path)
            .execute(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    async fn no_longer_spare(&self, tx: &mut Transaction<'static, Sqlite>, id: &str) -> Result<(), Failure> {
        sqlx::query("DELETE FROM spare_ids WHERE id = $1").bind(id).execute(&mut **tx).await.map_err(|e| self.failed(e))?;
        Ok(())
    }

    async fn refuse_taken(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        folder: &WantedFolder,
        id: &str,
    ) -> Result<(), Failure> {
        let owner: Option<(String, String)> = sqlx::query_as("SELECT user_id, path FROM folders WHERE drive_id = $1")
            .bind(id)
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        let Some((owner, path)) = owner else { return Ok(()) };
        Err(Failure::new(
            Exit::Data,
            "folder_id_taken",
            format!(
                "the Drive folder {id} cannot be {:?} of technician {user}: it is recorded as {:?} of technician {owner}",
                shown(&folder.path),
                shown(&path)
            ),
        )
        .hint(format!("`tecnico check {owner}` shows what that technician has")))
    }

    fn folder_of(&self, row: Row) -> Result<FolderRow, Failure> {
        Ok(FolderRow {
            role: Role::parse(&row.role).ok_or_else(|| self.unreadable("folder role", &row.role))?,
            state: FolderState::parse(&row.state).ok_or_else(|| self.unreadable("folder state", &row.state))?,
            path: row.path,
            drive_id: row.drive_id,
        })
    }
}

impl FolderState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Created => "created",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Reserved, Self::Created].into_iter().find(|s| s.as_str() == word)
    }
}

/// The technician's own folder has an empty path; a reader needs to see something.
fn shown(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}
