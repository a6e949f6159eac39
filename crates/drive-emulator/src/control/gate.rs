//! What every request passes on its way in and out: the log, latency, quotas, faults, the pause.

mod pass;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::fault::{Fault, Match};
use super::lock;
use super::log::{Log, Logged};
use super::pause::Pause;
use super::quota::{Meter, Quota};
use crate::error::ApiResult;

/// What the gate must know of the store.
pub trait Surroundings: Send + Sync {
    /// Emulated now, ms since 1970.
    fn now_ms(&self) -> i64;
    /// The address a bearer token acts for.
    fn principal(&self, token: &str) -> Option<String>;
}

/// The gate of one emulator process. Clones share it. Nothing of it is kept on disk.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    surroundings: Box<dyn Surroundings>,
    rules: Mutex<Vec<Rule>>,
    latency: Mutex<Duration>,
    quota: Mutex<(Quota, Meter)>,
    log: Mutex<Log>,
    pause: Pause,
    closed: watch::Sender<bool>,
}

struct Rule {
    id: u64,
    fault: Fault,
    seen: u64,
    struck: u64,
}

/// A rule as it stands.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RuleState {
    /// Its id.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many calls it was about.
    pub seen: u64,
    /// How many of them it struck.
    pub struck: u64,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// A gate that lets everything through.
    pub fn new(surroundings: impl Surroundings + 'static) -> Self {
        Self(Arc::new(Inner {
            surroundings: Box::new(surroundings),
            rules: Mutex::default(),
            latency: Mutex::default(),
            quota: Mutex::default(),
            log: Mutex::default(),
            pause: Pause::default(),
            closed: watch::channel(false).0,
        }))
    }

    /// Adds a rule; its id. Calls are counted for it from now on. Where several rules strike one
    /// call the oldest does, but delays add up.
    ///
    /// # Errors
    /// 400: it can never strike. See [`Fault::check`].
    pub fn fault(&self, fault: Fault) -> ApiResult<u64> {
        fault.check()?;
        let mut rules = lock(&self.0.rules);
        let id = rules.last().map_or(1, |rule| rule.id + 1);
        rules.push(Rule { id, fault, seen: 0, struck: 0 });
        Ok(id)
    }

    /// Takes a rule away; false where there is none of this id.
    pub fn remove_fault(&self, id: u64) -> bool {
        let mut rules = lock(&self.0.rules);
        let before = rules.len();
        rules.retain(|rule| rule.id != id);
        rules.len() < before
    }

    /// Takes all rules away.
    pub fn clear_faults(&self) {
        lock(&self.0.rules).clear();
    }

    /// The rules and how often they struck.
    pub fn faults(&self) -> Vec<RuleState> {
        let state = |rule: &Rule| RuleState { id: rule.id, fault: rule.fault.clone(), seen: rule.seen, struck: rule.struck };
        lock(&self.0.rules).iter().map(state).collect()
    }

    /// Every Drive and token call takes so much longer.
    pub fn set_latency(&self, latency: Duration) {
        *lock(&self.0.latency) = latency;
    }

    /// The added latency.
    pub fn latency(&self) -> Duration {
        *lock(&self.0.latency)
    }

    /// Limits what a user may do from now on; what was done before does not count.
    pub fn set_quota(&self, quota: Quota) {
        *lock(&self.0.quota) = (quota, Meter::default());
    }

    /// The limits.
    pub fn quota(&self) -> Quota {
        lock(&self.0.quota).0.clone()
    }

    /// The last requests, oldest first. Control calls are not among them.
    pub fn requests(&self) -> Vec<Logged> {
        lock(&self.0.log).entries()
    }

    /// The last `most` of those that are wanted, oldest first.
    pub fn last_requests(&self, most: usize, wanted: impl Fn(&Logged) -> bool) -> Vec<Logged> {
        lock(&self.0.log).last(most, wanted)
    }

    /// Forgets the requests and their counts.
    pub fn clear_requests(&self) {
        lock(&self.0.log).clear();
    }

    /// How many requests of each call arrived since the start or [`Gate::clear_requests`].
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.0.log).counts()
    }

    /// How many Drive calls arrived; token calls are not counted.
    pub fn calls(&self) -> u64 {
        self.counts().into_iter().filter(|(op, _)| *op != "token").map(|(_, count)| count).sum()
    }

    /// Stops the world after the next `after` Drive calls: they are executed and committed, the
    /// answer of the last to finish is held, and what comes later is not executed. Then
    /// [`Gate::wait_paused`] returns. With 0 the very next call is held unexecuted.
    pub fn pause_after(&self, after: u64) {
        self.pause_after_matching(Match::default(), after);
    }

    /// The same, counting only calls that match; others pass.
    pub fn pause_after_matching(&self, calls: Match, after: u64) {
        self.0.pause.set(calls, after);
    }

    /// Waits until the world stands still; for ever if no pause was asked for.
    pub async fn wait_paused(&self) {
        self.0.pause.reached().await;
    }

    /// Whether the world stands still.
    pub fn paused(&self) -> bool {
        self.0.pause.holds()
    }

    /// Lets the world go on. The connections that were held are cut: whoever waited on them is
    /// dead, or sees a lost answer.
    pub fn resume(&self) {
        self.0.pause.clear();
    }

    /// Cuts every request in hand and every later one: connections outlive the socket they came in by,
    /// and an emulator that stopped must not answer on them.
    pub fn close(&self) {
        self.0.closed.send_replace(true);
    }
}
