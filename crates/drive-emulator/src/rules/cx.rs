//! One request's view of the store: who asks, what time it is, and what follows once it is committed.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use rusqlite::Connection;

use crate::error::{ApiError, ApiResult};
use crate::ids::{self, IdKind};
use crate::rules::access::Standing;
use crate::store::accounts::{self, Account, Principal};
use crate::store::files::{self, FileRow};
use crate::store::settings::Settings;

/// The context every rule works in; it lives as long as the transaction.
pub struct Cx<'a> {
    /// The transaction.
    pub db: &'a Connection,
    /// The data directory, for blobs.
    pub dir: &'a Path,
    /// Where clients reach the emulator.
    pub base_url: &'a str,
    /// Settings as of this transaction.
    pub settings: Settings,
    /// Emulated now, ms.
    pub now: i64,
    /// Who asks.
    pub who: Principal,
    pub(crate) cache: RefCell<Cache>,
    pub(crate) after: RefCell<After>,
}

/// What was computed already; emptied by every write.
#[derive(Default)]
pub(crate) struct Cache {
    pub standing: HashMap<String, Standing>,
    pub groups: Option<Vec<String>>,
    pub names: HashMap<String, Option<Account>>,
}

/// What is done once the transaction is committed.
#[derive(Debug, Default)]
pub struct After {
    /// Logs that grew: `u:<email>`, `d:<drive>`.
    pub logs: BTreeSet<String>,
    /// Files that changed: id, state (5.10), what changed.
    pub files: Vec<FileEvent>,
    /// Push channels that were made.
    pub channels: Vec<String>,
    /// Blobs no row names any more.
    pub blobs: Vec<String>,
    /// A page of changes was repeated on purpose: one less to repeat.
    pub repeated_page: bool,
}

/// A change of one file, as push channels on it report it (5.10).
#[derive(Debug, Clone)]
pub struct FileEvent {
    /// The file.
    pub id: String,
    /// `add`, `remove`, `update`, `trash` or `untrash`.
    pub state: &'static str,
    /// `X-Goog-Changed`: content, properties, parents, children, permissions.
    pub changed: Vec<&'static str>,
}

impl<'a> Cx<'a> {
    /// A context for `who` in the transaction `db`.
    pub fn new(db: &'a Connection, dir: &'a Path, base_url: &'a str, settings: Settings, who: Principal) -> Self {
        let now = settings.now();
        Self { db, dir, base_url, settings, now, who, cache: RefCell::default(), after: RefCell::default() }
    }

    /// The account of the caller.
    pub fn account(&self) -> ApiResult<Account> {
        self.person(&self.who.email)?.ok_or_else(|| ApiError::internal("the caller has no account"))
    }

    /// An account, from the cache where it was read before.
    pub fn person(&self, email: &str) -> ApiResult<Option<Account>> {
        if let Some(found) = self.cache.borrow().names.get(email) {
            return Ok(found.clone());
        }
        let found = accounts::find(self.db, email)?;
        self.cache.borrow_mut().names.insert(email.to_owned(), found.clone());
        Ok(found)
    }

    /// The stored file of an id or of an alias (0.12), visible or not.
    pub fn stored(&self, id: &str) -> ApiResult<Option<FileRow>> {
        let id = self.resolve(id)?;
        files::get(self.db, &id)
    }

    /// Replaces `root` and `appDataFolder` by the caller's own (0.12).
    pub fn resolve(&self, id: &str) -> ApiResult<String> {
        Ok(match id {
            "root" => self.account()?.root_id,
            "appDataFolder" => self.app_data_id(),
            id => id.to_owned(),
        })
    }

    /// The id of the caller's hidden folder of this app. It exists once something is put in it.
    pub fn app_data_id(&self) -> String {
        let digits = ids::permission_id(&format!("{}/{}", self.who.email, self.who.app));
        format!("0Aapp{digits}")
    }

    /// A fresh file id.
    pub(crate) fn new_id(&self, kind: IdKind) -> String {
        ids::file_id(&self.settings.id_secret, kind)
    }

    /// Forgets what was computed; to be called after a write that may change access.
    pub fn changed(&self) {
        self.cache.borrow_mut().standing.clear();
    }

    /// Remembers a file event for push channels.
    pub fn event(&self, id: &str, state: &'static str, changed: &[&'static str]) {
        self.after.borrow_mut().files.push(FileEvent { id: id.to_owned(), state, changed: changed.to_vec() });
    }
}
