//! What is sent to the backend: what is due, what became of it, and which addresses nothing is sent to.

use super::Ledger;
use super::events::{EventRow, select_events};
use super::item_row::{ItemRow, select_items};
use crate::domain::clock::Millis;
use crate::domain::event::{Event, EventId, EventKind};
use crate::domain::item::{Act, State};
use crate::error::Failure;

// In the queries below 108000000 ms are 30 hours: longer than any wait of the schedule (24 hours and a fifth). A later time
// was written by a clock that was wrong, and holds nothing back.

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

impl Ledger {
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

    /// Events to send to one address now, oldest first, at most `limit`; none where it is stopped.
    pub async fn due_deliveries_to(&self, url: &str, now: Millis, limit: u32) -> Result<Vec<Event>, Failure> {
        let rows: Vec<EventRow> = sqlx::query_as(select_events!(
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
}
