//! What became of a technician's files, for a ledger that is lost: what lies in `processados` and `erro` has ended, what
//! lies in `novos` the next cycle finds anew. Only reads, on Drive and on the VM.

use std::collections::{HashMap, HashSet};

use super::destination;
use super::local::{is_copy_of, join};
use super::policy::Policy;
use super::setback::Setback;
use super::sight::sighted;
use super::{Agent, blocking, external};
use crate::config::settings::Mode;
use crate::domain::clock::Millis;
use crate::domain::folder::Role;
use crate::domain::item::{Outcome, Sighted, Standing, State};
use crate::domain::tags;
use crate::domain::technician::UserId;
use crate::drive::{Entry, FileId, Query};
use crate::error::Failure;
use crate::fs_layout::{LocalFile, LocalState, Tree, name};
use crate::ledger::Recalled;

/// The history of a file of which only the end is known.
const NOTE: &str = "recorded by `tecnico ledger rebuild` as it lay; what went before is not known";

/// What was found of one technician's files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Ended in `processados`.
    pub processados: usize,
    /// Ended in `erro`.
    pub erro: usize,
    /// Decided, but not put away on both sides yet: the next cycle goes on with them.
    pub unfinished: usize,
    /// Still in `novos` on Drive.
    pub novos: usize,
}

/// An entry of Drive, and the folder it lies in: its id, and its path below the technician's folder.
type Placed = (Entry, FileId, String);

/// What lies on the VM in the folders looked at so far.
pub(super) struct Copies {
    tree: Tree,
    folders: HashMap<String, Vec<LocalFile>>,
    /// Nothing older counts.
    since: Option<Millis>,
}

impl Agent {
    /// Records where the change feeds stand now, before anything is looked at: what happens from here on, they tell.
    pub async fn recall_feeds(&self) -> Result<(), Failure> {
        let shared = self.drive.shared_drive_id().cloned();
        for (feed, drive) in std::iter::once(("user".to_owned(), None)).chain(shared.map(|d| (format!("drive:{d}"), Some(d)))) {
            let token = self.drive.start_token(drive.as_ref()).await.map_err(|e| Setback::from(e).into_failure("the change feed"))?;
            self.ledger.restart_feed(&feed, &token, self.now()).await?;
        }
        Ok(())
    }

    /// Records what became of the files of a technician whose folders the ledger knows.
    pub async fn recall(&self, user: &UserId) -> Result<Tally, Failure> {
        let blame = format!("technician {user}");
        self.recall_files(user).await.map_err(|setback| setback.into_failure(blame))
    }

    async fn recall_files(&self, user: &UserId) -> Result<Tally, Setback> {
        let layout = &self.settings.layout;
        let Some(technician) = self.ledger.technician(user).await? else { return Ok(Tally::default()) };
        let rows = self.ledger.folder_ids(user).await?;
        let folder = |role: Role| rows.iter().find(|r| r.path == layout.path_of(role)).map(|r| super::homes::id(&r.drive_id)).transpose();
        let policy = Policy::new(&self.settings.process)?;
        let novos_id = folder(Role::Novos)?;
        let novos = self.everything_in(novos_id.as_ref(), layout.path_of(Role::Novos), &policy).await?;
        let in_novos: HashSet<&str> = novos.iter().filter_map(|(e, ..)| e.md5.as_deref()).collect();
        let mut copies = Copies::of_tree(self.base.tree(&technician.folder)?);
        let mut tally = Tally { novos: novos.len(), ..Tally::default() };
        let mut recalled = Vec::new();
        for (role, outcome) in [(Role::Processados, Outcome::Processado), (Role::Erro, Outcome::Erro)] {
            let standing = folder(role)?;
            for (entry, _, path) in self.everything_in(standing.as_ref(), layout.path_of(role), &policy).await? {
                let parent = novos_id.as_ref().map_or("", FileId::as_str);
                let seen = sighted(&entry, user, parent, "", std::time::Duration::ZERO, self.now());
                let mut state = State::Reported;
                let mut local_path = copies.take(&[&path, layout.path_of(role)], &seen).await?;
                // Drive is first when a file is filed away: a copy still in the local `novos` is half of it.
                let half = self.settings.process.mode == Mode::Command && seen.md5.as_deref().is_some_and(|md5| !in_novos.contains(md5));
                if local_path.is_none() && half {
                    local_path = copies.take(&[layout.path_of(Role::Novos)], &seen).await?;
                    state = if local_path.is_some() { State::Judged } else { state };
                }
                match (state, outcome) {
                    (State::Judged, _) => tally.unfinished += 1,
                    (_, Outcome::Processado) => tally.processados += 1,
                    _ => tally.erro += 1,
                }
                let reason = entry.description.clone().filter(|d| role == Role::Erro && !d.is_empty());
                let found_at = self.found_at(&entry, role, &path);
                recalled.push(Recalled {
                    sighted: seen,
                    standing: Standing { state, outcome: Some(outcome) },
                    reason,
                    local_path,
                    found_at,
                });
            }
        }
        if self.settings.process.mode == Mode::External {
            for (entry, parent, path) in &novos {
                let below = path.strip_prefix(layout.path_of(Role::Novos)).unwrap_or_default().trim_start_matches('/');
                let seen = sighted(entry, user, parent.as_str(), below, std::time::Duration::ZERO, self.now());
                if let Some(file) = self.decided_meanwhile(&mut copies, seen, entry.created_time).await? {
                    tally.unfinished += 1;
                    recalled.push(file);
                }
            }
        }
        self.ledger.recall(&recalled, NOTE, self.now()).await?;
        Ok(tally)
    }

