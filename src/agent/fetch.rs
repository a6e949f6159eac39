//! Fetch: the whole content on the VM, checked, under a name of its own in the local `novos`.

use std::io::Write;

use super::blocking;
use super::cycle::Cycle;
use super::homes::{Home, id};
use super::local::{Copied, join, move_to, plain_name, split};
use super::look::Whereabouts;
use super::policy::Decision;
use super::setback::Setback;
use crate::domain::item::{Act, Item, Verdict};
use crate::domain::text::{quoted, visible};
use crate::drive::{DriveError, FileId, Kind};
use crate::error::{Exit, Failure};
use crate::fs_layout::Part;

/// How often content that does not match its checksum is fetched anew before the file waits.
const TRIES: usize = 3;
/// Space left for everything else on the disk.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
/// Why a version that was replaced before it was fetched ends.
pub(super) const SUPERSEDED: &str = "substituído por uma versão mais nova";

impl Cycle<'_> {
    /// From found to fetched, or to refused, or to withdrawn. Gives the item as it is then.
    pub(super) async fn fetch(&self, home: &Home, item: &Item) -> Result<Item, Setback> {
        let decision = self.shared.policy.decide(&item.sighted);
        if let Decision::Refuse(reason) = decision {
            // Renamed after it was fetched: the copy goes the item's way.
            return match self.take_stray(home, item).await? {
                Some(copy) => self.refuse(home, &self.fetched(item, copy).await?, reason).await,
                None => self.refuse(home, item, reason).await,
            };
        }
        let versions = self.agent.ledger.items_of_file(&item.sighted.key.file_id).await?;
        if versions.iter().any(|other| other.seq > item.seq)
            && let Some(ended) = self.end_if_superseded(home, item).await?
        {
            return Ok(ended);
        }
        if let Some(copy) = self.at_hand(home, item).await? {
            return self.fetched(item, copy).await;
        }
        let (tree, inbox, part_id) = (home.tree.clone(), self.local_inbox(), item.id.clone());
        let part = blocking(move || tree.part(&inbox, &part_id)).await?;
        let missing = item.sighted.size.unwrap_or_default().saturating_sub(part.len()?);
        self.agent.base.require_free(missing.saturating_add(SPARE_BYTES))?;
        if decision == Decision::Export {
            return self.export(home, item, part).await;
        }
        self.download(home, item, part).await
    }

    async fn download(&self, home: &Home, item: &Item, mut part: Part) -> Result<Item, Setback> {
        let file = id(&item.sighted.key.file_id)?;
        let mut item = item.clone();
        for _ in 0..TRIES {
            if item.sighted.size.is_some_and(|size| part.len().is_ok_and(|have| have > size)) {
                part.restart()?;
            }
            if let Err(error) = self.fill(&file, &item, &part).await {
                if let Some(ended) = self.not_downloaded(home, &item, error).await? {
                    return Ok(ended);
                }
                part.restart()?;
                continue;
            }
            let (back, measured) = blocking(move || part.measure().map(|measured| (part, measured))).await?;
            part = back;
            if fits(&item, &measured) {
                return self.finish(&item, part).await;
            }
            tracing::warn!("the content does not match its checksum; fetching it anew");
            part.restart()?;
            if let Some(ended) = self.end_if_superseded(home, &item).await? {
                return Ok(ended);
            }
            // The look may have found that it was the checksum that was wrong.
            if let Some(seen) = self.agent.ledger.item(&item.id).await? {
                item = seen;
            }
        }
        let name = quoted(&item.sighted.name);
        let why = format!("{}: the content of {name} does not match its checksum, {TRIES} times in a row", home.blame());
        Err(Failure::new(Exit::Unavailable, "content_mismatch", why)
            .hint("it is fetched again by itself; if it stays so, upload it again")
            .into())
    }

    /// Brings the part up to the whole length.
    async fn fill(&self, file: &FileId, item: &Item, part: &Part) -> Result<(), Setback> {
        let have = part.len()?;
        if have > 0 && item.sighted.size == Some(have) {
            return Ok(());
        }
        let mut sink = tokio::fs::File::from_std(part.writer()?);
        self.agent.drive.download(file, have, &mut sink).await?;
        Ok(())
    }

    /// What a refused download means: the end of the item, `None` for another version to be looked at, or a setback.
    async fn not_downloaded(&self, home: &Home, item: &Item, setback: Setback) -> Result<Option<Item>, Setback> {
        let Setback::Drive(error) = setback else { return Err(setback) };
        if let Some(reason) = never_downloadable(&error) {
            return self.refuse(home, item, reason.to_owned()).await.map(Some);
        }
        if error.kind == Kind::Gone || error.is_reason("contentChanged") {
            return match self.end_if_superseded(home, item).await? {
                None if error.kind == Kind::Gone => Err(error.into()),
                other => Ok(other),
            };
        }
        Err(error.into())
    }

    async fn export(&self, home: &Home, item: &Item, part: Part) -> Result<Item, Setback> {
        let file = id(&item.sighted.key.file_id)?;
        let bytes = match self.agent.drive.export(&file, "application/pdf").await {
            Ok(bytes) => bytes,
            Err(error) if error.kind == Kind::BadRequest => {
                return self.refuse(home, item, "o documento não pode ser convertido em PDF".into()).await;
            }
            Err(error) => {
                drop(part);
                return match self.not_downloaded(home, item, error.into()).await? {
                    Some(ended) => Ok(ended),
                    None => Ok(item.clone()),
                };
            }
        };
        let part = blocking(move || {
            part.restart()?;
            let written = part.writer()?.write_all(&bytes);
            let full = |e| Failure::new(Exit::Io, "disk_full", "an exported document cannot be written").because(e);
            written.map_err(full).map(|()| part)
        })
        .await?;
        self.finish(item, part).await
    }

    async fn finish(&self, item: &Item, part: Part) -> Result<Item, Setback> {
        let (claim, inbox) = (self.claim(item).await?, self.local_inbox());
        let (wanted, file, names) = (self.wanted_name(item), item.sighted.key.file_id.clone(), claim.clone());
        let copy = blocking(move || part.finish(&wanted, &file, &|name| names.take(name))).await?;
        self.fetched(item, Copied::new(join(&inbox, &copy.name), copy.modified, claim)).await
    }

    async fn fetched(&self, item: &Item, copy: Copied) -> Result<Item, Setback> {
        tracing::info!(path = %visible(&copy.path), "fetched");
        let act = Act::Fetched { local_path: copy.path.clone(), copied_at: copy.at };
        Ok(self.agent.ledger.advance(item, &act, None, self.now()).await?)
    }

    /// A verdict without the processor: a policy, or Drive, decided.
    async fn refuse(&self, home: &Home, item: &Item, reason: String) -> Result<Item, Setback> {
        let (tree, inbox, part) = (home.tree.clone(), self.local_inbox(), item.id.clone());
        blocking(move || tree.discard_part(&inbox, &part)).await?;
        tracing::info!(verdict = "erro", reason = %visible(&reason), "judged");
        let act = Act::Judged { verdict: Verdict::Erro, reason: Some(reason), data: None, note: None, local_path: None };
        Ok(self.agent.ledger.advance(item, &act, None, self.now()).await?)
    }

    /// A copy that is whole already: from before a retry, or from just before a crash.
    async fn at_hand(&self, home: &Home, item: &Item) -> Result<Option<Copied>, Setback> {
        if let Some(at) = item.local_path.clone() {
            let (tree, claim, item, inbox) = (home.tree.clone(), self.claim(item).await?, item.clone(), self.local_inbox());
            let kept = blocking(move || {
                let whole = tree.file(&at)?.is_some() && (item.sighted.md5.is_none() || fits(&item, &tree.measure(&at)?));
                let (true, Some(now)) = (whole, tree.touch(&at)?) else { return Ok(None) };
                let (wanted, id) = (plain_name(&item, split(&at).1), &item.sighted.key.file_id);
                let path = move_to(&tree, &at, &inbox, &wanted, id, &|name| claim.take(name))?;
                Ok(path.map(|path| Copied::new(path, now.modified, claim.clone())))
            })
            .await?;
            if kept.is_some() {
                return Ok(kept);
            }
        }
        Ok(self.take_stray(home, item).await?)
    }

    /// Ends an item whose version cannot be fetched any more: replaced, or gone. The newer version is recorded with it.
    /// One that may only be forgotten for a moment is given back as it was, to be looked for later.
    async fn end_if_superseded(&self, home: &Home, item: &Item) -> Result<Option<Item>, Setback> {
        let (reason, newer) = match self.whereabouts(home, &item.sighted.key.file_id).await? {
            Whereabouts::Away(reason) => (reason, None),
            Whereabouts::Missing(reason) if self.is_gone(home, item).await? => (reason, None),
            Whereabouts::Missing(_) => return Ok(self.agent.ledger.item(&item.id).await?),
            Whereabouts::Inbox { entry, parent, below } => {
                let Some(newer) = self.newer_in_novos(item, &entry, &parent, &below) else {
                    self.take_glance(self.sight(&entry, &item.sighted.user, parent.as_str(), &below)).await?;
                    return Ok(None);
                };
                (SUPERSEDED.to_owned(), Some(newer))
            }
            Whereabouts::Filed { entry, parent, .. } => match self.newer_where_filed(item, &entry, &parent) {
                Some(newer) => (SUPERSEDED.to_owned(), Some(newer)),
                None => return Ok(None),
            },
        };
        self.withdraw(home, item, &reason, newer.as_ref()).await?;
        Ok(self.agent.ledger.item(&item.id).await?)
    }
}

fn fits(item: &Item, (size, md5): &(u64, String)) -> bool {
    item.sighted.size.is_none_or(|s| s == *size) && item.sighted.md5.as_ref().is_none_or(|m| m == md5)
}

/// Why a file can never be downloaded, in words for its technician (drive-v3-behaviour 2.8 to 2.12).
fn never_downloadable(error: &DriveError) -> Option<&'static str> {
    Some(match error.reason.as_deref()? {
        "cannotDownloadAbusiveFile" => "o Drive marcou o arquivo como malicioso e não permite baixá-lo",
        "cannotDownloadFile" | "download_restricted_for_revision" => "o dono do arquivo não permite baixá-lo",
        "fileNotDownloadable" => "o arquivo não tem conteúdo que possa ser baixado",
        "exportSizeLimitExceeded" => "o documento é grande demais para ser convertido em PDF",
        "fileNotExportable" => "o documento não pode ser convertido em PDF",
        _ => return None,
    })
}
