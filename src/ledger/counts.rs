//! The numbers `status` shows.

use super::Ledger;
use crate::domain::clock::Millis;
use crate::domain::item::{Outcome, State};
use crate::error::Failure;

/// How many items and events stand where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items by state, in the order of [`State::ALL`].
    pub items: [u64; State::ALL.len()],
    /// Open items that wait for a later time.
    pub waiting: u64,
    /// Ended items that lie in `erro`.
    pub refused: u64,
    /// When the oldest open item was first seen.
    pub oldest_open_at: Option<Millis>,
    /// Events not delivered that are still being tried.
    pub undelivered: u64,
    /// Events not delivered because their address is stopped.
    pub held: u64,
    /// Events given up.
    pub dead: u64,
    /// When the oldest event not delivered was made.
    pub oldest_undelivered_at: Option<Millis>,
}

impl Counts {
    /// Items in this state.
    pub fn in_state(&self, state: State) -> u64 {
        State::ALL.iter().zip(self.items).find(|(s, _)| **s == state).map_or(0, |(_, n)| n)
    }

    /// Items the agent still has something to do with.
    pub fn open(&self) -> u64 {
        State::ALL.into_iter().filter(|s| s.is_open()).map(|s| self.in_state(s)).sum()
    }
}

impl Ledger {
    /// Counts everything as of `now`.
    pub async fn counts(&self, now: Millis) -> Result<Counts, Failure> {
        let mut counts = Counts::default();
        let items: Vec<(String, Option<String>, i64, i64, Millis)> = sqlx::query_as(
            "SELECT state, outcome, COUNT(*), COUNT(CASE WHEN next_attempt_at > $1 THEN 1 END), MIN(found_at)
             FROM items GROUP BY state, outcome",
        )
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        for (word, outcome, n, waiting, oldest) in items {
            let state = State::parse(&word).ok_or_else(|| self.unreadable("state", &word))?;
            if let Some((_, count)) = State::ALL.into_iter().zip(&mut counts.items).find(|(s, _)| *s == state) {
                *count += count_of(n);
            }
            if state.is_open() {
                counts.waiting += count_of(waiting);
                counts.oldest_open_at = counts.oldest_open_at.into_iter().chain([oldest]).min();
            } else if outcome.as_deref() == Some(Outcome::Erro.as_str()) {
                counts.refused += count_of(n);
            }
        }
        let events: Vec<(i64, i64, i64, Millis)> = sqlx::query_as(
            "SELECT CASE WHEN e.dead_at IS NULL THEN 0 ELSE 1 END AS gone, CASE WHEN s.url IS NULL THEN 0 ELSE 1 END AS held, COUNT(*),
                MIN(e.created_at)
             FROM events e LEFT JOIN stopped_addresses s ON s.url = e.url
             WHERE e.delivered_at IS NULL GROUP BY 1, 2",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        for (dead, held, n, oldest) in events {
            *(match (dead, held) {
                (1, _) => &mut counts.dead,
                (_, 1) => &mut counts.held,
                _ => &mut counts.undelivered,
            }) += count_of(n);
            counts.oldest_undelivered_at = counts.oldest_undelivered_at.into_iter().chain([oldest]).min();
        }
        Ok(counts)
    }
}

fn count_of(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
