//! The HTTP API of the system that was here before, so that its backend can stay as it is (CONTRACT §4).
//!
//! What a request asks for is a job in the ledger before the caller hears that it was accepted, and ends once, in the
//! transaction in which the event that tells of it appears. The jobs do what `tecnico create` and `tecnico process` do.

mod body;
mod create;
mod jobs;
mod key;
mod process;
mod reply;
mod router;
mod server;
mod status;
mod work;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, wake};
use crate::domain::clock;
use crate::error::{Exit, Failure};
use crate::ledger::{JobKind, Lock};

pub use key::Key;
pub use server::listen;

/// How often callbacks that are due again are looked for.
const DELIVER_EVERY: Duration = Duration::from_secs(5);
/// How often jobs that ended long ago are looked for.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// What every request and every job works with. Cheap to clone.
#[derive(Clone)]
struct Api(Arc<Shared>);

struct Shared {
    agent: Agent,
    key: Key,
    /// Cancelled when nothing new is to be begun.
    stop: CancellationToken,
    /// Cancelled when no job is under way any more.
    idle: CancellationToken,
    /// Wakes whoever begins jobs.
    accepted: [Notify; 2],
    /// Moves when a job has ended.
    ended: watch::Sender<u64>,
    /// Wakes whoever delivers.
    told: Notify,
}

impl Api {
    fn wake(&self, kind: JobKind) {
        self.0.accepted[kind as usize].notify_one();
    }

    fn has_ended(&self) {
        self.0.ended.send_modify(|n| *n += 1);
        self.0.told.notify_one();
    }
}

/// The right to serve a ledger, held as long as it is served.
///
/// Fails with `serve_busy` (75) where another process has it: jobs that seem left behind may be at work there.
pub fn take_turn(agent: &Agent) -> Result<Lock, Failure> {
    agent.ledger.try_lock("serve")?.ok_or_else(|| {
        Failure::new(Exit::Later, "serve_busy", "another `tecnico serve` works with this ledger")
            .hint("one is enough; end that one first, or give this one another ledger.path")
    })
}

/// Serves until SIGTERM or SIGINT, which ends after the requests and the steps in hand.
pub async fn run(_turn: Lock, agent: Agent, key: Key, listener: TcpListener) -> Result<(), Failure> {
    let left = agent.ledger.put_jobs_back((agent.clock)()).await?;
    if left > 0 {
        tracing::warn!(jobs = left, "taking up jobs that an earlier run left unfinished");
    }
    let concurrency = agent.settings.serve.concurrency;
    let api = Api(Arc::new(Shared {
        agent,
        key,
        stop: CancellationToken::new(),
        idle: CancellationToken::new(),
        accepted: [Notify::new(), Notify::new()],
        ended: watch::Sender::new(0),
        told: Notify::new(),
    }));
    let signals = tokio::spawn(wake::end_on_signals(api.0.stop.clone()));
    let served = tokio::spawn(server::serve(listener, router::of(&api), api.clone()));
    tokio::join!(
        async {
            // Cycles go one at a time anyway; one that waits must not hold up the making of folders.
            tokio::join!(work::go_on(&api, JobKind::Create, concurrency), work::go_on(&api, JobKind::Process, 1));
            api.0.idle.cancel();
        },
        deliver(&api),
        forget(&api),
    );
    let ended = served.await;
    signals.abort();
    ended.map_err(|e| Failure::new(Exit::Bug, "serve_broke", "the HTTP server broke off").because(e))
}

/// Forgets jobs that ended long ago, now and again, until no job is under way.
async fn forget(api: &Api) {
    let keep = api.0.agent.settings.serve.keep_jobs;
    let kept = clock::millis(keep);
    while !api.0.idle.is_cancelled() {
        let before = (api.0.agent.clock)().saturating_sub(kept);
        match api.0.agent.ledger.forget_jobs(before).await {
            Ok(0) => {}
            Ok(jobs) => tracing::info!(jobs, "forgot jobs that ended long ago (serve.keep_jobs)"),
            Err(failure) => tracing::warn!(code = failure.code(), "old jobs stay: {failure}"),
        }
        tokio::select! {
            () = tokio::time::sleep(FORGET_EVERY.min(keep)) => {}
            () = api.0.idle.cancelled() => {}
        }
    }
}

/// Sends what is due, now and again, until no job is under way; then once more.
async fn deliver(api: &Api) {
    loop {
        let last = api.0.idle.is_cancelled();
        if let Err(failure) = api.0.agent.deliver_due().await {
            tracing::warn!(code = failure.code(), "callbacks wait: {failure}");
        }
        if last {
            return;
        }
        tokio::select! {
            () = api.0.told.notified() => {}
            () = tokio::time::sleep(DELIVER_EVERY) => {}
            () = api.0.idle.cancelled() => {}
        }
    }
}
