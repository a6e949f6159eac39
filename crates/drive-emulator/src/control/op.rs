//! Which Drive call a request is, and what it costs.

use http::request::Parts;

use crate::api::routes;
use crate::api::serve::{Target, overridden, target};

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

/// Names beside those of the methods that are served.
pub(super) const OTHERS: [&str; 4] = [CHUNK, BATCH, TOKEN, UNKNOWN];
const CHUNK: &str = "upload.chunk";
const BATCH: &str = "batch";
const TOKEN: &str = "token";
const UNKNOWN: &str = "unknown";

impl Op {
    /// Classifies a request by its line and headers.
    pub fn of(parts: &Parts) -> Self {
        let path = parts.uri.path();
        if path.starts_with("/_emulator") || path == "/" || path == "/favicon.ico" {
            return Self { name: "control", door: Door::Control, writes: false, units: 0 };
        }
        if path.ends_with("/token") && !path.starts_with("/drive/") {
            return Self { name: TOKEN, door: Door::Token, writes: false, units: 0 };
        }
        let query = parts.uri.query().unwrap_or_default();
        // As it will be served.
        let name = match target(&overridden(parts).unwrap_or_else(|| parts.method.clone()), path) {
            Ok(Target::Upload(..)) if has(query, "upload_id", None) => CHUNK,
            Ok(Target::Plain(endpoint, _) | Target::Upload(endpoint, _)) => endpoint.op,
            Err(_) if path.starts_with("/batch") => BATCH,
            Err(_) => UNKNOWN,
        };
        let media = has(query, "alt", Some("media"));
        Self { name, door: Door::Drive, writes: writes(name), units: units(name, media) }
    }
}

fn has(query: &str, name: &str, value: Option<&str>) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(key, found)| key == name && value.is_none_or(|value| found.eq_ignore_ascii_case(value)))
}

/// The methods a call comes by; none where any does. A long GET comes as a POST (0.9), an upload to a file by PUT too.
pub(super) fn methods(name: &str) -> Vec<&'static str> {
    let own = routes::served().find(|served| served.op == name).map(|served| served.method);
    let other = match own {
        Some("GET") => Some("POST"),
        _ => Some("PUT").filter(|_| name == "files.update"),
    };
    own.into_iter().chain(other).collect()
}

fn verb(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// Whether a call changes something on Drive.
pub(super) fn writes(name: &str) -> bool {
    matches!(verb(name), "create" | "update" | "delete" | "copy" | "emptyTrash" | "hide" | "unhide" | "chunk")
}

/// Read 5, list 100, download 200, edit 50, other 5 (6.22). A chunk belongs to the upload already
/// paid, and a batch to the calls in it (6.28).
fn units(name: &str, media: bool) -> u32 {
    match verb(name) {
        "chunk" | "batch" => 0,
        "list" => 100,
        "export" => 200,
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
            ("GET", "/drive/v3/files/generateCseToken", "unknown", 5),
            ("PUT", "/upload/drive/v3/files/abc?uploadType=media", "files.update", 50),
            ("PUT", "/drive/v3/files/abc", "unknown", 5),
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

    /// What is not served by another method is not called by its name either.
    #[test]
    fn a_method_is_overridden_here_where_it_is_overridden_there() {
        for (method, override_with, name) in [("POST", "PATCH", "files.update"), ("PATCH", "GET", "files.update")] {
            let request =
                http::Request::builder().method(method).uri("/drive/v3/files/abc").header("X-HTTP-Method-Override", override_with);
            assert_eq!(Op::of(&request.body(()).expect("a request").into_parts().0).name, name, "{method} as {override_with}");
        }
    }
}
