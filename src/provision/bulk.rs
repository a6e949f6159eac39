//! Preparing many technicians at once: one survey, one supply of ids, then each on their own.

use super::claim::Tagged;
use super::observe::{Subject, Survey};
use super::{Candidate, Provisioner};
use crate::domain::clock;
use crate::domain::folder::WantedFolder;
use crate::domain::technician::{Email, UserId};
use crate::domain::text::shell_path;
use crate::drive::Entry;
use crate::error::{Exit, Failure};
use crate::fs_layout::Entry as RegistryEntry;
use crate::ledger::{Adopt, Assigned, Field, FolderRow, FolderState, Outcome, Reserved, Technician, WantedTechnician};

/// The fewest ids asked for at once: a call costs the same for one and for a thousand (drive-v3-behaviour 1.14).
const IDS_AT_ONCE: usize = 100;

/// A technician with a folder name and ids of their own, recorded before the first create.
pub struct Prepared {
    /// As recorded.
    pub technician: Technician,
    /// The folders with their ids.
    pub rows: Vec<FolderRow>,
    /// Whether a creation was never finished before.
    pub unfinished: bool,
    /// Whether they had been removed, or were about to be, and are back.
    pub restored: bool,
    /// Whether the folder is another than the name would give, because that one was taken.
    pub renumbered_from: Option<String>,
    /// Another installation's folder of a technician of the same id, where this one's was never made before.
    pub left_alone: Option<Entry>,
}

/// Surveys the candidates, side by side with fetching the ids that the new ones will need.
pub async fn prepare(provisioner: &Provisioner<'_>, candidates: &[Candidate]) -> anyhow::Result<Survey> {
    let mut known = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let technician = provisioner.ledger.technician(&candidate.user).await?;
        let rows = provisioner.ledger.folder_ids(&candidate.user).await?;
        known.push((technician.map_or_else(|| candidate.wanted.folder.clone(), |t| t.folder), rows));
    }
    let each = provisioner.settings.layout.drive_folders().len();
    let needed = known.iter().map(|(_, rows)| each.saturating_sub(rows.len())).sum();
    let subjects: Vec<Subject<'_>> =
        candidates.iter().zip(&known).map(|(c, (folder, rows))| Subject { user: &c.user, folder, rows }).collect();
    let (survey, ()) = tokio::try_join!(provisioner.survey(&subjects), provisioner.stock_ids(needed))?;
    Ok(survey)
}

/// Fills in from `tecnicos.json` what the caller leaves unsaid of somebody whose ledger is lost.
fn remember(wanted: &mut WantedTechnician, candidate: &Candidate, entry: &RegistryEntry) {
    if candidate.wanted.name.is_none() && !entry.nome.is_empty() {
        wanted.name = Some(entry.nome.clone());
    }
    if wanted.email.is_none() {
        wanted.email = Email::parse(&entry.email).ok();
    }
    if wanted.portal_user.is_none() && !entry.usuario_portal.is_empty() {
        wanted.portal_user = Some(entry.usuario_portal.clone());
    }
}

