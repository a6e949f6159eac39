//! Reading, listing and changing files and folders; ids for new ones.

use std::collections::{BTreeMap, HashMap, HashSet};

use google_drive3::api::{FileList, Scope};
use serde_json::{Map, Value, json};

use super::call::Cost;
use super::entry::{self, Entry};
use super::error::{DriveError, Kind};
use super::ids::FileId;
use super::query::Query;
use super::{Drive, understood};

/// What every listing is called, in errors and logs.
const LISTING: &str = "list folders and files";
/// The most files.list and generateIds give at once (1.14, 2.33).
const PAGE: usize = 1000;
/// How often a listing starts over when Drive forgets its page token.
const RESTARTS: usize = 2;

/// What to change on a file; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// A new name.
    pub name: Option<String>,
    /// Move it here; needs `remove_parent`, for a file has one place (2.17).
    pub add_parent: Option<FileId>,
    /// Move it away from here.
    pub remove_parent: Option<FileId>,
    /// The text shown beside it; empty takes it away.
    pub description: Option<String>,
    /// tecnico's properties to set; `None` deletes the key. Others stay (1.50).
    pub app_properties: BTreeMap<String, Option<String>>,
    /// Into the trash or out of it.
    pub trashed: Option<bool>,
}

impl Drive {
    /// `count` ids no file has yet, to create with: the only create that can be repeated (1.19).
    pub async fn generate_ids(&self, count: usize) -> Result<Vec<FileId>, DriveError> {
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let ask = i32::try_from((count - ids.len()).min(PAGE)).unwrap_or(1000);
            let answer = self
                .door
                .hub("get ids for new folders", Cost::Read, |hub, mut tap| async move {
                    let call = hub.files().generate_ids().count(ask).space("drive").add_scope(Scope::Full);
                    Ok(call.delegate(&mut tap).doit().await?.1)
                })
                .await?;
            let got = answer.ids.unwrap_or_default();
            if got.is_empty() {
                return Err(self.door.named("get ids for new folders", DriveError::new(Kind::Unreadable, "Drive gave no ids")));
            }
            for id in got {
                ids.push(understood(FileId::new(id).map_err(|e| e.to_string()))?);
            }
        }
        ids.truncate(count);
        Ok(ids)
    }

    /// One file or folder; `None` if it does not exist or the account cannot see it (2.1).
    pub async fn get(&self, id: &FileId) -> Result<Option<Entry>, DriveError> {
        let what = format!("read {id}");
        let got = self
            .door
            .hub(&what, Cost::Read, |hub, mut tap| async move {
                let call = hub.files().get(id.as_str()).supports_all_drives(true).param("fields", entry::FULL).add_scope(Scope::Full);
                Ok(call.delegate(&mut tap).doit().await?.1)
            })
            .await;
        match got {
            Ok(file) => understood(Entry::from_api(file)).map(Some).map_err(|e| self.door.named(&what, e)),
            Err(error) if error.kind == Kind::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything `query` finds, all pages of it, each file once. A listing that Drive calls incomplete is a failure (2.37).
    /// A new file can be missing for a while (2.41): [`Drive::get`] by id is the word that counts.
    pub async fn list(&self, query: &Query) -> Result<Vec<Entry>, DriveError> {
        if query.is_impossible() {
            return Ok(Vec::new());
        }
        let mut found = self.list_all(query).await?;
        if found.is_empty()
            && let Some(queries) = query.one_by_one()
        {
            for query in queries {
                found.extend(self.list_all(&query).await?);
            }
            let mut seen = HashSet::new();
            found.retain(|entry| seen.insert(entry.id.clone()));
        }
        Ok(found)
    }

    async fn list_all(&self, query: &Query) -> Result<Vec<Entry>, DriveError> {
        let mut restarts = 0;
        loop {
            match self.list_once(query).await {
                Err(error) if error.kind == Kind::BadToken && restarts < RESTARTS => restarts += 1,
                other => return other.map_err(|e| self.door.named(LISTING, e)),
            }
        }
    }

    async fn list_once(&self, query: &Query) -> Result<Vec<Entry>, DriveError> {
        let mut found: Vec<Entry> = Vec::new();
        let mut seen: HashMap<FileId, usize> = HashMap::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.page(query, token.as_deref()).await?;
            if page.incomplete_search == Some(true) {
                return Err(
                    DriveError::new(Kind::Server, "Drive did not search everywhere").with(|f| f.reason = Some("incompleteSearch".into()))
                );
            }
            for file in page.files.unwrap_or_default() {
                let entry = understood(Entry::from_api(file))?;
                // What changes while pages are turned can come twice; the later state counts.
                if let Some(&at) = seen.get(&entry.id) {
                    found[at] = entry;
                } else {
                    seen.insert(entry.id.clone(), found.len());
                    found.push(entry);
                }
            }
            match page.next_page_token {
                None => break,
                same if same == token => return Err(DriveError::new(Kind::Unreadable, "Drive gave the same page twice")),
                next => token = next,
            }
        }
        found.retain(|entry| query.admits(entry));
        Ok(found)
    }

    async fn page(&self, query: &Query, token: Option<&str>) -> Result<FileList, DriveError> {
        let q = query.text();
        let (q, drive) = (q.as_deref(), self.within.as_ref());
        let answer = self
            .door
            .hub(LISTING, Cost::List, |hub, mut tap| async move {
                let mut call = hub.files().list().page_size(1000).spaces("drive").param("fields", entry::LIST).add_scope(Scope::Full);
                call = call.supports_all_drives(true).include_items_from_all_drives(true);
                if let Some(q) = q {
                    call = call.q(q);
                }
                if let Some(token) = token {
                    call = call.page_token(token);
                }
                // The default corpus shows of a shared drive only what was opened before (2.38).
                if let Some(drive) = drive {
                    call = call.corpora("drive").drive_id(drive.as_str());
                }
                Ok(call.delegate(&mut tap).doit().await?.1)
            })
            .await;
        answer.map_err(|error| match (error.kind, error.location.as_deref()) {
            (Kind::BadRequest, Some("pageToken")) => error.with(|f| f.kind = Kind::BadToken),
            _ => error,
        })
    }

    /// Changes a file and gives it back as it is then. A move that was carried out although its answer was lost counts as
    /// done: what Drive refuses is looked at once more before it is called a failure.
    pub async fn update(&self, id: &FileId, change: &Change) -> Result<Entry, DriveError> {
        let what = change.what(id);
        let mut query = vec![("supportsAllDrives", "true"), ("fields", entry::FULL)];
        if let Some(parent) = &change.add_parent {
            query.push(("addParents", parent.as_str()));
        }
        if let Some(parent) = &change.remove_parent {
            query.push(("removeParents", parent.as_str()));
        }
        let refused = match self.raw.patch(&what, &format!("files/{id}"), &query, &change.body()).await {
            Ok(file) => return understood(Entry::from_api(file)).map_err(|e| self.door.named(&what, e)),
            Err(error) => error,
        };
        if change.add_parent.is_some()
            && matches!(refused.kind, Kind::Refused | Kind::BadRequest | Kind::Gone)
            && let Some(entry) = self.get(id).await?.filter(|e| change.is_done(e))
        {
            return Ok(entry);
        }
        Err(refused)
    }
}

