//! Folders dropped into a `novos`: their files are work orders too, and what is left of them is moved on, never deleted.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tracing::Instrument;

use super::about;
use super::cycle::{Cycle, Scope};
use super::homes::Home;
use super::look::novos_gone;
use super::setback::Setback;
use crate::config::settings::FolderPolicy;
use crate::domain::clock;
use crate::domain::folder::Role;
use crate::domain::item::Sighted;
use crate::domain::technician::UserId;
use crate::domain::text::visible;
use crate::drive::{Change, Entry, FeedEntry, FileId, Query};
use crate::error::Failure;
use crate::ledger::{DroppedFolder, Source};

/// What lies in a folder and the folders inside it.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The files that are work orders.
    pub files: Vec<Sighted>,
    /// How many other things there are: files to be ignored are none.
    pub folders: usize,
}

impl Cycle<'_> {
    /// What a feed says of a folder (or of something that is gone, which may have been one).
    pub(super) async fn take_folder_change(&self, change: &FeedEntry) -> Result<(), Setback> {
        let id = change.file_id.as_str();
        let here = change.entry.as_ref().filter(|e| !e.trashed);
        if here.is_none()
            && let Some(user) = self.above_novos_of(id).await?
        {
            // This cycle lists their novos, and says what it finds.
            return Ok(self.agent.ledger.forget_listing(&user).await?);
        }
        if let Some(place) = self.place(id).await? {
            return match (place.dropped, here) {
                (None, Some(_)) => Ok(()),
                (None, None) if place.home.novos.as_str() != id => Ok(()),
                (None, None) => {
                    self.agent.ledger.forget_listing(&place.home.technician.user).await?;
                    let how = "is in the trash, or access to it was withdrawn";
                    let alone = change.entry.as_ref().is_some_and(|e| e.explicitly_trashed);
                    let why = if alone { novos_gone(&place.home, how).into() } else { self.novos_lost(&place.home, how).await };
                    about::technician(&place.home.technician.user).in_scope(|| self.fault(why, &place.home.blame()));
                    Ok(())
                }
                (Some(folder), Some(entry)) if self.place_of(entry).await?.is_some() => {
                    let moved = !entry.parents.iter().any(|p| p.as_str() == folder.parent_id);
                    self.take_folder(&place.home, entry, moved || folder.ended_at.is_some()).await
                }
                (Some(folder), _) if folder.ended_at.is_some() => Ok(()),
                (Some(folder), _) => self.folder_left(&folder).await,
            };
        }
        if here.is_none() {
            return self.may_hold_everybody(change).await;
        }
        let Some(entry) = here.filter(|e| e.is_folder() && !self.shared.policy.ignores(&e.name)) else { return Ok(()) };
        match self.place_of(entry).await? {
            Some((place, _)) => self.take_folder(&place.home, entry, true).await,
            None => Ok(()),
        }
    }

    /// A folder that lies in a `novos`: refused whole, or its files are found.
    async fn take_folder(&self, home: &Arc<Home>, entry: &Entry, note: bool) -> Result<(), Setback> {
        if self.shared.policy.folders == FolderPolicy::Reject {
            let Some((place, parent)) = self.place_of(entry).await? else { return Ok(()) };
            let seen = self.sight(entry, &home.technician.user, parent.as_str(), &place.below);
            return self.take_in(&[seen], Source::Glance).await;
        }
        if note {
            self.note_dropped(home, entry).await?;
        }
        let Some(place) = self.place(entry.id.as_str()).await? else { return Ok(()) };
        let contents = self.contents(home, &entry.id, &place.below).await?;
        self.take_in(&contents.files, Source::Glance).await
    }

    /// Records a dropped folder, or where it is now.
    pub(super) async fn note_dropped(&self, home: &Arc<Home>, entry: &Entry) -> Result<(), Failure> {
        let Some((place, parent)) = self.place_of(entry).await? else { return Ok(()) };
        let below = if place.below.is_empty() { entry.name.clone() } else { format!("{}/{}", place.below, entry.name) };
        let (user, parent_id) = (home.technician.user.clone(), parent.to_string());
        let folder = DroppedFolder { id: entry.id.to_string(), user, parent_id, below, seen_at: self.now(), ended_at: None };
        let unchanged = self
            .place(&folder.id)
            .await?
            .and_then(|p| p.dropped)
            .is_some_and(|known| (&known.parent_id, &known.below, known.ended_at) == (&folder.parent_id, &folder.below, None));
        if !unchanged {
            self.agent.ledger.folders_dropped(std::slice::from_ref(&folder)).await?;
            self.know_dropped(home, folder);
        }
        Ok(())
    }

    /// A dropped folder was taken back by somebody: so were the files in it, unless a look says otherwise.
    async fn folder_left(&self, folder: &DroppedFolder) -> Result<(), Setback> {
        let inside: HashSet<String> = {
            let below = format!("{}/", folder.below);
            let theirs = self.agent.ledger.dropped_folders(Some(&folder.user)).await?;
            theirs.into_iter().filter(|d| d.id == folder.id || d.below.starts_with(&below)).map(|d| d.id).collect()
        };
        self.agent.ledger.dropped_folder_taken_back(folder).await?;
        for id in &inside {
            self.know_gone(id);
        }
        for item in self.agent.ledger.open_items(Some(&folder.user)).await? {
            if inside.contains(&item.sighted.parent_id) {
                self.look_for(&item).instrument(about::item(&item)).await?;
            }
        }
        Ok(())
    }

    /// Lists a folder and everything below it. Folders on the way are recorded before their files are.
    pub(super) async fn contents(&self, home: &Arc<Home>, root: &FileId, below: &str) -> Result<Contents, Setback> {
        let mut contents = Contents::default();
        let mut seen = HashSet::from([root.clone()]);
        let mut waiting = vec![(root.clone(), below.to_owned())];
        while let Some((folder, below)) = waiting.pop() {
            for entry in self.agent.drive.list(&Query::children_of(&folder).trashed(false)).await? {
                if self.shared.policy.ignores(&entry.name) || entry.trashed {
                    continue;
                }
                if !entry.is_folder() || self.shared.policy.folders == FolderPolicy::Reject {
                    contents.files.push(self.sight(&entry, &home.technician.user, folder.as_str(), &below));
                } else if seen.insert(entry.id.clone()) {
                    contents.folders += 1;
                    self.note_dropped(home, &entry).await?;
                    if let Some(inner) = self.place(entry.id.as_str()).await? {
                        waiting.push((entry.id, inner.below));
                    }
                }
            }
        }
        // Drive gives no order; the oldest first is the order of arrival as well as it can be known.
        contents.files.sort_by(|a, b| a.not_before.cmp(&b.not_before).then_with(|| a.name.cmp(&b.name)));
        Ok(contents)
    }

    /// Moves dropped folders on whose files have all been filed away: whole, with the empty folders inside, to `processados`.
    pub(super) async fn move_emptied_folders(&self) -> Result<(), Setback> {
        if matches!(self.plan.scope, Scope::File(_)) {
            return Ok(());
        }
        let mut dropped: BTreeMap<UserId, Vec<DroppedFolder>> = BTreeMap::new();
        for folder in self.agent.ledger.dropped_folders(None).await? {
            dropped.entry(folder.user.clone()).or_default().push(folder);
        }
        for (user, folders) in dropped {
            if matches!(&self.plan.scope, Scope::Users(users) if !users.contains(&user)) {
                continue;
            }
            let Some(home) = self.home_of(&user).await? else { continue };
            for root in folders.iter().filter(|f| f.parent_id == home.novos.as_str()) {
                if self.is_stopped() {
                    return Ok(());
                }
                let moved = async {
                    if let Err(setback) = self.move_if_emptied(&home, root, &folders).await {
                        self.fault(setback, &home.blame());
                    }
                };
                moved.instrument(about::technician(&user)).await;
            }
        }
        Ok(())
    }

    async fn move_if_emptied(&self, home: &Arc<Home>, root: &DroppedFolder, folders: &[DroppedFolder]) -> Result<(), Setback> {
        let below = format!("{}/", root.below);
        let (mut all, mut open, mut last) = (0, 0, None);
        for folder in folders.iter().filter(|f| f.id == root.id || f.below.starts_with(&below)) {
            let (in_it, open_in_it, last_in_it) = self.agent.ledger.items_in(&folder.id).await?;
            (all, open, last) = (all + in_it, open + open_in_it, last.max(last_in_it));
        }
        let settle = clock::millis(self.agent.settings.watch.settle);
        // A folder that never held a work order is somebody's beginning; it stays.
        if all == 0 || open > 0 || last.is_some_and(|at| at + settle > self.now()) {
            return Ok(());
        }
        let id = super::homes::id(&root.id)?;
        if !self.contents(home, &id, &root.below).await?.files.is_empty() {
            return Ok(());
        }
        let to = self.destination(home, Role::Processados, self.now()).await?;
        let change = Change { add_parent: Some(to), remove_parent: Some(home.novos.clone()), ..Change::default() };
        self.agent.drive.update(&id, &change).await?;
        self.agent.ledger.dropped_folder_ended(root, self.now()).await?;
        tracing::info!(folder = %visible(&root.below), "emptied folder moved to processados");
        Ok(())
    }
}
