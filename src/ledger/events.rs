//! Events as they are recorded, and as somebody looks at them.

use sqlx::{Sqlite, Transaction};

use super::Ledger;
use super::item_row::small;
use crate::domain::clock::Millis;
use crate::domain::event::{Event, EventId, EventKind, NewEvent};
use crate::domain::technician::UserId;
use crate::error::Failure;

/// `SELECT` of whole events, with what follows `FROM events`.
macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT event_id, seq, kind, user_id, job_id, url, by_caller, payload, created_at, attempts, earlier_attempts, next_attempt_at, delivered_at, dead_at, ",
            "last_error, (SELECT MIN(i.item_id) FROM items i WHERE i.event_id = events.event_id) AS item_id FROM events ",
            $rest
        )
    };
}

pub(super) use select_events;

/// Which events to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that are not delivered: pending, held back by a stopped address, or dead.
    Undelivered,
    /// Every one.
    All,
}

#[derive(sqlx::FromRow)]
pub(super) struct EventRow {
    event_id: String,
    seq: i64,
    kind: String,
    user_id: String,
    job_id: String,
    url: String,
    by_caller: i64,
    payload: String,
    created_at: Millis,
    attempts: i64,
    earlier_attempts: i64,
    next_attempt_at: Millis,
    delivered_at: Option<Millis>,
    dead_at: Option<Millis>,
    last_error: Option<String>,
    item_id: Option<String>,
}

impl Ledger {
    /// Records an event that no item makes true (folders created, shared, or not), to be sent at once.
    pub async fn add_event(&self, event: &NewEvent, now: Millis) -> Result<EventId, Failure> {
        let mut tx = self.write().await?;
        let id = self.insert_event(&mut tx, event, now).await?;
        self.commit(tx).await?;
        Ok(id)
    }

    pub(super) async fn insert_event(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        event: &NewEvent,
        now: Millis,
    ) -> Result<EventId, Failure> {
        let id = EventId::new(&uuid::Uuid::now_v7());
        sqlx::query(
            "INSERT INTO events (event_id, seq, kind, user_id, job_id, url, payload, created_at, attempts, next_attempt_at, by_caller)
             SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, $6, $7, 0, $7, $8 FROM events",
        )
        .bind(id.as_str())
        .bind(event.kind.as_str())
        .bind(event.user.as_str())
        .bind(&event.job_id)
        .bind(&event.url)
        .bind(&event.payload)
        .bind(now)
        .bind(i64::from(event.by_caller))
        .execute(&mut **tx)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(id)
    }

    /// Whether an event was ever recorded that says where somebody's folders are.
    pub async fn has_told_of_folders(&self, user: &UserId) -> Result<bool, Failure> {
        // No text inside the payload can hold these quotes: there they are escaped.
        let told: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM events WHERE user_id = $1 AND kind = 'folders' AND payload LIKE '%\"status\":\"success\",\"result\":%' LIMIT 1",
        )
        .bind(user.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(told.is_some())
    }

    /// Events, newest first, at most `limit`.
    pub async fn events(&self, which: Which, limit: u32) -> Result<Vec<Event>, Failure> {
        let rows: Vec<EventRow> = sqlx::query_as(select_events!("WHERE ($1 = 1 OR delivered_at IS NULL) ORDER BY seq DESC LIMIT $2"))
            .bind(i64::from(which == Which::All))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| self.event_of(r)).collect()
    }

    /// One event.
    pub async fn event(&self, id: &EventId) -> Result<Option<Event>, Failure> {
        let row: Option<EventRow> = sqlx::query_as(select_events!("WHERE event_id = $1"))
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|r| self.event_of(r)).transpose()
    }

    /// The ids that begin like this, the oldest first, at most `limit`.
    pub async fn events_beginning(&self, prefix: &str, limit: u32) -> Result<Vec<EventId>, Failure> {
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT event_id FROM events WHERE substr(event_id, 1, length($1)) = $1 ORDER BY seq LIMIT $2")
                .bind(prefix)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        Ok(ids.into_iter().map(EventId::stored).collect())
    }

    /// How many of these events are not delivered.
    pub async fn undelivered_of(&self, ids: &[EventId]) -> Result<usize, Failure> {
        let mut left = 0;
        for id in ids {
            left += usize::from(self.event(id).await?.is_some_and(|e| e.delivered_at.is_none()));
        }
        Ok(left)
    }

    pub(super) fn event_of(&self, row: EventRow) -> Result<Event, Failure> {
        Ok(Event {
            id: EventId::stored(row.event_id),
            seq: row.seq,
            item_id: row.item_id,
            event: NewEvent {
                kind: EventKind::parse(&row.kind).ok_or_else(|| self.unreadable("event kind", &row.kind))?,
                user: self.user_of(&row.user_id)?,
                job_id: row.job_id,
                url: row.url,
                by_caller: row.by_caller != 0,
                payload: row.payload,
            },
            created_at: row.created_at,
            attempts: small(row.attempts),
            earlier_attempts: small(row.earlier_attempts),
            next_attempt_at: row.next_attempt_at,
            delivered_at: row.delivered_at,
            dead_at: row.dead_at,
            last_error: row.last_error,
        })
    }
}
