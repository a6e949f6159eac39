//! A file that Drive does not find: gone, or forgotten for a moment, as happens right after a move (drive-v3-behaviour 2.41,
//! 6.13). Presence decides, never one "not found".

use super::cycle::Cycle;
use super::file_away::role_of;
use super::homes::{Home, id};
use super::setback::Setback;
use crate::domain::clock::Millis;
use crate::domain::item::{Act, Item};
use crate::drive::{FileId, Kind, Query};

/// Two looks that prove an absence are at least this far apart.
const APART: Millis = 60_000;
/// What is said of a file meanwhile.
const MISSED: &str = "o Drive não encontra o arquivo";

impl Cycle<'_> {
    /// Whether a file that a look has just not found is gone: an earlier look, long enough ago, did not find it either, and
    /// no folder it may lie in lists it. Otherwise that is recorded, and the item waits for the next look.
    pub(super) async fn is_gone(&self, home: &Home, item: &Item) -> Result<bool, Setback> {
        if self.agent.drive.get(&home.novos).await?.is_none() {
            // Whoever cannot see the folder cannot see what lies in it.
            return Err(self.novos_lost(home, "is gone, or access to it was withdrawn").await);
        }
        let now = self.now();
        match item.missing_since.map(|at| now.saturating_sub(at)) {
            // Nothing new.
            Some(ago) if (0..APART).contains(&ago) => return Ok(false),
            Some(ago) if ago >= APART && !self.is_listed(home, item).await? => return Ok(true),
            _ => {}
        }
        let until = now.saturating_add(APART);
        tracing::info!("Drive does not find the file; it is looked for again");
        self.waits(item, until, MISSED);
        self.agent.ledger.advance(item, &Act::Missed { until, reason: MISSED.to_owned() }, None, now).await?;
        Ok(false)
    }

    /// An item that was missed and is due: looked for before anything else is done with it. `None` where it is not to be
    /// gone on with now.
    pub(super) async fn found_again(&self, item: &Item) -> Result<Option<Item>, Setback> {
        self.check_still_there(item).await?;
        let current = self.agent.ledger.item(&item.id).await?;
        Ok(current.filter(|i| i.is_open() && (i.missing_since.is_none() || i.next_attempt_at <= self.now())))
    }

    /// Whether the folder it lay in, or one we may have moved it to, lists the file under the name it had.
    async fn is_listed(&self, home: &Home, item: &Item) -> Result<bool, Setback> {
        let mut folders = vec![id(&item.sighted.parent_id)?, home.processados.clone(), home.erro.clone()];
        if let Some(role) = item.standing.outcome.map(role_of) {
            // Made before the first try at filing; a template may name a folder of its own.
            folders.insert(1, self.destination(home, role, item.found_at).await?);
        }
        let mut asked: Vec<FileId> = Vec::new();
        for folder in folders {
            if asked.contains(&folder) {
                continue;
            }
            let query = Query::children_of(&folder).named(&item.sighted.name).trashed(false);
            match self.agent.drive.list(&query).await {
                Ok(entries) if entries.iter().any(|e| e.id.as_str() == item.sighted.key.file_id) => return Ok(true),
                // A folder that somebody dropped went with the file.
                Err(e) if e.kind == Kind::Gone && ![&home.novos, &home.processados, &home.erro].contains(&&folder) => {}
                other => _ = other?,
            }
            asked.push(folder);
        }
        Ok(false)
    }
}
