//! Technicians on the way out, and under a new name or address. Each step is recorded before what it stands for is done,
//! so that a rerun after a crash knows what was begun.

use std::collections::HashSet;

use super::technicians::{Row, select_technicians};
use super::{Ledger, Technician};
use crate::domain::clock::Millis;
use crate::domain::technician::{Email, UserId, folder_key, is_numbered};
use crate::error::Failure;

/// What is to be different about a technician. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Renaming {
    /// The full name, and the folder it would like ([`crate::domain::technician::folder_name`]).
    pub name: Option<(String, String)>,
    /// The address.
    pub email: Option<Email>,
}

impl Ledger {
    /// Notes that a technician is being taken out. Nothing changes for the agent yet: what is pending is still worked off.
    pub async fn begin_removal(&self, user: &UserId, now: Millis) -> Result<(), Failure> {
        self.execute("UPDATE technicians SET removing_at = COALESCE(removing_at, $2) WHERE user_id = $1", user, &[Value::Number(now)]).await
    }

    /// From now on nothing of theirs is processed, and their tree on the VM lies, or is about to lie, at `place`.
    pub async fn put_away(&self, user: &UserId, place: Option<&str>, now: Millis) -> Result<(), Failure> {
        let values = [Value::Number(now), Value::Text(place)];
        self.execute("UPDATE technicians SET removed_at = COALESCE(removed_at, $2), place = $3 WHERE user_id = $1", user, &values).await
    }

    /// The removal is done, to the last look, and told; so is what was untold of a name.
    pub async fn removal_done(&self, user: &UserId) -> Result<(), Failure> {
        self.execute("UPDATE technicians SET removing_at = NULL, renaming_at = NULL WHERE user_id = $1", user, &[]).await
    }

    /// The backend's event of the new name or address is recorded.
    pub async fn rename_told(&self, user: &UserId) -> Result<(), Failure> {
        self.execute("UPDATE technicians SET renaming_at = NULL WHERE user_id = $1", user, &[]).await
    }

