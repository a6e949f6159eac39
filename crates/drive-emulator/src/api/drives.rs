//! `drives.*`.

use serde_json::{Value, json};

use crate::api::call::{Call, Reply};
use crate::api::render;
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::rules::cx::Cx;

/// `drives.create`; `requestId` makes it repeatable (6.14).
pub fn create(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let request = call.query.filled("requestId").ok_or_else(|| ApiError::required_parameter("requestId"))?;
    let drive = cx.create_drive(request, &call.json()?)?;
    Ok(Reply::Json(render::drive(cx, &drive)?))
}

/// `drives.get`.
pub fn get(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    Ok(Reply::Json(render::drive(cx, &cx.drive(call.id(0))?)?))
}

/// `drives.list`.
pub fn list(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let size = call.query.page_size(10, 100, cx.settings.switches.strict_page_size)?;
    let after = match call.query.filled("pageToken") {
        None => "",
        Some(token) => token.strip_prefix("drive-").ok_or_else(|| ApiError::invalid_value("pageToken"))?,
    };
    let mut drives = cx.my_drives(after, size + 1)?;
    let more = drives.len() > size;
    drives.truncate(size);
    let page = drives.iter().map(|drive| render::drive(cx, drive)).collect::<ApiResult<Vec<Value>>>()?;
    let mut answer = json!({ "kind": "drive#driveList", "drives": page });
    if let Some(last) = drives.last().filter(|_| more) {
        answer["nextPageToken"] = json!(format!("drive-{}", last.id));
    }
    Ok(Reply::Json(answer))
}

/// `drives.update`.
pub fn update(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let drive = cx.update_drive(call.id(0), &call.json()?)?;
    Ok(Reply::Json(render::drive(cx, &drive)?))
}

/// `drives.delete`.
pub fn delete(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    cx.delete_drive(call.id(0), call.query.flag("allowItemDeletion", false))?;
    Ok(Reply::Done)
}

/// `drives.hide`.
pub fn hide(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    Ok(Reply::Json(render::drive(cx, &cx.hide_drive(call.id(0), true)?)?))
}

/// `drives.unhide`.
pub fn unhide(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    Ok(Reply::Json(render::drive(cx, &cx.hide_drive(call.id(0), false)?)?))
}
