//! Files that a restored backup had under way, until Drive has been asked what became of them.

use std::collections::HashSet;

use super::Ledger;
use super::item_row::{ItemRow, select_items};
use crate::domain::clock::Millis;
use crate::domain::item::{Act, Item};
use crate::error::Failure;

impl Ledger {
    /// Marks everything under way: this ledger is a backup that takes the place of one that knew more.
    pub(super) async fn recheck_all(&self, now: Millis) -> Result<(), Failure> {
        let open = self.open_items(None).await?;
        self.note_of(&open, "the ledger was restored from a backup: Drive is asked first what became of it since", now).await?;
        sqlx::query(
            "INSERT INTO recheck (item_id, restored_at) SELECT item_id, $1 FROM items
             WHERE state IN ('found', 'fetched', 'judged') ON CONFLICT (item_id) DO NOTHING",
        )
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// What is still to be asked about, in order of arrival.
    pub async fn to_recheck(&self) -> Result<Vec<Item>, Failure> {
        let rows: Vec<ItemRow> = sqlx::query_as(select_items!(
            "WHERE item_id IN (SELECT item_id FROM recheck) AND state IN ('found', 'fetched', 'judged') ORDER BY seq"
        ))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        self.items_of(rows)
    }

    /// The ids of what is still to be asked about.
    pub async fn ids_to_recheck(&self) -> Result<HashSet<String>, Failure> {
        let ids: Vec<String> = sqlx::query_scalar("SELECT item_id FROM recheck").fetch_all(&self.pool).await.map_err(|e| self.failed(e))?;
        Ok(ids.into_iter().collect())
    }

    /// Drive has said where its file is.
    pub async fn rechecked(&self, item: &Item) -> Result<(), Failure> {
        sqlx::query("DELETE FROM recheck WHERE item_id = $1").bind(&item.id).execute(&self.pool).await.map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// Whether it is under way because somebody asked to try it again: then its file lies in `erro` from before.
    pub async fn is_tried_again(&self, item: &Item) -> Result<bool, Failure> {
        let begun: Option<String> = sqlx::query_scalar(
            "SELECT note FROM item_history
             WHERE item_id = $1 AND to_state = 'found' AND (from_state IS NULL OR from_state IN ('filed', 'withdrawn', 'reported'))
             ORDER BY line DESC LIMIT 1",
        )
        .bind(&item.id)
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(begun == Some(Act::Retry.note()))
    }
}
