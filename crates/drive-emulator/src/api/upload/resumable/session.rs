//! Sessions as the store keeps them.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use crate::api::call::object;
use crate::api::params::Query;
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::rules::meta::Meta;
use crate::store::accounts::Principal;
use crate::store::lock;
use crate::store::settings::Settings;

/// A session unused for this long is gone, ms (1.36).
const WEEK: i64 = 7 * 24 * 3_600_000;

/// A session as the store keeps it.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) who: Principal,
    pub(super) meta: Meta,
    pub(super) query: Query,
    pub(super) mime: Option<String>,
    pub(super) total: Option<u64>,
    pub(super) received: u64,
    /// The finished file.
    pub(super) result: Option<String>,
}

/// Forgets a session and its bytes.
pub(super) async fn forget(app: &Arc<App>, id: &str) -> ApiResult<()> {
    let path = path(app, id);
    let id = id.to_owned();
    app.blocking(move |app| {
        app.store.write(|db| Ok(db.execute("DELETE FROM uploads WHERE id = ?1", [&id])?))?;
        lock(&app.uploads).remove(&id);
        // There may be no bytes yet.
        let _ = std::fs::remove_file(path);
        Ok(())
    })
    .await
}

/// A session that lives, or 404.
pub(super) fn load(app: &App, id: &str) -> ApiResult<Session> {
    let session = app.store.read(|db| {
        let oldest = Settings::load(db)?.now() - WEEK;
        let found = db
            .prepare_cached("SELECT who, meta, query, mime, total, received, result FROM uploads WHERE id = ?1 AND touched > ?2")?
            .query_row(params![id, oldest], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get(3)?,
                    row.get::<_, Option<i64>>(4)?,
                    row.get::<_, i64>(5)?,
                    row.get(6)?,
                ))
            })
            .optional()?;
        let (who, meta, query, mime, total, received, result) = found.ok_or_else(ApiError::not_found_upload)?;
        let (email, service, app, scopes) = serde_json::from_str(&who)?;
        Ok(Session {
            id: id.to_owned(),
            who: Principal { email, service, app, scopes },
            meta: object(meta.as_bytes())?,
            query: Query::parse(&query),
            mime,
            total: total.and_then(|total| u64::try_from(total).ok()),
            received: u64::try_from(received).unwrap_or(0),
            result,
        })
    })?;
    // A process killed between keeping the bytes and committing leaves a session without them.
    let there = std::fs::metadata(path(app, id)).map_or(0, |data| data.len());
    if session.result.is_none() && there < session.received {
        return Err(ApiError::not_found_upload());
    }
    Ok(session)
}

/// Where its bytes are.
pub(super) fn path(app: &App, id: &str) -> PathBuf {
    app.store.dir().join("tmp").join(format!("upload-{id}"))
}
