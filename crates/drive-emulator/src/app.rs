//! The running emulator: the store, and what this process alone knows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use rusqlite::Connection;

use crate::control::Gate;
use crate::error::{ApiError, ApiResult};
use crate::push;
use crate::rules::cx::{After, Cx};
use crate::store::accounts::{self, Principal};
use crate::store::settings::Settings;
use crate::store::{Store, blobs};

/// Shared by everything that serves one store in this process.
#[derive(Debug)]
pub struct App {
    /// The store.
    pub store: Store,
    /// `http://127.0.0.1:PORT`, known once the socket is bound.
    pub(crate) url: OnceLock<String>,
    /// What clients reach it by, if that is another address (1.27).
    pub(crate) public_base_url: Option<String>,
    /// One lock for each upload session in use, so that its bytes arrive in order.
    pub(crate) uploads: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// What every request passes: faults, latency, quotas, the log.
    pub(crate) gate: Gate,
    /// Where work goes that nobody waits for.
    pub(crate) runtime: tokio::runtime::Handle,
}

impl App {
    /// Opens the store.
    pub(crate) fn open(dir: Option<&Path>, public_base_url: Option<String>) -> anyhow::Result<Arc<Self>> {
        let store = match dir {
            Some(dir) => Store::open(dir)?,
            None => Store::temporary()?,
        };
        store
            .write(|db| {
                let mut settings = Settings::load(db)?;
                if settings.id_secret.is_empty() {
                    settings.id_secret = crate::ids::random("", 16);
                    settings.save(db)?;
                }
                Ok(())
            })
            .map_err(|error| anyhow::anyhow!("cannot read the settings: {error}"))?;
        Ok(Arc::new_cyclic(|app: &std::sync::Weak<Self>| Self {
            store,
            url: OnceLock::new(),
            public_base_url,
            uploads: Mutex::default(),
            gate: Gate::new(app.clone()),
            runtime: tokio::runtime::Handle::current(),
        }))
    }

    /// Where this emulator listens.
    pub fn url(&self) -> &str {
        self.url.get().map_or("", String::as_str)
    }

    /// Where clients reach this emulator.
    pub fn base_url(&self) -> &str {
        self.public_base_url.as_deref().unwrap_or_else(|| self.url())
    }

    /// Runs `work` as `who` on one view of the store.
    pub fn view<T>(&self, who: &Principal, work: impl FnOnce(&Cx<'_>) -> ApiResult<T>) -> ApiResult<T> {
        let (value, after) = self.store.read(|db| {
            let cx = self.cx(db, who)?;
            let value = work(&cx)?;
            Ok((value, cx.after.take()))
        })?;
        if after.repeated_page {
            self.store.write(|db| {
                let mut settings = Settings::load(db)?;
                settings.feed.repeat_pages = settings.feed.repeat_pages.saturating_sub(1);
                settings.save(db)
            })?;
        }
        Ok(value)
    }

    /// Runs `work` as `who` in a write transaction, then does what follows from it.
    pub fn act<T>(self: &Arc<Self>, who: &Principal, work: impl FnOnce(&Cx<'_>) -> ApiResult<T>) -> ApiResult<T> {
        let (value, after) = self.store.write(|db| {
            let cx = self.cx(db, who)?;
            let value = work(&cx)?;
            Ok((value, cx.after.take()))
        })?;
        self.follow_up(&after);
        Ok(value)
    }

    fn cx<'a>(&'a self, db: &'a Connection, who: &Principal) -> ApiResult<Cx<'a>> {
        Ok(Cx::new(db, self.store.dir(), self.base_url(), Settings::load(db)?, who.clone()))
    }

    /// What happens once a write is committed.
    fn follow_up(self: &Arc<Self>, after: &After) {
        push::deliver(self, after);
        for blob in &after.blobs {
            blobs::discard(self.store.dir(), blob);
        }
    }

    /// Whom a token stands for, or 401.
    pub fn principal(&self, token: &str) -> ApiResult<Principal> {
        self.store.read(|db| {
            let now = Settings::load(db)?.now();
            accounts::by_token(db, token, now)?.ok_or_else(ApiError::invalid_credentials)
        })
    }

    /// Runs blocking work off the runtime's threads.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let app = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(result) => result,
            Err(_) => Err(ApiError::broke()),
        }
    }
}
