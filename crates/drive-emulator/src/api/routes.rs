//! Which method and path is which call.

use http::Method;

use crate::api::call::{Call, Reply};
use crate::api::{about, changes, drives, export, files, list, permissions, push, revisions};
use crate::error::ApiResult;
use crate::mask::{Kind, Mask};
use crate::rules::cx::Cx;

/// One method of Drive.
pub struct Endpoint {
    /// Its name, such as `files.get`.
    pub op: &'static str,
    method: &'static str,
    path: &'static str,
    /// Runs in a write transaction.
    pub writes: bool,
    /// What its `fields` select from.
    pub kind: Option<Kind>,
    /// Does it.
    pub run: fn(&Cx<'_>, &Call, &Mask) -> ApiResult<Reply>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.op)
    }
}

type Run = fn(&Cx<'_>, &Call, &Mask) -> ApiResult<Reply>;

const fn read(op: &'static str, path: &'static str, kind: Option<Kind>, run: Run) -> Endpoint {
    Endpoint { op, method: "GET", path, writes: false, kind, run }
}

const fn write(op: &'static str, method: &'static str, path: &'static str, kind: Option<Kind>, run: Run) -> Endpoint {
    Endpoint { op, method, path, writes: true, kind, run }
}

/// What is served. `{}` stands for an id; fixed words come before ids.
static ENDPOINTS: &[Endpoint] = &[
    read("about.get", "about", Some(Kind::About), about::get),
    read("files.generateIds", "files/generateIds", Some(Kind::GeneratedIds), files::generate_ids),
    read("files.list", "files", Some(Kind::FileList), list::list),
    write("files.create", "POST", "files", Some(Kind::File), files::create),
    write("files.emptyTrash", "DELETE", "files/trash", None, files::empty_trash),
    read("files.get", "files/{}", Some(Kind::File), files::get),
    write("files.update", "PATCH", "files/{}", Some(Kind::File), files::update),
    write("files.delete", "DELETE", "files/{}", None, files::delete),
    read("files.export", "files/{}/export", None, export::export),
    write("files.copy", "POST", "files/{}/copy", Some(Kind::File), files::copy),
    read("changes.getStartPageToken", "changes/startPageToken", Some(Kind::StartPageToken), changes::start_page_token),
    read("changes.list", "changes", Some(Kind::ChangeList), changes::list),
    read("revisions.list", "files/{}/revisions", Some(Kind::RevisionList), revisions::list),
    read("revisions.get", "files/{}/revisions/{}", Some(Kind::Revision), revisions::get),
    write("revisions.update", "PATCH", "files/{}/revisions/{}", Some(Kind::Revision), revisions::update),
    write("revisions.delete", "DELETE", "files/{}/revisions/{}", None, revisions::delete),
    read("permissions.list", "files/{}/permissions", Some(Kind::PermissionList), permissions::list),
    write("permissions.create", "POST", "files/{}/permissions", Some(Kind::Permission), permissions::create),
    read("permissions.get", "files/{}/permissions/{}", Some(Kind::Permission), permissions::get),
    write("permissions.update", "PATCH", "files/{}/permissions/{}", Some(Kind::Permission), permissions::update),
    write("permissions.delete", "DELETE", "files/{}/permissions/{}", None, permissions::delete),
    write("files.watch", "POST", "files/{}/watch", Some(Kind::Channel), push::watch_file),
    write("changes.watch", "POST", "changes/watch", Some(Kind::Channel), push::watch_changes),
    write("channels.stop", "POST", "channels/stop", None, push::stop),
    read("drives.list", "drives", Some(Kind::DriveList), drives::list),
    write("drives.create", "POST", "drives", Some(Kind::Drive), drives::create),
    read("drives.get", "drives/{}", Some(Kind::Drive), drives::get),
    write("drives.update", "PATCH", "drives/{}", Some(Kind::Drive), drives::update),
    write("drives.delete", "DELETE", "drives/{}", None, drives::delete),
    write("drives.hide", "POST", "drives/{}/hide", Some(Kind::Drive), drives::hide),
    write("drives.unhide", "POST", "drives/{}/unhide", Some(Kind::Drive), drives::unhide),
];

/// A method the emulator serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Its name, such as `files.get`.
    pub op: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path below `/drive/v3/`; `{}` stands for an id.
    pub path: &'static str,
}

/// Every method that is served.
pub fn served() -> impl Iterator<Item = Served> {
    ENDPOINTS.iter().map(|endpoint| Served { op: endpoint.op, method: endpoint.method, path: endpoint.path })
}

/// The names of the methods that exist at Google and are answered 501.
pub fn unserved_methods() -> impl Iterator<Item = &'static str> {
    UNSERVED.iter().map(|(op, ..)| *op)
}

