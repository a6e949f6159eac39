//! External mode: another program takes the local file from `novos` and moves it to `processados` or `erro`.
//! The move is the verdict.

use tracing::Instrument;

use super::cycle::Cycle;
use super::homes::Home;
use super::local::join;
use super::setback::Setback;
use super::{about, blocking};
use crate::config::settings::Mode;
use crate::domain::folder::Role;
use crate::domain::item::{Act, Item, State, Verdict};
use crate::domain::text::visible;
use crate::fs_layout::{LocalFile, Tree};

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
        for (role, verdict, reason) in [(Role::Processados, Verdict::Processado, None), (Role::Erro, Verdict::Erro, Some(REFUSED))] {
            let Some(path) = self.moved_to(home, item, role).await? else { continue };
            let act = Act::Judged { verdict, reason: reason.map(str::to_owned), data: None, note: None };
            self.agent.ledger.advance(item, &act, None, self.now()).await?;
            tracing::info!(path = %visible(&path), "the other program has decided");
            return Ok(());
        }
        // It may be at work on it somewhere of its own; `status` tells when that takes too long.
        Ok(())
    }

    /// The local copy in the folder of `role`: by name, or by content where the other program gave it another name.
    async fn moved_to(&self, home: &Home, item: &Item, role: Role) -> Result<Option<String>, Setback> {
        let folder = self.agent.settings.layout.path_of(role).to_owned();
        let name = item.local_path.as_deref().map(|p| super::local::split(p).1.to_owned()).unwrap_or_default();
        let (tree, size, md5, place) = (home.tree.clone(), item.sighted.size, item.sighted.md5.clone(), folder.clone());
        let candidates = blocking(move || {
            let mut there: Vec<LocalFile> = tree.files(&place)?.into_iter().filter(|f| f.name == name || Some(f.size) == size).collect();
            there.sort_by_key(|f| f.name != name);
            let mut fitting = Vec::new();
            for file in there {
                let path = join(&place, &file.name);
                if is_same(&tree, &path, md5.as_deref())? || file.name == name {
                    fitting.push(path);
                }
            }
            Ok(fitting)
        })
        .await?;
        for path in candidates {
            // Never one that is another item's.
            if self.agent.ledger.holder_of(&item.sighted.user, &path, &item.id).await?.is_none() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

fn is_same(tree: &Tree, path: &str, md5: Option<&str>) -> Result<bool, crate::error::Failure> {
    Ok(match md5 {
        Some(md5) => tree.measure(path)?.1 == md5,
        None => false,
    })
}
