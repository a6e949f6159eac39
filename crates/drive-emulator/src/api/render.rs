//! Resources as JSON. int64 are strings (0.4); what has no value is absent (1.54).

mod drive;
mod permission;

use serde_json::{Map, Value, json};

use crate::clock;
use crate::error::ApiResult;
use crate::rules::cx::Cx;
use crate::store::files::{self, FileRow};
use crate::store::perms::{self, Grantee, Role};

pub use drive::drive;
pub use permission::{permission, person};

/// A File, with the fields `want` asks for: what is expensive is not computed otherwise.
pub fn file(cx: &Cx<'_>, f: &FileRow, want: &dyn Fn(&str) -> bool) -> ApiResult<Value> {
    let mut out = Out { map: Map::new(), want };
    plain_fields(cx, f, &mut out)?;
    content_fields(cx, f, &mut out);
    sharing_fields(cx, f, &mut out)?;
    personal_fields(cx, f, &mut out)?;
    if want("capabilities") {
        out.put("capabilities", super::capabilities::of(cx, f)?);
    }
    Ok(Value::Object(out.map))
}

struct Out<'w> {
    map: Map<String, Value>,
    want: &'w dyn Fn(&str) -> bool,
}

impl Out<'_> {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        if (self.want)(name) {
            self.map.insert(name.to_owned(), value.into());
        }
    }

    fn maybe(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}

fn plain_fields(cx: &Cx<'_>, f: &FileRow, out: &mut Out<'_>) -> ApiResult<()> {
    out.put("kind", "drive#file");
    out.put("id", f.id.as_str());
    out.put("name", f.name.as_str());
    out.put("mimeType", f.mime.as_str());
    out.maybe("description", f.description.as_deref());
    if (out.want)("trashed") {
        out.put("trashed", cx.standing(f)?.trashed);
    }
    out.put("explicitlyTrashed", f.trashed);
    if f.drive.is_some() {
        out.maybe("trashedTime", f.trashed_at.map(clock::format));
        if let Some(email) = &f.trashed_by {
            out.put("trashingUser", person(cx, email)?);
        }
    }
    if (out.want)("parents")
        && let Some(parent) = &f.parent
        && cx.parent_role(f)?.is_some()
    {
        out.put("parents", json!([parent]));
    }
    for (field, app) in [("properties", ""), ("appProperties", cx.who.app.as_str())] {
        if (out.want)(field) {
            let props = files::props(cx.db, &f.id, app)?;
            if !props.is_empty() {
                out.put(field, json!(props));
            }
        }
    }
    out.put("spaces", json!([f.space]));
    out.put("version", f.version.to_string());
    out.put("createdTime", clock::format(f.created));
    out.put("modifiedTime", clock::format(f.modified));
    out.maybe("folderColorRgb", f.color.as_deref());
    if f.is_folder() {
        out.maybe("folderColorRgb", f.color.as_deref().or(Some("#8f8f8f")));
        out.put("inheritedPermissionsDisabled", f.limited);
    }
    for field in ["driveId", "teamDriveId"] {
        out.maybe(field, f.drive.as_deref());
    }
    if let (Some(target), Some(mime)) = (&f.target, &f.target_mime) {
        out.put("shortcutDetails", json!({ "targetId": target, "targetMimeType": mime }));
    }
    let (view, content) = links(f);
    out.put("webViewLink", view);
    out.maybe("webContentLink", content);
    out.put("iconLink", format!("https://drive-thirdparty.googleusercontent.com/16/type/{}", f.mime));
    out.put("hasThumbnail", false);
    out.put("thumbnailVersion", "0");
    out.put("isAppAuthorized", f.app == cx.who.app);
    out.put("writersCanShare", f.writers_share);
    out.put("copyRequiresWriterPermission", f.copy_protected);
    out.put("viewersCanCopyContent", !f.copy_protected);
    Ok(())
}

/// The page that shows a file, and the download of a blob (2.14).
fn links(f: &FileRow) -> (String, Option<String>) {
    let id = &f.id;
    let editors = f.mime.strip_prefix("application/vnd.google-apps.");
    let view = match editors {
        Some("folder") => format!("https://drive.google.com/drive/folders/{id}"),
        Some("document") => format!("https://docs.google.com/document/d/{id}/edit?usp=drivesdk"),
        Some("spreadsheet") => format!("https://docs.google.com/spreadsheets/d/{id}/edit?usp=drivesdk"),
        Some("presentation") => format!("https://docs.google.com/presentation/d/{id}/edit?usp=drivesdk"),
        _ => format!("https://drive.google.com/file/d/{id}/view?usp=drivesdk"),
    };
    let content = f.is_blob().then(|| format!("https://drive.google.com/uc?id={id}&export=download"));
    (view, content)
}

