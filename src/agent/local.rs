//! The local copy of an item: what it is called, where it lies, and moving it without overwriting anything.
//!
//! A name that the copy of an open item has, wherever that lies by now, is given to nobody else.

use std::sync::Arc;

use super::blocking;
use super::cycle::Cycle;
use super::destination;
use super::homes::Home;
use super::naming::Claim;
use super::policy::{Decision, exported_name};
use super::setback::Setback;
use crate::config::settings::FolderPolicy;
use crate::domain::clock::Millis;
use crate::domain::folder::Role;
use crate::domain::item::{Item, Sighted};
use crate::domain::text::quoted;
use crate::error::Failure;
use crate::fs_layout::{LocalFile, LocalState, Moved, Tree, name};

/// A local copy that has just got its name in `novos`.
#[derive(Debug)]
pub(super) struct Copied {
    /// Path below the technician's folder.
    pub path: String,
    /// When that was, by the clock of the file system.
    pub at: Millis,
    /// Its right to the name, until that is recorded.
    _claim: Arc<Claim>,
}

impl Copied {
    /// At `path`, last written `at`.
    pub(super) fn new(path: String, at: Millis, claim: Arc<Claim>) -> Self {
        Self { path, at, _claim: claim }
    }
}

impl Cycle<'_> {
    /// `novos` on the VM, below the technician's folder.
    pub(super) fn local_inbox(&self) -> String {
        self.agent.settings.layout.path_of(Role::Novos).to_owned()
    }

    /// The name the local copy is to have, where it is free.
    ///
    /// An exported document has no checksum to know it by after a crash, so its name always carries its id.
    pub(super) fn wanted_name(&self, item: &Item) -> String {
        let seen = &item.sighted;
        let mut wanted = seen.name.clone();
        if self.shared.policy.decide(seen) == Decision::Export {
            wanted = name::with_suffix(&exported_name(&wanted), &seen.key.file_id);
        }
        if self.shared.policy.folders == FolderPolicy::Keep && !seen.below.is_empty() {
            wanted = format!("{}_{wanted}", seen.below.replace('/', "_"));
        }
        name::local_name(&wanted)
    }

    /// A copy of the item in `folder` that a crash kept from being recorded; never one that is another item's.
    pub(super) async fn find_unrecorded(&self, home: &Home, item: &Item, folder: &str, wanted: &str) -> Result<Option<String>, Failure> {
        let (tree, seen, folder, wanted) = (home.tree.clone(), item.sighted.clone(), folder.to_owned(), wanted.to_owned());
        let found = blocking(move || {
            // One of a template is made when the first file goes there.
            if tree.observe(std::slice::from_ref(&folder))?.iter().any(|f| f.state == LocalState::Missing) {
                return Ok(None);
            }
            let found = match (seen.size, &seen.md5) {
                (Some(size), Some(md5)) => tree.find_same(&folder, &wanted, &seen.key.file_id, size, md5)?,
                _ => tree.file(&join(&folder, &wanted))?.map(|f| f.name),
            };
            Ok(found.map(|name| join(&folder, &name)))
        })
        .await?;
        let Some(path) = found else { return Ok(None) };
        let holder = self.agent.ledger.holder_of(&item.sighted.user, &path, &item.id).await?;
        Ok(holder.is_none().then_some(path))
    }

    /// A copy of the item in the local `novos` that a crash kept from being recorded, under whatever name the item had then.
    pub(super) async fn take_stray(&self, home: &Home, item: &Item) -> Result<Option<Copied>, Failure> {
        let (inbox, user) = (self.local_inbox(), &item.sighted.user);
        // Looked for before anything is fetched in this cycle: a file that another item is just getting is no stray.
        let mut all = self.shared.strays.lock().await;
        if !all.contains_key(user) {
            let (tree, folder) = (home.tree.clone(), inbox.clone());
            let mut files = blocking(move || tree.files(&folder)).await?;
            if !files.is_empty() {
                let held = self.agent.ledger.held_paths(user).await?;
                files.retain(|f| !held.contains(&join(&inbox, &f.name)));
            }
            all.insert(user.clone(), files);
        }
        let Some(strays) = all.get_mut(user).filter(|s| !s.is_empty()) else { return Ok(None) };
        // A cycle may be long: one that somebody took away meanwhile, and whose name an item has got since, is none any more.
        let held = self.agent.ledger.held_paths(user).await?;
        strays.retain(|f| !held.contains(&join(&inbox, &f.name)));
        let claim = self.claim(item).await?;
        let (tree, item, candidates, wanted) = (home.tree.clone(), item.clone(), strays.clone(), self.wanted_name(item));
        let found = blocking(move || {
            for stray in candidates {
                let (at, id) = (join(&inbox, &stray.name), &item.sighted.key.file_id);
                if tree.file(&at)?.is_none() || !is_copy_of(&tree, &inbox, &stray, &item.sighted)? {
                    continue;
                }
                let Some(now) = tree.touch(&at)? else { continue };
                // Renamed on Drive meanwhile, or the same bytes as another's.
                let fits = name::candidates(&wanted, id).take(3).any(|n| n == stray.name) && claim.take(&stray.name);
                let path = if fits { Some(at) } else { moved(&tree, &at, &inbox, &wanted, id, &|name| claim.take(name))? };
                return Ok(path.map(|path| (stray, Copied::new(path, now.modified, claim.clone()))));
            }
            Ok(None)
        })
        .await?;
        let Some((stray, copy)) = found else { return Ok(None) };
        strays.retain(|s| *s != stray);
        Ok(Some(copy))
    }

    /// Moves the local copy to where `role` has it. Gives its path, `None` where there is no copy.
    pub(super) async fn put_away(&self, home: &Home, item: &Item, role: Role) -> Result<Option<String>, Setback> {
        let Some(at) = item.local_path.clone() else { return Ok(None) };
        let folder = destination::path(&self.agent.settings.layout, role, item.found_at);
        let filed = destination::path(&self.agent.settings.layout, Role::Processados, item.found_at);
        // The name it had in novos, which the processor knows it by, where that is free; else its own.
        let given = split(&at).1.to_owned();
        let plain = plain_name(item, &given);
        let (tree, from, to, id) = (home.tree.clone(), at.clone(), folder.clone(), item.sighted.key.file_id.clone());
        let (kept, other, seen) = (given.clone(), plain.clone(), item.sighted.clone());
        // Never what is another's: a ledger of before names were kept apart may have two at one place.
        let shared = self.agent.ledger.holder_of(&item.sighted.user, &at, &item.id).await?.is_some_and(|other| other.is_open());
        let moved = blocking(move || {
            tree.create(std::slice::from_ref(&to))?;
            if shared && !is_copy_at(&tree, &from, &seen)? {
                return Ok(None);
            }
            let wanted = if tree.file(&join(&to, &kept))?.is_some() { other } else { kept };
            move_to(&tree, &from, &to, &wanted, &id, &|_| true)
        })
        .await?;
        if let Some(path) = moved {
            return Ok(Some(path));
        }
        let mut found = None;
        for wanted in [&given, &plain] {
            if found.is_none() {
                found = self.find_unrecorded(home, item, &folder, wanted).await?;
            }
            if found.is_none()
                && role == Role::Erro
                && let Some(path) = self.find_unrecorded(home, item, &filed, wanted).await?
            {
                // Filed as accepted, and taken back before that was recorded.
                let (tree, folder, wanted, id) = (home.tree.clone(), folder.clone(), wanted.clone(), item.sighted.key.file_id.clone());
                found = blocking(move || move_to(&tree, &path, &folder, &wanted, &id, &|_| true)).await?;
            }
        }
        if found.is_none() {
            self.note(format!("{}: the local copy of {} is gone from {at}; Drive has it", home.blame(), quoted(&item.sighted.name)));
        }
        Ok(found)
    }

    /// The local side of a withdrawal: what was fetched goes to `erro`, what was half fetched is dropped.
    pub(super) async fn put_away_withdrawn(&self, home: &Home, item: &Item) -> Result<Option<String>, Setback> {
        let mut item = item.clone();
        if item.local_path.is_none() {
            item.local_path = self.take_stray(home, &item).await?.map(|copy| copy.path);
        }
        let item = &item;
        let path = if item.local_path.is_some() {
            self.put_away(home, item, Role::Erro).await?
        } else {
            // Fetched and put away by runs that were killed before either was recorded.
            let erro = destination::path(&self.agent.settings.layout, Role::Erro, item.found_at);
            self.find_unrecorded(home, item, &erro, &self.wanted_name(item)).await?
        };
        let (tree, inbox, id) = (home.tree.clone(), self.local_inbox(), item.id.clone());
        blocking(move || tree.discard_part(&inbox, &id)).await?;
        Ok(path)
    }
}

