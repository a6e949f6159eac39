//! `permissions.*`.

use serde_json::{Value, json};

use crate::api::call::{Call, Reply};
use crate::api::render;
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::rules::cx::Cx;
use crate::rules::permissions::{Granted, Sharing};
use crate::store::perms::Role;

fn sharing(call: &Call) -> Sharing {
    let flag = |name| call.query.flag(name, false);
    Sharing {
        all_drives: call.query.all_drives(),
        notify: call.query.flag("sendNotificationEmail", true),
        transfer: flag("transferOwnership"),
        to_new_root: flag("moveToNewOwnersRoot"),
        remove_expiration: flag("removeExpiration"),
    }
}

fn reply(cx: &Cx<'_>, granted: Granted) -> ApiResult<Reply> {
    if let Some(complaint) = granted.complaint {
        return Ok(Reply::Complaint(complaint));
    }
    let grant = cx.permission_of(&granted.file, &granted.id)?;
    Ok(Reply::Json(render::permission(cx, &granted.file, &grant)?))
}

/// Does a write, and takes it back where the switch says that another one at once made it void (3.4).
fn write(cx: &Cx<'_>, work: impl FnOnce() -> ApiResult<Reply>) -> ApiResult<Reply> {
    if !cx.settings.switches.grants_are_lost {
        return work();
    }
    cx.db.execute_batch("SAVEPOINT grant")?;
    let answer = work();
    cx.db.execute_batch("ROLLBACK TO grant; RELEASE grant")?;
    cx.after.take();
    answer
}

/// `permissions.create`.
pub fn create(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    write(cx, || {
        let granted = cx.share(call.id(0), &call.json()?, sharing(call))?;
        reply(cx, granted)
    })
}

/// `permissions.update`.
pub fn update(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    write(cx, || {
        let granted = cx.reshare(call.id(0), call.id(1), &call.json()?, sharing(call))?;
        reply(cx, granted)
    })
}

/// `permissions.delete`.
pub fn delete(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    write(cx, || {
        cx.unshare(call.id(0), call.id(1), sharing(call))?;
        Ok(Reply::Done)
    })
}

/// `permissions.get`.
pub fn get(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let (file, standing) = cx.visible(call.id(0), call.query.all_drives())?;
    let grant = cx.permission_of(&file, call.id(1))?;
    let own = grant.perm.id == cx.account()?.permission_id;
    if standing.role < Some(Role::Writer) && !own && file.drive.is_none() {
        return Err(ApiError::insufficient_file_permissions());
    }
    Ok(Reply::Json(render::permission(cx, &file, &grant)?))
}

/// `permissions.list` (3.15).
pub fn list(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let strict = cx.settings.switches.strict_page_size;
    let (file, standing) = cx.visible(call.id(0), call.query.all_drives())?;
    if standing.role < Some(Role::Writer) && file.drive.is_none() {
        return Err(ApiError::insufficient_file_permissions());
    }
    let whole = call.query.get("pageSize").is_none() && file.drive.is_none();
    let size = call.query.page_size(100, 100, strict)?;
    let start: usize = match call.query.get("pageToken") {
        None => 0,
        Some("") => return Err(ApiError::page_token_expired()),
        Some(token) => {
            token.strip_prefix("perm-").and_then(|number| number.parse().ok()).ok_or_else(|| ApiError::invalid_value("pageToken"))?
        }
    };
    let all = cx.effective(&file)?;
    let end = if whole { all.len() } else { all.len().min(start.saturating_add(size)) };
    let page = all
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .map(|grant| render::permission(cx, &file, grant))
        .collect::<ApiResult<Vec<Value>>>()?;
    let mut answer = json!({ "kind": "drive#permissionList", "permissions": page });
    if end < all.len() {
        answer["nextPageToken"] = json!(format!("perm-{end}"));
    }
    Ok(Reply::Json(answer))
}