fn content_fields(cx: &Cx<'_>, f: &FileRow, out: &mut Out<'_>) {
    out.maybe("size", f.size.map(|size| size.to_string()));
    out.put("quotaBytesUsed", f.size.unwrap_or(0).to_string());
    if f.is_blob() {
        out.maybe("md5Checksum", f.md5.as_deref());
        out.maybe("sha1Checksum", f.sha1.as_deref());
        out.maybe("sha256Checksum", f.sha256.as_deref());
        out.maybe("headRevisionId", f.head.as_deref());
        out.maybe("originalFilename", f.original_name.as_deref());
        let full = f.extension.as_deref().unwrap_or_default();
        out.put("fullFileExtension", full);
        out.put("fileExtension", full.rsplit('.').next());
    }
    if f.is_editors() && (out.want)("exportLinks") {
        let formats = super::about::export_formats();
        let links: Map<String, Value> = formats[&f.mime]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|mime| {
                // Google's lead to another host; these lead to where the caller is.
                let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("mimeType", mime).finish();
                let link = format!("{}/drive/v3/files/{}/export?{query}", cx.base_url, f.id);
                (mime.to_owned(), json!(link))
            })
            .collect();
        out.put("exportLinks", links);
    }
}

fn sharing_fields(cx: &Cx<'_>, f: &FileRow, out: &mut Out<'_>) -> ApiResult<()> {
    if let Some(owner) = &f.owner {
        if (out.want)("owners") {
            out.put("owners", json!([person(cx, owner)?]));
        }
        out.put("ownedByMe", *owner == cx.who.email);
    }
    if (out.want)("lastModifyingUser")
        && let Some(email) = &f.last_user
    {
        out.put("lastModifyingUser", person(cx, email)?);
    }
    let fields = ["shared", "permissions", "permissionIds", "hasAugmentedPermissions"];
    if !fields.into_iter().any(|field| (out.want)(field)) {
        return Ok(());
    }
    let grants = cx.effective(f)?;
    if f.drive.is_none() {
        out.put("shared", grants.len() > 1);
    } else {
        out.put("hasAugmentedPermissions", !f.is_root() && grants.iter().any(|grant| grant.direct));
    }
    // Who cannot share does not see with whom it is shared (1.57).
    if cx.may_share(f)? {
        let ids: Vec<&str> = grants.iter().map(|grant| grant.perm.id.as_str()).collect();
        out.put("permissionIds", json!(ids));
        if f.drive.is_none() {
            let list: Vec<Value> = grants.iter().map(|grant| permission(cx, f, grant)).collect::<ApiResult<_>>()?;
            out.put("permissions", list);
        }
    }
    Ok(())
}

fn personal_fields(cx: &Cx<'_>, f: &FileRow, out: &mut Out<'_>) -> ApiResult<()> {
    let fields = ["starred", "viewedByMe", "viewedByMeTime", "modifiedByMe", "modifiedByMeTime"];
    if fields.into_iter().any(|field| (out.want)(field)) {
        let own = files::personal(cx.db, &cx.who.email, &f.id)?.unwrap_or_default();
        out.put("starred", own.starred);
        out.put("viewedByMe", own.viewed.is_some());
        out.maybe("viewedByMeTime", own.viewed.map(clock::format));
        out.put("modifiedByMe", own.modified.is_some());
        out.maybe("modifiedByMeTime", own.modified.map(clock::format));
    }
    if ((out.want)("sharedWithMeTime") || (out.want)("sharingUser"))
        && let Some((granted, by)) = shared_with_me(cx, f)?
    {
        out.put("sharedWithMeTime", clock::format(granted));
        if let Some(by) = by {
            out.put("sharingUser", person(cx, &by)?);
        }
    }
    Ok(())
}

/// When and by whom a file was shared with the caller itself (3.26).
pub fn shared_with_me(cx: &Cx<'_>, f: &FileRow) -> ApiResult<Option<(i64, Option<String>)>> {
    if f.owner.as_deref() == Some(&cx.who.email) {
        return Ok(None);
    }
    let id = Grantee::User(cx.who.email.clone()).permission_id(false);
    let perm = perms::get(cx.db, &f.id, &id, cx.now)?;
    Ok(perm.filter(|perm| perm.role != Role::Owner).map(|perm| (perm.granted, perm.granted_by)))
}
