//! Folders that somebody dropped into a `novos`.

use super::Ledger;
use crate::domain::clock::Millis;
use crate::domain::technician::UserId;
use crate::error::Failure;

/// One such folder, or one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedFolder {
    /// Its id on Drive.
    pub id: String,
    /// Whose `novos` it came into.
    pub user: UserId,
    /// The folder it lies in.
    pub parent_id: String,
    /// Its path below `novos`.
    pub below: String,
    /// When it was first seen.
    pub seen_at: Millis,
    /// When it was emptied and moved on.
    pub ended_at: Option<Millis>,
}

type Row = (String, String, String, String, Millis, Option<Millis>);

impl Ledger {
    /// Records folders as they are now; one that was ended begins anew.
    pub async fn folders_dropped(&self, folders: &[DroppedFolder]) -> Result<(), Failure> {
        if folders.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for folder in folders {
            sqlx::query(
                "INSERT INTO dropped_folders (folder_id, user_id, parent_id, below, seen_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (folder_id) DO UPDATE SET user_id = excluded.user_id, parent_id = excluded.parent_id,
                    below = excluded.below, ended_at = NULL",
            )
            .bind(&folder.id)
            .bind(folder.user.as_str())
            .bind(&folder.parent_id)
            .bind(&folder.below)
            .bind(folder.seen_at)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        }
        self.commit(tx).await
    }

    /// Somebody took the folder back, with those inside it: they are none of ours any more.
    pub async fn dropped_folder_taken_back(&self, folder: &DroppedFolder) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM dropped_folders WHERE user_id = $1 AND (folder_id = $2 OR substr(below, 1, length($3) + 1) = $3 || '/')")
            .bind(folder.user.as_str())
            .bind(&folder.id)
            .bind(&folder.below)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// The folder was emptied and moved on to `processados`, with those inside it.
    pub async fn dropped_folder_ended(&self, folder: &DroppedFolder, now: Millis) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE dropped_folders SET ended_at = $3
             WHERE ended_at IS NULL AND user_id = $1 AND (folder_id = $2 OR substr(below, 1, length($4) + 1) = $4 || '/')",
        )
        .bind(folder.user.as_str())
        .bind(&folder.id)
        .bind(now)
        .bind(&folder.below)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// The folders still in the `novos` of `user`, or of anybody, parents before children.
    pub async fn dropped_folders(&self, user: Option<&UserId>) -> Result<Vec<DroppedFolder>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT folder_id, user_id, parent_id, below, seen_at, ended_at FROM dropped_folders
             WHERE ended_at IS NULL AND ($1 = '' OR user_id = $1) ORDER BY below, folder_id",
        )
        // No user id is empty.
        .bind(user.map_or("", UserId::as_str))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|row| self.dropped_of(row)).collect()
    }

    /// The folders still in a `novos` since before `before` in which no work order was ever found, nor in one inside them;
    /// of several inside each other, the outermost.
    pub async fn empty_folders(&self, before: Millis) -> Result<Vec<DroppedFolder>, Failure> {
        let all = self.dropped_folders(None).await?;
        let mut full: Vec<&DroppedFolder> = Vec::new();
        for folder in &all {
            if self.items_in(&folder.id).await?.0 > 0 {
                full.push(folder);
            }
        }
        let is_in = |inner: &DroppedFolder, outer: &DroppedFolder| {
            inner.user == outer.user && (inner.id == outer.id || inner.below.starts_with(&format!("{}/", outer.below)))
        };
        let empty: Vec<&DroppedFolder> = all.iter().filter(|f| !full.iter().any(|inner| is_in(inner, f))).collect();
        let outermost = |f: &&&DroppedFolder| !empty.iter().any(|outer| outer.id == f.parent_id);
        Ok(empty.iter().filter(outermost).filter(|f| f.seen_at < before).map(|f| (*f).clone()).collect())
    }

    /// The dropped folders somebody may mean: by name, by path below `novos`, or by id; also those that were moved on.
    pub async fn folders_called(&self, what: &str) -> Result<Vec<DroppedFolder>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT folder_id, user_id, parent_id, below, seen_at, ended_at FROM dropped_folders
             WHERE folder_id = $1 OR below = $1 OR substr(below, length(below) - length($1), length($1) + 1) = '/' || $1 ORDER BY seen_at, folder_id",
        )
        .bind(what)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|row| self.dropped_of(row)).collect()
    }

    /// The dropped folder of this id, where it is still in a `novos` or ended after `since`.
    pub async fn dropped_folder(&self, folder_id: &str, since: Millis) -> Result<Option<DroppedFolder>, Failure> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT folder_id, user_id, parent_id, below, seen_at, ended_at FROM dropped_folders
             WHERE folder_id = $1 AND (ended_at IS NULL OR ended_at > $2)",
        )
        .bind(folder_id)
        .bind(since)
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        row.map(|row| self.dropped_of(row)).transpose()
    }

    fn dropped_of(&self, (id, user, parent_id, below, seen_at, ended_at): Row) -> Result<DroppedFolder, Failure> {
        Ok(DroppedFolder { id, user: self.user_of(&user)?, parent_id, below, seen_at, ended_at })
    }

    /// How many items were ever found in a dropped folder, how many of them are open, and when the last of them took a step.
    pub async fn items_in(&self, folder_id: &str) -> Result<(u64, u64, Option<Millis>), Failure> {
        let (all, open, last): (i64, i64, Option<Millis>) = sqlx::query_as(
            "SELECT COUNT(*), COUNT(CASE WHEN state IN ('found', 'fetched', 'judged') THEN 1 END), MAX(changed_at)
             FROM items WHERE parent_id = $1",
        )
        .bind(folder_id)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Ok((count(all), count(open), last))
    }
}
