//! Telling the backend: every address on its own, so that one that hangs holds up no other, and nobody for long.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::report::{CycleReport, Fault};
use super::{Agent, about};
use crate::callback::{Answer, Delivery, schedule};
use crate::domain::event::Event;
use crate::error::{Exit, Failure};

/// Deliveries to one address side by side.
const SIDE_BY_SIDE: usize = 4;
/// Events read at once for one address.
const BATCH: u32 = 100;
/// How often the outbox is looked at while files are worked on.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// For how long an address that was slow or closed is left alone while files are worked on.
const SLOW_FOR: Duration = Duration::from_mins(1);
/// How often an address that somebody else is sending to is tried again.
const TRY_EVERY: Duration = Duration::from_millis(50);

/// What became of the events that were due.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// Taken by the backend.
    pub delivered: usize,
    /// To be tried again.
    pub failed: usize,
    /// Why the last of those failed.
    pub last_error: Option<String>,
    /// Given up, or to an address that is closed: what a person has to know.
    pub given_up: Vec<Failure>,
}

impl Deliveries {
    pub(super) fn enter(self, report: &mut CycleReport) {
        report.delivered += self.delivered;
        report.undelivered += self.failed;
        report.faults.extend(self.given_up.into_iter().map(|failure| Fault { failure, systemic: false }));
    }
}

struct Round {
    deadline: Option<Instant>,
    slow: Mutex<HashSet<String>>,
    done: Mutex<Deliveries>,
}

impl Agent {
    /// Sends everything that is due, for at most about the time limit of one delivery.
    pub async fn deliver_due(&self) -> Result<Deliveries, Failure> {
        let worked = CancellationToken::new();
        worked.cancel();
        self.deliver_until(&worked).await
    }

    /// Sends what becomes due until `worked` is cancelled, and then what is still due, for at most about the time limit of
    /// one delivery.
    pub(super) async fn deliver_until(&self, worked: &CancellationToken) -> Result<Deliveries, Failure> {
        self.readdress().await?;
        let mut round = Round { deadline: None, slow: Mutex::default(), done: Mutex::default() };
        let mut since = Instant::now();
        loop {
            let last = worked.is_cancelled();
            if !last && since.elapsed() > SLOW_FOR {
                lock(&round.slow).clear();
                since = Instant::now();
            }
            if last && round.deadline.is_none() {
                round.deadline = Some(Instant::now() + self.settings.callback.timeout);
            }
            let mut addresses = self.ledger.due_addresses(self.now()).await?;
            addresses.retain(|a| !lock(&round.slow).contains(a));
            if last && (addresses.is_empty() || round.is_over()) {
                return Ok(round.done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
            }
            let sent = addresses.iter().map(|address| self.deliver_to(address, &round));
            let mut had_turns = true;
            for result in futures_util::future::join_all(sent).await {
                had_turns &= result?;
            }
            if !last {
                tokio::select! {
                    () = worked.cancelled() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            } else if !had_turns {
                tokio::time::sleep(TRY_EVERY).await;
            }
        }
    }

    /// Sends what is due to one address. `false` where somebody else is sending there: what two send, a receiver gets twice.
    async fn deliver_to(&self, address: &str, round: &Round) -> Result<bool, Failure> {
        let Some(_turn) = self.ledger.lock_address(address)? else { return Ok(false) };
        let events = self.ledger.due_deliveries_to(address, self.now(), BATCH).await?;
        let mut sending = futures_util::stream::iter(events)
            .map(|event| {
                let span = about::event(&event);
                self.deliver(event, round).instrument(span)
            })
            .buffer_unordered(SIDE_BY_SIDE);
        while let Some(result) = sending.next().await {
            result?;
        }
        Ok(true)
    }

    async fn deliver(&self, event: Event, round: &Round) -> Result<(), Failure> {
        let url = &event.event.url;
        // What is not sent now stays due.
        if round.is_over() || lock(&round.slow).contains(url) {
            return Ok(());
        }
        let began = Instant::now();
        let delivery = Delivery { id: event.id.as_str(), url, payload: &event.event.payload };
        let answer = self.callbacks.deliver(delivery, self.now()).await;
        if began.elapsed() > self.settings.callback.timeout / 2 {
            lock(&round.slow).insert(url.clone());
        }
        let now = self.now();
        match answer {
            Answer::Delivered { status } => {
                tracing::info!(status, "delivered");
                self.ledger.delivered(&event.id, now).await?;
                lock(&round.done).delivered += 1;
            }
            Answer::Failed { error, retry_after } => {
                tracing::warn!(attempt = event.attempts + 1, error, "not delivered");
                if let Some(at) = schedule::next_attempt(event.attempts + 1, now, retry_after, schedule::chance()) {
                    self.ledger.delivery_failed(&event.id, at, &error).await?;
                    let mut done = lock(&round.done);
                    done.failed += 1;
                    done.last_error = Some(error);
                } else {
                    self.ledger.delivery_dead(&event.id, &error, now).await?;
                    let mut done = lock(&round.done);
                    done.given_up.push(dead(&event, &error));
                    done.last_error = Some(error);
                }
            }
            Answer::Gone { error } => {
                tracing::warn!(error, "not delivered; nothing more is sent to this address");
                let at = schedule::next_attempt(event.attempts + 1, now, None, schedule::chance()).unwrap_or(now);
                self.ledger.delivery_failed(&event.id, at, &error).await?;
                self.ledger.stop_address(url, &error, now).await?;
                // Those behind it in the queue stay where they are.
                lock(&round.slow).insert(url.clone());
                let mut done = lock(&round.done);
                done.failed += 1;
                done.last_error = Some(error.clone());
                if !done.given_up.iter().any(|f| f.code() == "address_stopped" && f.to_string() == stopped(&error).to_string()) {
                    done.given_up.push(stopped(&error));
                }
            }
        }
        Ok(())
    }
}

/// Whether a failure is that of a delivery: to everybody's backend, whoever the run was for.
pub fn is_of_callbacks(failure: &Failure) -> bool {
    matches!(failure.code(), "callback_dead" | "address_stopped")
}

impl Round {
    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|d| Instant::now() >= d)
    }
}

fn dead(event: &Event, error: &str) -> Failure {
    Failure::new(Exit::NotClean, "callback_dead", format!("the event {} was given up after its last try: {error}", event.id))
        .hint(format!("`tecnico callbacks retry {}` sends it again under the same id", event.id))
}

fn stopped(error: &str) -> Failure {
    Failure::new(Exit::NotClean, "address_stopped", format!("nothing more is sent there: {error}"))
        .hint("`tecnico callbacks retry` sends all that is undelivered, once the backend takes it again")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
