//! The folder that everybody's tree lies in: what happens to it happens to all of them, and the feed need not say so of each
//! (drive-v3-behaviour 4.20).

use super::cycle::Cycle;
use super::homes::Home;
use super::look::novos_gone;
use super::setback::Setback;
use crate::drive::{FeedEntry, FileId, parent_not_found, parent_trashed};
use crate::error::{Exit, Failure};

/// How Drive has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    There,
    Trashed,
    NotFound,
}

impl Cycle<'_> {
    /// A folder that is not ours is in the trash or gone: where the parent folder went with it, everybody's `novos` is looked
    /// at in this cycle and in every later one, until it is back and they have been listed.
    pub(super) async fn may_hold_everybody(&self, change: &FeedEntry) -> Result<(), Setback> {
        let is_parent = change.file_id.as_str() == self.agent.settings.drive.parent_folder_id;
        if (is_parent || change.entry.is_some())
            && let Some(failure) = self.trouble_with(self.parent().await?)
        {
            self.agent.ledger.forget_listings().await?;
            self.fault(failure.into(), "the cycle");
        }
        Ok(())
    }

    /// Why a `novos` cannot be worked with: it alone is gone, or all are.
    pub(super) async fn novos_lost(&self, home: &Home, how: &str) -> Setback {
        match self.parent().await {
            Ok(parent) => self.trouble_with(parent).unwrap_or_else(|| novos_gone(home, how)).into(),
            Err(setback) => setback,
        }
    }

    fn trouble_with(&self, parent: Parent) -> Option<Failure> {
        let id = &self.agent.settings.drive.parent_folder_id;
        match parent {
            Parent::There => None,
            Parent::Trashed => Some(
                parent_trashed(id)
                    .hint("take it out of the trash in Drive, which empties itself after 30 days; the next cycle goes on by itself"),
            ),
            Parent::NotFound => Some(parent_not_found(id, &self.agent.drive.account())),
        }
    }

    /// Whether no `novos` can be expected to be there. One that this account cannot see may hold trees that it can.
    pub(super) fn parent_is_lost(&self) -> bool {
        self.homes().parent == Some(Parent::Trashed)
    }

    /// Asked once a look.
    async fn parent(&self) -> Result<Parent, Setback> {
        let known = { self.homes().parent };
        if let Some(known) = known {
            return Ok(known);
        }
        let id = FileId::new(self.agent.settings.drive.parent_folder_id.as_str())
            .map_err(|e| Failure::new(Exit::Config, "config_wrong", format!("drive.parent_folder_id: {e}")))?;
        let parent = match self.agent.drive.get(&id).await? {
            None => Parent::NotFound,
            Some(folder) if folder.trashed => Parent::Trashed,
            Some(_) => Parent::There,
        };
        self.homes().parent = Some(parent);
        Ok(parent)
    }
}
