//! What a test may turn: the clock, the switches for unsettled behaviour, the feed's misbehaviour.
//! Kept in the store so that every process serving it agrees.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::error::{ApiError, ApiResult};

/// The clock stops before the year 9000, ms since 1970.
const LAST_MS: i64 = 221_845_392_000_000;

/// All settings of one store.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Added to the machine's clock, ms. Every stamp and every check uses the sum.
    pub clock_offset_ms: i64,
    /// Signs the ids `generateIds` gives out, so that invented ids are told apart (1.16).
    pub id_secret: String,
    /// Behaviour that is unsettled or that a domain's admin decides.
    pub switches: Switches,
    /// How the change feed misbehaves.
    pub feed: FeedFaults,
}

/// Whether descendants of a changed folder get entries of their own (11.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DescendantChanges {
    /// Only the folder itself.
    None,
    /// The folder and everything below it.
    All,
}

/// Which of two documented or reported behaviours is served (`drive-v3-behaviour` 11), and what the
/// domain's administrators allow (3.10). The defaults are the specification's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// `pageSize` outside its range is 400 (measured) instead of coerced (documented) (11.1).
    pub strict_page_size: bool,
    /// `files.list` without `trashed` in q includes trashed items (11.2).
    pub list_includes_trashed: bool,
    /// `name contains` matches prefixes of tokens, else substrings (11.3).
    pub name_contains_is_token_prefix: bool,
    /// An unknown id in `in parents` is 404, else an empty list (11.18).
    pub unknown_parent_is_404: bool,
    /// `orderBy` with `fullText` answers 403 (measured), else 400 (documented) (11.4).
    pub full_text_order_is_403: bool,
    /// Service accounts may own blobs, as legacy ones do (11.6).
    pub service_accounts_own_files: bool,
    /// Successful deletes answer `{}` with 200 instead of 204 (11.8).
    pub delete_answers_json: bool,
    /// The reason of a 409 on a used id (11.9).
    pub duplicate_id_reason: String,
    /// The id of a file deleted for good may be used again (1.18, 11.13).
    pub purged_id_is_free: bool,
    /// The reason of a create with several parents in My Drive (1.3, 11.13).
    pub many_parents_reason: String,
    /// Custom properties over the limit answer 403, else 400 (1.49, 11.13).
    pub property_limit_is_403: bool,
    /// Bytes of what has none answer 401, as the heading in the documents says, instead of 403 (11.7).
    pub not_downloadable_is_401: bool,
    /// A page token of changes that is none answers 410, else 400 (11.10).
    pub invalid_change_token_is_410: bool,
    /// Descendants in the change log (11.11).
    pub descendant_changes: DescendantChanges,
    /// Granting again with a lower role keeps the higher one (11.12).
    pub regrant_never_lowers: bool,
    /// A chunk that is no multiple of 256 KiB and not the last: stored up to the last multiple, else 400 (11.13).
    pub odd_chunk_keeps_prefix: bool,
    /// Push states on changes channels say `changed` instead of `change` (11.5).
    pub push_says_changed: bool,
    /// What messages but the first say as their state, where it is not empty: receivers must bear states they do not
    /// know (5.10).
    pub push_state: String,
    /// The first message is delivered before the channel's maker has its answer (5.9).
    pub push_sync_first: bool,
    /// Push channels may point at plain http on loopback (5.17).
    pub push_allows_http: bool,
    /// Every message is sent twice (5.13).
    pub push_repeats: bool,
    /// No message is sent, although channels are made (5.13).
    pub push_loses: bool,
    /// How much greater the number of a message is than the one before it; numbers need not be consecutive (5.9).
    pub push_number_step: i64,
    /// Hosts no channel may point at: 401 `push.webhookUrlUnauthorized`, as for domains not verified (5.6, 11.14).
    pub push_refused_hosts: Vec<String>,
    /// Multi-parent queries answer nothing, as Drive sometimes does (2.42).
    pub multi_parent_query_is_empty: bool,
    /// The first page of every list is empty and has a token for the next (2.34).
    pub list_first_page_empty: bool,
    /// `corpora=allDrives` says `incompleteSearch: true` (2.37).
    pub incomplete_search: bool,
    /// Domains whose people may share only inside their domain (3.10 `shareOutNotPermitted`).
    pub no_outside_sharing: Vec<String>,
    /// Domains that refuse link sharing (3.10 `publishOutNotPermitted`).
    pub no_link_sharing: Vec<String>,
    /// Addresses without a Google account (3.6).
    pub no_google_account: Vec<String>,
    /// Grants, changes of grants and their removals are answered as done and are not kept, as the loser of two
    /// writes at once sees it (3.4).
    pub grants_are_lost: bool,
    /// Every grant is made but answered 400 `invalidSharingRequest`, since the mail failed (3.7).
    pub sharing_mail_fails: bool,
    /// The Drive API is disabled in the project (6.7).
    pub api_disabled: bool,
    /// Largest number of direct children of a folder (6.29).
    pub max_children: i64,
    /// Largest number of folder levels (6.29).
    pub max_depth: u32,
    /// Listings and searches do not see an item until this many ms after its last change (2.41).
    pub list_lag_ms: i64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            strict_page_size: true,
            list_includes_trashed: true,
            name_contains_is_token_prefix: true,
            unknown_parent_is_404: true,
            full_text_order_is_403: true,
            service_accounts_own_files: false,
            delete_answers_json: false,
            duplicate_id_reason: "fileIdInUse".to_owned(),
            purged_id_is_free: true,
            many_parents_reason: "cannotAddParent".to_owned(),
            property_limit_is_403: false,
            not_downloadable_is_401: false,
            invalid_change_token_is_410: false,
            descendant_changes: DescendantChanges::None,
            regrant_never_lowers: false,
            odd_chunk_keeps_prefix: true,
            push_says_changed: false,
            push_state: String::new(),
            push_sync_first: false,
            push_allows_http: false,
            push_repeats: false,
            push_loses: false,
            push_number_step: 1,
            push_refused_hosts: Vec::new(),
            multi_parent_query_is_empty: false,
            list_first_page_empty: false,
            incomplete_search: false,
            no_outside_sharing: Vec::new(),
            no_link_sharing: Vec::new(),
            no_google_account: Vec::new(),
            grants_are_lost: false,
            sharing_mail_fails: false,
            api_disabled: false,
            max_children: 500_000,
            max_depth: 100,
            list_lag_ms: 0,
        }
    }
}

