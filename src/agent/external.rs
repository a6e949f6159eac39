//! External mode: another program takes the local file from `novos` and moves it to `processados` or `erro`.
//! The move is the verdict. A file that lay there before is none, whatever it is called and whatever is in it.

use std::collections::HashSet;

use tracing::Instrument;

use super::cycle::Cycle;
use super::homes::Home;
use super::local::{join, split};
use super::setback::Setback;
use super::{about, blocking};
use crate::config::settings::Mode;
use crate::domain::clock::Millis;
use crate::domain::folder::Role;
use crate::domain::item::{Act, Item, State, Verdict};
use crate::domain::text::visible;
use crate::error::Failure;

/// Why a file the other program moved to `erro` was refused, for its technician.
pub(super) const REFUSED: &str = "o processador recusou o arquivo";

impl Cycle<'_> {
    /// Looks where the local copies of fetched items are, and takes the verdicts there are.
    pub(super) async fn watch_external(&self) -> Result<(), Setback> {
        if self.agent.settings.process.mode != Mode::External {
            return Ok(());
        }
        for item in self.agent.ledger.open_items(None).await? {
            if item.standing.state != State::Fetched || !self.concerns(&item) || self.is_stopped() {
                continue;
            }
            let Some(_held) = self.shared.hands.take(&item.sighted.key.file_id) else { continue };
            let Some(home) = self.home_of(&item.sighted.user).await? else { continue };
            let verdict = async {
                match self.look_at_fetched(&home, &item).await {
                    Err(setback) => self.put_off(&home, &item, setback).await,
                    Ok(()) => Ok(()),
                }
            };
            verdict.instrument(about::item(&item)).await?;
        }
        Ok(())
    }

    async fn look_at_fetched(&self, home: &Home, item: &Item) -> Result<(), Setback> {
        if item.missing_since.is_some() && item.next_attempt_at <= self.now() {
            return match self.found_again(item).await? {
                Some(there) => self.verdict_of_the_other(home, &there).await,
                None => Ok(()),
            };
        }
        self.verdict_of_the_other(home, item).await
    }

    async fn verdict_of_the_other(&self, home: &Home, item: &Item) -> Result<(), Setback> {
        let Some(at) = item.local_path.clone() else { return Ok(()) };
        let (tree, path) = (home.tree.clone(), at.clone());
        if blocking(move || tree.file(&path)).await?.is_some() {
            return Ok(());
        }
        // It may be at work on it somewhere of its own; `status` tells when that takes too long.
        let Some(moved) = self.moved(home, item).await? else { return Ok(()) };
        let (verdict, reason) = match moved.role {
            Role::Processados => (Verdict::Processado, None),
            _ => (Verdict::Erro, Some(REFUSED.to_owned())),
        };
        tracing::info!(path = %visible(&moved.path), "the other program has decided");
        let act = Act::Judged { verdict, reason, data: None, note: None, local_path: Some(moved.path) };
        self.agent.ledger.advance(item, &act, None, self.now()).await?;
        Ok(())
    }

    /// What the other program made of the local copy: a file that came since into `processados` or `erro`, of its content or
    /// its name. Content goes before the name, which a stamped file has only; the youngest goes before others.
    async fn moved(&self, home: &Home, item: &Item) -> Result<Option<Candidate>, Setback> {
        let mut candidates = Vec::new();
        for role in [Role::Processados, Role::Erro] {
            candidates.extend(self.candidates(home, item, role).await?);
        }
        candidates.sort_by_key(|c| std::cmp::Reverse((c.is_same, c.has_name, c.modified)));
        let held = self.agent.ledger.held_names(&item.sighted.user, &item.id).await?;
        for candidate in candidates {
            if !self.is_anothers(item, &candidate, &held).await? {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    async fn candidates(&self, home: &Home, item: &Item, role: Role) -> Result<Vec<Candidate>, Failure> {
        let folder = self.agent.settings.layout.path_of(role).to_owned();
        let name = item.local_path.as_deref().map(|p| split(p).1.to_owned()).unwrap_or_default();
        let since = item.copied_at.unwrap_or(item.found_at);
        let (tree, size, md5) = (home.tree.clone(), item.sighted.size, item.sighted.md5.clone());
        blocking(move || {
            let mut found = Vec::new();
            for file in tree.files(&folder)?.into_iter().filter(|f| came_since(f.modified, since)) {
                let (path, has_name) = (join(&folder, &file.name), file.name == name);
                if !has_name && Some(file.size) != size {
                    continue;
                }
                let content = tree.measure(&path)?.1;
                let is_same = md5.as_ref() == Some(&content);
                if is_same || has_name {
                    found.push(Candidate { path, role, is_same, has_name, content, modified: file.modified });
                }
            }
            Ok(found)
        })
        .await
    }

    /// Whether a file is what became of another item's copy.
    async fn is_anothers(&self, item: &Item, candidate: &Candidate, held: &HashSet<String>) -> Result<bool, Failure> {
        if !candidate.has_name && held.contains(split(&candidate.path).1) {
            return Ok(true);
        }
        let Some(holder) = self.agent.ledger.holder_of(&item.sighted.user, &candidate.path, &item.id).await? else { return Ok(false) };
        // What was filed there under this name is gone where something younger lies in its place.
        let is_in_its_place = candidate.has_name && !holder.is_open();
        Ok(!is_in_its_place || !candidate.is_same && holder.sighted.md5.as_ref() == Some(&candidate.content))
    }
}

/// A file that may be what became of an item's local copy.
#[derive(Debug)]
struct Candidate {
    path: String,
    role: Role,
    /// Whether it has the content that was fetched.
    is_same: bool,
    /// Whether it has the name that the copy had.
    has_name: bool,
    /// The md5 of its content.
    content: String,
    modified: Millis,
}

/// Whether a file was last written after the copy got its name, `since`; a move keeps that time, some copies only its seconds.
fn came_since(modified: Millis, since: Millis) -> bool {
    modified >= since || (modified % 1000 == 0 && modified >= since - since % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_fraction_counts_by_the_second() {
        for (modified, came) in [(5_400, true), (5_401, true), (5_399, false), (5_000, true), (4_000, false), (6_000, true)] {
            assert_eq!(came_since(modified, 5_400), came, "{modified}");
        }
    }
}
