//! Taking a technician out: what is pending ends first, nobody outside keeps access, the trees go to the archive. Nothing
//! is deleted.
//!
//! Each step can be repeated, and what was begun stands in the ledger before it is done (`removing_at`, `removed_at`,
//! `place`), so that a rerun after a crash goes on from there.

mod archive;
mod inside;
mod plan;
mod whole;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;

use super::{Drift, Plan, Prepared, Problem, Provisioner};
use crate::domain::folder::Role;
use crate::domain::technician::UserId;
use crate::domain::text::quoted;
use crate::domain::{clock, tags};
use crate::drive::{Change, FileId, Kind};
use crate::error::{Exit, Failure};
use crate::fs_layout::Relocated;
use crate::ledger::{Lock, Technician};

use plan::{Departing, Left};

/// How long a removal or rename waits for a cycle under way.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);
/// Grants taken away side by side.
const SIDE_BY_SIDE: usize = 8;

/// A technician after `remove`.
pub struct Removed {
    /// Who; their `place` is that in the archive.
    pub prepared: Prepared,
    /// Whether this run changed anything.
    pub changed: bool,
    /// The grants taken away in this run.
    pub revoked: Vec<Drift>,
    /// The archive folder on Drive, and the tree's name in it; `None` where there is no tree on Drive.
    pub archived: Option<(FileId, String)>,
    /// Files that lie in the archived novos: a restore takes them up.
    pub waiting: Vec<String>,
    /// Whose own files lie in the tree, and how many.
    pub owners: BTreeMap<String, usize>,
    /// Held until the caller has told of it and called [`Provisioner::removed`].
    pub lock: Lock,
}