/// Faults of the change feed (`drive-v3-behaviour` 4, T4).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeedFaults {
    /// Entries become visible this many ms (emulated clock) after the change (4.24).
    pub delay_ms: i64,
    /// The next so many pages start one page too early: duplicate delivery (4.27).
    pub repeat_pages: u32,
    /// The next so many entries are never written.
    pub drop_entries: u32,
    /// Every `pageToken` of changes is answered 400 (4.4).
    pub reject_tokens: bool,
    /// Tokens below this are answered 400; set by `Control::reject_old_tokens`.
    pub reject_below: i64,
}

impl Settings {
    /// Refuses numbers that nothing could be reckoned with: a clock past the year 9000, negative waits.
    ///
    /// # Errors
    /// 400 `invalid` at the setting.
    pub fn check(&self) -> ApiResult<()> {
        let now = crate::clock::machine_ms().checked_add(self.clock_offset_ms);
        let (switches, feed) = (&self.switches, &self.feed);
        let sound = [
            ("time", now.is_some_and(|now| (0..LAST_MS).contains(&now))),
            ("list_lag_ms", (0..LAST_MS).contains(&switches.list_lag_ms)),
            ("push_number_step", (1..1_000_000).contains(&switches.push_number_step)),
            ("push_state", switches.push_state.len() <= 32 && switches.push_state.chars().all(|c| c.is_ascii_alphanumeric())),
            ("max_children", switches.max_children >= 0),
            ("delay_ms", (0..LAST_MS).contains(&feed.delay_ms)),
        ];
        match sound.into_iter().find(|(_, sound)| !sound) {
            Some((name, _)) => Err(ApiError::invalid_value(name)),
            None => Ok(()),
        }
    }

    /// Reads the settings of a store; a new store has defaults.
    pub fn load(connection: &Connection) -> ApiResult<Self> {
        let text: Option<String> =
            connection.prepare_cached("SELECT value FROM settings WHERE key = 'settings'")?.query_row([], |row| row.get(0)).optional()?;
        Ok(match text {
            Some(text) => serde_json::from_str(&text)?,
            None => Self::default(),
        })
    }

    /// Stores the settings.
    pub fn save(&self, connection: &Connection) -> ApiResult<()> {
        connection.execute(
            "INSERT INTO settings VALUES ('settings', ?1) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            params![serde_json::to_string(self)?],
        )?;
        Ok(())
    }

    /// The emulated time, ms since 1970.
    pub fn now(&self) -> i64 {
        crate::clock::machine_ms() + self.clock_offset_ms
    }
}