    /// A file that the other program has moved on the VM while there was no ledger: the move is the verdict. What is older than
    /// the file on Drive, `since`, is no copy of it.
    async fn decided_meanwhile(&self, copies: &mut Copies, seen: Sighted, since: Option<Millis>) -> Result<Option<Recalled>, Failure> {
        let layout = &self.settings.layout;
        copies.since = since;
        if seen.md5.is_none() || copies.has(layout.path_of(Role::Novos), &seen).await? {
            return Ok(None);
        }
        for (role, outcome) in [(Role::Processados, Outcome::Processado), (Role::Erro, Outcome::Erro)] {
            if let Some(path) = copies.take(&[layout.path_of(role)], &seen).await? {
                let reason = (role == Role::Erro).then(|| external::REFUSED.to_owned());
                let standing = Standing { state: State::Judged, outcome: Some(outcome) };
                return Ok(Some(Recalled { sighted: seen, standing, reason, local_path: Some(path), found_at: self.now() }));
            }
        }
        Ok(None)
    }

    /// The files below a folder, and folders that were refused whole; what is ignored is not among them.
    async fn everything_in(&self, root: Option<&FileId>, path: &str, policy: &Policy) -> Result<Vec<Placed>, Setback> {
        let mut found = Vec::new();
        let mut seen: HashSet<FileId> = root.cloned().into_iter().collect();
        let mut waiting: Vec<(FileId, String)> = root.map(|id| (id.clone(), path.to_owned())).into_iter().collect();
        while let Some((folder, path)) = waiting.pop() {
            for entry in self.drive.list(&Query::children_of(&folder).trashed(false)).await? {
                let refused = tags::path(&entry.app_properties).is_none() && entry.description.as_deref().is_some_and(|d| !d.is_empty());
                if policy.ignores(&entry.name) || entry.trashed {
                    continue;
                }
                if !entry.is_folder() || refused {
                    found.push((entry, folder.clone(), path.clone()));
                } else if seen.insert(entry.id.clone()) {
                    let below = tags::path(&entry.app_properties).map_or_else(|| join(&path, &entry.name), str::to_owned);
                    waiting.push((entry.id, below));
                }
            }
        }
        Ok(found)
    }

    /// A time that names the sub-folder the file lies in, where a template made it; else when it was made.
    fn found_at(&self, entry: &Entry, role: Role, path: &str) -> Millis {
        let times = [entry.created_time, entry.modified_time, Some(self.now())];
        let fits = times.iter().flatten().find(|at| destination::path(&self.settings.layout, role, **at) == path);
        fits.copied().or(entry.created_time).unwrap_or_else(|| self.now())
    }
}

impl Copies {
    pub(super) fn of_tree(tree: Tree) -> Self {
        Self { tree, folders: HashMap::new(), since: None }
    }

    /// The files of a local folder that nobody has taken yet.
    async fn of(&mut self, folder: &str) -> Result<&mut Vec<LocalFile>, Failure> {
        if !self.folders.contains_key(folder) {
            let (tree, at) = (self.tree.clone(), folder.to_owned());
            let files = blocking(move || {
                let present = tree.observe(std::slice::from_ref(&at))?.iter().all(|f| f.state == LocalState::Present);
                if present { tree.files(&at) } else { Ok(Vec::new()) }
            })
            .await?;
            self.folders.insert(folder.to_owned(), files);
        }
        Ok(self.folders.entry(folder.to_owned()).or_default())
    }

    /// The place of a copy in `folder`, one of the file's own name before any other.
    async fn position(&mut self, folder: &str, seen: &Sighted) -> Result<Option<usize>, Failure> {
        let (tree, at, seen, since) = (self.tree.clone(), folder.to_owned(), seen.clone(), self.since);
        let files = self.of(folder).await?;
        let fits = |f: &LocalFile| (seen.md5.is_none() || Some(f.size) == seen.size) && since.is_none_or(|at| f.modified >= at);
        let mut candidates: Vec<(usize, LocalFile)> = files.iter().cloned().enumerate().filter(|(_, f)| fits(f)).collect();
        let own: Vec<String> = name::candidates(&seen.name, &seen.key.file_id).take(3).collect();
        candidates.sort_by_key(|(_, f)| !own.contains(&f.name));
        blocking(move || {
            for (n, file) in candidates {
                if is_copy_of(&tree, &at, &file, &seen)? {
                    return Ok(Some(n));
                }
            }
            Ok(None)
        })
        .await
    }

    async fn has(&mut self, folder: &str, seen: &Sighted) -> Result<bool, Failure> {
        Ok(self.position(folder, seen).await?.is_some())
    }

    /// Takes the copy of a file out of the first of these folders that has one. Gives its path.
    pub(super) async fn take(&mut self, folders: &[&str], seen: &Sighted) -> Result<Option<String>, Failure> {
        for folder in folders {
            if let Some(n) = self.position(folder, seen).await? {
                let file = self.of(folder).await?.swap_remove(n);
                return Ok(Some(join(folder, &file.name)));
            }
        }
        Ok(None)
    }
}