impl Provisioner<'_> {
    /// What a removal would do now, without writing anything anywhere.
    pub async fn preview_removal(&self, technician: &Technician) -> anyhow::Result<Plan> {
        let rows = self.ledger.folder_ids(&technician.user).await?;
        let there = self.departing(technician, &rows, self.archive_if_there().await?.as_ref()).await?;
        if let Some(entry) = &there.unclear {
            return Err(self.tree_elsewhere(&technician.user, entry).into());
        }
        Ok(plan::plan(technician, &self.settings.layout.archive, &there))
    }

    /// Takes a technician out. `drain` runs a cycle over their novos, under the lock it is given. Again: looks again, and
    /// takes away what access was given since.
    ///
    /// Fails with `not_drained` (75) where files cannot come to an end now, with `access_left` (77) where somebody outside
    /// still has access when all is done, with `tree_elsewhere` (65) where a folder may be theirs or another installation's.
    #[tracing::instrument(level = "error", name = "technician", skip_all, fields(%user))]
    pub async fn remove(&self, user: &UserId, drain: impl AsyncFn(&Lock) -> anyhow::Result<()>) -> anyhow::Result<Removed> {
        let lock = self.ledger.lock_technician(user).await?;
        let mut technician = self.ledger.technician(user).await?.ok_or_else(|| anyhow::anyhow!("{user} is not in the ledger"))?;
        self.check_rows(&technician, &self.ledger.folder_ids(user).await?)?;
        let was = (technician.removed_at, technician.removing_at);
        if technician.removed_at.is_none() {
            // Half a rename, or half a restore, is finished first: the agent works at the folder only.
            self.bring_home(&mut technician).await?;
            let cycle = self.ledger.lock_cycle(PATIENCE, || false).await?;
            self.make_whole(&technician).await?;
            drain(&cycle).await?;
            self.check_drained(&technician).await?;
            self.ledger.begin_removal(user, clock::now()).await?;
        }
        let rows = self.ledger.folder_ids(user).await?;
        let archive = self.archive().await?;
        let mut revoked = Vec::new();
        let there = self.departing(&technician, &rows, Some(&archive)).await?;
        self.revoke_all(&plan::plan(&technician, &self.settings.layout.archive, &there), &mut revoked).await?;
        let moved = self.put_away(&mut technician, &there, &archive, drain).await?;
        // The last word is Drive's: everything is looked at once more, in its new place.
        let there = self.departing(&technician, &rows, Some(&archive)).await?;
        let verdict = plan::verdict(&there);
        if !verdict.left.is_empty() {
            return Err(access_left(&technician, &verdict.left).into());
        }
        if let Some(entry) = &there.unclear {
            return Err(self.tree_elsewhere(user, entry).into());
        }
        let technician = self.ledger.technician(user).await?.unwrap_or(technician);
        let root = there.items.iter().find(|held| Some(held.entry.id.as_str()) == there.root.as_deref());
        Ok(Removed {
            archived: root.map(|held| (archive, held.entry.name.clone())),
            waiting: self.left_in_novos(&there),
            changed: moved || !revoked.is_empty() || was.0.is_none() || was.1.is_some(),
            owners: verdict.owners,
            prepared: self.known(technician).await?,
            revoked,
            lock,
        })
    }

    /// Notes that a removal is done. The callback comes first: after a crash in between it is told twice, not never.
    pub async fn removed(&self, removed: &Removed) -> anyhow::Result<()> {
        Ok(self.ledger.removal_done(&removed.prepared.technician.user).await?)
    }

    /// Moves both trees to the archive; whether there was anything to do. Somebody who is removed already is left where
    /// they are, unless that removal was never finished.
    async fn put_away(
        &self,
        technician: &mut Technician,
        there: &Departing,
        archive: &FileId,
        drain: impl AsyncFn(&Lock) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let user = technician.user.clone();
        if technician.removed_at.is_some() && technician.removing_at.is_none() {
            return Ok(false);
        }
        // No cycle may be at work in a tree that moves.
        let cycle = self.ledger.lock_cycle(PATIENCE, || false).await?;
        if technician.removed_at.is_none() {
            // What came between the first look and the end of their access is not lost: novos is looked at once more, now
            // that nobody can add to it.
            drain(&cycle).await?;
            self.check_drained(technician).await?;
        }
        self.take_out_of_registry(technician, there.root.as_deref()).await?;
        let mut name = match &technician.place {
            Some(place) if technician.removed_at.is_some() => place.rsplit('/').next().unwrap_or_default().to_owned(),
            _ => self.free_in_archive(archive, &technician.folder, there.root.as_deref()).await?,
        };
        loop {
            let place = self.in_archive(&name);
            // From here on the agent leaves them alone.
            self.ledger.put_away(&user, Some(&place), clock::now()).await?;
            if self.base.relocate(&technician.folder, &place)? != Relocated::Taken {
                technician.place = Some(place);
                break;
            }
            name = self.free_in_archive(archive, &technician.folder, there.root.as_deref()).await?;
        }
        drop(cycle);
        if let Some(root) = there.items.iter().find(|held| Some(held.entry.id.as_str()) == there.root.as_deref()) {
            let is_there = root.entry.parents.contains(archive);
            let mark = BTreeMap::from([(tags::REMOVED.to_owned(), Some(clock::rfc3339(clock::now())))]);
            let change = Change {
                name: (root.entry.name != name).then_some(name),
                add_parent: (!is_there).then(|| archive.clone()),
                remove_parent: root.entry.parents.first().filter(|_| !is_there).cloned(),
                app_properties: if root.entry.app_properties.contains_key(tags::REMOVED) { BTreeMap::new() } else { mark },
                ..Change::default()
            };
            if change != Change::default() {
                self.drive.update(&root.entry.id, &change).await?;
            }
        }
        Ok(true)
    }

    /// The programs around tecnico take the technicians from there. What it says is kept for a restore.
    async fn take_out_of_registry(&self, technician: &Technician, root: Option<&str>) -> anyhow::Result<()> {
        let Some(root) = root else { return Ok(()) };
        let registry = self.base.registry();
        if let Some(entry) = registry.raw(root)? {
            self.ledger.keep_registry_entry(&technician.user, Some(&entry)).await?;
            registry.take_out(root)?;
        }
        Ok(())
    }

    /// novos comes first in the plan of a tree, so that the technician loses what matters at once. A grant Drive does not
    /// let us take is told by the last look, which knows whose fault it is.
    async fn revoke_all(&self, plan: &Plan, revoked: &mut Vec<Drift>) -> anyhow::Result<()> {
        let mut revoking = futures_util::stream::iter(plan.drifts.iter().filter_map(|drift| match &drift.problem {
            Problem::Access { file_id, permission_id, .. } => Some((drift, file_id, permission_id)),
            _ => None,
        }))
        .map(|(drift, file_id, permission_id)| async move {
            match self.drive.revoke(&FileId::new(file_id)?, permission_id).await {
                Ok(()) => anyhow::Ok(Some(drift.clone())),
                Err(error) if error.kind == Kind::Refused => {
                    tracing::warn!("{}: {error}", drift.sentence());
                    Ok(None)
                }
                Err(error) => Err(error.into()),
            }
        })
        .buffer_unordered(SIDE_BY_SIDE);
        while let Some(done) = revoking.next().await {
            revoked.extend(done?);
        }
        Ok(())
    }

    /// Nothing of theirs may be under way when they go.
    async fn check_drained(&self, technician: &Technician) -> anyhow::Result<()> {
        let open = self.ledger.open_items(Some(&technician.user)).await?;
        let Some(first) = open.first() else { return Ok(()) };
        let user = technician.user.typed();
        let why = first.reason.clone().unwrap_or_else(|| "its turn has not come".to_owned());
        let so_far =
            if technician.removing_at.is_some() { "; their access may be gone already, the trees are where they were" } else { "" };
        let name = quoted(&first.sighted.name);
        let message = format!("{} of {}'s files cannot come to an end now{so_far}: {name}: {why}", open.len(), technician.user);
        let hint = format!(
            "run the same command again after {}; `tecnico why {}` says how it stands, `tecnico process {user}` tries now",
            clock::rfc3339(open.iter().map(|i| i.next_attempt_at).max().unwrap_or_default()),
            first.id
        );
        Err(Failure::new(Exit::Later, "not_drained", message).hint(hint).into())
    }

    /// Put there by somebody with access from above, after the last cycle.
    fn left_in_novos(&self, there: &Departing) -> Vec<String> {
        let novos = self.settings.layout.path_of(Role::Novos);
        let novos = there.items.iter().find(|h| tags::path(&h.entry.app_properties) == Some(novos)).map(|h| &h.entry.id);
        let inside = there.items.iter().filter(|h| !h.entry.trashed && novos.is_some_and(|id| h.entry.parents.contains(id)));
        inside.map(|h| h.entry.name.clone()).collect()
    }
}

fn access_left(technician: &Technician, left: &[Left]) -> Failure {
    let user = technician.user.typed();
    let one = |l: &Left| format!("{} ({} of {}{})", l.who, l.role, l.on, if l.from_above { ", from above" } else { "" });
    let mut named: Vec<String> = left.iter().take(10).map(one).collect();
    if left.len() > named.len() {
        named.push(format!("and {} more", left.len() - named.len()));
    }
    let hint = if left.iter().any(|l| l.from_above) {
        format!(
            "take them off the folder of `drive.parent_folder_id`, and off the archive in it, in Drive; then run `tecnico remove {user} --confirm {user}` again"
        )
    } else {
        format!("run `tecnico remove {user} --confirm {user}` again; if it stays so, take them off in Drive: tecnico's account may not")
    };
    let message = format!("{} ({}) is not removed yet: access is left to {}", technician.user, technician.name, named.join(", "));
    Failure::new(Exit::Refused, "access_left", message).hint(hint)
}
