//! `POST /api/folders/process` (CONTRACT 4.3): what `tecnico process` does.

use std::time::Duration;

use axum::extract::{Request, State};
use serde_json::{Value, json};

use super::Api;
use super::body::Fields;
use super::jobs::{self, Asked};
use super::reply::Reply;
use super::work::End;
use crate::agent::{self, FiledLine, Job, Plan, Scope, WaitingLine};
use crate::callback::payload::{Fate, FileReport, Task, process_done, process_failed, process_failure_sentence, process_result};
use crate::domain::event::EventKind;
use crate::domain::folder::Role;
use crate::domain::item::Outcome;
use crate::domain::technician::UserId;
use crate::error::{Exit, Failure};
use crate::ledger::{JobKind, JobRow, JobState};

/// How long a run waits for the cycle of a `watch` that is under way; then the job is tried again.
const PATIENCE: Duration = Duration::from_mins(2);

/// Checks whose folder is meant, and accepts.
pub(super) async fn accept(State(api): State<Api>, request: Request) -> Result<Reply, Reply> {
    let fields = Fields::of(request).await?;
    let Some(user) = fields.text("user_id")? else { return Err(Reply::wrong("O campo user_id é obrigatório.")) };
    let user = UserId::parse(&user).map_err(|why| Failure::new(Exit::Data, "user_invalid", why))?;
    let (folder, asked) = (fields.text("drive_folder_id")?, Asked::of(&api, &fields)?);
    let agent = &api.0.agent;
    if agent.ledger.technician(&user).await?.is_none_or(|t| t.removed_at.is_some()) {
        return Err(Reply::not_found("O usuário não tem pastas; crie-as primeiro."));
    }
    if let Some(folder) = folder {
        let layout = &agent.settings.layout;
        let rows = agent.ledger.folder_ids(&user).await?;
        let theirs = [Role::Usuario, Role::Novos].map(|role| layout.path_of(role));
        if !rows.iter().any(|r| r.drive_id == folder && theirs.contains(&r.path.as_str())) {
            return Err(Reply::wrong("drive_folder_id não é a pasta deste usuário."));
        }
    }
    jobs::accept(&api, JobKind::Process, user, &asked, &()).await
}

/// Runs a cycle over their `novos`. Files are told of one by one as they end, under the job's id; a run in which none
/// ended is told of here.
pub(super) async fn carry_out(api: &Api, row: &JobRow) -> anyhow::Result<End> {
    let agent = &api.0.agent;
    let (user, job) = (&row.job.user, job_of(row));
    let plan = Plan {
        wait_for_settling: true,
        patience: PATIENCE,
        hurry: Some("asked for through the HTTP API"),
        job: Some(job.clone()),
        stop: api.0.stop.clone(),
        ..Plan::over(Scope::Users(vec![user.clone()]))
    };
    let mut report = agent.run_cycle(&plan).await?;
    if let Some(fault) = std::mem::take(&mut report.faults).into_iter().find(|f| f.systemic) {
        return Err(fault.failure.into());
    }
    if api.0.stop.is_cancelled() {
        return Err(Failure::new(Exit::Later, "stopping", "the service ends; the rest is done after the restart").into());
    }
    // What was told before a crash is part of it; where nobody is told, what this run did is all there is.
    let told = agent.ledger.payloads_of_job(&row.job.id).await?;
    let mut files: Vec<FileReport> = told.iter().flat_map(|payload| files_in(payload)).collect();
    if told.is_empty() {
        files = report.filed.into_iter().map(report_of_line).collect();
    }
    let waiting: Vec<FileReport> = report.waiting.into_iter().map(report_of_waiting).collect();
    let unheard = if told.is_empty() { [files.clone(), waiting.clone()].concat() } else { waiting.clone() };
    let is_told = !told.is_empty() && waiting.is_empty();
    files.extend(waiting);
    let mut result = process_result(&files);
    let message = result.as_object_mut().and_then(|r| r.shift_remove("message"));
    let name = name_of(api, user).await?;
    let payload = |job_id: &str| process_done(Task { user_id: user.as_str(), job_id, name: &name }, &unheard);
    let event = if is_told { None } else { agent::event(&agent.settings.callback, EventKind::Process, user, Some(&job), payload) };
    Ok(End { state: JobState::Success, document: json!({ "message": message, "result": result }), event })
}

/// What there is to tell where the run could not be carried out.
pub(super) fn failed(api: &Api, row: &JobRow, code: &'static str) -> End {
    let user = &row.job.user;
    let payload = |job_id: &str| process_failed(Task { user_id: user.as_str(), job_id, name: user.as_str() }, code, &[]);
    let event = agent::event(&api.0.agent.settings.callback, EventKind::Process, user, Some(&job_of(row)), payload);
    End { state: JobState::Error, document: json!({ "message": process_failure_sentence(user.as_str(), code), "code": code }), event }
}

fn job_of(row: &JobRow) -> Job {
    Job { id: row.job.id.clone(), url: row.job.callback_url.clone(), answered_by_caller: true }
}

async fn name_of(api: &Api, user: &UserId) -> Result<String, Failure> {
    Ok(api.0.agent.ledger.technician(user).await?.map_or_else(|| user.to_string(), |t| t.name))
}

fn files_in(payload: &str) -> Vec<FileReport> {
    let payload: Value = serde_json::from_str(payload).unwrap_or_default();
    payload["result"]["files"].as_array().map(|files| files.iter().filter_map(report_of).collect()).unwrap_or_default()
}

/// A file as it stands in a payload of ours.
fn report_of(file: &Value) -> Option<FileReport> {
    let text = |name: &str| file[name].as_str().map(str::to_owned);
    let outcomes = [Outcome::Processado, Outcome::Erro, Outcome::Retirado];
    Some(FileReport {
        file_id: text("file_id")?,
        name: text("name")?,
        fate: Fate::Ended(outcomes.into_iter().find(|o| file["outcome"] == o.as_str())?),
        reason: text("reason"),
        checksum: text("checksum"),
        data: file.get("data").map(ToString::to_string),
    })
}

fn report_of_line(line: FiledLine) -> FileReport {
    let FiledLine { file_id, name, outcome, reason, .. } = line;
    FileReport { file_id, name, fate: Fate::Ended(outcome), reason, checksum: None, data: None }
}

fn report_of_waiting(line: WaitingLine) -> FileReport {
    let WaitingLine { file_id, name, until, reason, .. } = line;
    FileReport { file_id, name, fate: Fate::Waiting(until), reason: Some(reason), checksum: None, data: None }
}
