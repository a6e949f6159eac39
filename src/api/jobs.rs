//! Accepting a job, waiting for its end where the caller wants that, and `GET /api/status/<job_id>` (CONTRACT 4.4).

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Api;
use super::body::Fields;
use super::reply::{Reply, status_of};
use crate::agent::new_job_id;
use crate::callback::address;
use crate::domain::clock::rfc3339;
use crate::domain::technician::UserId;
use crate::error::{Exit, Failure};
use crate::ledger::{JobKind, JobRow, JobState, NewJob};

/// Jobs that may wait or be under way at once.
const MOST_OPEN: u32 = 1000;

/// How an answer is wanted: at once, or with the result.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    is_async: bool,
    callback_url: Option<String>,
}

impl Asked {
    /// Refuses an address for the callback that is not allowed.
    pub(super) fn of(api: &Api, fields: &Fields) -> Result<Self, Reply> {
        let settings = &api.0.agent.settings.callback;
        let named = fields.text("callback_url")?.map(|url| address::named_by_caller(settings, &url)).transpose()?;
        Ok(Self { is_async: fields.flag("async", true)?, callback_url: named.map(|url| url.to_string()) })
    }

    /// Whether the caller waits for a callback.
    pub(super) fn wants_callback(&self) -> bool {
        self.is_async || self.callback_url.is_some()
    }
}

/// Records the job; then answers 202, or with its result.
pub(super) async fn accept(api: &Api, kind: JobKind, user: UserId, asked: &Asked, wanted: &impl Serialize) -> Result<Reply, Reply> {
    let request = serde_json::to_string(&(asked, wanted))
        .map_err(|e| Failure::new(Exit::Bug, "request_unstorable", "a request cannot be recorded").because(e))?;
    let job = NewJob { id: new_job_id(), kind, user, request, callback_url: asked.callback_url.clone() };
    let agent = &api.0.agent;
    if !agent.ledger.accept_job(&job, MOST_OPEN, (agent.clock)()).await? {
        return Err(Reply::refused(StatusCode::SERVICE_UNAVAILABLE, "Há tarefas demais em andamento; tente de novo mais tarde."));
    }
    tracing::info!(job = job.id, user = %job.user, kind = kind.as_str(), "accepted");
    api.wake(kind);
    if asked.is_async {
        let message = match kind {
            JobKind::Create => "A criação das pastas foi aceita.",
            JobKind::Process => "O processamento dos arquivos foi aceito.",
        };
        return Ok(accepted(&job.id, message));
    }
    match end_of(api, &job.id).await? {
        Some(row) => Ok(answer(&row)),
        None => Ok(accepted(&job.id, "O trabalho continua em andamento; consulte a tarefa mais tarde.")),
    }
}

fn accepted(job_id: &str, message: &str) -> Reply {
    Reply::new(StatusCode::ACCEPTED, json!({ "status": "accepted", "message": message, "job_id": job_id }))
}

/// The job once it has ended; `None` where it takes longer than a request may, or the service ends before it.
async fn end_of(api: &Api, id: &str) -> Result<Option<JobRow>, Failure> {
    let mut ended = api.0.ended.subscribe();
    let deadline = Instant::now() + api.0.agent.settings.serve.timeout;
    loop {
        // Looked at before the row is: what ends in between is seen in it.
        let last = api.0.idle.is_cancelled() || Instant::now() >= deadline;
        match api.0.agent.ledger.job(id).await? {
            Some(row) if row.state.has_ended() => return Ok(Some(row)),
            _ if last => return Ok(None),
            _ => {}
        }
        tokio::select! {
            _ = ended.changed() => {}
            () = api.0.idle.cancelled() => {}
            () = tokio::time::sleep_until(deadline) => {}
        }
    }
}

/// The answer of a synchronous request.
fn answer(row: &JobRow) -> Reply {
    let mut document = document(row);
    if row.state == JobState::Success {
        let fields = json!({ "status": "success", "message": document["message"].take(), "result": document["result"].take() });
        return Reply::new(StatusCode::OK, fields);
    }
    let (message, code) = (document["message"].take(), document["code"].take());
    let status = document["exit"].as_u64().and_then(|n| Exit::ALL.into_iter().find(|e| *e as u64 == n)).map_or(Exit::Bug, |e| e);
    let fields = json!({ "status": "error", "message": message, "code": code, "job_id": row.job.id });
    Reply::new(status_of(status), fields)
}

fn document(row: &JobRow) -> Value {
    row.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Where a job stands.
pub(super) async fn stand(State(api): State<Api>, id: Result<Path<String>, PathRejection>) -> Result<Reply, Reply> {
    let unknown = || Reply::not_found("Tarefa não encontrada.");
    // What is not UTF-8 is no id of ours either.
    let Ok(Path(id)) = id else { return Err(unknown()) };
    let Some(row) = api.0.agent.ledger.job(&id).await? else { return Err(unknown()) };
    let mut document = document(&row);
    let message = match row.state {
        JobState::Accepted if row.attempts > 0 => json!("A tarefa será tentada de novo."),
        JobState::Accepted => json!("A tarefa espera a sua vez."),
        JobState::Running => json!("A tarefa está em andamento."),
        JobState::Success | JobState::Error => document["message"].take(),
    };
    let mut fields = json!({
        "status": row.state.as_str(),
        "message": message,
        "job_id": row.job.id,
        "user_id": row.job.user.as_str(),
        "type": row.job.kind.as_str(),
        "accepted_at": rfc3339(row.accepted_at),
        "changed_at": rfc3339(row.changed_at),
    });
    for name in ["result", "code"] {
        if !document[name].is_null() {
            fields[name] = document[name].take();
        }
    }
    Ok(Reply::new(StatusCode::OK, fields))
}
