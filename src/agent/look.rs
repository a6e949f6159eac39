//! Looking at one file on Drive before anything is concluded from a feed or listing that may lag.

use super::cycle::Cycle;
use super::homes::Home;
use super::setback::Setback;
use super::sight;
use crate::domain::folder::Role;
use crate::domain::item::{Act, Item, Outcome, Sighted, State};
use crate::drive::{Entry, FileId};
use crate::error::{Exit, Failure};
use crate::ledger::{Intake, Source};

/// How many unknown folders are climbed from a file towards a known one.
const CLIMB: usize = 20;

/// Where a file is.
#[derive(Debug)]
pub(super) enum Whereabouts {
    /// In a `novos`, or a folder dropped into one: the folder's id and its path below `novos`.
    Inbox {
        /// As it is now.
        entry: Box<Entry>,
        /// The folder it lies in.
        parent: FileId,
        /// That folder below `novos`.
        below: String,
    },
    /// In `processados` or `erro`, or a sub-folder of theirs.
    Filed {
        /// As it is now.
        entry: Box<Entry>,
        /// Which of the two.
        role: Role,
        /// The folder it lies in.
        parent: FileId,
    },
    /// Not ours any more; why, in words for a technician.
    Away(String),
    /// Drive does not find it: gone, or forgotten for a moment. What it is called once it is certain.
    Missing(String),
}

/// What the folders above a file say.
enum Climbed {
    /// It lies in this folder dropped into a `novos`, at this path below it.
    To(FileId, String),
    /// It lies elsewhere.
    Outside,
    /// Drive does not find a folder on the way.
    Lost,
}

