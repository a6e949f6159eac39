//! Reconcile: the feed lags and drops entries, so each `novos` is also listed, in rotation. Presence decides.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::StreamExt;
use tracing::Instrument;

use super::about;
use super::cycle::Cycle;
use super::homes::Home;
use super::look::{Whereabouts, novos_gone};
use super::setback::Setback;
use crate::domain::clock::{self, Millis};
use crate::domain::item::{Item, Outcome, State, shown};
use crate::domain::technician::UserId;
use crate::domain::text::shell_word;
use crate::drive::{FileId, Kind};
use crate::error::{Exit, Failure};
use crate::ledger::Source;

/// One rotation takes at least this many cycles once there are many technicians.
const CYCLES_A_ROTATION: usize = 60;
/// The fewest listings a cycle makes when they are due.
const AT_LEAST: usize = 4;

impl Cycle<'_> {
    /// Lists every `novos` that was never listed whole, and a few of those whose turn it is.
    pub(super) async fn reconcile(&self) -> Result<(), Setback> {
        let every = clock::millis(self.agent.settings.watch.reconcile_every);
        let (ledger, now) = (&self.agent.ledger, self.now());
        let in_rotation = (ledger.technician_count().await? / CYCLES_A_ROTATION).max(AT_LEAST);
        let mut users = ledger.unlisted_since(1, u32::MAX, Millis::MAX).await?;
        let due =
            ledger.unlisted_since(now.saturating_sub(every), u32::try_from(users.len() + in_rotation).unwrap_or(u32::MAX), now).await?;
        let more: Vec<UserId> = due.into_iter().filter(|u| !users.contains(u)).take(in_rotation).collect();
        users.extend(more);
        self.list_users(&users).await
    }

    /// Says whose folders are not made, of all or of those who were asked for; fails where that is everybody who was.
    pub(super) async fn name_unmade(&self, of: Option<&[UserId]>) -> Result<(), Setback> {
        let (ledger, layout) = (&self.agent.ledger, &self.agent.settings.layout);
        let lacking = ledger.without_folders(layout).await?;
        if lacking.is_empty() {
            return Ok(());
        }
        // The feed is read on without them: once their folders are there, their novos is listed whole.
        ledger.forget_listings_of(&lacking).await?;
        let Some(unmade) = ledger.unmade(layout, of).await? else { return Ok(()) };
        if of.is_some_and(|of| of.iter().all(|user| unmade.users.contains(user))) {
            return Err(unmade.failure().into());
        }
        self.fault(unmade.failure().into(), "the folders");
        Ok(())
    }

    /// Lists the `novos` of these technicians, several side by side. One technician's trouble does not touch the others; where
    /// the folder of all of them is lost, they are listed once it is back.
    pub(super) async fn list_users(&self, users: &[UserId]) -> Result<(), Setback> {
        futures_util::stream::iter(users)
            .for_each_concurrent(self.agent.settings.watch.concurrency.max(1), |user| async move {
                if self.is_stopped() || self.parent_is_lost() {
                    return;
                }
                let listed = async {
                    match self.home_of(user).await {
                        Ok(Some(home)) => {
                            if let Err(setback) = self.list_home(&home).await {
                                self.fault(setback, &home.blame());
                            }
                        }
                        Ok(None) => {}
                        Err(failure) => _ = self.fault(failure.into(), "the cycle"),
                    }
                };
                listed.instrument(about::technician(user)).await;
            })
            .await;
        Ok(())
    }

    async fn list_home(&self, home: &Arc<Home>) -> Result<(), Setback> {
        let user = &home.technician.user;
        if let Err(why) = self.novos_is_there(home).await {
            // Never listed again counts as never listed: every cycle tries, and says so, until somebody mends it.
            self.agent.ledger.forget_listing(user).await?;
            return Err(why);
        }
        let mut contents = match self.contents(home, &home.novos, "").await {
            Err(Setback::Drive(e)) if e.kind == Kind::Gone => {
                self.agent.ledger.forget_listing(user).await?;
                return Err(self.novos_lost(home, "is gone, or access to it was withdrawn").await);
            }
            other => other?,
        };
        for former in &home.former {
            match self.contents(home, former, "").await {
                Ok(more) => contents.files.extend(more.files),
                Err(Setback::Drive(e)) if e.kind == Kind::Gone => {}
                Err(other) => return Err(other),
            }
        }
        let listed: HashSet<&str> = contents.files.iter().map(|s| s.key.file_id.as_str()).collect();
        let mut certain = true;
        for item in self.agent.ledger.open_items(Some(user)).await? {
            if item.standing.state != State::Judged && !listed.contains(item.sighted.key.file_id.as_str()) {
                certain &= self.look_for(&item).instrument(about::item(&item)).await?;
            }
        }
        let source = if certain { Source::Listing { user } } else { Source::Glance };
        self.take_in(&contents.files, source).await
    }

    /// The children of a folder in the trash are listed as none, without a word: the folder itself has to be looked at.
    async fn novos_is_there(&self, home: &Home) -> Result<(), Setback> {
        match self.agent.drive.get(&home.novos).await? {
            None => Err(self.novos_lost(home, "is gone, or access to it was withdrawn").await),
            Some(novos) if novos.explicitly_trashed => Err(novos_gone(home, "is in the trash").into()),
            Some(novos) if novos.trashed => Err(self.novos_lost(home, "is in the trash").await),
            Some(_) => Ok(()),
        }
    }

    /// Looks at one file somebody named.
    pub(super) async fn glance(&self, file: &FileId) -> Result<(), Setback> {
        let unknown = |why: &str| {
            Failure::new(Exit::Data, "file_unknown", format!("the file {file} {why}"))
                .hint("`tecnico process USER` takes everything in a novos")
        };
        // Whose it is only the folder it lies in says; any home serves for asking.
        let Some(any) = self.any_home().await? else {
            let unmade = self.agent.ledger.unmade(&self.agent.settings.layout, None).await?;
            return Err(unmade.map_or_else(|| unknown("is nobody's: there are no technicians"), |u| u.failure()).into());
        };
        match self.whereabouts(&any, file.as_str()).await? {
            Whereabouts::Inbox { entry, parent, below } => {
                let Some(place) = self.place(parent.as_str()).await? else { return Ok(()) };
                self.take_glance(self.sight(&entry, &place.home.technician.user, parent.as_str(), &below)).await
            }
            Whereabouts::Filed { .. } | Whereabouts::Away(_) | Whereabouts::Missing(_) => {
                let known = self.agent.ledger.items_of_file(file.as_str()).await?.pop();
                self.note_ended(&known.ok_or_else(|| unknown("does not lie in the novos of any technician"))?);
                Ok(())
            }
        }
    }

    /// There is nothing to do for a file that was named: where it ended, and what sends it through again.
    fn note_ended(&self, item: &Item) {
        let how = match item.standing.outcome.filter(|_| !item.is_open()) {
            None => return,
            Some(Outcome::Processado) => "has been processed".to_owned(),
            Some(Outcome::Erro) => {
                format!("is in erro: `tecnico retry --file {}` sends it through again", shell_word(&item.sighted.key.file_id))
            }
            Some(Outcome::Retirado) => "was taken out of novos".to_owned(),
        };
        self.note(format!("{} {how}", shown(&item.sighted.name)));
    }

    async fn any_home(&self) -> Result<Option<Arc<Home>>, Failure> {
        for technician in self.agent.ledger.technicians().await? {
            if let Some(home) = self.home_of(&technician.user).await? {
                return Ok(Some(home));
            }
        }
        Ok(None)
    }
}
