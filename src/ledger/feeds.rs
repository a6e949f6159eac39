//! How far Drive has been read, and when a cycle last went well.

use sqlx::{Sqlite, Transaction};

use super::Ledger;
use crate::domain::clock::Millis;
use crate::domain::technician::UserId;
use crate::error::Failure;

/// The last cycle, and the last that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCycle {
    /// When the last one began.
    pub started_at: Millis,
    /// When it ended.
    pub ended_at: Millis,
    /// When the last one that went well ended.
    pub succeeded_at: Option<Millis>,
    /// Why the last one failed, if it did.
    pub failure: Option<String>,
}

impl Ledger {
    /// Where the next reading of a change log begins; `None` before the first full listing is done. The
    /// token moves on with [`Ledger::found`] only.
    pub async fn feed_token(&self, feed: &str) -> Result<Option<String>, Failure> {
        sqlx::query_scalar("SELECT token FROM feeds WHERE feed = $1")
            .bind(feed)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))
    }

    /// Begins a log anew at `token`, and forgets in the same transaction that any `novos` was ever listed: what the log
    /// did not tell in between, only listings do.
    pub async fn restart_feed(&self, feed: &str, token: &str, now: Millis) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        self.store_token(&mut tx, feed, token, now).await?;
        self.unlist_all(&mut tx).await?;
        self.commit(tx).await
    }

    /// Forgets that this technician's `novos` was ever listed, so that every cycle tries until it can be.
    pub async fn forget_listing(&self, user: &UserId) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        self.unlist(&mut tx, user).await?;
        self.commit(tx).await
    }

    /// [`Ledger::forget_listing`] for several.
    pub async fn forget_listings_of(&self, users: &[UserId]) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        for user in users {
            self.unlist(&mut tx, user).await?;
        }
        self.commit(tx).await
    }

    /// [`Ledger::forget_listing`] for everybody.
    pub async fn forget_listings(&self) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        self.unlist_all(&mut tx).await?;
        self.commit(tx).await
    }

    async fn unlist_all(&self, tx: &mut Transaction<'static, Sqlite>) -> Result<(), Failure> {
        sqlx::query("UPDATE technicians SET listed_at = 0").execute(&mut **tx).await.map_err(|e| self.failed(e))?;
        Ok(())
    }

    pub(super) async fn unlist(&self, tx: &mut Transaction<'static, Sqlite>, user: &UserId) -> Result<(), Failure> {
        sqlx::query("UPDATE technicians SET listed_at = 0 WHERE user_id = $1 AND listed_at <> 0")
            .bind(user.as_str())
            .execute(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    pub(super) async fn store_token(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        feed: &str,
        token: &str,
        now: Millis,
    ) -> Result<(), Failure> {
        sqlx::query(
            "INSERT INTO feeds (feed, token, updated_at) VALUES ($1, $2, $3)
             ON CONFLICT (feed) DO UPDATE SET token = excluded.token, updated_at = excluded.updated_at",
        )
        .bind(feed)
        .bind(token)
        .bind(now)
        .execute(&mut **tx)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    pub(super) async fn store_listing(&self, tx: &mut Transaction<'static, Sqlite>, user: &UserId, now: Millis) -> Result<(), Failure> {
        sqlx::query("UPDATE technicians SET listed_at = $2 WHERE user_id = $1")
            .bind(user.as_str())
            .bind(now)
            .execute(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// Technicians whose `novos` was not listed since `before`, the longest unseen first, at most `limit`. A listing later
    /// than `now` was made by a clock that was wrong, and does not count.
    pub async fn unlisted_since(&self, before: Millis, limit: u32, now: Millis) -> Result<Vec<UserId>, Failure> {
        let users: Vec<String> = sqlx::query_scalar(
            // Two ranges of one index; as one condition it would be read whole.
            "SELECT user_id FROM (
                SELECT user_id, listed_at FROM technicians WHERE removed_at IS NULL AND place IS NULL AND listed_at < $1
                UNION ALL
                SELECT user_id, listed_at FROM technicians WHERE removed_at IS NULL AND place IS NULL AND listed_at >= $1 AND listed_at > $3
             ) AS due ORDER BY listed_at, user_id LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit))
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        users.iter().map(|u| self.user_of(u)).collect()
    }

    /// Records how a cycle went; `failure` is `None` when it went well and must hold no secret.
    pub async fn cycle_ended(&self, started_at: Millis, ended_at: Millis, failure: Option<&str>) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO cycles (kind, started_at, ended_at, succeeded_at, failure) VALUES ('watch', $1, $2, $3, $4)
             ON CONFLICT (kind) DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at,
                succeeded_at = COALESCE(excluded.succeeded_at, cycles.succeeded_at), failure = excluded.failure",
        )
        .bind(started_at)
        .bind(ended_at)
        .bind(failure.is_none().then_some(ended_at))
        .bind(failure)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// The last cycle; `None` before the first.
    pub async fn last_cycle(&self) -> Result<Option<LastCycle>, Failure> {
        let row: Option<(Millis, Millis, Option<Millis>, Option<String>)> =
            sqlx::query_as("SELECT started_at, ended_at, succeeded_at, failure FROM cycles WHERE kind = 'watch'")
                .fetch_optional(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        Ok(row.map(|(started_at, ended_at, succeeded_at, failure)| LastCycle { started_at, ended_at, succeeded_at, failure }))
    }
}
