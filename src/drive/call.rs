//! The one door to Drive: every call waits for its place, carries a token, has a time limit, is classified, counted, and
//! repeated where that may help. Every call behind it is safe to repeat: creates carry an id made beforehand.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use google_drive3::common;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::allowance::Allowances;
use super::connect::{self, Connector, Hub};
use super::error::{DriveError, Kind};
use super::pacer::{Gate, Lane};
use super::retry::{LONGEST_WAIT, Patience};
use super::tap::Tap;
use super::token::Tokens;

/// What one call costs (drive-v3-behaviour 6.22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// Reading one thing: 5 units.
    Read,
    /// Listing: 100 units a page.
    List,
    /// Reading content: 200 units.
    Download,
    /// Changing something: 50 units.
    Edit,
}

impl Cost {
    fn units(self) -> u64 {
        match self {
            Self::Read => 5,
            Self::List => 100,
            Self::Download => 200,
            Self::Edit => 50,
        }
    }
}

/// What was asked of Drive so far, the tries that failed included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meter {
    /// Requests sent.
    pub calls: u64,
    /// Quota units they cost.
    pub units: u64,
    /// Requests among them that were to change something.
    pub writes: u64,
}

/// The door. One for the process; shared by every clone of [`super::Drive`].
pub(super) struct Door {
    pub(super) client: common::Client<Connector>,
    pub(super) endpoint: Url,
    pub(super) limit: Duration,
    pub(super) account: String,
    tokens: Tokens,
    places: Semaphore,
    started: Instant,
    reads: Mutex<Lane>,
    writes: Mutex<Lane>,
    allowed: Mutex<Allowances>,
    meter: [AtomicU64; 3],
    /// What of the meter was handed on to be recorded.
    recorded: Mutex<Meter>,
}

/// Scattered refusals do not push reads and writes below these rates, per second (6.25: about three writes a second always pass).
const READ_FLOOR: f64 = 5.0;
const WRITE_FLOOR: f64 = 2.0;

impl Door {
    pub(super) fn new(
        client: common::Client<Connector>,
        tokens: Tokens,
        endpoint: Url,
        limit: Duration,
        places: usize,
        allowed: Allowances,
        account: String,
    ) -> Self {
        Self {
            client,
            endpoint,
            limit,
            account,
            tokens,
            places: Semaphore::new(places.clamp(1, 1000)),
            started: Instant::now(),
            reads: Mutex::new(Lane::new(READ_FLOOR)),
            writes: Mutex::new(Lane::new(WRITE_FLOOR)),
            allowed: Mutex::new(allowed),
            meter: Default::default(),
            recorded: Mutex::default(),
        }
    }

    /// A call through google-drive3. `ask` gets a hub that carries the token and a tap to put in as delegate.
    pub(super) async fn hub<T, F>(&self, what: &str, cost: Cost, ask: impl Fn(Hub, Tap) -> F + Send + Sync) -> Result<T, DriveError>
    where
        F: Future<Output = common::Result<T>> + Send,
    {
        let (ask, client, endpoint) = (&ask, &self.client, &self.endpoint);
        self.call(what, cost, move |token: SecretString| async move {
            let tap = Tap::default();
            let hub = connect::hub(client, endpoint, token.expose_secret().to_owned());
            ask(hub, tap.clone()).await.map_err(|error| tap.error(error))
        })
        .await
    }

    /// Any call. `attempt` makes one try with the token it is given; the rest is here.
    pub(super) async fn call<T, F>(
        &self,
        what: &str,
        cost: Cost,
        attempt: impl Fn(SecretString) -> F + Send + Sync,
    ) -> Result<T, DriveError>
    where
        F: Future<Output = Result<T, DriveError>> + Send,
    {
        self.repeat(what, cost, attempt).await.map_err(|error| self.named(what, error))
    }

