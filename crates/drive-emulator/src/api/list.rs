//! `files.list` (`drive-v3-behaviour` 2c, 2d).

use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use crate::api::call::{Call, Reply};
use crate::api::params::Query;
use crate::api::render;
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::query::{Condition, Expr, OrderBy, Term};
use crate::rules::cx::Cx;
use crate::store::files::{self, FileRow};

mod matching;
mod order;

/// The token of a list's beginning, where its first page is made empty (2.34).
const FIRST: &str = "first";

/// Statements of this many bytes and more are not kept for later.
const LONG_SQL: usize = 4_096;

/// What a list looks through.
enum Corpus {
    /// What the caller owns, was given or opened, shared drives included or not.
    User { all_drives: bool },
    /// One shared drive.
    Drive(String),
    /// Everything the caller can see.
    Everything,
}

/// `files.list`.
pub fn list(cx: &Cx<'_>, call: &Call, mask: &Mask) -> ApiResult<Reply> {
    // The order of the checks is Drive's (2.39).
    let switches = &cx.settings.switches;
    let size = call.query.page_size(100, 1000, switches.strict_page_size)?;
    let order = OrderBy::parse(call.query.get("orderBy").unwrap_or_default())?;
    let corpus = corpus(cx, &call.query)?;
    let expr = Expr::parse(call.query.get("q").unwrap_or_default())?
        .map(|expr| {
            let root = cx.account()?.root_id;
            ApiResult::Ok(expr.with_aliases(&cx.who.email, &root))
        })
        .transpose()?;
    if !order.keys.is_empty() && expr.as_ref().is_some_and(Expr::has_full_text) {
        let message = "Sorting is not supported for queries with fullText terms. Results are always in descending relevance order.";
        return Err(if switches.full_text_order_is_403 {
            ApiError::forbidden("forbidden", message)
        } else {
            ApiError::bad_request(message)
        });
    }
    let space = space(&call.query)?;
    let sorted = order::Sorted::new(&order, &cx.who.email);
    let after = match call.query.filled("pageToken") {
        Some(FIRST) if switches.list_first_page_empty => None,
        None if switches.list_first_page_empty => {
            let answer = json!({ "kind": "drive#fileList", "incompleteSearch": false, "files": [], "nextPageToken": FIRST });
            return Ok(Reply::Json(answer));
        }
        Some(token) => Some(sorted.read_token(token).ok_or_else(|| ApiError::invalid_value("pageToken"))?),
        None => None,
    };
    let scan = Scan { cx, corpus, expr, space };
    let mut found = match scan.folders()? {
        Folders::Nothing => Vec::new(),
        Folders::Any => scan.run(&sorted, after.as_deref(), size + 1)?,
    };
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|(_, key)| sorted.token(key));
    let want = |field: &str| mask.wants(&format!("files/{field}"));
    let page = found.iter().map(|(f, _)| render::file(cx, f, &want)).collect::<ApiResult<Vec<Value>>>()?;
    let incomplete = matches!(scan.corpus, Corpus::Everything) && switches.incomplete_search;
    let mut answer = json!({ "kind": "drive#fileList", "incompleteSearch": incomplete, "files": page });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(Reply::Json(answer))
}

/// Where to look, and the shared-drive flags that must agree with it (2.36, 2.37).
fn corpus(cx: &Cx<'_>, query: &Query) -> ApiResult<Corpus> {
    if query.include_all() && !query.all_drives() {
        return Err(ApiError::supports_all_drives_required());
    }
    let drive = query.drive();
    match query.filled("corpora").unwrap_or("user") {
        "drive" | "teamDrive" => {
            let id = drive.ok_or_else(|| ApiError::required_parameter("driveId"))?;
            if !query.include_all() {
                return Err(ApiError::include_items_required());
            }
            cx.drive(id)?;
            Ok(Corpus::Drive(id.to_owned()))
        }
        _ if drive.is_some() => Err(ApiError::invalid_value("corpora")),
        "user" => Ok(Corpus::User { all_drives: query.include_all() }),
        "allDrives" | "allTeamDrives" if !query.include_all() => Err(ApiError::include_items_required()),
        "allDrives" | "allTeamDrives" => Ok(Corpus::Everything),
        "domain" => Ok(Corpus::User { all_drives: false }),
        _ => Err(ApiError::invalid_value("corpora")),
    }
}

fn space(query: &Query) -> ApiResult<&'static str> {
    match query.filled("spaces").unwrap_or("drive") {
        "drive" => Ok("drive"),
        "appDataFolder" => Ok("appDataFolder"),
        _ => Err(ApiError::invalid_value("spaces")),
    }
}

enum Folders {
    Nothing,
    Any,
}

struct Scan<'a, 'c> {
    cx: &'a Cx<'c>,
    corpus: Corpus,
    expr: Option<Expr>,
    space: &'static str,
}

