//! Which Drive call a request is, and what it costs.

use http::Method;
use http::request::Parts;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The Drive API.
    Drive,
    /// The token endpoint.
    Token,
    /// The emulator's own control API and pages.
    Control,
}

/// A request, classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    /// Such as `files.create`; `token`; `upload.chunk` for the bytes of a resumable upload;
    /// `unknown` for what is no call of Drive.
    pub name: &'static str,
    /// What it is for.
    pub door: Door,
    /// Whether it changes something on Drive.
    pub writes: bool,
    /// Quota units by the prices of 2026 (6.22).
    pub units: u32,
}

/// The mounts of the API (0.1), longest first.
const MOUNTS: [&str; 3] = ["/resumable/upload/drive/v3/", "/upload/drive/v3/", "/drive/v3/"];

impl Op {
    /// Classifies a request by its line and headers.
    pub fn of(parts: &Parts) -> Self {
        let path = parts.uri.path();
        if path.starts_with("/_emulator") || path == "/" || path == "/favicon.ico" {
            return Self { name: "control", door: Door::Control, writes: false, units: 0 };
        }
        if path.ends_with("/token") && !path.starts_with("/drive/") {
            return Self { name: "token", door: Door::Token, writes: false, units: 0 };
        }
        let overridden = parts.headers.get("x-http-method-override");
        let get = Method::GET;
        let method = if overridden.is_some_and(|value| value == "GET") { &get } else { &parts.method };
        let query = parts.uri.query().unwrap_or_default();
        let below = MOUNTS.iter().find_map(|mount| path.strip_prefix(mount));
        let name = match below {
            Some(_) if has(query, "upload_id", None) => "upload.chunk",
            Some(below) => named(method.as_str(), &below.split('/').collect::<Vec<_>>()),
            None if path.starts_with("/batch") => "batch",
            None => "unknown",
        };
        let media = has(query, "alt", Some("media"));
        Self { name, door: Door::Drive, writes: writes(name), units: units(name, media) }
    }
}

fn has(query: &str, name: &str, value: Option<&str>) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(key, found)| key == name && value.is_none_or(|value| found.eq_ignore_ascii_case(value)))
}

fn named(method: &str, path: &[&str]) -> &'static str {
    match (method, path) {
        ("GET", ["about"]) => "about.get",
        ("GET", ["files", "generateIds"]) => "files.generateIds",
        ("DELETE", ["files", "trash"]) => "files.emptyTrash",
        ("GET", ["files"]) => "files.list",
        ("POST", ["files"]) => "files.create",
        ("GET", ["files", _]) => "files.get",
        ("PATCH" | "PUT", ["files", _]) => "files.update",
        ("DELETE", ["files", _]) => "files.delete",
        ("POST", ["files", _, "copy"]) => "files.copy",
        ("GET", ["files", _, "export"]) => "files.export",
        ("POST", ["files", _, "watch"]) => "files.watch",
        ("POST", ["files", _, "download"]) => "files.download",
        ("GET", ["files", _, "permissions"]) => "permissions.list",
        ("POST", ["files", _, "permissions"]) => "permissions.create",
        ("GET", ["files", _, "permissions", _]) => "permissions.get",
        ("PATCH", ["files", _, "permissions", _]) => "permissions.update",
        ("DELETE", ["files", _, "permissions", _]) => "permissions.delete",
        ("GET", ["files", _, "revisions"]) => "revisions.list",
        ("GET", ["files", _, "revisions", _]) => "revisions.get",
        ("PATCH", ["files", _, "revisions", _]) => "revisions.update",
        ("DELETE", ["files", _, "revisions", _]) => "revisions.delete",
        ("GET", ["changes", "startPageToken"]) => "changes.getStartPageToken",
        ("GET", ["changes"]) => "changes.list",
        ("POST", ["changes", "watch"]) => "changes.watch",
        ("POST", ["channels", "stop"]) => "channels.stop",
        ("GET", ["drives"]) => "drives.list",
        ("POST", ["drives"]) => "drives.create",
        ("GET", ["drives", _]) => "drives.get",
        ("PATCH", ["drives", _]) => "drives.update",
        ("DELETE", ["drives", _]) => "drives.delete",
        ("POST", ["drives", _, "hide"]) => "drives.hide",
        ("POST", ["drives", _, "unhide"]) => "drives.unhide",
        _ => "unknown",
    }
}

fn verb(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

fn writes(name: &str) -> bool {
    matches!(verb(name), "create" | "update" | "delete" | "copy" | "emptyTrash" | "hide" | "unhide" | "chunk")
}

/// Read 5, list 100, download 200, edit 50, other 5 (6.22). A chunk belongs to the upload already
/// paid, and a batch to the calls in it (6.28).
fn units(name: &str, media: bool) -> u32 {
    match verb(name) {
        "chunk" | "batch" => 0,
        "list" => 100,
        "export" | "download" => 200,
        "get" if media => 200,
        _ if writes(name) => 50,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(method: &str, uri: &str) -> Op {
        let request = http::Request::builder().method(method).uri(uri).body(()).expect("a request");
        Op::of(&request.into_parts().0)
    }

    #[test]
    fn b6_22_calls_have_names_and_prices() {
        for (method, uri, name, units) in [
            ("GET", "/drive/v3/files?q=x", "files.list", 100),
            ("GET", "/drive/v3/files/abc", "files.get", 5),
            ("GET", "/drive/v3/files/abc?alt=media", "files.get", 200),
            ("POST", "/drive/v3/files", "files.create", 50),
            ("POST", "/upload/drive/v3/files?uploadType=multipart", "files.create", 50),
            ("POST", "/resumable/upload/drive/v3/files?uploadType=resumable", "files.create", 50),
            ("PUT", "/upload/drive/v3/files?uploadType=resumable&upload_id=u", "upload.chunk", 0),
            ("GET", "/drive/v3/files/generateIds?count=3", "files.generateIds", 5),
            ("GET", "/drive/v3/changes?pageToken=1", "changes.list", 100),
            ("GET", "/drive/v3/changes/startPageToken", "changes.getStartPageToken", 5),
            ("POST", "/drive/v3/files/a/permissions", "permissions.create", 50),
            ("GET", "/drive/v3/files/a/export?mimeType=x", "files.export", 200),
            ("POST", "/batch/drive/v3", "batch", 0),
            ("GET", "/nowhere", "unknown", 5),
        ] {
            let op = op(method, uri);
            assert_eq!((op.name, op.units, op.door), (name, units, Door::Drive), "{method} {uri}");
        }
        assert_eq!(op("POST", "/token").door, Door::Token);
        assert_eq!(op("GET", "/_emulator/requests").door, Door::Control);
    }

    #[test]
    fn what_changes_something_is_a_write() {
        assert!(op("POST", "/drive/v3/files").writes);
        assert!(op("PUT", "/upload/drive/v3/files?upload_id=u").writes);
        assert!(op("DELETE", "/drive/v3/files/a/permissions/b").writes);
        assert!(!op("GET", "/drive/v3/files/a").writes);
        assert!(!op("GET", "/drive/v3/files/generateIds").writes);
    }

    #[test]
    fn b0_9_a_long_get_in_a_post_is_a_get() {
        let request = http::Request::builder()
            .method("POST")
            .uri("/drive/v3/files")
            .header("X-HTTP-Method-Override", "GET")
            .body(())
            .expect("a request");
        assert_eq!(Op::of(&request.into_parts().0).name, "files.list");
    }
}
