//! A request on its way through the gate.

use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_LENGTH;
use http::request::Parts;

use super::Gate;
use crate::api::bearer::bearer;
use crate::api::params::Query;
use crate::control::fault::Effect;
use crate::control::kept::kept;
use crate::control::log::{Logged, without_secrets};
use crate::control::op::{Door, Op};
use crate::control::pause::{Pause, Turn};
use crate::control::quota::Quota;
use crate::control::{lock, wire};
use crate::error::{ApiError, Reason};

impl Gate {
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
        let (body, said) = kept(&op, &parts, body);
        let request = Request::from_parts(parts, wire::drained(body));
        let response = self.execute(&op, principal, seq, request, execute).await;
        let said = said.text();
        let held = place.leave();
        lock(&self.0.log).amend(seq, |entry| entry.body = said);
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
            entry.reason = response.extensions().get::<Reason>().map(|reason| reason.0.clone());
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
        // Who is nobody has no quota, and is refused for that.
        if op.door == Door::Drive
            && let Some(error) = principal.and_then(|user| self.over_quota(op, &user))
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

    fn over_quota(&self, op: &Op, user: &str) -> Option<ApiError> {
        let mut quota = lock(&self.0.quota);
        let (limits, meter) = &mut *quota;
        if *limits == Quota::default() {
            return None;
        }
        let now = self.0.surroundings.now_ms();
        limits.admit(meter, user, op, now)
    }

    /// Whom the call acts for now: a token may end between two calls.
    fn principal(&self, parts: &Parts) -> Option<String> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        self.0.surroundings.principal(bearer(&parts.headers, &query)?)
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
            reason: None,
            units: op.units,
            bytes_in: length.unwrap_or(0),
            body: None,
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
