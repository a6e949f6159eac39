//! What can be looked at: the store as it is, and what happened lately.

use serde_json::{Value, json};

use super::{Ask, Told};
use crate::acting::Control;
use crate::control::Logged;
use crate::error::ApiResult;
use crate::store::accounts;

/// How many entries a list has where the request does not say.
const SOME: u64 = 100;

/// Answers what it knows.
pub(super) fn answer(control: &Control, ask: &Ask) -> ApiResult<Option<Told>> {
    let (method, path) = ask.line();
    if method != "GET" {
        return Ok(None);
    }
    let value = match &path[..] {
        ["" | "health"] => json!({ "url": control.url(), "version": env!("CARGO_PKG_VERSION") }),
        ["users"] => users(control, ask.optional_number("limit")?)?,
        ["drives"] => json!(drives(control, ask.optional_number("limit")?)?),
        ["snapshot"] => control.snapshot()?,
        ["files", id] => control.file(id)?,
        ["children", id] => {
            control.file(id)?;
            json!(control.some_children(id, ask.optional_number("limit")?)?)
        }
        ["content", id] => return Ok(Some(Told::Bytes(control.content(id)?))),
        ["changes"] => json!(changes(control, ask.optional_number("limit")?.unwrap_or(SOME))?),
        ["requests"] => requests(control, ask)?,
        ["counts"] => json!({ "calls": control.gate().calls(), "by_op": control.gate().counts() }),
        _ => return Ok(None),
    };
    Ok(Some(Told::Json(value)))
}

/// Accounts by address, all or the first so many.
fn users(control: &Control, limit: Option<u64>) -> ApiResult<Value> {
    let all = control.app.store.read(accounts::all)?;
    let shown = |account: &accounts::Account| {
        json!({
            "email": account.email,
            "root_id": account.root_id,
            "permission_id": account.permission_id,
            "service": account.service,
        })
    };
    Ok(all.iter().take(most(limit)).map(shown).collect())
}

/// Shared drives: id and name, all or the first so many.
fn drives(control: &Control, limit: Option<u64>) -> ApiResult<Vec<Value>> {
    control.app.store.read(|db| {
        let mut statement = db.prepare_cached("SELECT d.id, f.name FROM drives d JOIN files f ON f.id = d.id ORDER BY f.name, d.id")?;
        let rows = statement.query_map([], |row| Ok(json!({ "id": row.get::<_, String>(0)?, "name": row.get::<_, String>(1)? })))?;
        Ok(rows.take(most(limit)).collect::<Result<_, _>>()?)
    })
}

/// The last entries of all change logs, newest first, whoever may see them.
fn changes(control: &Control, limit: u64) -> ApiResult<Vec<Value>> {
    control.app.store.read(|db| {
        let mut statement = db.prepare_cached(
            "SELECT c.seq, c.log, c.kind, c.item, c.time, c.removed, f.name FROM changes c
             LEFT JOIN files f ON f.id = c.item ORDER BY c.seq DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok(json!({
                "seq": row.get::<_, i64>(0)?,
                "log": row.get::<_, String>(1)?,
                "kind": row.get::<_, String>(2)?,
                "item": row.get::<_, String>(3)?,
                "time": crate::clock::format(row.get(4)?),
                "removed": row.get::<_, bool>(5)?,
                "name": row.get::<_, Option<String>>(6)?,
            }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    })
}

/// The last requests, oldest first: `limit` of those the query wants.
fn requests(control: &Control, ask: &Ask) -> ApiResult<Value> {
    let text = |name: &str| ask.query.get(name).and_then(Value::as_str);
    let (op, principal) = (text("op"), text("principal"));
    let (after, status) = (ask.optional_number("after")?, ask.optional_number("status")?);
    let wanted = |entry: &Logged| {
        op.is_none_or(|op| entry.op == op)
            && principal.is_none_or(|principal| entry.principal.as_deref() == Some(principal))
            && after.is_none_or(|after| entry.seq > after)
            && status.is_none_or(|status| entry.status.map(u64::from) == Some(status))
    };
    Ok(json!(control.gate().last_requests(most(ask.optional_number("limit")?.or(Some(SOME))), wanted)))
}

/// As many as asked for, or all.
fn most(limit: Option<u64>) -> usize {
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
