//! What a run that somebody asked for leaves waiting: why, and until when.

use std::collections::HashMap;

use super::cycle::{Cycle, Scope};
use super::report::WaitingLine;
use super::tell::file_report;
use crate::callback::payload::{Fate, FileReport, cause};
use crate::config::settings::Mode;
use crate::domain::clock::Millis;
use crate::domain::item::{Act, Item, State, shown};
use crate::domain::technician::UserId;
use crate::error::Failure;

/// A file that a run leaves waiting.
#[derive(Debug, Clone)]
pub(super) struct Left {
    /// The item.
    pub item: Item,
    /// Why it waits, for people.
    pub reason: String,
    /// The failure of ours that is why.
    pub setback: Option<String>,
    /// Not before, where a time is set.
    pub until: Option<Millis>,
}

impl Left {
    /// As the backend is told of it.
    pub(super) fn report(&self) -> FileReport {
        // The sentence of a failure of ours is for administrators.
        let ours = self.setback.as_deref().map(|code| format!("falha passageira: {}", cause(code)));
        FileReport { reason: ours.or_else(|| Some(self.reason.clone())), ..file_report(&self.item, Fate::Waiting(self.until)) }
    }

    /// As a person is shown it.
    pub(super) fn line(&self) -> WaitingLine {
        WaitingLine {
            user: self.item.sighted.user.to_string(),
            item_id: self.item.id.clone(),
            file_id: self.item.sighted.key.file_id.clone(),
            name: self.item.sighted.name.clone(),
            until: self.until,
            reason: self.reason.clone(),
        }
    }
}

impl Cycle<'_> {
    /// The technicians this run was asked for.
    pub(super) async fn users(&self) -> Result<Vec<UserId>, Failure> {
        Ok(match &self.plan.scope {
            Scope::Everyone => Vec::new(),
            Scope::Users(users) => users.clone(),
            Scope::File(file) => {
                let versions = self.agent.ledger.items_of_file(file.as_str()).await?;
                versions.into_iter().next_back().map(|i| i.sighted.user).into_iter().collect()
            }
        })
    }

    /// The open items this run was asked for.
    async fn asked_for(&self) -> Result<Vec<Item>, Failure> {
        if self.plan.scope == Scope::Everyone {
            return Ok(Vec::new());
        }
        let open = self.agent.ledger.open_items(None).await?;
        Ok(open.into_iter().filter(|i| self.concerns(i)).collect())
    }

    /// Ends the waits of what a person asked for now. What is still settling, and what is looked for again, stays put.
    pub(super) async fn hurry(&self) -> Result<(), Failure> {
        let Some(by) = self.plan.hurry else { return Ok(()) };
        for item in self.asked_for().await?.iter().filter(|i| i.is_put_off(self.now())) {
            self.agent.ledger.advance(item, &Act::Asked { by: by.to_owned() }, None, self.now()).await?;
        }
        Ok(())
    }

    /// [`Cycle::left`], after the task that asked for this run has heard of it.
    pub(super) async fn left_and_told(&self, failure: Option<&'static str>) -> Result<Vec<Left>, Failure> {
        let left = self.left().await?;
        self.answer_job(failure, &left).await?;
        Ok(left)
    }

    /// What this run leaves waiting, of what it was asked for.
    async fn left(&self) -> Result<Vec<Left>, Failure> {
        let settings = &self.agent.settings.process;
        let mut first_of: HashMap<UserId, Item> = HashMap::new();
        let mut left = Vec::new();
        for item in self.asked_for().await? {
            let until = Some(item.next_attempt_at).filter(|at| *at > self.now());
            let mut setback = None;
            let (reason, until) = match (&item.reason, first_of.get(&item.sighted.user)) {
                (_, Some(first)) if settings.ordered => {
                    (format!("aguarda a vez: {} veio antes", shown(&first.sighted.name)), Some(first.next_attempt_at))
                }
                (Some(reason), _) => {
                    setback.clone_from(&item.setback);
                    (reason.clone(), until)
                }
                (None, _) if settings.mode == Mode::External && item.standing.state == State::Fetched => {
                    ("aguarda o programa que processa os arquivos".to_owned(), None)
                }
                (None, _) if until.is_some() => ("o arquivo ainda pode estar sendo enviado".to_owned(), until),
                (None, _) => ("aguarda o próximo ciclo".to_owned(), None),
            };
            first_of.entry(item.sighted.user.clone()).or_insert_with(|| item.clone());
            left.push(Left { item, reason, setback, until });
        }
        Ok(left)
    }
}
