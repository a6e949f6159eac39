//! Google Drive, as tecnico uses it. The one place that names google-drive3 and yup-oauth2; their types do not leave it.
//!
//! google-drive3 makes the JSON-in, JSON-out calls. What it cannot do (create without media, send `null`, `Range`, a sound
//! resumable upload) goes through `media`. Every call passes `call`: the full `drive` scope, `supportsAllDrives`, a mask,
//! a time limit, the pacer, repeats, and the meter. Numbers like 1.17 in the comments are items of drive-v3-behaviour, the
//! notes on what Drive really does.

mod about;
mod advice;
mod allowance;
mod answer;
mod call;
mod changes;
mod connect;
mod credentials;
mod entry;
mod error;
mod files;
mod folders;
mod ids;
mod media;
mod pacer;
mod parent;
mod permissions;
mod query;
mod retry;
mod tap;
mod token;
mod token_cache;
mod trial;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use about::{About, SharedDrive};
pub use call::Meter;
pub use changes::{ChangePage, FeedEntry};
pub use credentials::LONGEST_KEY;
pub use entry::{Can, Entry, FOLDER, Grant, SHORTCUT};
pub use error::{DriveError, Facts, Kind};
pub use files::Change;
pub use folders::{Created, NewFolder};
pub use ids::{FileId, NotAnId};
pub use media::{Downloaded, NewFile};
pub use parent::{parent_not_found, parent_trashed};
pub use permissions::NewGrant;
pub use query::Query;

use crate::config::settings::DriveSettings;
use crate::error::{Exit, Failure};
use allowance::Allowances;
use call::{Door, SharedDoor};
use credentials::Account;
use token::Tokens;
use token_cache::TokenCache;

/// The connection to Drive. Cheap to clone; all clones share connections, token, pacer and meter.
#[derive(Clone)]
pub struct Drive {
    door: SharedDoor,
    raw: media::Raw,
    within: Option<FileId>,
    sharing: permissions::PerItem,
    made: folders::MadeHere,
}

impl Drive {
    /// Reads the credentials and sets everything up. Asks nothing of the network yet. Tokens are kept below `cache_dir`.
    ///
    /// Fails with exit 77 for a key that others can read (`key_readable_by_others`), cannot be read or is damaged, and
    /// with 78 for one that is missing or an id that is none.
    pub async fn connect(settings: &DriveSettings, cache_dir: &Path) -> Result<Self, Failure> {
        Self::connect_keeping(settings, |identity| TokenCache::new(cache_dir, identity)).await
    }

    /// The same for a trial: no token of it is kept.
    pub async fn connect_for_once(settings: &DriveSettings) -> Result<Self, Failure> {
        Self::connect_keeping(settings, |_| TokenCache::none()).await
    }

    async fn connect_keeping(settings: &DriveSettings, cache: impl FnOnce(&str) -> TokenCache) -> Result<Self, Failure> {
        let shared_drive = settings.shared_drive_id.as_deref().map(FileId::new).transpose().map_err(|e| {
            Failure::new(Exit::Config, "shared_drive_id", format!("`drive.shared_drive_id`: {e}"))
                .hint("copy it from the drive's address in the browser: the part after /folders/")
        })?;
        let account = Account::read(settings)?;
        let name = account.name();
        let mut endpoint = settings.endpoint.clone();
        if !endpoint.path().ends_with('/') {
            endpoint.set_path(&format!("{}/", endpoint.path()));
        }
        let tls = connect::tls(endpoint.scheme() == "https" || account.needs_tls())?;
        let connector = connect::connector(tls.clone());
        // A sandbox's Drive listens on another port each time and is the same.
        let identity = if settings.is_sandbox() { format!("{name}|sandbox") } else { format!("{}|{endpoint}", account.identity()) };
        let cache = cache(&identity);
        let tokens = Tokens::new(account, connector.clone(), cache, settings.timeout).await?;
        let client = connect::client(connector);
        let allowed = Allowances::new(settings.calls_per_minute, settings.writes_per_second);
        let door = Arc::new(Door::new(client, tokens, endpoint, settings.timeout, settings.concurrency, allowed, name));
        let raw = media::Raw::new(tls, door.clone())?;
        Ok(Self { door, raw, within: shared_drive, sharing: permissions::PerItem::default(), made: folders::MadeHere::default() })
    }

    /// Who acts on Drive: the service account's e-mail, or the user it acts for. For messages.
    pub fn account(&self) -> String {
        self.door.account.clone()
    }

    /// What was asked of Drive so far, by every clone.
    pub fn meter(&self) -> Meter {
        self.door.meter()
    }

    /// What was asked since this was last called, for the ledger's count of a day.
    pub fn unrecorded(&self) -> Meter {
        self.door.unrecorded()
    }

    /// The shared drive everything lies in, where one is configured.
    pub fn shared_drive_id(&self) -> Option<&FileId> {
        self.within.as_ref()
    }
}

impl fmt::Debug for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("account", &self.door.account).field("endpoint", &self.door.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// An answer of the crate's, taken apart; a field that is missing or wrong makes it unreadable.
fn understood<T>(result: Result<T, String>) -> Result<T, DriveError> {
    result.map_err(|why| DriveError::new(Kind::Unreadable, format!("Drive's answer could not be understood: {why}")))
}
