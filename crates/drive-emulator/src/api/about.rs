//! `about.get`.

use serde_json::{Value, json};

use crate::api::call::{Call, Reply};
use crate::api::render::person;
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::rules::cx::Cx;
use crate::store::files;

/// `about.get`; insists on `fields` (1.56).
pub fn get(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    if call.query.filled("fields").is_none() {
        return Err(ApiError::required_fields());
    }
    let account = cx.account()?;
    let used = files::tally(cx.db, &format!("b:{}", account.email))?;
    let trash: i64 =
        cx.db.query_row("SELECT coalesce(sum(size), 0) FROM files WHERE owner = ?1 AND trashed = 1", [&account.email], |row| row.get(0))?;
    let mut quota = json!({
        "usage": used.to_string(),
        "usageInDrive": used.to_string(),
        "usageInDriveTrash": trash.to_string(),
    });
    if let Some(limit) = account.storage_limit {
        quota["limit"] = json!(limit.to_string());
    }
    Ok(Reply::Json(json!({
        "kind": "drive#about",
        "user": person(cx, &account.email)?,
        "storageQuota": quota,
        "importFormats": {
            "text/plain": ["application/vnd.google-apps.document"],
            "text/csv": ["application/vnd.google-apps.spreadsheet"],
            "application/pdf": ["application/vnd.google-apps.document"],
        },
        "exportFormats": export_formats(),
        "maxImportSizes": {
            "application/vnd.google-apps.document": "10485760",
            "application/vnd.google-apps.spreadsheet": "104857600",
            "application/vnd.google-apps.presentation": "104857600",
        },
        "maxUploadSize": "5497558138880",
        "appInstalled": true,
        "folderColorPalette": ["#ac725e", "#4986e7", "#16a765", "#8f8f8f"],
        "driveThemes": [],
        "canCreateDrives": !account.service,
        "canCreateTeamDrives": !account.service,
        "teamDriveThemes": [],
    })))
}

/// What each kind of editors' file exports to (2.9).
pub fn export_formats() -> Value {
    json!({
        "application/vnd.google-apps.document": [
            "application/pdf", "text/plain", "text/html", "application/rtf", "application/zip",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ],
        "application/vnd.google-apps.spreadsheet": [
            "application/pdf", "text/csv", "text/tab-separated-values",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ],
        "application/vnd.google-apps.presentation": [
            "application/pdf", "text/plain",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ],
        "application/vnd.google-apps.drawing": ["application/pdf", "image/png", "image/jpeg", "image/svg+xml"],
        "application/vnd.google-apps.script": ["application/vnd.google-apps.script+json"],
        "application/vnd.google-apps.form": ["application/zip"],
    })
}
