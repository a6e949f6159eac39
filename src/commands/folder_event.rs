//! Telling the backend how a creation or a share ended (CONTRACT 3.1 to 3.3).

use crate::agent::{Job, tell};
use crate::callback::payload::{Attempt, Done, Folders, Task, folders_done, folders_failed};
use crate::config::settings::CallbackSettings;
use crate::context::Context;
use crate::domain::clock;
use crate::domain::event::EventKind;
use crate::domain::technician::UserId;
use crate::error::Failure;
use crate::verdict::advice;

/// The refusal of whoever typed the command, before anything was tried: it says nothing of the technician's folders.
const OF_WHO_RUNS_IT: &str = "wrong_user";

/// The backend's task that a run answers.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct JobArgs {
    /// The backend's task that this run answers
    #[arg(long, value_name = "ID")]
    job_id: Option<String>,
    /// Where the callback of this run goes, instead of callback.url
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
}

impl JobArgs {
    /// The task, its address checked against the allowed ones.
    pub fn job(&self, settings: &CallbackSettings) -> Result<Option<Job>, Failure> {
        Job::named(self.job_id.clone(), self.callback_url.as_deref(), settings)
    }
}

/// Records that the folders are as they should be.
pub(super) async fn done(
    context: &Context,
    job: Option<&Job>,
    user: &UserId,
    name: &str,
    done: Done,
    folders: &Folders,
) -> anyhow::Result<()> {
    let (ledger, settings) = (context.ledger().await?, context.settings().await?);
    let payload = |job_id: &str| folders_done(Task { user_id: user.as_str(), job_id, name }, done, folders);
    tell(ledger, &settings.callback, EventKind::Folders, user, job, clock::now(), payload).await?;
    Ok(())
}

/// Records that they could not be made, shared, put away or renamed; nothing for a refusal of who runs it, unless the backend
/// waits for the answer to a task. The failure itself is the caller's to return: where even the record
/// fails, there is nothing left to say it to.
pub(super) async fn failed(context: &Context, job: Option<&Job>, user: &UserId, name: &str, attempt: Attempt, fault: &anyhow::Error) {
    let code = advice(fault).code;
    if job.is_none() && code == OF_WHO_RUNS_IT {
        return;
    }
    let recorded = async {
        let (ledger, settings) = (context.ledger().await?, context.settings().await?);
        let payload = |job_id: &str| folders_failed(Task { user_id: user.as_str(), job_id, name }, attempt, code, None);
        tell(ledger, &settings.callback, EventKind::Folders, user, job, clock::now(), payload).await?;
        anyhow::Ok(())
    };
    if let Err(why) = recorded.await {
        tracing::warn!(user = %user, "the backend is not told of the failure: {why:#}");
    }
}

/// Sends what is due now. What cannot be delivered stays in the ledger, and `watch` tries again.
pub(super) async fn send(context: &Context) {
    let sent = async {
        let agent = context.agent().await?;
        anyhow::Ok(agent.deliver_due().await?)
    };
    match sent.await {
        Ok(sent) if sent.failed == 0 => {}
        Ok(sent) => context.ui.note(format!(
            "note: the backend could not be told ({}); `tecnico watch` tries again, `tecnico callbacks` lists it",
            // What a backend answers may be about somebody this run may not name.
            sent.last_error.filter(|_| context.global.within.is_none()).unwrap_or_else(|| "it takes nothing now".to_owned())
        )),
        Err(why) => tracing::warn!("callbacks are left for `tecnico watch`: {why:#}"),
    }
}
