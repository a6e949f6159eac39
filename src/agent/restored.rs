//! After `tecnico ledger restore`: what the backup had under way may have come to its end since. Drive is asked before
//! anything is done with it: a file that lies where it was filed stays there, and no program runs again.

use std::sync::Arc;

use futures_util::{TryStreamExt, stream};
use tracing::Instrument;

use super::about;
use super::cycle::Cycle;
use super::destination;
use super::fetch::SUPERSEDED;
use super::homes::Home;
use super::look::Whereabouts;
use super::recall::Copies;
use super::setback::Setback;
use crate::domain::folder::Role;
use crate::domain::item::{Act, Item, State, Verdict};
use crate::drive::Entry;
use crate::error::Failure;

impl Cycle<'_> {
    /// Looks where the files are that a restored backup had under way.
    pub(super) async fn look_for_restored(&self) -> Result<(), Setback> {
        let (items, now) = (self.agent.ledger.to_recheck().await?, self.now());
        let due = items.into_iter().filter(|i| self.concerns(i) && (i.missing_since.is_none() || i.next_attempt_at <= now));
        let most = self.agent.settings.watch.concurrency.max(1);
        stream::iter(due.map(Ok))
            .try_for_each_concurrent(most, |item| async move {
                let span = about::item(&item);
                self.look_for_one(item).instrument(span).await
            })
            .await
    }

    async fn look_for_one(&self, item: Item) -> Result<(), Setback> {
        let Some(home) = self.home_of(&item.sighted.user).await?.filter(|_| !self.is_stopped()) else { return Ok(()) };
        let Some(_held) = self.shared.hands.take(&item.sighted.key.file_id) else { return Ok(()) };
        let Some(item) = self.agent.ledger.item(&item.id).await?.filter(Item::is_open) else { return Ok(()) };
        match self.settle_restored(&home, &item).await {
            Ok(true) => self.agent.ledger.rechecked(&item).await?,
            Ok(false) => {}
            Err(setback) => self.put_off(&home, &item, setback).await?,
        }
        Ok(())
    }

    /// Whether it is known by now what became of it.
    async fn settle_restored(&self, home: &Arc<Home>, item: &Item) -> Result<bool, Setback> {
        let reason = match self.whereabouts(home, &item.sighted.key.file_id).await? {
            Whereabouts::Inbox { .. } => return Ok(true),
            Whereabouts::Filed { entry, role, parent } => {
                let is_this = self.newer_where_filed(item, &entry, &parent).is_none();
                // Asked to be tried again, and not yet: it lies in erro from before.
                if is_this && role == Role::Erro && self.agent.ledger.is_tried_again(item).await? {
                    return Ok(true);
                }
                if is_this {
                    let at = self.local_copy(home, item, role).await?;
                    return self.end_as_filed(item, role, at, Some(&entry)).await.map(|()| true);
                }
                SUPERSEDED.to_owned()
            }
            Whereabouts::Away(reason) => reason,
            Whereabouts::Missing(reason) => match self.filed_copy(home, item).await? {
                Some(_) => reason,
                None if self.is_gone(home, item).await? => reason,
                None => return Ok(false),
            },
        };
        // Somebody has moved or replaced it since: where it had been filed, the copy says.
        match self.filed_copy(home, item).await? {
            Some(at) => self.end_as_filed(item, Role::Processados, Some(at), None).await?,
            None => self.withdraw(home, item, &reason, None).await?,
        }
        Ok(true)
    }

    async fn end_as_filed(&self, item: &Item, role: Role, local_path: Option<String>, entry: Option<&Entry>) -> Result<(), Setback> {
        let verdict = if role == Role::Processados { Verdict::Processado } else { Verdict::Erro };
        let said = entry.and_then(|e| e.description.clone()).filter(|d| role == Role::Erro && !d.is_empty());
        let act = Act::FiledBefore { verdict, reason: said, local_path };
        let mut told = item.clone();
        told.apply(&act, self.now()).map_err(|why| Failure::new(crate::error::Exit::Bug, "illegal_step", why.to_string()))?;
        let Some(home) = self.home_of(&item.sighted.user).await? else { return Ok(()) };
        let event = self.event_for(&home, &told);
        let ended = self.agent.ledger.advance(item, &act, event.as_ref(), self.now()).await?;
        self.ended(&ended);
        Ok(())
    }

    /// The local copy of a file that lies in `role` on Drive; one that is still in `novos` follows it.
    async fn local_copy(&self, home: &Arc<Home>, item: &Item, role: Role) -> Result<Option<String>, Setback> {
        if let Some(at) = self.copy_in(home, item, role).await? {
            return Ok(Some(at));
        }
        let mut item = item.clone();
        if item.local_path.is_none() && item.standing.state == State::Found {
            item.local_path = self.take_stray(home, &item).await?.map(|copy| copy.path);
        }
        self.put_away(home, &item, role).await
    }

    /// The local copy of a file that had been accepted. One in `erro` may have been taken back.
    async fn filed_copy(&self, home: &Arc<Home>, item: &Item) -> Result<Option<String>, Setback> {
        self.copy_in(home, item, Role::Processados).await
    }

    /// A copy with the item's content in the local folder of `role`, never one that is another item's.
    async fn copy_in(&self, home: &Arc<Home>, item: &Item, role: Role) -> Result<Option<String>, Setback> {
        let layout = &self.agent.settings.layout;
        let own = destination::path(layout, role, item.found_at);
        let mut copies = Copies::of_tree(home.tree.clone());
        while let Some(at) = copies.take(&[&own, layout.path_of(role)], &item.sighted).await? {
            if self.agent.ledger.holder_of(&item.sighted.user, &at, &item.id).await?.is_none() {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}