/// What Drive's discovery document lists and the emulator does not serve: name, method, path.
static UNSERVED: &[(&str, &str, &str)] = &[
    ("accessproposals.get", "GET", "files/{}/accessproposals/{}"),
    ("accessproposals.list", "GET", "files/{}/accessproposals"),
    ("accessproposals.resolve", "POST", "files/{}/accessproposals/{}:resolve"),
    ("approvals.approve", "POST", "files/{}/approvals/{}:approve"),
    ("approvals.cancel", "POST", "files/{}/approvals/{}:cancel"),
    ("approvals.comment", "POST", "files/{}/approvals/{}:comment"),
    ("approvals.decline", "POST", "files/{}/approvals/{}:decline"),
    ("approvals.get", "GET", "files/{}/approvals/{}"),
    ("approvals.list", "GET", "files/{}/approvals"),
    ("approvals.reassign", "POST", "files/{}/approvals/{}:reassign"),
    ("approvals.start", "POST", "files/{}/approvals:start"),
    ("apps.get", "GET", "apps/{}"),
    ("apps.list", "GET", "apps"),
    ("comments.create", "POST", "files/{}/comments"),
    ("comments.delete", "DELETE", "files/{}/comments/{}"),
    ("comments.get", "GET", "files/{}/comments/{}"),
    ("comments.list", "GET", "files/{}/comments"),
    ("comments.update", "PATCH", "files/{}/comments/{}"),
    ("files.download", "POST", "files/{}/download"),
    ("files.generateCseToken", "GET", "files/generateCseToken"),
    ("files.listLabels", "GET", "files/{}/listLabels"),
    ("files.modifyLabels", "POST", "files/{}/modifyLabels"),
    ("operations.get", "GET", "operations/{}"),
    ("replies.create", "POST", "files/{}/comments/{}/replies"),
    ("replies.delete", "DELETE", "files/{}/comments/{}/replies/{}"),
    ("replies.get", "GET", "files/{}/comments/{}/replies/{}"),
    ("replies.list", "GET", "files/{}/comments/{}/replies"),
    ("replies.update", "PATCH", "files/{}/comments/{}/replies/{}"),
    ("teamdrives.create", "POST", "teamdrives"),
    ("teamdrives.delete", "DELETE", "teamdrives/{}"),
    ("teamdrives.get", "GET", "teamdrives/{}"),
    ("teamdrives.list", "GET", "teamdrives"),
    ("teamdrives.update", "PATCH", "teamdrives/{}"),
];

/// The call of a method and a path below `/drive/v3/`, with the ids in it.
pub fn find(method: &Method, path: &str) -> Option<(&'static Endpoint, Vec<String>)> {
    ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.method == method.as_str())
        .find_map(|endpoint| matched(endpoint.path, path).map(|ids| (endpoint, ids)))
}

/// The name of a method that exists at Google and not here.
pub fn unserved(method: &Method, path: &str) -> Option<&'static str> {
    let found = UNSERVED.iter().find(|(_, verb, pattern)| *verb == method.as_str() && matched(pattern, path).is_some());
    found.map(|(op, ..)| *op)
}

fn matched(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut ids = Vec::new();
    let mut parts = path.split('/');
    for want in pattern.split('/') {
        let part = parts.next()?;
        if let Some(verb) = want.strip_prefix("{}") {
            // Such as `{}:approve`.
            let part = part.strip_suffix(verb)?;
            let id = percent_encoding::percent_decode_str(part).decode_utf8().ok()?;
            if id.is_empty() {
                return None;
            }
            ids.push(id.into_owned());
        } else if want != part {
            return None;
        }
    }
    parts.next().is_none().then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_words_win_over_ids() {
        let op = |method: Method, path| find(&method, path).map(|(endpoint, ids)| (endpoint.op, ids.len()));
        assert_eq!(op(Method::GET, "files/generateIds"), Some(("files.generateIds", 0)));
        assert_eq!(op(Method::GET, "files/abc"), Some(("files.get", 1)));
        assert_eq!(op(Method::DELETE, "files/trash"), Some(("files.emptyTrash", 0)));
        assert_eq!(op(Method::GET, "files/a/permissions/b"), Some(("permissions.get", 2)));
        assert_eq!(op(Method::PUT, "files/abc"), None);
        assert_eq!(op(Method::GET, "files/"), None);
        assert_eq!(unserved(&Method::GET, "files/abc/comments"), Some("comments.list"));
        assert_eq!(unserved(&Method::POST, "files/a/approvals/b:decline"), Some("approvals.decline"));
        assert_eq!(unserved(&Method::GET, "files/abc"), None);
    }
}
