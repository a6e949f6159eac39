//! Looking at items and their history: for `why`, `status`, `retry`, and the agent's reconciling.

use std::collections::{HashMap, HashSet};

use super::Ledger;
use super::item_row::{ItemRow, select_items, small};
use crate::domain::clock::Millis;
use crate::domain::item::{Item, State};
use crate::domain::technician::UserId;
use crate::error::Failure;

/// One line of an item's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// When.
    pub at: Millis,
    /// The state before; `None` for the first line.
    pub from: Option<State>,
    /// The state after; the same for a wait or a rename.
    pub to: State,
    /// Which try at a verdict it was.
    pub attempt: u32,
    /// What there is to say beside the states; may be empty.
    pub note: String,
}

impl Ledger {
    /// One item by its id.
    pub async fn item(&self, item_id: &str) -> Result<Option<Item>, Failure> {
        let row: Option<ItemRow> = sqlx::query_as(select_items!("WHERE item_id = $1"))
            .bind(item_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|r| self.item_of(r)).transpose()
    }

    /// Every version of a file, oldest first.
    pub async fn items_of_file(&self, file_id: &str) -> Result<Vec<Item>, Failure> {
        let rows: Vec<ItemRow> = sqlx::query_as(select_items!("WHERE file_id = $1 ORDER BY seq"))
            .bind(file_id)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        self.items_of(rows)
    }

    /// What a person may mean: a file's name, also one it was given later, a file id or an item id. Oldest first.
    pub async fn items_called(&self, what: &str) -> Result<Vec<Item>, Failure> {
        let rows: Vec<ItemRow> =
            sqlx::query_as(select_items!("WHERE name = $1 OR renamed_to = $1 OR file_id = $1 OR item_id = $1 ORDER BY seq"))
                .bind(what)
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        self.items_of(rows)
    }

    /// Everything that was found in one folder and the dropped ones inside it, oldest first.
    pub async fn items_found_in(&self, folder_id: &str) -> Result<Vec<Item>, Failure> {
        let rows: Vec<ItemRow> = sqlx::query_as(select_items!(
            "WHERE parent_id IN (
                WITH RECURSIVE inside (id) AS (
                    SELECT $1 UNION SELECT d.folder_id FROM dropped_folders d JOIN inside ON d.parent_id = inside.id)
                SELECT id FROM inside) ORDER BY seq"
        ))
        .bind(folder_id)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        self.items_of(rows)
    }

    /// The items under way of one technician, or of all, in order of arrival, due or waiting.
    pub async fn open_items(&self, user: Option<&UserId>) -> Result<Vec<Item>, Failure> {
        let rows: Vec<ItemRow> =
            sqlx::query_as(select_items!("WHERE state IN ('found', 'fetched', 'judged') AND ($1 IS NULL OR user_id = $1) ORDER BY seq"))
                .bind(user.map(UserId::as_str))
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        self.items_of(rows)
    }

    /// The items under way that have taken no step forward since `before`, each with its last step, in order of arrival.
    /// Waiting, however often, and being asked for are no steps; being sent through again is the first.
    pub async fn stuck_items(&self, before: Millis) -> Result<Vec<(Item, Millis)>, Failure> {
        let steps: HashMap<String, Millis> = sqlx::query_as(
            "SELECT i.item_id, MAX(h.at) FROM items i JOIN item_history h ON h.item_id = i.item_id
             WHERE i.state IN ('found', 'fetched', 'judged') AND (h.from_state IS NULL OR h.from_state <> h.to_state)
             GROUP BY i.item_id HAVING MAX(h.at) < $1",
        )
        .bind(before)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?
        .into_iter()
        .collect::<HashMap<_, _>>();
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let open = self.open_items(None).await?;
        Ok(open.into_iter().filter_map(|item| steps.get(&item.id).map(|at| (item.clone(), *at))).collect())
    }

    /// Whether any item has taken a step between `since` and `now`. Waiting and being asked for are none.
    pub async fn has_stepped_since(&self, since: Millis, now: Millis) -> Result<bool, Failure> {
        let steps: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM items i JOIN item_history h ON h.item_id = i.item_id
             WHERE i.changed_at >= $1 AND h.at >= $1 AND h.at <= $2 AND (h.from_state IS NULL OR h.from_state <> h.to_state)",
        )
        .bind(since)
        .bind(now)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(steps > 0)
    }

    /// The items in `erro` of one technician, or of all: what `retry` can take up again.
    pub async fn refused_items(&self, user: Option<&UserId>) -> Result<Vec<Item>, Failure> {
        let rows: Vec<ItemRow> = sqlx::query_as(select_items!(
            "WHERE state IN ('filed', 'reported') AND outcome = 'erro' AND ($1 IS NULL OR user_id = $1) ORDER BY seq"
        ))
        .bind(user.map(UserId::as_str))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        self.items_of(rows)
    }

    /// The item, other than `except`, whose local copy was last known to be at this path; an open one before any other.
    pub async fn holder_of(&self, user: &UserId, local_path: &str, except: &str) -> Result<Option<Item>, Failure> {
        let row: Option<ItemRow> = sqlx::query_as(select_items!(
            "WHERE user_id = $1 AND local_path = $2 AND item_id <> $3
             ORDER BY CASE WHEN state IN ('found', 'fetched', 'judged') THEN 0 ELSE 1 END, seq DESC LIMIT 1"
        ))
        .bind(user.as_str())
        .bind(local_path)
        .bind(except)
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        row.map(|r| self.item_of(r)).transpose()
    }

    /// Where the local copies of a technician's open items were last known to be.
    pub async fn held_paths(&self, user: &UserId) -> Result<HashSet<String>, Failure> {
        let paths: Vec<String> = sqlx::query_scalar(
            "SELECT local_path FROM items WHERE user_id = $1 AND state IN ('found', 'fetched', 'judged') AND local_path IS NOT NULL",
        )
        .bind(user.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(paths.into_iter().collect())
    }

    /// The names of the local copies of a technician's open items other than `except`, wherever they lie.
    pub async fn held_names(&self, user: &UserId, except: &str) -> Result<HashSet<String>, Failure> {
        let paths: Vec<String> = sqlx::query_scalar(
            "SELECT local_path FROM items
             WHERE user_id = $1 AND state IN ('found', 'fetched', 'judged') AND local_path IS NOT NULL AND item_id <> $2",
        )
        .bind(user.as_str())
        .bind(except)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(paths.into_iter().map(|p| p.rsplit_once('/').map_or(p.clone(), |(_, name)| name.to_owned())).collect())
    }

    /// When the next open item that still has to wait becomes due.
    pub async fn next_due(&self, now: Millis) -> Result<Option<Millis>, Failure> {
        sqlx::query_scalar("SELECT MIN(next_attempt_at) FROM items WHERE state IN ('found', 'fetched', 'judged') AND next_attempt_at > $1")
            .bind(now)
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.failed(e))
    }

    /// What happened to an item, step by step.
    pub async fn history(&self, item_id: &str) -> Result<Vec<HistoryLine>, Failure> {
        let rows: Vec<(Millis, Option<String>, String, i64, String)> =
            sqlx::query_as("SELECT at, from_state, to_state, attempt, note FROM item_history WHERE item_id = $1 ORDER BY line")
                .bind(item_id)
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        let state = |word: &str| State::parse(word).ok_or_else(|| self.unreadable("state", word));
        rows.into_iter()
            .map(|(at, from, to, attempt, note)| {
                Ok(HistoryLine { at, from: from.as_deref().map(state).transpose()?, to: state(&to)?, attempt: small(attempt), note })
            })
            .collect()
    }
}
