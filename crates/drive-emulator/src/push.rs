//! Push channels: who wants to be told, and telling them (`drive-v3-behaviour` 5).
//!
//! Channels lie in the store, so whichever process commits a change tells all of them. A notice goes out
//! after the commit, without any promise: several at once may arrive in any order.

mod deliver;
mod post;

pub(crate) use deliver::deliver;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};

use crate::error::ApiResult;

/// The tables this module keeps; made when the store is opened.
pub const TABLES: &str = "
-- `watched` is a change log (u:<email>, d:<drive>) or f:<file id>; expires is emulated ms. Rows stay after the
-- end of a channel: an id is never used twice (5.4). `message` is the number of the last notice, 0 before sync.
CREATE TABLE IF NOT EXISTS channels(
  id TEXT PRIMARY KEY, app TEXT NOT NULL, email TEXT NOT NULL, shared INTEGER NOT NULL, watched TEXT NOT NULL,
  resource TEXT NOT NULL, uri TEXT NOT NULL, address TEXT NOT NULL, token TEXT, expires INTEGER NOT NULL,
  message INTEGER NOT NULL DEFAULT 0, stopped INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS channels_watched ON channels(watched) WHERE stopped = 0;
";

/// A channel.
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    /// The id its maker chose.
    pub id: String,
    /// The project of the client that made it.
    pub app: String,
    /// Who made it.
    pub email: String,
    /// Made by a service account: every user of the client may stop it (5.14).
    pub shared: bool,
    /// The change log or `f:` and the file.
    pub watched: String,
    /// Opaque and stable for what is watched.
    pub resource: String,
    /// The address of what is watched.
    pub uri: String,
    /// Where notices go.
    pub address: String,
    /// What its maker wants back with every notice.
    pub token: Option<String>,
    /// Emulated ms.
    pub expires: i64,
}

/// Its token is its maker's secret and is not shown.
impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("id", &self.id).field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl Channel {
    /// What `watch` answers (5.2).
    pub fn answer(&self) -> Value {
        let mut answer = json!({
            "kind": "api#channel",
            "id": self.id,
            "resourceId": self.resource,
            "resourceUri": self.uri,
            "expiration": self.expires.to_string(),
        });
        if let Some(token) = &self.token {
            answer["token"] = json!(token);
        }
        answer
    }

    /// Keeps a new channel; false when the id was used before.
    pub fn add(&self, db: &Connection) -> ApiResult<bool> {
        let added = db.execute(
            "INSERT OR IGNORE INTO channels(id, app, email, shared, watched, resource, uri, address, token, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                self.id,
                self.app,
                self.email,
                self.shared,
                self.watched,
                self.resource,
                self.uri,
                self.address,
                self.token,
                self.expires
            ],
        )?;
        Ok(added == 1)
    }

    /// The live channel of an id.
    pub fn live(db: &Connection, id: &str, now: i64) -> ApiResult<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM channels WHERE id = ?1 AND stopped = 0 AND expires > ?2");
        Ok(db.prepare_cached(&sql)?.query_row(params![id, now], from_row).optional()?)
    }

    /// Ends it.
    pub fn stop(&self, db: &Connection) -> ApiResult<()> {
        db.execute("UPDATE channels SET stopped = 1 WHERE id = ?1", [&self.id])?;
        Ok(())
    }
}

const COLUMNS: &str = "id, app, email, shared, watched, resource, uri, address, token, expires";

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Channel> {
    Ok(Channel {
        id: row.get(0)?,
        app: row.get(1)?,
        email: row.get(2)?,
        shared: row.get(3)?,
        watched: row.get(4)?,
        resource: row.get(5)?,
        uri: row.get(6)?,
        address: row.get(7)?,
        token: row.get(8)?,
        expires: row.get(9)?,
    })
}

/// The live channels on something.
fn watching(db: &Connection, watched: &str, now: i64) -> ApiResult<Vec<Channel>> {
    let sql = format!("SELECT {COLUMNS} FROM channels WHERE watched = ?1 AND stopped = 0 AND expires > ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![watched, now], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The number of a channel's next notice. Numbers go up and need not be consecutive (5.9).
fn next_message(db: &Connection, id: &str, step: i64) -> ApiResult<i64> {
    // The first is 1, whatever the step (5.9).
    let sql = "UPDATE channels SET message = CASE message WHEN 0 THEN 1 ELSE message + ?2 END WHERE id = ?1 RETURNING message";
    Ok(db.prepare_cached(sql)?.query_row(params![id, step], |row| row.get(0))?)
}