impl Provisioner<'_> {
    /// Has at least `needed` spare ids in the ledger.
    async fn stock_ids(&self, needed: usize) -> anyhow::Result<()> {
        let mut missing = needed.saturating_sub(self.ledger.spare_ids().await?);
        while missing > 0 {
            let ids = self.drive.generate_ids(missing.clamp(IDS_AT_ONCE, 1000)).await?;
            self.ledger.add_spare_ids(&ids).await?;
            missing = missing.saturating_sub(ids.len());
        }
        Ok(())
    }

    /// A technician the ledger knows, as it knows them.
    pub async fn known(&self, technician: Technician) -> anyhow::Result<Prepared> {
        let rows = self.ledger.folder_ids(&technician.user).await?;
        Ok(Prepared { technician, rows, unfinished: false, restored: false, renumbered_from: None, left_alone: None })
    }

    /// Records a candidate, with a folder name of their own and ids for every folder.
    pub async fn enter(&self, candidate: &Candidate, survey: &Survey) -> anyhow::Result<Prepared> {
        let mut wanted = candidate.wanted.clone();
        let mut occupied = survey.occupied(&self.settings.layout);
        let recorded = self.ledger.technician(&candidate.user).await?;
        if let Some(removed) = recorded.as_ref().filter(|t| t.removed_at.is_some())
            && let Some(email) = wanted.email.as_ref().or(removed.email.as_ref())
        {
            self.check_address_is_free(removed, email).await?;
        }
        let known = recorded.is_some() || self.rekey(candidate).await?;
        if !known {
            wanted.name.get_or_insert_with(|| candidate.called.clone());
        }
        let rows = self.ledger.folder_ids(&candidate.user).await?;
        let Tagged { ours: tagged, others, unclear } = survey.tagged(&candidate.user, self.settings, &rows);
        let folders = self.settings.layout.drive_folders();
        let is_settled = |path: &String| tagged.contains_key(path) || rows.iter().any(|r| r.path == *path);
        if let Some(entry) = folders.iter().filter(|f| !is_settled(&f.path)).find_map(|f| unclear.get(&f.path)) {
            return Err(self.tree_elsewhere(&candidate.user, entry).into());
        }
        match tagged.get("") {
            // Made before, by a tecnico whose ledger is lost: the name it has is theirs.
            Some(tree) => {
                wanted.folder.clone_from(&tree.name);
                occupied.clear();
                if !known && let Some(entry) = survey.registered_tree(&tree.id) {
                    remember(&mut wanted, candidate, entry);
                }
            }
            None if !known => self.check_is_new(candidate, survey).await?,
            None => {}
        }
        let Reserved { mut technician, outcome, changed } = self.ledger.reserve(&candidate.user, &wanted, &occupied, clock::now()).await?;
        if let Some(tree) = tagged.get("") {
            self.find_archived(&mut technician, tree).await?;
        }
        let adopted: Vec<(WantedFolder, String)> =
            folders.iter().filter_map(|f| tagged.get(&f.path).map(|e| (f.clone(), e.id.to_string()))).collect();
        if !adopted.is_empty() {
            self.ledger.adopt_ids(&technician.user, &adopted, Adopt::KeepOurs).await?;
        }
        let rows = self.assign(&technician, &folders).await?;
        let is_first = outcome == Outcome::New && tagged.is_empty();
        Ok(Prepared {
            unfinished: is_first || rows.iter().any(|r| r.state == FolderState::Reserved),
            restored: changed.contains(&Field::RemovedAt),
            left_alone: others.get("").filter(|_| is_first && self.reach.is_everybody()).map(|e| (*e).clone()),
            renumbered_from: (technician.folder != wanted.folder && outcome == Outcome::New).then_some(wanted.folder),
            technician,
            rows,
        })
    }

    /// Somebody imported without the backend's id is known by their e-mail until a create names it.
    async fn rekey(&self, candidate: &Candidate) -> anyhow::Result<bool> {
        let Some(imported) = candidate.wanted.email.as_ref().and_then(|e| UserId::parse(e.as_str()).ok()) else { return Ok(false) };
        Ok(imported != candidate.user && self.reach.holds(&imported) && self.ledger.rekey(&imported, &candidate.user).await?)
    }

    /// Ids for every folder wanted, new ones where there are none yet.
    pub(super) async fn assign(&self, technician: &Technician, folders: &[WantedFolder]) -> anyhow::Result<Vec<FolderRow>> {
        loop {
            match self.ledger.assign_ids(&technician.user, folders).await? {
                Assigned::Ids(rows) => return Ok(rows),
                Assigned::NeedIds(n) => self.ledger.add_spare_ids(&self.drive.generate_ids(n.max(IDS_AT_ONCE)).await?).await?,
            }
        }
    }

    /// A technician the old system made is adopted, never made a second time.
    async fn check_is_new(&self, candidate: &Candidate, survey: &Survey) -> anyhow::Result<()> {
        let user = &candidate.user;
        if let Some(email) = &candidate.wanted.email
            && let Some(other) = self.ledger.technician_by_email(email).await?
        {
            let message = format!("{user} is not known here, but {email} is the e-mail of {}", self.naming(&other));
            let hint = if self.reach.holds(&other.user) {
                format!("if it is the same person: `tecnico create {}`; if not, give another --email", other.user)
            } else {
                "nothing was changed; give another --email".to_owned()
            };
            return Err(Failure::new(Exit::Data, "email_taken", message).hint(hint).into());
        }
        if let Some(entry) = candidate.wanted.email.as_ref().and_then(|e| survey.registered(e)) {
            let has = if self.reach.is_everybody() { entry.pasta_vm.as_str() } else { "a folder" };
            let message = format!("{user} is not known here, but {} already has {has} in tecnicos.json", entry.email);
            let hint = format!("adopt what the old system made: `tecnico import {}`", shell_path(&self.base.registry().path()));
            return Err(Failure::new(Exit::Data, "made_by_old_system", message).hint(hint).into());
        }
        if let Some(twin) = survey.namesake(&self.parent()?, &candidate.wanted.folder, user)
            && crate::domain::tags::path(&twin.app_properties).is_none()
        {
            let id = if self.reach.is_everybody() { format!(" ({})", twin.id) } else { String::new() };
            let message = format!("a folder {:?} that tecnico did not make lies on Drive already{id}", twin.name);
            let registry = shell_path(&self.base.registry().path());
            let hint =
                format!("if it is the same person's, `tecnico import {registry}`; if not, give another --name, or rename that folder");
            return Err(Failure::new(Exit::Data, "folder_exists_on_drive", message).hint(hint).into());
        }
        Ok(())
    }
}
