//! How much of Drive's quota each day took, over all runs of every command.

use super::Ledger;
use crate::domain::clock::Millis;
use crate::error::Failure;

/// Milliseconds a day.
const DAY: Millis = 86_400_000;

/// What was asked of Drive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Units {
    /// Requests sent.
    pub calls: u64,
    /// Quota units they cost.
    pub units: u64,
    /// Requests that were to change something.
    pub writes: u64,
}

impl Ledger {
    /// Adds to the day (UTC) that `now` lies in.
    pub async fn add_units(&self, spent: Units, now: Millis) -> Result<(), Failure> {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO drive_units (day, calls, units, writes) VALUES ($1, $2, $3, $4)
             ON CONFLICT (day) DO UPDATE SET calls = drive_units.calls + excluded.calls, units = drive_units.units + excluded.units,
                writes = drive_units.writes + excluded.writes",
        )
        .bind(now.div_euclid(DAY))
        .bind(number(spent.calls))
        .bind(number(spent.units))
        .bind(number(spent.writes))
        .execute(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// What was asked on the day (UTC) that `now` lies in.
    pub async fn units_of_day(&self, now: Millis) -> Result<Units, Failure> {
        let row: Option<(i64, i64, i64)> = sqlx::query_as("SELECT calls, units, writes FROM drive_units WHERE day = $1")
            .bind(now.div_euclid(DAY))
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let (calls, units, writes) = row.unwrap_or_default();
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        Ok(Units { calls: number(calls), units: number(units), writes: number(writes) })
    }
}
