//! The numbered steps that bring an older ledger up to this program, embedded in it.

use std::path::Path;

use sqlx::{Sqlite, SqlitePool, Transaction};

use super::failure;
use crate::error::{Exit, Failure};

/// Never edited once released: a change is a new number at the end.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_technicians.sql"),
    include_str!("migrations/0002_items.sql"),
    include_str!("migrations/0003_agent.sql"),
    include_str!("migrations/0004_jobs.sql"),
    include_str!("migrations/0005_absence.sql"),
    include_str!("migrations/0006_units.sql"),
    include_str!("migrations/0007_listed_at.sql"),
    include_str!("migrations/0008_offboarding.sql"),
    include_str!("migrations/0009_renames.sql"),
    include_str!("migrations/0010_asked.sql"),
    include_str!("migrations/0011_addresses.sql"),
    include_str!("migrations/0012_setback.sql"),
    include_str!("migrations/0013_copies.sql"),
    include_str!("migrations/0014_interruptions.sql"),
    include_str!("migrations/0015_recheck.sql"),
];

/// The schema this program writes.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("a handful of migrations")
}

/// Makes the schema in an empty file.
pub(super) async fn create(pool: &SqlitePool, path: &Path) -> Result<(), Failure> {
    let fail = |e| failure::from_sqlx(path, e);
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
    sqlx::raw_sql("CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY)").execute(&mut *tx).await.map_err(fail)?;
    apply_from(&mut tx, 0).await.map_err(fail)?;
    tx.commit().await.map_err(fail)
}

/// Brings an existing ledger up to date; two reads when it already is. `sqlite_master` is SQLite's own.
pub(super) async fn upgrade(pool: &SqlitePool, path: &Path) -> Result<(), Failure> {
    let fail = |e| failure::from_sqlx(path, e);
    let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'")
        .fetch_one(pool)
        .await
        .map_err(fail)?;
    if known == 0 {
        return Err(failure::damaged(path, "it is a SQLite file, but not a ledger of tecnico"));
    }
    let found: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_version").fetch_one(pool).await.map_err(fail)?;
    if found > newest() {
        return Err(Failure::new(
            Exit::Config,
            "ledger_newer",
            format!("the ledger {} was written by a newer tecnico (schema {found}; this program knows {})", path.display(), newest()),
        )
        .hint("install the newer tecnico again, or point `ledger.path` at another file"));
    }
    if found == newest() {
        return Ok(());
    }
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
    // Read again under the lock: another process may have been faster.
    let found: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_version").fetch_one(&mut *tx).await.map_err(fail)?;
    apply_from(&mut tx, found).await.map_err(fail)?;
    tx.commit().await.map_err(fail)
}

async fn apply_from(tx: &mut Transaction<'static, Sqlite>, found: i64) -> Result<(), sqlx::Error> {
    for (version, sql) in (1i64..).zip(MIGRATIONS.iter().copied()).filter(|(version, _)| *version > found) {
        sqlx::raw_sql(sql).execute(&mut **tx).await?;
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)").bind(version).execute(&mut **tx).await?;
    }
    Ok(())
}
