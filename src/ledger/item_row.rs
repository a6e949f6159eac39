//! An item as SQL has it, and back.

use sqlx::{Sqlite, Transaction};

use super::Ledger;
use crate::domain::clock::Millis;
use crate::domain::item::{AskedFor, Item, ItemKey, Outcome, Sighted, Standing, State};
use crate::error::Failure;

/// `SELECT` of whole items, with what follows `FROM items`.
macro_rules! select_items {
    ($rest:literal) => {
        concat!(
            "SELECT item_id, seq, user_id, file_id, version, name, mime_type, size, md5, parent_id, below, not_before, state, outcome, ",
            "attempt, waits, next_attempt_at, reason, local_path, data, event_id, found_at, changed_at, missing_since, ",
            "job_id, job_url, renamed_to, setback, copied_at, interruptions FROM items ",
            $rest
        )
    };
}
pub(super) use select_items;

#[derive(sqlx::FromRow)]
pub(super) struct ItemRow {
    item_id: String,
    seq: i64,
    user_id: String,
    file_id: String,
    version: String,
    name: String,
    mime_type: String,
    size: Option<i64>,
    md5: Option<String>,
    parent_id: String,
    below: String,
    not_before: Millis,
    state: String,
    outcome: Option<String>,
    attempt: i64,
    waits: i64,
    next_attempt_at: Millis,
    reason: Option<String>,
    local_path: Option<String>,
    data: Option<String>,
    event_id: Option<String>,
    found_at: Millis,
    changed_at: Millis,
    missing_since: Option<Millis>,
    job_id: Option<String>,
    job_url: Option<String>,
    renamed_to: Option<String>,
    setback: Option<String>,
    copied_at: Option<Millis>,
    interruptions: i64,
}

impl Ledger {
    pub(super) fn item_of(&self, row: ItemRow) -> Result<Item, Failure> {
        let outcome = match &row.outcome {
            Some(word) => Some(Outcome::parse(word).ok_or_else(|| self.unreadable("outcome", word))?),
            None => None,
        };
        Ok(Item {
            standing: Standing { state: State::parse(&row.state).ok_or_else(|| self.unreadable("state", &row.state))?, outcome },
            sighted: Sighted {
                user: self.user_of(&row.user_id)?,
                key: ItemKey { file_id: row.file_id, version: row.version },
                name: row.name,
                mime_type: row.mime_type,
                size: row.size.and_then(|n| u64::try_from(n).ok()),
                md5: row.md5,
                parent_id: row.parent_id,
                below: row.below,
                not_before: row.not_before,
            },
            id: row.item_id,
            seq: row.seq,
            attempt: small(row.attempt),
            waits: small(row.waits),
            interruptions: small(row.interruptions),
            next_attempt_at: row.next_attempt_at,
            reason: row.reason,
            setback: row.setback,
            local_path: row.local_path,
            copied_at: row.copied_at,
            data: row.data,
            event_id: row.event_id,
            found_at: row.found_at,
            changed_at: row.changed_at,
            missing_since: row.missing_since,
            asked_for: row.job_id.map(|job_id| AskedFor { job_id, url: row.job_url }),
            renamed_to: row.renamed_to,
        })
    }

    pub(super) fn items_of(&self, rows: Vec<ItemRow>) -> Result<Vec<Item>, Failure> {
        rows.into_iter().map(|r| self.item_of(r)).collect()
    }

    pub(super) async fn insert_item(&self, tx: &mut Transaction<'static, Sqlite>, item: &Item) -> Result<(), Failure> {
        let seen = &item.sighted;
        sqlx::query(
            "INSERT INTO items (item_id, seq, user_id, file_id, version, name, mime_type, size, md5, parent_id, below, not_before,
                state, attempt, waits, next_attempt_at, found_at, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        )
        .bind(&item.id)
        .bind(item.seq)
        .bind(seen.user.as_str())
        .bind(&seen.key.file_id)
        .bind(&seen.key.version)
        .bind(&seen.name)
        .bind(&seen.mime_type)
        .bind(seen.size.map(|n| i64::try_from(n).unwrap_or(i64::MAX)))
        .bind(&seen.md5)
        .bind(&seen.parent_id)
        .bind(&seen.below)
        .bind(seen.not_before)
        .bind(item.standing.state.as_str())
        .bind(i64::from(item.attempt))
        .bind(i64::from(item.waits))
        .bind(item.next_attempt_at)
        .bind(item.found_at)
        .bind(item.changed_at)
        .execute(&mut **tx)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// Writes back all that can change about an item.
    pub(super) async fn update_item(&self, tx: &mut Transaction<'static, Sqlite>, item: &Item) -> Result<(), Failure> {
        sqlx::query(
            "UPDATE items SET name = $2, parent_id = $3, below = $4, state = $5, outcome = $6, attempt = $7, waits = $8,
                next_attempt_at = $9, reason = $10, local_path = $11, data = $12, event_id = $13, changed_at = $14, missing_since = $15,
                size = $16, md5 = $17, job_id = $18, job_url = $19, renamed_to = $20, setback = $21, copied_at = $22, interruptions = $23
             WHERE item_id = $1",
        )
        .bind(&item.id)
        .bind(&item.sighted.name)
        .bind(&item.sighted.parent_id)
        .bind(&item.sighted.below)
        .bind(item.standing.state.as_str())
        .bind(item.standing.outcome.map(Outcome::as_str))
        .bind(i64::from(item.attempt))
        .bind(i64::from(item.waits))
        .bind(item.next_attempt_at)
        .bind(&item.reason)
        .bind(&item.local_path)
        .bind(&item.data)
        .bind(&item.event_id)
        .bind(item.changed_at)
        .bind(item.missing_since)
        .bind(item.sighted.size.map(|n| i64::try_from(n).unwrap_or(i64::MAX)))
        .bind(&item.sighted.md5)
        .bind(item.asked_for.as_ref().map(|a| &a.job_id))
        .bind(item.asked_for.as_ref().and_then(|a| a.url.as_ref()))
        .bind(&item.renamed_to)
        .bind(&item.setback)
        .bind(item.copied_at)
        .bind(i64::from(item.interruptions))
        .execute(&mut **tx)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    pub(super) async fn append_history(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        item: &Item,
        from: Option<State>,
        note: &str,
        now: Millis,
    ) -> Result<(), Failure> {
        sqlx::query(
            "INSERT INTO item_history (item_id, line, at, from_state, to_state, attempt, note)
             SELECT $1, COALESCE(MAX(line), 0) + 1, $2, $3, $4, $5, $6 FROM item_history WHERE item_id = $1",
        )
        .bind(&item.id)
        .bind(now)
        .bind(from.map(State::as_str))
        .bind(item.standing.state.as_str())
        .bind(i64::from(item.attempt))
        .bind(note)
        .execute(&mut **tx)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }
}

/// A stored counter.
pub(super) fn small(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(if n < 0 { 0 } else { u32::MAX })
}
