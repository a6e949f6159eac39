//! Doing what was accepted: each job begun in order, ended once, tried again where it only came at a bad moment.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error_span};

use super::{Api, create, process};
use crate::domain::clock;
use crate::domain::event::NewEvent;
use crate::error::{Exit, Failure};
use crate::ledger::{JobKind, JobRow, JobState};
use crate::verdict::advice;

/// How often jobs that are due again are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The waits before a job is tried again that met a busy or unreachable Drive, ledger or cycle; then it has failed.
const WAITS: [Duration; 4] = [Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(1), Duration::from_mins(3)];
/// A job that was begun so often and never ended takes the process down with it.
const MOST_ATTEMPTS: u32 = 10;

/// How a job ended.
pub(super) struct End {
    /// Well or badly.
    pub state: JobState,
    /// What callers are answered.
    pub document: Value,
    /// What the backend is told with it.
    pub event: Option<NewEvent>,
}

/// Begins jobs of a kind as they come, at most `places` at once, until told to stop; ends with the last of them.
pub(super) async fn go_on(api: &Api, kind: JobKind, places: usize) {
    let (places, tasks) = (Arc::new(Semaphore::new(places)), TaskTracker::new());
    while !api.0.stop.is_cancelled() {
        let place = tokio::select! {
            () = api.0.stop.cancelled() => break,
            // Nobody closes it.
            place = places.clone().acquire_owned() => place,
        };
        let agent = &api.0.agent;
        match agent.ledger.begin_job(kind, (agent.clock)()).await {
            Ok(Some(row)) => {
                let (api, span) = (api.clone(), error_span!("job", user = %row.job.user, job = %row.job.id));
                let job = async move {
                    carry_out(&api, &row).await;
                    drop(place);
                };
                tasks.spawn(job.instrument(span));
                continue;
            }
            Ok(None) => {}
            Err(failure) => tracing::warn!(code = failure.code(), "no job can be begun: {failure}"),
        }
        drop(place);
        tokio::select! {
            () = api.0.stop.cancelled() => {}
            () = api.0.accepted[kind as usize].notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Does one job and records how it ended.
async fn carry_out(api: &Api, row: &JobRow) {
    let worked = async {
        match row.job.kind {
            _ if row.attempts > MOST_ATTEMPTS => Err(too_often(row).into()),
            JobKind::Create => create::carry_out(api, row).await,
            JobKind::Process => process::carry_out(api, row).await,
        }
    };
    let defect = |_| Err(Failure::new(Exit::Bug, "unexpected", format!("the job {} met a defect", row.job.id)).into());
    let worked = AssertUnwindSafe(worked).catch_unwind().await.unwrap_or_else(defect);
    let outcome = match worked {
        Ok(end) => Outcome::Ended(end),
        Err(fault) => after(api, row, &fault),
    };
    // The work is done and not said yet: that is tried until it is, or until the next start does the work again.
    while let Err(failure) = record(api, row, &outcome).await {
        tracing::error!(code = failure.code(), "what became of a job cannot be recorded: {failure}");
        tokio::select! {
            () = api.0.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// What becomes of a job that was begun.
enum Outcome {
    Ended(End),
    /// It is begun again after a wait.
    Again {
        wait: Duration,
        /// Whether it was a try of its own.
        counted: bool,
    },
}

/// A bad moment is not the end; anything else is.
fn after(api: &Api, row: &JobRow, fault: &anyhow::Error) -> Outcome {
    let advice = advice(fault);
    let wait = match advice.exit {
        Exit::Later if api.0.stop.is_cancelled() => return Outcome::Again { wait: Duration::ZERO, counted: false },
        Exit::Later | Exit::Unavailable => WAITS.get(row.attempts.saturating_sub(1) as usize),
        _ => None,
    };
    if let Some(wait) = wait {
        tracing::warn!(code = advice.code, "tried again in {wait:?}: {fault:#}");
        return Outcome::Again { wait: *wait, counted: true };
    }
    tracing::warn!(code = advice.code, hint = advice.hint, "failed: {fault:#}");
    let mut end = match row.job.kind {
        JobKind::Create => create::failed(api, row, advice.code),
        JobKind::Process => process::failed(api, row, advice.code),
    };
    end.document["exit"] = (advice.exit as u8).into();
    Outcome::Ended(end)
}

async fn record(api: &Api, row: &JobRow, outcome: &Outcome) -> Result<(), Failure> {
    let (ledger, id, now) = (&api.0.agent.ledger, &row.job.id, (api.0.agent.clock)());
    match outcome {
        Outcome::Ended(end) => {
            ledger.end_job(id, end.state, &end.document.to_string(), end.event.as_ref(), now).await?;
            tracing::info!(state = end.state.as_str(), "ended");
            api.has_ended();
            Ok(())
        }
        Outcome::Again { wait, counted } => ledger.put_job_back(id, now + clock::millis(*wait), *counted, now).await,
    }
}

fn too_often(row: &JobRow) -> Failure {
    Failure::new(Exit::Bug, "job_given_up", format!("the job {} was begun {} times and never ended", row.job.id, row.attempts - 1))
}
