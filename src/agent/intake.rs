//! Intake: what Drive's change feeds say, page by page, each page and its token in one transaction.

use std::collections::HashSet;

use tracing::Instrument;

use super::about;
use super::cycle::Cycle;
use super::setback::Setback;
use crate::domain::item::{Item, Sighted, State};
use crate::domain::technician::UserId;
use crate::drive::{ChangePage, Entry, FeedEntry, FileId, Kind};
use crate::error::{Exit, Failure};
use crate::ledger::{Intake, Source};

impl Cycle<'_> {
    /// Reads every feed to its end.
    pub(super) async fn intake(&self) -> Result<(), Setback> {
        self.read_feed("user", None).await?;
        if let Some(drive) = self.agent.drive.shared_drive_id().cloned() {
            self.read_feed(&format!("drive:{drive}"), Some(&drive)).await?;
        }
        Ok(())
    }

    async fn read_feed(&self, feed: &str, drive: Option<&FileId>) -> Result<(), Setback> {
        let Some(mut token) = self.agent.ledger.feed_token(feed).await? else {
            return self.begin_feed(feed, drive).await;
        };
        loop {
            let page = match self.agent.drive.changes(&token, drive).await {
                Ok(page) => page,
                Err(e) if e.kind == Kind::BadToken => {
                    self.note(format!("Drive rejects the token of the change feed {feed:?}: beginning anew, every novos is listed"));
                    return self.begin_feed(feed, drive).await;
                }
                Err(e) => return Err(e.into()),
            };
            let next = page.next.clone().or(page.new_start.clone()).unwrap_or_default();
            if page.next.as_ref() == Some(&token) {
                let why = "the change feed turns in a circle";
                return Err(Failure::new(Exit::Unavailable, "feed_circles", why).hint("it is read again in the next cycle").into());
            }
            self.take_page(feed, &page, &next).await?;
            if page.next.is_none() {
                return Ok(());
            }
            token = next;
        }
    }

    /// The start token is recorded before the first listing, so that nothing falls between the two (4.26).
    async fn begin_feed(&self, feed: &str, drive: Option<&FileId>) -> Result<(), Setback> {
        let token = self.agent.drive.start_token(drive).await?;
        self.agent.ledger.restart_feed(feed, &token, self.now()).await?;
        Ok(())
    }

    /// Everything of a page is done or recorded before the token moves on: after a crash the page is read again.
    async fn take_page(&self, feed: &str, page: &ChangePage, next: &str) -> Result<(), Setback> {
        let open: Vec<Item> = self.agent.ledger.open_items(None).await?;
        let open_files: HashSet<&str> =
            open.iter().filter(|i| i.standing.state != State::Judged).map(|i| i.sighted.key.file_id.as_str()).collect();
        // Folders first: the files of this page may lie in them.
        for change in page.changes.iter().filter(|c| c.entry.as_ref().is_none_or(Entry::is_folder)) {
            let user = self.user_of(change).await?;
            let span = user.as_ref().map_or_else(tracing::Span::none, about::technician);
            self.or_listed_later(self.take_folder_change(change).instrument(span).await, user.as_ref()).await?;
        }
        let mut seen: Vec<Sighted> = Vec::new();
        for change in &page.changes {
            match self.sighting(change).await? {
                Some(sighted) => seen.push(sighted),
                None if open_files.contains(change.file_id.as_str()) => {
                    for item in open.iter().filter(|i| i.sighted.key.file_id == change.file_id.as_str()) {
                        let looked = self.look_for(item).instrument(about::item(item)).await;
                        self.or_listed_later(looked.map(|_| ()), Some(&item.sighted.user)).await?;
                    }
                }
                None if self.is_filed(change).await? => self.note_new_name(change).await?,
                None => {}
            }
        }
        self.take_in(&seen, Source::Feed { feed, token: next }).await
    }

    /// A trouble with one file or folder of a page keeps nobody else's from being taken: its technician's `novos` is
    /// listed in the next cycle instead. A trouble that every call would meet keeps the page from being passed.
    async fn or_listed_later(&self, done: Result<(), Setback>, user: Option<&UserId>) -> Result<(), Setback> {
        match (done, user) {
            (Err(setback), Some(user)) if !setback.halts() => {
                self.agent.ledger.forget_listing(user).await?;
                let blame = self.home_of(user).await?.map_or_else(|| format!("technician {user}"), |home| home.blame());
                about::technician(user).in_scope(|| self.fault(setback, &blame));
                Ok(())
            }
            (done, _) => done,
        }
    }

    /// Records what was seen. Files that had ended and lie in `novos` again are taken up again before that: once the source
    /// has moved on, nothing would say so a second time.
    pub(super) async fn take_in(&self, seen: &[Sighted], source: Source<'_>) -> Result<(), Setback> {
        let mut certain = true;
        for sighted in seen {
            let Some(item) = self.agent.ledger.item(&sighted.key.item_id()).await?.filter(|i| !i.is_open()) else { continue };
            let Some(_held) = self.shared.hands.take(&sighted.key.file_id) else {
                // Filed a moment ago, or another version of it is being handled: looked at once that is done.
                self.agent.ledger.forget_listing(&item.sighted.user).await?;
                certain = false;
                continue;
            };
            let looked = self.check_returned(&item).instrument(about::item(&item)).await;
            certain &= looked.is_ok();
            self.or_listed_later(looked, Some(&item.sighted.user)).await?;
        }
        // A listing of which something is still to be looked at does not count as one.
        let source = if certain || !matches!(source, Source::Listing { .. }) { source } else { Source::Glance };
        let taken = self.agent.ledger.found(seen, source, self.now()).await?;
        for intake in &taken {
            if let Intake::New(item) = intake {
                self.note_found(item);
            }
        }
        Ok(())
    }

    /// Whether a change is about a file that lies where we filed it.
    async fn is_filed(&self, change: &FeedEntry) -> Result<bool, Failure> {
        let Some(entry) = change.entry.as_ref().filter(|e| !e.trashed && !e.is_folder()) else { return Ok(false) };
        Ok(self.end_of(entry).await?.is_some())
    }

    /// Whoever renames a filed file asks for it by the new name.
    async fn note_new_name(&self, change: &FeedEntry) -> Result<(), Failure> {
        let Some(entry) = &change.entry else { return Ok(()) };
        let versions = self.agent.ledger.items_of_file(change.file_id.as_str()).await?;
        let Some(newest) = versions.last().filter(|i| !i.is_open()) else { return Ok(()) };
        if newest.renamed_to.as_ref().unwrap_or(&newest.sighted.name) != &entry.name {
            self.agent.ledger.renamed(newest, &entry.name, self.now()).await?;
        }
        Ok(())
    }

    /// A file in a place of ours, with nothing asked of Drive.
    async fn sighting(&self, change: &FeedEntry) -> Result<Option<Sighted>, Failure> {
        let Some(entry) = change.entry.as_ref().filter(|e| !e.trashed && !e.is_folder() && !self.shared.policy.ignores(&e.name)) else {
            return Ok(None);
        };
        let found = self.place_of(entry).await?;
        Ok(found.map(|(place, parent)| self.sight(entry, &place.home.technician.user, parent.as_str(), &place.below)))
    }

    /// What came of recording another version together with a step.
    pub(super) async fn after_newer(&self, found: Option<Intake>) -> Result<(), Setback> {
        match found {
            Some(Intake::Ended(item)) => self.check_returned(&item).await?,
            Some(Intake::New(item)) => self.note_found(&item),
            Some(Intake::Open(_)) | None => {}
        }
        Ok(())
    }
}
