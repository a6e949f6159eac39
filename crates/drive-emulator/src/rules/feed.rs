//! Reading the change logs (`drive-v3-behaviour` 4).

use rusqlite::{OptionalExtension as _, params};

use crate::error::{ApiError, ApiResult};
use crate::rules::cx::Cx;
use crate::store::files::FileRow;

/// One entry of a log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place.
    pub seq: i64,
    /// `file` or `drive`.
    pub kind: String,
    /// The id of the file or drive.
    pub item: String,
    /// When it was written, ms.
    pub time: i64,
    /// A tombstone (4.12).
    pub removed: bool,
}

/// A page of a log.
#[derive(Debug)]
pub struct Page {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Where the next page starts, if there is one now.
    pub next: Option<i64>,
    /// Where to go on later, if there is none.
    pub new_start: i64,
}

impl Cx<'_> {
    /// The log of the caller, or of a shared drive they are on (4.2).
    pub fn log_name(&self, drive: Option<&str>) -> ApiResult<String> {
        match drive {
            Some(id) => Ok(format!("d:{}", self.drive(id)?.id)),
            None => Ok(format!("u:{}", self.who.email)),
        }
    }

    /// "Now" of a log: behind its last entry that is visible already.
    pub fn log_end(&self, log: &str) -> ApiResult<i64> {
        let cutoff = self.now - self.settings.feed.delay_ms;
        let mut newest = self.db.prepare_cached("SELECT seq, time FROM changes WHERE log = ?1 ORDER BY seq DESC")?;
        let mut rows = newest.query([log])?;
        let mut end = 1;
        while let Some(row) = rows.next()? {
            // Entries not yet due are all at the end.
            if self.settings.feed.delay_ms == 0 || row.get::<_, i64>(1)? <= cutoff {
                end = row.get::<_, i64>(0)? + 1;
                break;
            }
        }
        Ok(end.max(self.settings.feed.reject_below))
    }

    /// A token of any log: a number no greater than the next entry's (4.4).
    pub fn read_token(&self, token: &str) -> ApiResult<i64> {
        let gone = self.settings.switches.invalid_change_token_is_410;
        let invalid = || ApiError::invalid_value("pageToken").with_code(if gone { 410 } else { 400 });
        let start: i64 = token.parse().map_err(|_| invalid())?;
        let last: i64 = self
            .db
            .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")?
            .query_row([], |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        let feed = &self.settings.feed;
        if start < 1 || start > last.max(feed.reject_below) + 1 || start < feed.reject_below || feed.reject_tokens {
            return Err(invalid());
        }
        Ok(start)
    }

    /// The page of a log at `start`.
    pub fn feed_page(&self, log: &str, start: i64, size: usize) -> ApiResult<Page> {
        let end = self.log_end(log)?;
        let limit = i64::try_from(size).unwrap_or(i64::MAX);
        let mut from = start;
        if self.settings.feed.repeat_pages > 0 {
            from = self.one_page_earlier(log, start, limit)?;
            self.after.borrow_mut().repeated_page = true;
        }
        let mut statement = self.db.prepare_cached(
            "SELECT seq, kind, item, time, removed FROM changes WHERE log = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq LIMIT ?4",
        )?;
        let rows = statement.query_map(params![log, from, end, limit + 1], |row| {
            Ok(Entry { seq: row.get(0)?, kind: row.get(1)?, item: row.get(2)?, time: row.get(3)?, removed: row.get(4)? })
        })?;
        let mut entries = rows.collect::<Result<Vec<Entry>, _>>()?;
        let next = (entries.len() > size).then(|| entries[size].seq);
        entries.truncate(size);
        Ok(Page { entries, next, new_start: end.max(start) })
    }

    fn one_page_earlier(&self, log: &str, start: i64, limit: i64) -> ApiResult<i64> {
        Ok(self
            .db
            .prepare_cached("SELECT min(seq) FROM (SELECT seq FROM changes WHERE log = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3)")?
            .query_row(params![log, start, limit], |row| row.get::<_, Option<i64>>(0))?
            .unwrap_or(start))
    }

    /// The file of an entry as it is now, if the caller still has access.
    pub fn entry_file(&self, entry: &Entry) -> ApiResult<Option<FileRow>> {
        if entry.removed {
            return Ok(None);
        }
        match self.visible(&entry.item, true) {
            Ok((file, _)) => Ok(Some(file)),
            Err(error) if error.code() == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a file is below the caller's own root (4.15).
    pub fn in_my_drive(&self, f: &FileRow) -> ApiResult<bool> {
        let root = self.account()?.root_id;
        let mut at = f.parent.clone();
        while let Some(id) = at {
            if id == root {
                return Ok(true);
            }
            at = crate::store::files::get(self.db, &id)?.and_then(|folder| folder.parent);
        }
        Ok(f.id == root)
    }
}