/// Moves `from` into `folder`, unless it lies there already. `None` where there is nothing at `from`.
pub(super) fn move_to(
    tree: &Tree,
    from: &str,
    folder: &str,
    wanted: &str,
    id: &str,
    is_free: &dyn Fn(&str) -> bool,
) -> Result<Option<String>, Failure> {
    if split(from).0 == folder && is_free(split(from).1) {
        return Ok(tree.file(from)?.map(|_| from.to_owned()));
    }
    moved(tree, from, folder, wanted, id, is_free)
}

fn moved(tree: &Tree, from: &str, folder: &str, wanted: &str, id: &str, is_free: &dyn Fn(&str) -> bool) -> Result<Option<String>, Failure> {
    Ok(match tree.move_file(from, folder, wanted, id, is_free)? {
        Moved::To(name) => Some(join(folder, &name)),
        Moved::SourceGone => None,
    })
}

/// Whether what lies at `path` has this content.
fn is_copy_at(tree: &Tree, path: &str, seen: &Sighted) -> Result<bool, Failure> {
    match tree.file(path)? {
        Some(file) => is_copy_of(tree, split(path).0, &file, seen),
        None => Ok(false),
    }
}

/// Whether a file in `folder` has this content. An exported document, which has no checksum, is known by the id in its name.
pub(super) fn is_copy_of(tree: &Tree, folder: &str, file: &LocalFile, seen: &Sighted) -> Result<bool, Failure> {
    Ok(match (seen.size, &seen.md5) {
        (Some(size), Some(md5)) => file.size == size && tree.measure(&join(folder, &file.name))?.1 == *md5,
        _ => file.name.contains(name::with_suffix("", &seen.key.file_id).trim_start_matches(|c| c != '(')),
    })
}

/// The name without the suffix that a clash in `novos` gave it, which elsewhere may be free.
pub(super) fn plain_name(item: &Item, name: &str) -> String {
    if item.sighted.md5.is_none() {
        return name.to_owned();
    }
    let suffix = name::with_suffix("", &item.sighted.key.file_id).trim_start_matches(|c| c != '(').to_owned();
    name.replacen(&format!(" {suffix}"), "", 1)
}

pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