impl Change {
    fn body(&self) -> Value {
        let mut body = Map::new();
        if let Some(name) = &self.name {
            body.insert("name".into(), json!(name));
        }
        if let Some(text) = &self.description {
            body.insert("description".into(), json!(text));
        }
        if let Some(trashed) = self.trashed {
            body.insert("trashed".into(), json!(trashed));
        }
        if !self.app_properties.is_empty() {
            body.insert("appProperties".into(), json!(self.app_properties));
        }
        Value::Object(body)
    }

    fn what(&self, id: &FileId) -> String {
        match (&self.add_parent, self.trashed, &self.name) {
            (Some(parent), ..) => format!("move {id} to {parent}"),
            (_, Some(true), _) => format!("trash {id}"),
            (_, Some(false), _) => format!("take {id} out of the trash"),
            (.., Some(name)) => format!("rename {id} to {name:?}"),
            _ => format!("change {id}"),
        }
    }

    /// Whether `entry` is already as wanted.
    fn is_done(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, has: Option<&str>| wanted.as_deref().is_none_or(|w| w == has.unwrap_or(""));
        self.add_parent.as_ref().is_none_or(|p| entry.parents.contains(p))
            && self.remove_parent.as_ref().is_none_or(|p| !entry.parents.contains(p))
            && is(&self.name, Some(&entry.name))
            && is(&self.description, entry.description.as_deref())
            && self.trashed.is_none_or(|t| t == entry.trashed)
            && self.app_properties.iter().all(|(key, value)| entry.app_properties.get(key) == value.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_property_is_sent_as_null_and_what_stays_is_not_sent() {
        let change = Change { app_properties: BTreeMap::from([("a".into(), None), ("b".into(), Some("1".into()))]), ..Change::default() };
        assert_eq!(change.body(), json!({"appProperties": {"a": null, "b": "1"}}));
        assert_eq!(Change::default().body(), json!({}));
        let whole = Change { name: Some("n".into()), description: Some(String::new()), trashed: Some(false), ..Change::default() };
        assert_eq!(whole.body(), json!({"name": "n", "description": "", "trashed": false}));
    }

    #[test]
    fn a_move_counts_as_done_only_when_all_of_it_is() {
        let id = |text: &str| FileId::new(text).expect("an id");
        let entry = |parents: Value, description: &str| {
            let json = json!({"id": "f", "name": "n", "mimeType": "t", "parents": parents, "description": description});
            Entry::from_api(serde_json::from_value(json).expect("reads")).expect("whole")
        };
        let change =
            Change { add_parent: Some(id("new")), remove_parent: Some(id("old")), description: Some("why".into()), ..Change::default() };
        assert!(change.is_done(&entry(json!(["new"]), "why")));
        assert!(!change.is_done(&entry(json!(["new"]), "other")));
        assert!(!change.is_done(&entry(json!(["new", "old"]), "why")));
        assert!(!change.is_done(&entry(json!(["old"]), "why")));
    }
}
