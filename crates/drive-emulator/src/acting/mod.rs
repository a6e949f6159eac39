//! What a test does without HTTP: making accounts, acting as them, turning the clock and the switches.
//! Every act goes through the same rules and change logs as the call of that user would.

mod acts;
pub(crate) mod check;
mod seeing;

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::rules::cx::Cx;
use crate::store::accounts::{self, Account, Principal};
use crate::store::perms::Role;
use crate::store::settings::{FeedFaults, Settings, Switches};

/// A handle on a running emulator. Cheap to clone; the methods block for the length of one small transaction.
#[derive(Debug, Clone)]
pub struct Control {
    pub(crate) app: Arc<App>,
}

/// An account and how to call as it.
#[derive(Clone)]
pub struct User {
    /// Address, lower case.
    pub email: String,
    /// A bearer token that does not expire.
    pub token: String,
    /// Id of the My Drive root.
    pub root_id: String,
    /// Stable id as a grantee.
    pub permission_id: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("email", &self.email).field("root_id", &self.root_id).finish_non_exhaustive()
    }
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self { email: account.email, token: account.token, root_id: account.root_id, permission_id: account.permission_id }
    }
}

impl Control {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// The emulator's own address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        self.app.url()
    }

    /// The account of an address, made on first use. Its token is good: after a revocation it is a new one.
    pub fn user(&self, email: &str) -> ApiResult<User> {
        let account = self.account(email, false)?;
        if self.app.principal(&account.token).is_ok() {
            return Ok(account.into());
        }
        self.app.store.write(|db| accounts::renew_token(db, account)).map(User::from)
    }

    /// The account of an address; `service` decides its kind if it is new.
    pub(crate) fn account(&self, email: &str, service: bool) -> ApiResult<Account> {
        if let Some(known) = self.app.store.read(|db| accounts::find(db, email))? {
            return Ok(known);
        }
        check::address(email)?;
        self.app.store.write(|db| accounts::ensure(db, &Settings::load(db)?, email, service))
    }

    /// Puts people in a group.
    pub fn group(&self, group: &str, members: &[&str]) -> ApiResult<()> {
        members.iter().chain([&group]).try_for_each(|email| check::address(email))?;
        self.app.store.write(|db| {
            for member in members {
                db.execute("INSERT OR REPLACE INTO members VALUES (?1, ?2)", [group.to_lowercase(), member.to_lowercase()])?;
            }
            Ok(())
        })
    }

    /// Limits an account's storage, in bytes; none takes the limit away.
    pub fn storage_limit(&self, email: &str, bytes: Option<i64>) -> ApiResult<()> {
        self.account(email, false)?;
        self.app.store.write(|db| {
            db.execute("UPDATE users SET storage_limit = ?2 WHERE email = ?1", rusqlite::params![email.to_lowercase(), bytes])?;
            Ok(())
        })
    }

    /// Revokes every access token of an account; calls with them are 401 from now on.
    pub fn revoke_tokens(&self, email: &str) -> ApiResult<()> {
        self.known(email)?;
        self.app.store.write(|db| accounts::revoke_tokens(db, email))
    }

    /// A shared drive with its organizer.
    pub fn shared_drive(&self, name: &str, organizer: &str) -> ApiResult<String> {
        let meta = serde_json::Map::from_iter([("name".to_owned(), name.into())]);
        self.as_user(organizer, |cx| Ok(cx.create_drive(&crate::ids::random("", 16), &meta)?.id))
    }

    /// Puts somebody on a shared drive: reader, commenter, writer, fileOrganizer or organizer.
    pub fn drive_member(&self, drive: &str, email: &str, role: &str) -> ApiResult<()> {
        let role = Role::parse(role).ok_or_else(|| ApiError::invalid_value("role"))?;
        self.as_user(email, |cx| {
            let known = crate::store::files::get(cx.db, drive)?.is_some_and(|file| file.drive.as_deref() == Some(drive));
            if known { cx.add_member(drive, email, role) } else { Err(ApiError::not_found_drive(drive)) }
        })
    }

    /// The emulated time, ms since 1970.
    pub fn now_ms(&self) -> ApiResult<i64> {
        self.app.store.read(|db| Ok(Settings::load(db)?.now()))
    }

    /// Sets the emulated clock, RFC 3339; it runs on from there.
    pub fn clock_set(&self, time: &str) -> ApiResult<()> {
        let ms = crate::clock::parse(time).ok_or_else(|| ApiError::invalid_value("time"))?;
        self.settings(|settings| settings.clock_offset_ms = settings.clock_offset_ms.saturating_add(ms.saturating_sub(settings.now())))
    }

    /// Moves the emulated clock forward.
    pub fn clock_advance(&self, by: Duration) -> ApiResult<()> {
        self.settings(|settings| {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            settings.clock_offset_ms = settings.clock_offset_ms.saturating_add(by);
        })
    }

    /// The switches as they are.
    pub fn switches(&self) -> ApiResult<Switches> {
        self.app.store.read(|db| Ok(Settings::load(db)?.switches))
    }

    /// Turns switches.
    pub fn set_switches(&self, turn: impl FnOnce(&mut Switches)) -> ApiResult<()> {
        self.settings(|settings| turn(&mut settings.switches))
    }

    /// The faults of the change feed as they are.
    pub fn feed(&self) -> ApiResult<FeedFaults> {
        self.app.store.read(|db| Ok(Settings::load(db)?.feed))
    }

    /// Makes the change feed misbehave.
    pub fn set_feed(&self, turn: impl FnOnce(&mut FeedFaults)) -> ApiResult<()> {
        self.settings(|settings| turn(&mut settings.feed))
    }

    /// Rejects every page token of changes given out so far; new start tokens are good (4.3, 4.4).
    pub fn reject_old_tokens(&self) -> ApiResult<()> {
        self.app.store.write(|db| {
            let mut settings = Settings::load(db)?;
            // The next entry's number was given out as a token: it is passed over, so that a new one can follow.
            db.execute("INSERT INTO sqlite_sequence(name, seq) SELECT 'changes', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'changes')", [])?;
            db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?1 - 1) + 1 WHERE name = 'changes'", [settings.feed.reject_below])?;
            let passed: i64 = db.query_row("SELECT seq FROM sqlite_sequence WHERE name = 'changes'", [], |row| row.get(0))?;
            settings.feed.reject_below = passed + 1;
            settings.save(db)
        })
    }

    fn settings(&self, turn: impl FnOnce(&mut Settings)) -> ApiResult<()> {
        self.app.store.write(|db| {
            let mut settings = Settings::load(db)?;
            turn(&mut settings);
            settings.check()?;
            settings.save(db)
        })
    }

    /// Acts as `email`, who is made if need be.
    pub(crate) fn as_user<T>(&self, email: &str, work: impl FnOnce(&Cx<'_>) -> ApiResult<T>) -> ApiResult<T> {
        let account = self.account(email, false)?;
        self.app.act(&Principal::acting(&account), work)
    }
}
