//! Events the backend has not taken yet, and what became of the others.

use sqlx::{Sqlite, Transaction};

use super::Ledger;
use super::item_row::{ItemRow, select_items, small};
use crate::domain::clock::Millis;
use crate::domain::event::{Event, EventId, EventKind, NewEvent};
use crate::domain::item::{Act, State};
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

// In the queries below 108000000 ms are 30 hours: longer than any wait of the schedule (24 hours and a fifth). A later time
// was written by a clock that was wrong, and holds nothing back.

/// Which events to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that are not delivered: pending, held back by a stopped address, or dead.
    Undelivered,
    /// Every one.
    All,
}

/// An address nothing is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedAddress {
    /// The address.
    pub url: String,
    /// Since when.
    pub stopped_at: Millis,
    /// Why.
    pub reason: String,
}

#[derive(sqlx::FromRow)]
struct Row {
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

    /// The addresses that have events to be sent now.
    pub async fn due_addresses(&self, now: Millis) -> Result<Vec<String>, Failure> {
        sqlx::query_scalar(
            "SELECT DISTINCT url FROM events WHERE delivered_at IS NULL AND dead_at IS NULL AND (next_attempt_at <= $1 OR next_attempt_at > $1 + 108000000)
               AND NOT EXISTS (SELECT 1 FROM stopped_addresses s WHERE s.url = events.url) ORDER BY url",
        )
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))
    }

    /// [`Ledger::due_deliveries`] to one address.
    pub async fn due_deliveries_to(&self, url: &str, now: Millis, limit: u32) -> Result<Vec<Event>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(select_events!(
            "WHERE url = $3 AND delivered_at IS NULL AND dead_at IS NULL AND (next_attempt_at <= $1 OR next_attempt_at > $1 + 108000000)
               AND NOT EXISTS (SELECT 1 FROM stopped_addresses s WHERE s.url = events.url)
             ORDER BY seq LIMIT $2"
        ))
        .bind(now)
        .bind(i64::from(limit))
        .bind(url)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| self.event_of(r)).collect()
    }

    /// Events to send now, oldest first, at most `limit`; none for a stopped address.
    pub async fn due_deliveries(&self, now: Millis, limit: u32) -> Result<Vec<Event>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(select_events!(
            "WHERE delivered_at IS NULL AND dead_at IS NULL AND (next_attempt_at <= $1 OR next_attempt_at > $1 + 108000000)
               AND NOT EXISTS (SELECT 1 FROM stopped_addresses s WHERE s.url = events.url)
             ORDER BY seq LIMIT $2"
        ))
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| self.event_of(r)).collect()
    }

    /// The backend took it; the items whose present outcome it reports are `reported` in the same transaction.
    /// A second time changes nothing.
    pub async fn delivered(&self, id: &EventId, now: Millis) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE events SET delivered_at = $2, dead_at = NULL, attempts = attempts + 1, last_error = NULL
             WHERE event_id = $1 AND delivered_at IS NULL",
        )
        .bind(id.as_str())
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        let rows: Vec<ItemRow> =
            sqlx::query_as(select_items!("WHERE event_id = $1")).bind(id.as_str()).fetch_all(&mut *tx).await.map_err(|e| self.failed(e))?;
        for mut item in self.items_of(rows)? {
            if matches!(item.standing.state, State::Filed | State::Withdrawn) {
                self.step(&mut tx, &mut item, &Act::Reported { note: id.to_string() }, now).await?;
            }
        }
        self.commit(tx).await
    }

    /// The try failed; another is due at `next_attempt_at`. `error` must hold no secret.
    pub async fn delivery_failed(&self, id: &EventId, next_attempt_at: Millis, error: &str) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE events SET attempts = attempts + 1, next_attempt_at = $2, last_error = $3 WHERE event_id = $1 AND delivered_at IS NULL",
        )
        .bind(id.as_str())
        .bind(next_attempt_at)
        .bind(error)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// The last try failed and nobody tries again by itself. `error` must hold no secret.
    pub async fn delivery_dead(&self, id: &EventId, error: &str, now: Millis) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE events SET attempts = attempts + 1, dead_at = $2, last_error = $3 WHERE event_id = $1 AND delivered_at IS NULL",
        )
        .bind(id.as_str())
        .bind(now)
        .bind(error)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// Makes one event, delivered or not, or all that are undelivered, due now under their old ids, with the whole schedule
    /// before them and their addresses no longer stopped. Which ones.
    pub async fn revive(&self, id: Option<&EventId>, now: Millis) -> Result<Vec<EventId>, Failure> {
        let mut tx = self.write().await?;
        let id = id.map(EventId::as_str);
        sqlx::query(
            "DELETE FROM stopped_addresses
             WHERE url IN (SELECT url FROM events WHERE ($1 IS NULL AND delivered_at IS NULL) OR event_id = $1)",
        )
        .bind(id)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        let revived: Vec<String> =
            sqlx::query_scalar("SELECT event_id FROM events WHERE ($1 IS NULL AND delivered_at IS NULL) OR event_id = $1 ORDER BY seq")
                .bind(id)
                .fetch_all(&mut *tx)
                .await
                .map_err(|e| self.failed(e))?;
        sqlx::query(
            "UPDATE events SET dead_at = NULL, delivered_at = NULL, earlier_attempts = earlier_attempts + attempts, attempts = 0,
                next_attempt_at = $2
             WHERE ($1 IS NULL AND delivered_at IS NULL) OR event_id = $1",
        )
        .bind(id)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        Ok(revived.into_iter().map(EventId::stored).collect())
    }

    /// How many of these events are not delivered.
    pub async fn undelivered_of(&self, ids: &[EventId]) -> Result<usize, Failure> {
        let mut left = 0;
        for id in ids {
            left += usize::from(self.event(id).await?.is_some_and(|e| e.delivered_at.is_none()));
        }
        Ok(left)
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

    /// Turns undelivered events of this kind to the address that is configured now, unless a caller named theirs. What
    /// was waiting is due at once, for what the old address answered says nothing of this one; what was given up stays so.
    /// An address that nothing is left for is stopped no longer. How many events changed their address.
    pub async fn readdress(&self, kind: EventKind, url: &str, now: Millis) -> Result<u64, Failure> {
        // Looked at first: a cycle with nothing to do writes nothing.
        let elsewhere: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM events WHERE delivered_at IS NULL AND by_caller = 0 AND kind = $1 AND url <> $2")
                .bind(kind.as_str())
                .bind(url)
                .fetch_one(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        if elsewhere == 0 {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE events SET url = $2,
               earlier_attempts = CASE WHEN dead_at IS NULL THEN earlier_attempts + attempts ELSE earlier_attempts END,
               attempts = CASE WHEN dead_at IS NULL THEN 0 ELSE attempts END,
               next_attempt_at = CASE WHEN next_attempt_at > $3 THEN $3 ELSE next_attempt_at END
             WHERE delivered_at IS NULL AND by_caller = 0 AND kind = $1 AND url <> $2",
        )
        .bind(kind.as_str())
        .bind(url)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        sqlx::query(
            "DELETE FROM stopped_addresses
             WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.url = stopped_addresses.url AND e.delivered_at IS NULL)",
        )
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        Ok(done.rows_affected())
    }

    /// Sends nothing more to an address that said it is gone (410). Its events stay, and wait for [`Ledger::revive`].
    pub async fn stop_address(&self, url: &str, reason: &str, now: Millis) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO stopped_addresses (url, stopped_at, reason) VALUES ($1, $2, $3) ON CONFLICT (url) DO NOTHING")
            .bind(url)
            .bind(now)
            .bind(reason)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// The addresses nothing is sent to.
    pub async fn stopped_addresses(&self) -> Result<Vec<StoppedAddress>, Failure> {
        let rows: Vec<(String, Millis, String)> = sqlx::query_as("SELECT url, stopped_at, reason FROM stopped_addresses ORDER BY url")
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(rows.into_iter().map(|(url, stopped_at, reason)| StoppedAddress { url, stopped_at, reason }).collect())
    }

    /// Events, newest first, at most `limit`.
    pub async fn events(&self, which: Which, limit: u32) -> Result<Vec<Event>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(select_events!("WHERE ($1 = 1 OR delivered_at IS NULL) ORDER BY seq DESC LIMIT $2"))
            .bind(i64::from(which == Which::All))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|r| self.event_of(r)).collect()
    }

    /// One event.
    pub async fn event(&self, id: &EventId) -> Result<Option<Event>, Failure> {
        let row: Option<Row> = sqlx::query_as(select_events!("WHERE event_id = $1"))
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|r| self.event_of(r)).transpose()
    }

    fn event_of(&self, row: Row) -> Result<Event, Failure> {
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
