//! File away: Drive first, with one `files.update`, then the local copy, then the record with its event.

use super::cycle::Cycle;
use super::homes::{Home, id};
use super::look::Whereabouts;
use super::setback::Setback;
use super::sight;
use crate::domain::folder::Role;
use crate::domain::item::{Act, Item, Outcome, Sighted};
use crate::domain::text::quoted;
use crate::drive::{Change, Entry, FileId, Kind};
use crate::error::Failure;

/// How Drive stands once an item is filed there.
enum Settled {
    /// The file lies where it is to lie, or where another version of it is to be handled.
    There { entry: Box<Entry>, newer: Option<Box<Sighted>> },
    /// It is not ours any more.
    Away(String),
    /// It was not found, and is looked for again later.
    Missed,
}

/// Where an outcome sends a file.
pub(super) fn role_of(outcome: Outcome) -> Role {
    if outcome == Outcome::Processado { Role::Processados } else { Role::Erro }
}

impl Cycle<'_> {
    /// From judged to filed, or to withdrawn. `look_first`: an earlier try may have done part of it.
    pub(super) async fn file_away(&self, home: &Home, item: &Item, look_first: bool) -> Result<Item, Setback> {
        let role = item.standing.outcome.map_or(Role::Erro, role_of);
        let to = self.destination(home, role, item.found_at).await?;
        let (entry, newer) = match self.settle_on_drive(home, item, role, &to, look_first).await? {
            Settled::There { entry, newer } => (entry, newer),
            Settled::Missed => return Ok(item.clone()),
            Settled::Away(reason) => {
                self.withdraw(home, item, &reason, None).await?;
                return Ok(self.agent.ledger.item(&item.id).await?.unwrap_or_else(|| item.clone()));
            }
        };
        let local_path = self.put_away(home, item, role).await?;
        let event = self.event_for(home, item);
        let act = Act::Filed { local_path };
        let (filed, found) = self.agent.ledger.advance_and_find(item, &act, event.as_ref(), newer.as_deref(), self.now()).await?;
        self.ended(&filed);
        if newer.is_none() && entry.name != filed.sighted.name {
            self.agent.ledger.renamed(&filed, &entry.name, self.now()).await?;
        }
        self.after_newer(found).await?;
        Ok(filed)
    }

    async fn settle_on_drive(&self, home: &Home, item: &Item, role: Role, to: &FileId, look_first: bool) -> Result<Settled, Setback> {
        let file = id(&item.sighted.key.file_id)?;
        let mut from = id(&item.sighted.parent_id)?;
        // Whether a document was edited, nothing says any more once it is moved.
        let mut look = look_first || sight::is_known_by_time(&item.sighted.key);
        let mut looked = false;
        loop {
            if look {
                looked = true;
                match self.whereabouts(home, file.as_str()).await? {
                    Whereabouts::Away(reason) => return Ok(Settled::Away(reason)),
                    Whereabouts::Missing(reason) if self.is_gone(home, item).await? => return Ok(Settled::Away(reason)),
                    Whereabouts::Missing(_) => return Ok(Settled::Missed),
                    Whereabouts::Inbox { entry, parent, below } => {
                        // Another version lies there by now. Where the file goes is for that one to say.
                        if let Some(newer) = self.newer_in_novos(item, &entry, &parent, &below) {
                            return Ok(Settled::There { entry, newer: Some(Box::new(newer)) });
                        }
                        from = parent;
                    }
                    Whereabouts::Filed { entry, role: at, parent } => {
                        let done = at == role && (role != Role::Erro || entry.description.as_deref() == item.reason.as_deref());
                        let newer = self.newer_where_filed(item, &entry, &parent).map(Box::new);
                        if done || newer.is_some() {
                            return Ok(Settled::There { entry, newer });
                        }
                        from = if at == role { to.clone() } else { parent };
                    }
                }
            }
            let change = self.change(item, role, &from, to).await?;
            let error = match self.agent.drive.update(&file, &change).await {
                Ok(entry) if !entry.trashed => {
                    // A version that slipped in meanwhile was moved along unseen: an item of its own, recorded with this step.
                    let newer = self.newer_where_filed(item, &entry, to).map(Box::new);
                    return Ok(Settled::There { entry: Box::new(entry), newer });
                }
                Ok(entry) if entry.explicitly_trashed => {
                    // Thrown away while it was handled, and moved by us all the same: it goes back, so that whoever takes it
                    // out of the trash finds it where it was, and so do we.
                    if from != *to {
                        let back = Change { add_parent: Some(from), remove_parent: Some(to.clone()), ..Change::default() };
                        self.agent.drive.update(&file, &back).await?;
                    }
                    return Ok(Settled::Away("o arquivo foi para a lixeira".into()));
                }
                Ok(_) => return Err(self.destination_lost(home, role, to).await?.into()),
                Err(error) => error,
            };
            match error.kind {
                Kind::Gone | Kind::Refused | Kind::BadRequest if !looked => look = true,
                // The file is there, as a look said: what Drive does not find is the folder.
                Kind::Gone if self.agent.drive.get(to).await?.is_none_or(|folder| folder.trashed) => {
                    return Err(self.destination_lost(home, role, to).await?.into());
                }
                _ => return Err(error.into()),
            }
        }
    }

    async fn change(&self, item: &Item, role: Role, from: &FileId, to: &FileId) -> Result<Change, Failure> {
        let moves = from != to;
        let was_refused = self.is_erro(from).await?;
        Ok(Change {
            add_parent: moves.then(|| to.clone()),
            remove_parent: moves.then(|| from.clone()),
            description: match role {
                Role::Erro => item.reason.clone(),
                // The reason of an earlier refusal is true no more.
                _ if was_refused => Some(String::new()),
                _ => None,
            },
            ..Change::default()
        })
    }

    /// Records that a step has to wait, and why.
    pub(super) async fn put_off(&self, home: &Home, item: &Item, setback: Setback) -> Result<(), Failure> {
        if matches!(&setback, Setback::Here(f) if f.code() == "item_changed") {
            // Somebody else took the step; there is nothing to put off.
            return Ok(());
        }
        let (asked, code) = (setback.retry_after(), setback.code());
        let reason = self.fault(setback, &format!("{}, {}", home.blame(), quoted(&item.sighted.name)));
        let Some(current) = self.agent.ledger.item(&item.id).await?.filter(Item::is_open) else { return Ok(()) };
        let until = super::setback::after_error(self.now(), current.waits, asked);
        self.waits(&current, until, &reason);
        self.agent.ledger.advance(&current, &Act::Wait { until, reason, setback: Some(code) }, None, self.now()).await?;
        Ok(())
    }
}