    /// Lets go of somebody of whom nothing came yet: their folders' ids too. `false` where a file of theirs was found, or the
    /// backend was told of them, meanwhile.
    pub async fn forget(&self, user: &UserId) -> Result<bool, Failure> {
        let mut tx = self.write().await?;
        let held: i64 = sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM items WHERE user_id = $1) + (SELECT COUNT(*) FROM events WHERE user_id = $1)
                + (SELECT COUNT(*) FROM dropped_folders WHERE user_id = $1)",
        )
        .bind(user.as_str())
        .fetch_one(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        if held > 0 {
            return Ok(false);
        }
        for sql in [
            "DELETE FROM wanted_grants WHERE user_id = $1",
            "DELETE FROM folders WHERE user_id = $1",
            "DELETE FROM technicians WHERE user_id = $1",
        ] {
            sqlx::query(sql).bind(user.as_str()).execute(&mut *tx).await.map_err(|e| self.failed(e))?;
        }
        self.commit(tx).await?;
        Ok(true)
    }

    /// What `tecnicos.json` says of them, kept for a restore; `None` once it is back.
    pub async fn keep_registry_entry(&self, user: &UserId, entry: Option<&str>) -> Result<(), Failure> {
        self.execute("UPDATE technicians SET registry_entry = $2 WHERE user_id = $1", user, &[Value::Text(entry)]).await
    }

    /// Their tree on the VM lies at `place`, below the base directory, and is to come home.
    pub async fn tree_lies_at(&self, user: &UserId, place: &str) -> Result<(), Failure> {
        self.execute("UPDATE technicians SET place = $2 WHERE user_id = $1", user, &[Value::Text(Some(place))]).await
    }

    /// Their tree on the VM lies in its folder again. What came meanwhile is found by the next cycle's listing.
    pub async fn tree_is_home(&self, user: &UserId) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        self.unlist(&mut tx, user).await?;
        sqlx::query("UPDATE technicians SET place = NULL WHERE user_id = $1")
            .bind(user.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// The grant of the address they had before is gone.
    pub async fn forget_former_email(&self, user: &UserId) -> Result<(), Failure> {
        self.execute("UPDATE technicians SET former_email = NULL WHERE user_id = $1", user, &[]).await
    }

    /// Every technician whose removal was begun and is not done, by folder name.
    pub async fn unfinished_removals(&self) -> Result<Vec<Technician>, Failure> {
        self.selected(select_technicians!("WHERE removing_at IS NOT NULL ORDER BY folder_key")).await
    }

    /// Every technician whose removal is done, by folder name.
    pub async fn removed_technicians(&self) -> Result<Vec<Technician>, Failure> {
        self.selected(select_technicians!("WHERE removed_at IS NOT NULL ORDER BY folder_key")).await
    }

    /// Records another name or address, and since when the backend is to hear of it, and gives the technician a folder name of
    /// their own, as [`Ledger::reserve`] would.
    /// The one they had stays known as their `place` until the tree is moved; the old address as `former_email` until its
    /// grant is taken away. The same again changes nothing. Unless it `is_to_stay`, only what would be is given.
    pub async fn rename(
        &self,
        user: &UserId,
        renaming: &Renaming,
        occupied: &HashSet<String>,
        is_to_stay: bool,
        now: Millis,
    ) -> Result<Option<Technician>, Failure> {
        let mut tx = self.write().await?;
        let Some(mut technician) = self.technician_in(&mut tx, user).await? else { return Ok(None) };
        let before = technician.clone();
        if let Some((name, wanted)) = &renaming.name {
            let is_done = technician.folder == *wanted || (technician.name == *name && is_numbered(&technician.folder, wanted));
            if !is_done {
                let own = folder_key(&technician.folder);
                let others: HashSet<String> = occupied.iter().filter(|f| folder_key(f) != own).cloned().collect();
                let folder = self.free_folder(&mut tx, user, wanted, &others).await?;
                let old = std::mem::replace(&mut technician.folder, folder);
                technician.place.get_or_insert(old);
            }
            technician.name.clone_from(name);
        }
        if let Some(email) = renaming.email.as_ref().filter(|e| technician.email.as_ref() != Some(e)) {
            let old = technician.email.replace(email.clone());
            if let Some(old) = &old {
                // What was said of their own address with `share` goes with them.
                for (sql, first, second) in [
                    ("DELETE FROM wanted_grants WHERE user_id = $1 AND email = $2 AND email <> $3", email, old),
                    ("UPDATE wanted_grants SET email = $3 WHERE user_id = $1 AND email = $2", old, email),
                ] {
                    let query = sqlx::query(sql).bind(user.as_str()).bind(first.as_str()).bind(second.as_str());
                    query.execute(&mut *tx).await.map_err(|e| self.failed(e))?;
                }
            }
            technician.former_email = old;
        }
        if technician != before {
            technician.renaming_at.get_or_insert(now);
        }
        sqlx::query(
            "UPDATE technicians SET name = $2, folder = $3, folder_key = $4, place = $5, email = $6, former_email = $7, renaming_at = $8
             WHERE user_id = $1",
        )
        .bind(user.as_str())
        .bind(&technician.name)
        .bind(&technician.folder)
        .bind(folder_key(&technician.folder))
        .bind(&technician.place)
        .bind(technician.email.as_ref().map(Email::as_str))
        .bind(technician.former_email.as_ref().map(Email::as_str))
        .bind(technician.renaming_at)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        if is_to_stay {
            self.commit(tx).await?;
        }
        Ok(Some(technician))
    }

    /// The id of the archive folder of this name below this parent folder, if one was ever chosen.
    pub async fn archive_id(&self, parent_id: &str, name: &str) -> Result<Option<String>, Failure> {
        sqlx::query_scalar("SELECT drive_id FROM archives WHERE parent_id = $1 AND name = $2")
            .bind(parent_id)
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))
    }

    /// Records the archive folder's id in the place of `instead_of`, and gives the one that counts: whoever comes second
    /// gets that of whoever came first.
    pub async fn set_archive_id(&self, parent_id: &str, name: &str, id: &str, instead_of: Option<&str>) -> Result<String, Failure> {
        let mut tx = self.write().await?;
        for (sql, third) in [
            ("DELETE FROM archives WHERE parent_id = $1 AND name = $2 AND drive_id = $3", instead_of),
            ("INSERT INTO archives (parent_id, name, drive_id) VALUES ($1, $2, $3) ON CONFLICT (parent_id, name) DO NOTHING", Some(id)),
        ] {
            if let Some(third) = third {
                let query = sqlx::query(sql).bind(parent_id).bind(name).bind(third);
                query.execute(&mut *tx).await.map_err(|e| self.failed(e))?;
            }
        }
        let counts = sqlx::query_scalar("SELECT drive_id FROM archives WHERE parent_id = $1 AND name = $2")
            .bind(parent_id)
            .bind(name)
            .fetch_one(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        Ok(counts)
    }

    async fn selected(&self, sql: &'static str) -> Result<Vec<Technician>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(&self.pool).await.map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| self.technician_of(r)).collect()
    }

    async fn execute(&self, sql: &'static str, user: &UserId, values: &[Value<'_>]) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        let mut query = sqlx::query(sql).bind(user.as_str());
        for value in values {
            query = match value {
                Value::Number(n) => query.bind(*n),
                Value::Text(text) => query.bind(*text),
            };
        }
        query.execute(&mut *tx).await.map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }
}

enum Value<'v> {
    Number(Millis),
    Text(Option<&'v str>),
}