impl Cycle<'_> {
    /// Where the file of an item is now. A `novos` that is in the trash itself is a failure, not the end of its files.
    pub(super) async fn whereabouts(&self, home: &Home, file_id: &str) -> Result<Whereabouts, Setback> {
        let Some(entry) = self.agent.drive.get(&super::homes::id(file_id)?).await? else {
            return Ok(Whereabouts::Missing("o arquivo foi apagado, ou o acesso a ele foi retirado".into()));
        };
        let filed = self.end_of(&entry).await?;
        if let (Some((role, parent)), true) = (&filed, entry.explicitly_trashed) {
            // Its owner threw it away where we had put it: that comes after the filing.
            return Ok(Whereabouts::Filed { role: *role, parent: parent.clone(), entry: Box::new(entry) });
        }
        if entry.trashed {
            if !entry.explicitly_trashed && self.agent.drive.get(&home.novos).await?.is_none_or(|novos| novos.trashed) {
                return Err(self.novos_lost(home, "is in the trash").await);
            }
            return Ok(Whereabouts::Away("o arquivo foi para a lixeira".into()));
        }
        if let Some((place, parent)) = self.place_of(&entry).await? {
            return Ok(Whereabouts::Inbox { parent, below: place.below, entry: Box::new(entry) });
        }
        if let Some((role, parent)) = filed {
            return Ok(Whereabouts::Filed { role, parent, entry: Box::new(entry) });
        }
        let outside = "o arquivo foi movido para fora da pasta novos";
        Ok(match self.climb(&entry).await? {
            Climbed::To(parent, below) => Whereabouts::Inbox { parent, below, entry: Box::new(entry) },
            Climbed::Outside => Whereabouts::Away(outside.into()),
            Climbed::Lost => Whereabouts::Missing(outside.into()),
        })
    }

    /// Whether the folder an entry lies in is one dropped into a `novos` that nobody has told us of yet.
    async fn climb(&self, entry: &Entry) -> Result<Climbed, Setback> {
        let Some(first) = entry.parents.first().cloned() else { return Ok(Climbed::Outside) };
        let mut chain: Vec<Entry> = Vec::new();
        let mut at = first.clone();
        for _ in 0..CLIMB {
            let Some(folder) = self.agent.drive.get(&at).await? else { return Ok(Climbed::Lost) };
            if !folder.is_folder() || folder.trashed {
                return Ok(Climbed::Outside);
            }
            let above = self.place_of(&folder).await?.map(|(place, _)| place.home);
            let next = folder.parents.first().cloned();
            chain.push(folder);
            if let Some(home) = above {
                for folder in chain.iter().rev() {
                    self.note_dropped(&home, folder).await?;
                }
                let place = self.place(first.as_str()).await?;
                return Ok(place.map_or(Climbed::Outside, |place| Climbed::To(first, place.below)));
            }
            match next {
                Some(parent) => at = parent,
                None => return Ok(Climbed::Outside),
            }
        }
        Ok(Climbed::Outside)
    }

    /// [`Cycle::check_still_there`] for a look beside the work. `false` where somebody has the file in hand and finds out by
    /// working on it: its technician's `novos` is listed in the next look, which ends in the same unless it was found out.
    pub(super) async fn look_for(&self, item: &Item) -> Result<bool, Setback> {
        let Some(_held) = self.shared.hands.take(&item.sighted.key.file_id) else {
            self.agent.ledger.forget_listing(&item.sighted.user).await?;
            return Ok(false);
        };
        self.check_still_there(item).await?;
        Ok(true)
    }

    /// An item whose file a feed or listing no longer shows where it was: withdrawn if it is really gone, noted where it is.
    pub(super) async fn check_still_there(&self, item: &Item) -> Result<(), Setback> {
        let Some(home) = self.home_of(&item.sighted.user).await? else { return Ok(()) };
        // By now it may have taken a step; a verdict is carried out by filing it away, which looks for itself.
        let Some(item) = self.agent.ledger.item(&item.id).await?.filter(|i| matches!(i.standing.state, State::Found | State::Fetched))
        else {
            return Ok(());
        };
        match self.whereabouts(&home, &item.sighted.key.file_id).await {
            Ok(Whereabouts::Away(reason)) => self.withdraw(&home, &item, &reason, None).await,
            Ok(Whereabouts::Missing(reason)) => {
                if self.is_gone(&home, &item).await? {
                    self.withdraw(&home, &item, &reason, None).await?;
                }
                Ok(())
            }
            Ok(Whereabouts::Inbox { entry, parent, below }) => {
                let seen = self.sight(&entry, &item.sighted.user, parent.as_str(), &below);
                self.take_glance(seen).await
            }
            Ok(Whereabouts::Filed { .. }) => Ok(()),
            // One technician's trouble does not keep the others' pages from being read.
            Err(Setback::Here(failure)) if failure.code() == "novos_gone" => {
                self.agent.ledger.forget_listing(&item.sighted.user).await?;
                self.fault(failure.into(), &home.blame());
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    /// An item that had ended and is said to lie in `novos`: taken up again where that is so.
    pub(super) async fn check_returned(&self, item: &Item) -> Result<(), Setback> {
        let Some(home) = self.home_of(&item.sighted.user).await? else { return Ok(()) };
        let (entry, parent, below) = match self.whereabouts(&home, &item.sighted.key.file_id).await? {
            Whereabouts::Inbox { entry, parent, below } => (entry, parent, below),
            // What said that it is back is not read again: the next cycle lists everything.
            Whereabouts::Missing(_) => return Ok(self.agent.ledger.forget_listing(&item.sighted.user).await?),
            Whereabouts::Away(_) | Whereabouts::Filed { .. } => return Ok(()),
        };
        let seen = self.sight(&entry, &item.sighted.user, parent.as_str(), &below);
        if seen.key == item.sighted.key {
            self.agent.ledger.advance(item, &Act::Returned, None, self.now()).await?;
        }
        self.note_found(item);
        // Notes a new name or folder; another version is another item.
        for intake in self.agent.ledger.found(&[seen], Source::Glance, self.now()).await? {
            if let Intake::Ended(other) = intake {
                self.agent.ledger.advance(&other, &Act::Returned, None, self.now()).await?;
            }
        }
        Ok(())
    }

    /// Records one file that was looked at.
    pub(super) async fn take_glance(&self, seen: Sighted) -> Result<(), Setback> {
        let taken = self.agent.ledger.found(&[seen], Source::Glance, self.now()).await?;
        for intake in taken {
            match intake {
                Intake::New(item) => self.note_found(&item),
                Intake::Ended(item) => {
                    self.agent.ledger.advance(&item, &Act::Returned, None, self.now()).await?;
                    self.note_found(&item);
                }
                Intake::Open(_) => {}
            }
        }
        Ok(())
    }

    /// Ends an item whose file is not ours to handle any more. What was fetched goes to the local `erro`: nothing is deleted.
    pub(super) async fn withdraw(&self, home: &Home, item: &Item, reason: &str, newer: Option<&Sighted>) -> Result<(), Setback> {
        let local_path = self.put_away_withdrawn(home, item).await?;
        let reason = format!("{reason}, {}", when_taken_back(item));
        let mut told = item.clone();
        told.reason = Some(reason.clone());
        told.standing.outcome = Some(Outcome::Retirado);
        let event = self.event_for(home, &told);
        let act = Act::Withdrawn { reason, local_path };
        let (ended, found) = self.agent.ledger.advance_and_find(item, &act, event.as_ref(), newer, self.now()).await?;
        self.ended(&ended);
        Box::pin(self.after_newer(found)).await
    }

    /// The sighting of a version of an item's file other than the item's, in a `novos`; `None` where the entry is the item's.
    pub(super) fn newer_in_novos(&self, item: &Item, entry: &Entry, parent: &FileId, below: &str) -> Option<Sighted> {
        let has_versions = entry.head_revision.is_some() || entry.is_google_doc();
        (has_versions && sight::version(entry) != item.sighted.key.version)
            .then(|| self.sight(entry, &item.sighted.user, parent.as_str(), below))
    }

    /// The same where the file is filed. A document may have got another version by that alone, so none is told of it.
    pub(super) fn newer_where_filed(&self, item: &Item, entry: &Entry, parent: &FileId) -> Option<Sighted> {
        if entry.is_google_doc() { None } else { self.newer_in_novos(item, entry, parent, "") }
    }
}

/// How far an item had come when its owner took it back.
fn when_taken_back(item: &Item) -> String {
    match (item.standing.outcome, &item.reason) {
        (Some(Outcome::Erro), Some(why)) => format!("depois de recusado ({why}) e antes de ser arquivado"),
        (Some(Outcome::Erro), None) => "depois de recusado e antes de ser arquivado".to_owned(),
        (Some(_), _) => "depois de processado e antes de ser arquivado".to_owned(),
        (None, _) => "antes de ser processado".to_owned(),
    }
}

/// A `novos` that cannot be worked with.
pub(super) fn novos_gone(home: &Home, how: &str) -> Failure {
    let user = &home.technician.user;
    Failure::new(Exit::Refused, "novos_gone", format!("{}: the folder novos on Drive {how}", home.blame()))
        .hint(format!("`tecnico check {user} --repair`; nothing in it is lost"))
}
