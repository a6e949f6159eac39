//! `POST /api/folders/create` (CONTRACT 4.1): what `tecnico create` does.

use axum::extract::{Request, State};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Api;
use super::body::Fields;
use super::jobs::{self, Asked};
use super::reply::Reply;
use super::work::End;
use crate::agent::{self, Job};
use crate::callback::payload::{Attempt, Task, folders_done, folders_failed, folders_failure_sentence, folders_sentence};
use crate::creation::{self, Made};
use crate::domain::event::EventKind;
use crate::domain::reach::Reach;
use crate::domain::technician::folder_name;
use crate::error::{Exit, Failure};
use crate::ledger::{JobKind, JobRow, JobState};
use crate::provision::{Candidate, Provisioner, Status};

/// What is kept of a request.
#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    email: String,
    name: Option<String>,
}

/// Checks the request as the command does, and accepts it.
pub(super) async fn accept(State(api): State<Api>, request: Request) -> Result<Reply, Reply> {
    let fields = Fields::of(request).await?;
    let (Some(user), Some(email)) = (fields.text("user_id")?, fields.text("user_email")?) else {
        return Err(Reply::wrong("Os campos user_id e user_email são obrigatórios."));
    };
    let wanted = Wanted { email, name: fields.text("user_name")? };
    let candidate = candidate(&user, &wanted)?;
    let asked = Asked::of(&api, &fields)?;
    jobs::accept(&api, JobKind::Create, candidate.user, &asked, &wanted).await
}

/// The technician a request is about. Without a name they are `Usuario_<user_id>`, whatever the id looks like.
fn candidate(user: &str, wanted: &Wanted) -> Result<Candidate, Failure> {
    let mut candidate = Candidate::parse(user, Some(&wanted.email), wanted.name.as_deref(), None)?;
    if candidate.wanted.name.is_none() {
        candidate.called = format!("Usuario_{user}");
        candidate.wanted.folder = folder_name(&candidate.called).map_err(|why| Failure::new(Exit::Data, "name_invalid", why))?;
    }
    Ok(candidate)
}

/// Makes the folders, and gives what there is to tell.
pub(super) async fn carry_out(api: &Api, row: &JobRow) -> anyhow::Result<End> {
    let (asked, wanted): (Asked, Wanted) = serde_json::from_str(&row.job.request)?;
    let candidate = candidate(row.job.user.as_str(), &wanted)?;
    let agent = &api.0.agent;
    let provisioner =
        Provisioner { settings: &agent.settings, drive: &agent.drive, ledger: &agent.ledger, base: &agent.base, reach: &Reach::EVERYBODY };
    let Made { outcome, folders } = creation::create(&provisioner, &candidate, None).await?;
    let technician = &outcome.prepared.technician;
    let done = creation::in_words(outcome.status);
    // Whoever waits for the answer of a synchronous request has it in hand; the backend hears of changes all the same.
    let is_told = asked.wants_callback() || outcome.status != Status::Unchanged || row.attempts > 1;
    let payload = |job_id: &str| folders_done(Task { user_id: technician.user.as_str(), job_id, name: &technician.name }, done, &folders);
    let job = job_of(row);
    let event =
        is_told.then(|| agent::event(&agent.settings.callback, EventKind::Folders, &technician.user, Some(&job), payload)).flatten();
    let result = json!({
        "user_folder_id": folders.drive_folders.user_folder_id,
        "novos_folder_id": folders.drive_folders.novos_folder_id,
        "vm_folder_path": folders.vm_folders.user_folder,
    });
    Ok(End { state: JobState::Success, document: json!({ "message": folders_sentence(&technician.name, done), "result": result }), event })
}

/// What there is to tell where that could not be done.
pub(super) fn failed(api: &Api, row: &JobRow, code: &'static str) -> End {
    let wanted = serde_json::from_str::<(Asked, Wanted)>(&row.job.request).ok().and_then(|(_, w)| w.name);
    let name = wanted.unwrap_or_else(|| format!("Usuario_{}", row.job.user));
    let payload = |job_id: &str| folders_failed(Task { user_id: row.job.user.as_str(), job_id, name: &name }, Attempt::Prepare, code, None);
    let event = agent::event(&api.0.agent.settings.callback, EventKind::Folders, &row.job.user, Some(&job_of(row)), payload);
    End {
        state: JobState::Error,
        document: json!({ "message": folders_failure_sentence(&name, Attempt::Prepare, code), "code": code }),
        event,
    }
}

fn job_of(row: &JobRow) -> Job {
    Job { id: row.job.id.clone(), url: row.job.callback_url.clone(), answered_by_caller: true }
}