impl Scan<'_, '_> {
    /// What the folders named by `in parents` say before anything is looked at (2.42, 2.53).
    fn folders(&self) -> ApiResult<Folders> {
        let Some(ids) = self.expr.as_ref().and_then(Expr::parents) else { return Ok(Folders::Any) };
        let switches = &self.cx.settings.switches;
        if ids.len() > 1 {
            return Ok(if switches.multi_parent_query_is_empty { Folders::Nothing } else { Folders::Any });
        }
        let known = match self.cx.stored(ids[0])? {
            Some(folder) => self.cx.standing(&folder)?.role.is_some(),
            None => false,
        };
        match (known, switches.unknown_parent_is_404) {
            (true, _) => Ok(Folders::Any),
            (false, true) if ids[0] != "appDataFolder" => Err(ApiError::not_found_file("")),
            (false, _) => Ok(Folders::Nothing),
        }
    }

    /// The query as SQL that lets through at least what it holds for, in order.
    fn sql(&self, sorted: &order::Sorted, after: Option<&[Sql]>) -> Condition {
        let cx = self.cx;
        let mut condition = Condition::new("space = ?", [Sql::from(self.space.to_owned())]);
        let mut and = |more: Condition| {
            condition.sql = format!("{} AND ({})", condition.sql, more.sql);
            condition.values.extend(more.values);
        };
        let narrow = |term: &Term, negated: bool| matching::narrow(cx, term, negated);
        let by_index = |term: &Term, negated: bool| if matching::is_indexed(term) { narrow(term, negated) } else { None };
        // SQLite cannot know that a folder holds less than a drive: `+` keeps it from walking the drive.
        let beside_index = self.expr.as_ref().is_some_and(|expr| expr.narrow(&mut { by_index }).is_some());
        match &self.corpus {
            Corpus::Drive(id) if beside_index => and(Condition::new("+drive = ?", [Sql::from(id.clone())])),
            Corpus::Drive(id) => and(Condition::new("drive = ?", [Sql::from(id.clone())])),
            Corpus::User { all_drives: false } if !beside_index => and(Condition::new("drive IS NULL", [])),
            Corpus::User { .. } | Corpus::Everything => {}
        }
        if let Some(narrowed) = self.expr.as_ref().and_then(|expr| expr.narrow(&mut { narrow })) {
            and(narrowed);
        }
        if let Some(after) = after {
            and(sorted.after(after));
        }
        condition.sql =
            format!("SELECT {}, {} FROM files WHERE {} ORDER BY {}", files::COLUMNS, sorted.columns(), condition.sql, sorted.order());
        condition
    }

    /// Up to `limit` files in order, each with its place in that order.
    fn run(&self, sorted: &order::Sorted, after: Option<&[Sql]>, limit: usize) -> ApiResult<Vec<(FileRow, Vec<Sql>)>> {
        let Condition { sql, values } = self.sql(sorted, after);
        // What is long is asked once; kept, such statements would fill the memory.
        let mut kept;
        let mut once;
        let statement = if sql.len() < LONG_SQL {
            kept = self.cx.db.prepare_cached(&sql)?;
            &mut *kept
        } else {
            once = self.cx.db.prepare(&sql)?;
            &mut once
        };
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(row) = rows.next()?
        {
            let file = files::from_row(row)?;
            if self.shows(&file)? {
                let key = sorted.key_of(row)?;
                found.push((file, key));
            }
        }
        Ok(found)
    }

    /// Whether a file is in the list.
    fn shows(&self, f: &FileRow) -> ApiResult<bool> {
        let cx = self.cx;
        // A My Drive root is listed by no query; shared-drive roots and app folders neither.
        if f.is_root() || !cx.in_scope(f) {
            return Ok(false);
        }
        let lag = cx.settings.switches.list_lag_ms;
        if lag > 0 && f.modified.max(f.created) + lag > cx.now {
            return Ok(false);
        }
        if let Some(expr) = &self.expr
            && !expr.eval(&mut |term| matching::holds(cx, f, term))?
        {
            return Ok(false);
        }
        let standing = cx.standing(f)?;
        let by_folder = self.expr.as_ref().is_some_and(|expr| expr.parents().is_some());
        // What is only open by its link is found through its folder, not in flat lists.
        let seen = if by_folder { standing.role } else { standing.listed };
        if seen.is_none() {
            return Ok(false);
        }
        let hides_trash =
            !cx.settings.switches.list_includes_trashed && standing.trashed && !self.expr.as_ref().is_some_and(Expr::mentions_trashed);
        if hides_trash {
            return Ok(false);
        }
        Ok(match &self.corpus {
            Corpus::Drive(_) | Corpus::Everything => true,
            Corpus::User { .. } if f.drive.is_none() => true,
            Corpus::User { all_drives: false } => false,
            // Of shared drives the user corpus holds what they opened or were given (2.38).
            Corpus::User { all_drives: true } => {
                by_folder || files::personal(cx.db, &cx.who.email, &f.id)?.is_some() || render::shared_with_me(cx, f)?.is_some()
            }
        })
    }
}

#[cfg(test)]
mod tests;