    async fn repeat<T, F>(&self, what: &str, cost: Cost, attempt: impl Fn(SecretString) -> F + Send + Sync) -> Result<T, DriveError>
    where
        F: Future<Output = Result<T, DriveError>> + Send,
    {
        let mut patience = Patience::default();
        let mut token = self.tokens.get().await?;
        let mut renewed = false;
        loop {
            let began = Instant::now();
            let result = self.once(cost, attempt(token.clone())).await;
            let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let error = match result {
                Ok(value) => {
                    tracing::debug!(units = cost.units(), ms, "{what}");
                    return Ok(value);
                }
                Err(error) => error,
            };
            tracing::debug!(units = cost.units(), ms, %error, "{what}");
            if error.status == Some(401) && !renewed {
                // Revoked, or expired early: once, with a new token (6.9).
                renewed = true;
                token = self.tokens.renew(&token).await?;
                continue;
            }
            let Some(delay) = patience.next(&error) else { return Err(error) };
            tokio::time::sleep(delay).await;
            token = self.tokens.get().await.or_else(|_| Ok::<_, DriveError>(token))?;
        }
    }

    /// One try, in its place and within its time.
    async fn once<T>(&self, cost: Cost, attempt: impl Future<Output = Result<T, DriveError>> + Send) -> Result<T, DriveError> {
        let place = self.place(cost).await?;
        let began = self.started.elapsed();
        self.count(cost);
        let result = tokio::time::timeout(self.limit, attempt)
            .await
            .unwrap_or_else(|_| Err(DriveError::new(Kind::Timeout, format!("Drive did not answer within {} s", self.limit.as_secs_f32()))));
        drop(place);
        let mut lane = self.lane(cost);
        match &result {
            Err(e) if e.kind == Kind::RateLimited => {
                lane.refused(self.started.elapsed(), began, e.retry_after.map(|w| w.min(LONGEST_WAIT)));
            }
            // Only an answer says that the rate was fine.
            Err(e) if e.status.is_none() => {}
            _ => lane.accepted(self.started.elapsed()),
        }
        drop(lane);
        result
    }

    async fn place(&self, cost: Cost) -> Result<Place<'_>, DriveError> {
        let permit = self.places.acquire().await.map_err(|e| DriveError::new(Kind::Local, "the program is ending").because(e))?;
        loop {
            match self.enter(cost) {
                Gate::Go => return Ok(Place { door: self, cost, _permit: permit }),
                Gate::Wait(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    fn enter(&self, cost: Cost) -> Gate {
        let now = self.started.elapsed();
        let mut allowed = self.allowed();
        if let Some(wait) = allowed.wait(cost, now) {
            return Gate::Wait(wait);
        }
        let gate = self.lane(cost).enter(now);
        if gate == Gate::Go {
            allowed.begin(cost);
        }
        gate
    }

    fn allowed(&self) -> std::sync::MutexGuard<'_, Allowances> {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, cost: Cost) -> std::sync::MutexGuard<'_, Lane> {
        let lane = if cost == Cost::Edit { &self.writes } else { &self.reads };
        lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, cost: Cost) {
        let add = [1, cost.units(), u64::from(cost == Cost::Edit)];
        for (counter, n) in self.meter.iter().zip(add) {
            counter.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// What was asked so far.
    pub(super) fn meter(&self) -> Meter {
        let [calls, units, writes] = [0, 1, 2].map(|i| self.meter[i].load(Ordering::Relaxed));
        Meter { calls, units, writes }
    }

    /// What the meter counted since the last call of this.
    pub(super) fn unrecorded(&self) -> Meter {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.meter();
        let before = std::mem::replace(&mut *recorded, now);
        Meter { calls: now.calls - before.calls, units: now.units - before.units, writes: now.writes - before.writes }
    }

    /// A token straight from its source.
    pub(super) async fn new_token(&self) -> Result<(), DriveError> {
        self.tokens.anew().await.map_err(|error| self.named("", error))
    }

    /// Says in the error what was asked, and by whom.
    pub(super) fn named(&self, what: &str, error: DriveError) -> DriveError {
        error.with(|f| {
            f.account.clone_from(&self.account);
            f.what = match (what, f.what.as_str()) {
                (what, "") => what.to_owned(),
                ("", inner) => inner.to_owned(),
                (what, inner) if what == inner => inner.to_owned(),
                (what, inner) => format!("{what}: {inner}"),
            };
        })
    }
}

/// The place of one call under way. It is over when this is dropped, also where nobody waits for the answer any more.
struct Place<'a> {
    door: &'a Door,
    cost: Cost,
    _permit: SemaphorePermit<'a>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.door.allowed().end(self.cost, self.door.started.elapsed());
    }
}

/// A shared door.
pub(super) type SharedDoor = Arc<Door>;
