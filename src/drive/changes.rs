//! The change feed: one log for the user, one for each shared drive (drive-v3-behaviour 4).

use google_drive3::api::{self, Scope};

use super::call::Cost;
use super::entry::{self, Entry};
use super::error::{DriveError, Kind};
use super::ids::FileId;
use super::{Drive, understood};
use crate::domain::clock::Millis;

/// One page of a feed. Exactly one of `next` and `new_start` is there (4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePage {
    /// What changed, oldest first.
    pub changes: Vec<FeedEntry>,
    /// There is more: ask again with this.
    pub next: Option<String>,
    /// The end: keep this for the next time.
    pub new_start: Option<String>,
}

/// One changed file, in its present state (4.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Which.
    pub file_id: FileId,
    /// Deleted for good, or out of the account's sight (4.12). A file in the trash is not removed (4.13).
    pub removed: bool,
    /// When.
    pub time: Option<Millis>,
    /// The file; absent when removed. Grants are not in it.
    pub entry: Option<Entry>,
}

impl Drive {
    /// The token that means "from now on" in a log: the user's, or a shared drive's.
    pub async fn start_token(&self, drive_id: Option<&FileId>) -> Result<String, DriveError> {
        let what = "get the start of the change feed";
        let answer = self
            .door
            .hub(what, Cost::Read, |hub, mut tap| async move {
                let mut call = hub.changes().get_start_page_token().supports_all_drives(true).add_scope(Scope::Full);
                if let Some(drive) = drive_id {
                    call = call.drive_id(drive.as_str());
                }
                Ok(call.delegate(&mut tap).doit().await?.1)
            })
            .await?;
        let none = || self.door.named(what, DriveError::new(Kind::Unreadable, "Drive gave no token"));
        answer.start_page_token.filter(|t| !t.is_empty()).ok_or_else(none)
    }

    /// One page of a log. Fails with [`Kind::BadToken`] when Drive rejects the token: list everything and start anew.
    /// The same token can be asked again (4.27).
    pub async fn changes(&self, token: &str, drive_id: Option<&FileId>) -> Result<ChangePage, DriveError> {
        let what = "read the change feed";
        let page = self
            .door
            .hub(what, Cost::List, |hub, mut tap| async move {
                let mut call = hub.changes().list(token).page_size(1000).supports_all_drives(true).include_items_from_all_drives(true);
                if let Some(drive) = drive_id {
                    call = call.drive_id(drive.as_str());
                }
                call = call.include_removed(true).spaces("drive").param("fields", entry::FEED).add_scope(Scope::Full);
                Ok(call.delegate(&mut tap).doit().await?.1)
            })
            .await
            .map_err(rejected)?;
        let page = understood(ChangePage::from_api(page)).map_err(|e| self.door.named(what, e))?;
        if page.next.is_some() == page.new_start.is_some() {
            return Err(self.door.named(what, DriveError::new(Kind::Unreadable, "a page of the feed did not say how to go on")));
        }
        Ok(page)
    }
}

/// All we ever send that Drive could call invalid here is the token; the exact answer was never measured (11.10).
fn rejected(error: DriveError) -> DriveError {
    let of_token = error.location.as_deref() == Some("pageToken");
    if error.kind == Kind::BadRequest || error.status == Some(410) || (error.kind == Kind::Gone && of_token) {
        return error.with(|f| f.kind = Kind::BadToken);
    }
    error
}

impl ChangePage {
    fn from_api(page: api::ChangeList) -> Result<Self, String> {
        let changes = page.changes.unwrap_or_default().into_iter().filter_map(FeedEntry::from_api).collect::<Result<_, _>>()?;
        Ok(Self { changes, next: page.next_page_token, new_start: page.new_start_page_token })
    }
}

impl FeedEntry {
    /// `None` for what concerns a whole shared drive (joined, left, renamed) and no file.
    fn from_api(change: api::Change) -> Option<Result<Self, String>> {
        let file_id = change.file_id?;
        let make = || {
            let file_id = FileId::new(file_id).map_err(|e| e.to_string())?;
            let removed = change.removed.unwrap_or(false);
            let entry = change.file.filter(|_| !removed).map(Entry::from_api).transpose()?;
            Ok(Self { file_id, removed, time: change.time.map(|t| t.timestamp_millis()), entry })
        };
        Some(make())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_a_whole_drive_are_passed_over_and_tombstones_kept() {
        let page = serde_json::from_value(serde_json::json!({"newStartPageToken": "9", "changes": [
            {"changeType": "drive", "driveId": "d", "removed": false},
            {"changeType": "file", "fileId": "gone", "removed": true, "time": "2026-11-23T10:00:00Z"},
            {"changeType": "file", "fileId": "f", "removed": false, "file": {"id": "f", "name": "n", "mimeType": "t"}}
        ]}))
        .expect("reads");
        let page = ChangePage::from_api(page).expect("whole");
        let seen: Vec<_> = page.changes.iter().map(|c| (c.file_id.as_str(), c.removed, c.entry.is_some())).collect();
        assert_eq!(seen, [("gone", true, false), ("f", false, true)]);
    }
}
