//! What every request passes on its way in and out: the log, latency, quotas, faults, the pause.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::request::Parts;
use tokio::sync::watch;

use super::fault::{Effect, Fault, Match};
use super::log::{Log, Logged, without_secrets};
use super::op::{Door, Op};
use super::pause::{Pause, Turn};
use super::quota::{Meter, Quota};
use super::{lock, wire};
use crate::error::ApiError;

/// Tokens whose principal is remembered; more are looked up each time.
const KNOWN_TOKENS: usize = 10_000;

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
    tokens: Mutex<HashMap<String, String>>,
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
            tokens: Mutex::default(),
            closed: watch::channel(false).0,
        }))
    }

    /// Adds a rule; its id. Calls are counted for it from now on. Where several rules strike one
    /// call the oldest does, but delays add up.
    pub fn fault(&self, fault: Fault) -> u64 {
        let mut rules = lock(&self.0.rules);
        let id = rules.last().map_or(1, |rule| rule.id + 1);
        rules.push(Rule { id, fault, seen: 0, struck: 0 });
        id
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

    /// Takes a request through: `execute` does what it asks for.
    pub async fn run<F>(&self, request: Request, execute: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response>,
    {
        let mut closed = self.0.closed.subscribe();
        tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => wire::cut(),
            response = self.pass(request, execute) => response,
        }
    }

    async fn pass<F>(&self, request: Request, execute: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response>,
    {
        let (parts, body) = request.into_parts();
        let op = Op::of(&parts);
        if op.door == Door::Control {
            return execute(Request::from_parts(parts, body)).await;
        }
        let started = Instant::now();
        let principal = self.principal(&parts);
        let seq = lock(&self.0.log).arrive(self.entry(&parts, &op, principal.clone()));
        let (turn, round) = self.0.pause.arrive(|calls| calls.holds(&op, parts.method.as_str(), parts.uri.path()));
        if turn == Turn::Late {
            self.note(seq, "held");
            self.0.pause.over(round).await;
            return wire::cut();
        }
        // Counted as done however the call ends, so that a client that leaves cannot block a pause.
        let mut place = Place { pause: (turn == Turn::Within).then_some(&self.0.pause), round };
        let request = Request::from_parts(parts, body);
        let response = self.execute(&op, principal, seq, request, execute).await;
        let held = place.leave();
        if held {
            self.note(seq, "held");
            self.0.pause.over(round).await;
            return wire::cut();
        }
        let Some(response) = response else {
            return wire::cut();
        };
        lock(&self.0.log).amend(seq, |entry| {
            entry.status = Some(response.status().as_u16());
            entry.bytes_out = wire::announced(&response).unwrap_or(0);
            entry.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        });
        response
    }

    /// The answer, as the rules leave it; none for a connection to be cut.
    async fn execute<F>(
        &self,
        op: &Op,
        principal: Option<String>,
        seq: u64,
        request: Request,
        execute: impl FnOnce(Request) -> F,
    ) -> Option<Response>
    where
        F: Future<Output = Response>,
    {
        let (delay, effect) = self.strike(op, request.method().as_str(), request.uri().path());
        let wait = self.latency() + delay;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if let Some(effect) = &effect {
            self.note(seq, effect.name());
        }
        match &effect {
            Some(Effect::Hang) => std::future::pending::<()>().await,
            Some(Effect::CutBefore) => return None,
            Some(Effect::Unauthorized) => return Some(refusal(op, ApiError::invalid_credentials())),
            Some(Effect::Status(status)) if op.door == Door::Token => {
                return Some(status.token_error().into_response());
            }
            Some(Effect::Status(status)) => return Some(status.api_error().into_response()),
            _ => {}
        }
        if op.door == Door::Drive
            && let Some(error) = self.over_quota(op, principal)
        {
            self.note(seq, "quota");
            return Some(error.into_response());
        }
        let response = execute(request).await;
        match effect {
            Some(Effect::LostAfterCommit) => None,
            Some(Effect::CutBodyAfter { bytes }) => Some(wire::cut_after(response, bytes)),
            Some(Effect::CorruptBody) => Some(wire::corrupt(response)),
            _ => Some(response),
        }
    }

    /// Counts the call for every rule; the delays of those that strike, and the first other effect.
    fn strike(&self, op: &Op, method: &str, path: &str) -> (Duration, Option<Effect>) {
        let mut delay = Duration::ZERO;
        let mut first = None;
        for rule in lock(&self.0.rules).iter_mut() {
            if !rule.fault.calls.holds(op, method, path) {
                continue;
            }
            rule.seen += 1;
            if !rule.fault.when.strikes(rule.seen) {
                continue;
            }
            match &rule.fault.effect {
                Effect::DelayMs(ms) => delay += Duration::from_millis(*ms),
                _ if first.is_some() => continue,
                effect => first = Some(effect.clone()),
            }
            rule.struck += 1;
        }
        (delay, first)
    }

    fn over_quota(&self, op: &Op, principal: Option<String>) -> Option<ApiError> {
        let mut quota = lock(&self.0.quota);
        let (limits, meter) = &mut *quota;
        if *limits == Quota::default() {
            return None;
        }
        let now = self.0.surroundings.now_ms();
        limits.admit(meter, &principal.unwrap_or_default(), op, now)
    }

    fn principal(&self, parts: &Parts) -> Option<String> {
        let token = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        if let Some(known) = lock(&self.0.tokens).get(token) {
            return Some(known.clone());
        }
        let principal = self.0.surroundings.principal(token)?;
        let mut tokens = lock(&self.0.tokens);
        if tokens.len() < KNOWN_TOKENS {
            tokens.insert(token.to_owned(), principal.clone());
        }
        Some(principal)
    }

    fn entry(&self, parts: &Parts, op: &Op, principal: Option<String>) -> Logged {
        let length = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Logged {
            seq: 0,
            time_ms: self.0.surroundings.now_ms(),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: without_secrets(parts.uri.query().unwrap_or_default()),
            op: op.name,
            principal,
            status: None,
            units: op.units,
            bytes_in: length.unwrap_or(0),
            bytes_out: 0,
            took_ms: 0,
            fault: None,
        }
    }

    fn note(&self, seq: u64, fault: &'static str) {
        lock(&self.0.log).amend(seq, |entry| entry.fault = Some(fault));
    }
}

/// The refusal in the shape of its endpoint.
fn refusal(op: &Op, error: ApiError) -> Response {
    if op.door == Door::Token {
        return crate::auth::TokenError::unauthorized_client().into_response();
    }
    error.into_response()
}

/// A call that a pause counts on. Leaving counts it as done, once.
struct Place<'a> {
    pause: Option<&'a Pause>,
    round: u64,
}

impl Place<'_> {
    /// True when the answer is to be held.
    fn leave(&mut self) -> bool {
        self.pause.take().is_some_and(|pause| pause.done(self.round))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Effect {
    /// The name of the effect, as the log shows it.
    pub fn name(&self) -> &'static str {
        match self {
            Effect::Status(_) => "status",
            Effect::Unauthorized => "unauthorized",
            Effect::CutBefore => "cut_before",
            Effect::LostAfterCommit => "lost_after_commit",
            Effect::Hang => "hang",
            Effect::DelayMs(_) => "delay_ms",
            Effect::CutBodyAfter { .. } => "cut_body_after",
            Effect::CorruptBody => "corrupt_body",
        }
    }
}
