//! Events for the backend: what is said of a file or of a technician's folders, and where it goes.

use super::Agent;
use super::cycle::Cycle;
use super::homes::Home;
use super::left::Left;
use crate::callback::address;
use crate::callback::payload::{Fate, FileReport, Task, process_done, process_failed};
use crate::config::settings::CallbackSettings;
use crate::domain::clock::Millis;
use crate::domain::event::{EventId, EventKind, NewEvent};
use crate::domain::item::{AskedFor, Item};
use crate::domain::technician::UserId;
use crate::error::Failure;
use crate::ledger::Ledger;

/// The backend's task that a run answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id, as the backend gave it.
    pub id: String,
    /// Where its callbacks go instead of the configured address; checked already.
    pub url: Option<String>,
    /// Whether whoever runs the cycle tells the backend of its end: it has more to record with that.
    pub answered_by_caller: bool,
}

impl Job {
    /// The task named on a command line. Fails with `callback_url_refused` (64) for an address that is not allowed.
    pub fn named(id: Option<String>, url: Option<&str>, settings: &CallbackSettings) -> Result<Option<Self>, Failure> {
        let url = url.map(|u| address::named_by_caller(settings, u)).transpose()?.map(|u| u.to_string());
        Ok(match (id, url) {
            (None, None) => None,
            (id, url) => Some(Self { id: id.unwrap_or_else(new_job_id), url, answered_by_caller: false }),
        })
    }
}

/// An id for a task that nobody has named yet.
pub fn new_job_id() -> String {
    format!("job_{}", uuid::Uuid::now_v7().simple())
}

/// Records an event that no file makes true (folders made or shared, or not), to be delivered with the next
/// [`super::Agent::deliver_due`] or cycle. `None` where there is no address to send it to.
///
/// `payload` gets the id of the task: the caller's, or one made here.
pub async fn tell(
    ledger: &Ledger,
    settings: &CallbackSettings,
    kind: EventKind,
    user: &UserId,
    job: Option<&Job>,
    now: Millis,
    payload: impl FnOnce(&str) -> String,
) -> Result<Option<EventId>, Failure> {
    let Some(event) = event(settings, kind, user, job, payload) else { return Ok(None) };
    Ok(Some(ledger.add_event(&event, now).await?))
}

/// The event of [`tell`], for whoever records it together with something else.
pub fn event(
    settings: &CallbackSettings,
    kind: EventKind,
    user: &UserId,
    job: Option<&Job>,
    payload: impl FnOnce(&str) -> String,
) -> Option<NewEvent> {
    let (url, by_caller) = url_for(settings, kind, job)?;
    let job_id = job.map_or_else(new_job_id, |j| j.id.clone());
    let payload = payload(&job_id);
    Some(NewEvent { kind, user: user.clone(), job_id, url, by_caller, payload })
}

/// Where an event goes, and whether its caller said so.
fn url_for(settings: &CallbackSettings, kind: EventKind, job: Option<&Job>) -> Option<(String, bool)> {
    let named = job.and_then(|j| j.url.clone()).map(|url| (url, true));
    named.or_else(|| address::of_backend(settings, kind.as_str()).map(|u| (u.to_string(), false)))
}

impl Agent {
    /// Turns what is undelivered to the backend that is configured now: the address may have been corrected since.
    pub async fn readdress(&self) -> Result<(), Failure> {
        for kind in [EventKind::Folders, EventKind::Process] {
            let Some(url) = address::of_backend(&self.settings.callback, kind.as_str()) else { continue };
            let turned = self.ledger.readdress(kind, url.as_str(), self.now()).await?;
            if turned > 0 {
                tracing::info!(events = turned, kind = kind.as_str(), "undelivered events go to the callback.url of now");
            }
        }
        Ok(())
    }
}

impl Cycle<'_> {
    /// What the backend is told of an item that is about to end as it stands: under the task of this run, or of the run
    /// in which it had to wait.
    pub(super) fn event_for(&self, home: &Home, item: &Item) -> Option<NewEvent> {
        let earlier = item.asked_for.as_ref().map(|a| Job { id: a.job_id.clone(), url: a.url.clone(), answered_by_caller: true });
        let job = self.plan.job.as_ref().or(earlier.as_ref());
        let (url, by_caller) = url_for(&self.agent.settings.callback, EventKind::Process, job)?;
        let job_id = job.map_or(&item.id, |j| &j.id);
        let task = Task { user_id: item.sighted.user.as_str(), job_id, name: &home.technician.name };
        let payload = process_done(task, &[file_report(item, Fate::Ended(item.standing.outcome?))]);
        let (user, job_id) = (item.sighted.user.clone(), job_id.clone());
        Some(NewEvent { kind: EventKind::Process, user, job_id, url, by_caller, payload })
    }

    /// A task the backend started hears of its end even where there was nothing to do, or the run could not be carried out;
    /// and of what has to wait, whose end will be told under the same task.
    pub(super) async fn answer_job(&self, failure: Option<&'static str>, left: &[Left]) -> Result<(), Failure> {
        let Some(job) = &self.plan.job else { return Ok(()) };
        let asked_for = AskedFor { job_id: job.id.clone(), url: job.url.clone() };
        self.agent.ledger.ask_for(&left.iter().map(|l| l.item.clone()).collect::<Vec<_>>(), &asked_for).await?;
        if job.answered_by_caller {
            return Ok(());
        }
        let users = self.users().await?;
        let unmade = self.agent.ledger.unmade(&self.agent.settings.layout, Some(&users)).await?;
        for user in users {
            let failure = failure.or(unmade.as_ref().filter(|u| u.users.contains(&user)).map(|u| u.failure().code()));
            let waiting: Vec<FileReport> = left.iter().filter(|l| l.item.sighted.user == user).map(Left::report).collect();
            if failure.is_none() && waiting.is_empty() && self.has_ended_one_of(&user) {
                continue;
            }
            let name = self.home_of(&user).await?.map_or_else(|| user.to_string(), |h| h.technician.name.clone());
            let payload = |job_id: &str| {
                let task = Task { user_id: user.as_str(), job_id, name: &name };
                match failure {
                    Some(code) => process_failed(task, code, &waiting),
                    None => process_done(task, &waiting),
                }
            };
            tell(&self.agent.ledger, &self.agent.settings.callback, EventKind::Process, &user, Some(job), self.now(), payload).await?;
        }
        Ok(())
    }
}

/// A file as the backend is told of it.
pub(super) fn file_report(item: &Item, fate: Fate) -> FileReport {
    FileReport {
        file_id: item.sighted.key.file_id.clone(),
        name: item.sighted.name.clone(),
        fate,
        reason: item.reason.clone(),
        checksum: item.sighted.md5.clone(),
        data: item.data.clone(),
    }
}
