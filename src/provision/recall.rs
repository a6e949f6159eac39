//! Who there is, for a ledger that is lost: from the marks on Drive's folders, `tecnicos.json`, and the grants on each
//! `novos`. Only reads on Drive and on the VM.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::claim::{Claim, Claims};
use super::{Provisioner, plan};
use crate::domain::clock;
use crate::domain::folder::{Role, WantedFolder};
use crate::domain::tags;
use crate::domain::technician::{Email, UserId};
use crate::domain::text::{count, shell_path};
use crate::drive::{Entry, FileId, Grant, Kind, Query};
use crate::error::{Exit, Failure};
use crate::fs_layout::Entry as RegistryEntry;
use crate::ledger::{Adopt, Technician, WantedGrant, WantedTechnician};

/// How many technicians one listing asks for.
const PER_LISTING: usize = 20;

/// A technician who was found again.
pub struct Found {
    /// As recorded now.
    pub technician: Technician,
    /// With whom `novos` is shared beside them, or in another role than the configured one.
    pub grants: Vec<WantedGrant>,
}

/// Who was found again, and what somebody should look at.
#[derive(Default)]
pub struct Recollection {
    /// The technicians.
    pub technicians: Vec<Found>,
    /// Those who were taken out.
    pub removed: Vec<Technician>,
    /// Sentences for a person.
    pub notes: Vec<String>,
    /// Whom other installations on the same account have, in sentences.
    pub left_out: Vec<String>,
}

impl Provisioner<'_> {
    /// Records in the ledger, which must be new, everybody whose folder carries tecnico's mark.
    ///
    /// Fails with `nothing_to_rebuild` (65) where there is nobody.
    pub async fn recall(&self) -> anyhow::Result<Recollection> {
        let mut found = Recollection::default();
        let registry = match self.base.registry().read() {
            Ok(entries) => entries,
            Err(fault) if fault.code() == "registry_damaged" => {
                found.notes.push(format!("{fault}; names and e-mails are taken from Drive"));
                Vec::new()
            }
            Err(fault) => return Err(fault.into()),
        };
        let archives = self.archives().await?;
        let (roots, archived) = self.roots(&registry, &archives, &mut found).await?;
        if roots.is_empty() && archived.is_empty() {
            let parent = &self.settings.drive.parent_folder_id;
            let others = if found.left_out.is_empty() { String::new() } else { format!("; left out: {}", found.left_out.join("; ")) };
            let message = format!("no folder in {parent} on Drive carries tecnico's mark{others}");
            return Err(Failure::new(Exit::Data, "nothing_to_rebuild", message)
                .hint(format!(
                    "look whether `drive.parent_folder_id` and the account are the right ones; trees of the old system are adopted with `tecnico import {}`",
                    shell_path(&self.base.registry().path())
                ))
                .into());
        }
        let users: Vec<&UserId> = roots.keys().chain(archived.keys()).collect();
        let mut marked: BTreeMap<UserId, Vec<Entry>> = BTreeMap::new();
        for some in users.chunks(PER_LISTING) {
            let theirs = some.iter().map(|user| Query::with_property(tags::USER, user.as_str()));
            for entry in self.drive.list(&Query::any(theirs).folders_only()).await? {
                if let Some(user) = owner(&entry) {
                    marked.entry(user).or_default().push(entry);
                }
            }
        }
        for entries in marked.values_mut() {
            let entries_of = entries.clone();
            let claims = self.claims(&archives, &registry, &entries_of);
            entries.retain(|e| claims.on(e) == Claim::Ours);
        }
        let theirs = |user| marked.get(user).map(Vec::as_slice).unwrap_or_default();
        for (user, trees) in &roots {
            self.recall_one(user, trees, theirs(user), &registry, &mut found).await?;
        }
        // After those in service: where two had one name, theirs is the folder.
        for (user, root) in &archived {
            self.recall_removed(user, root, theirs(user), &mut found).await?;
        }
        Ok(found)
    }

    /// The folders in which the trees of those lie who were taken out.
    async fn archives(&self) -> anyhow::Result<BTreeSet<FileId>> {
        let (key, value) = tags::ARCHIVE;
        let made = self.drive.list(&Query::children_of(&self.parent()?).app_property(key, value).folders_only()).await;
        let made = made.map_err(|e| if e.kind == Kind::Gone { self.parent_not_found(e) } else { e.into() })?;
        Ok(made.into_iter().map(|e| e.id).chain(self.archive_if_there().await?).collect())
    }

    fn claims<'a>(&'a self, archives: &'a BTreeSet<FileId>, registry: &'a [RegistryEntry], marked: &'a [Entry]) -> Claims<'a> {
        let parent = self.settings.drive.parent_folder_id.as_str();
        Claims {
            parent,
            places: archives.iter().map(FileId::as_str).chain([parent]).collect(),
            registry,
            marked: marked.iter().map(|e| (e.id.as_str(), e)).collect(),
        }
    }

    /// Somebody who was taken out: their ids, since when, and where their tree lies on the VM. A `create` brings them back.
    async fn recall_removed(&self, user: &UserId, root: &Entry, marked: &[Entry], found: &mut Recollection) -> anyhow::Result<()> {
        let since = root.app_properties.get(tags::REMOVED).and_then(|at| clock::parse(at)).or(root.modified_time);
        let wanted = wanted(user, root, None, &[]);
        let made_at = root.created_time.unwrap_or_else(clock::now);
        self.ledger.reserve(user, &wanted, &HashSet::new(), made_at).await?;
        self.ledger.adopt_ids(user, &self.folders_of(&tree_of(root, marked, None)), Adopt::Replace).await?;
        let place = Some(self.in_archive(&root.name)).filter(|place| self.base.is_taken(place).unwrap_or_default());
        if place.is_none() {
            let lies = self.base.path().join(self.in_archive(&root.name));
            found.notes.push(format!("{user} was taken out; their tree on the VM is not at {}", lies.display()));
        }
        self.ledger.put_away(user, place.as_deref(), since.unwrap_or_else(clock::now)).await?;
        found.removed.extend(self.ledger.technician(user).await?);
        Ok(())
    }

    /// The ids of a tree, by path.
    fn folders_of(&self, tree: &BTreeMap<String, &Entry>) -> Vec<(WantedFolder, String)> {
        let layout = self.settings.layout.drive_folders();
        let role = |path: &String, entry: &Entry| {
            layout.iter().find(|w| w.path == *path).map(|w| w.role).or_else(|| tags::role(&entry.app_properties)).unwrap_or(Role::Caminho)
        };
        tree.iter().map(|(path, entry)| (WantedFolder { path: path.clone(), role: role(path, entry) }, entry.id.to_string())).collect()
    }

    /// The technicians' own folders by user, of those in service and of those taken out: where they belong, and where somebody
    /// dragged them.
    async fn roots(
        &self,
        registry: &[RegistryEntry],
        archives: &BTreeSet<FileId>,
        found: &mut Recollection,
    ) -> anyhow::Result<(BTreeMap<UserId, Vec<Entry>>, BTreeMap<UserId, Entry>)> {
        let (key, value) = tags::ROOT;
        let mut entries = self.drive.list(&Query::with_property(key, value).folders_only()).await?;
        for entry in registry {
            if entries.iter().any(|e| e.id.as_str() == entry.pasta_drive_id) {
                continue;
            }
            let named = match FileId::new(&entry.pasta_drive_id) {
                Ok(id) => self.drive.get(&id).await?.filter(Entry::is_folder),
                Err(_) => None,
            };
            match named {
                Some(folder) if owner(&folder).is_some() => entries.push(folder),
                Some(_) => found.notes.push(format!(
                    "{} in tecnicos.json is not tecnico's: `tecnico import {}` adopts it",
                    entry.nome,
                    shell_path(&self.base.registry().path())
                )),
                None => {
                    found.notes.push(format!("the folder of {} in tecnicos.json ({}) is not on Drive", entry.nome, entry.pasta_drive_id));
                }
            }
        }
        let claims = self.claims(archives, registry, &entries);
        let (mut roots, mut archived) = (BTreeMap::<UserId, Vec<Entry>>::new(), BTreeMap::new());
        let mut others: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &entries {
            let Some(user) = owner(entry) else { continue };
            let is_in_place = entry.parents.iter().any(|p| *p.as_str() == *claims.parent || archives.contains(p));
            match claims.on(entry) {
                // Thrown away elsewhere: nobody misses it.
                _ if entry.trashed && !is_in_place => {}
                Claim::Others => *others.entry(tags::parent(&entry.app_properties).unwrap_or_default()).or_default() += 1,
                Claim::Unclear => {
                    let failure = self.tree_elsewhere(&user, entry);
                    let hint = failure.hint_text().unwrap_or_default();
                    found.notes.push(format!("{user} is left out: {failure}; {hint}"));
                }
                Claim::Ours
                    if entry.app_properties.contains_key(tags::REMOVED) && !entry.parents.iter().any(|p| p.as_str() == claims.parent) =>
                {
                    archived.insert(user, entry.clone());
                }
                Claim::Ours => roots.entry(user).or_default().push(entry.clone()),
            }
        }
        found.left_out.extend(others.into_iter().map(|(parent, n)| {
            let technicians = count(n, "technician", "technicians");
            format!("{technicians} of another installation, whose parent folder is {parent}")
        }));
        // Who lies in both is in service, and `check` names the second tree.
        archived.retain(|user, _| !roots.contains_key(user));
        Ok((roots, archived))
    }

    async fn recall_one(
        &self,
        user: &UserId,
        trees: &[Entry],
        marked: &[Entry],
        registry: &[RegistryEntry],
        found: &mut Recollection,
    ) -> anyhow::Result<()> {
        let named = |e: &Entry| registry.iter().any(|r| r.pasta_drive_id == e.id.as_str());
        let Some(root) = trees.iter().min_by_key(|e| (e.trashed, !named(e), e.created_time, e.id.to_string())) else { return Ok(()) };
        if trees.len() > 1 {
            found.notes.push(format!(
                "{user} has {} folders on Drive; {} is taken; `tecnico check {user}` names the others",
                trees.len(),
                root.id
            ));
        }
        let entry = registry.iter().find(|r| r.pasta_drive_id == root.id.as_str()).or_else(|| {
            let namesake = registry.iter().find(|r| folder_of(r) == root.name && !trees.iter().any(|t| t.id.as_str() == r.pasta_drive_id));
            if let Some(entry) = namesake {
                let id = &entry.pasta_drive_id;
                found.notes.push(format!("tecnicos.json says {id} is the folder of {user}; Drive says {}, which is taken", root.id));
            }
            namesake
        });
        let tree = tree_of(root, marked, entry);
        let grants = self.grants_on(&tree).await?;
        let wanted = wanted(user, root, entry, &grants);
        if entry.is_none() {
            let email = wanted.email.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
            let name = wanted.name.as_deref().unwrap_or_default();
            found.notes.push(format!(
                "{user} is not in tecnicos.json: taken as {name:?}, e-mail {email}; `tecnico create {user} --name … --email …` corrects it"
            ));
        }
        if let Some(other) = self.ledger.technician_by_folder(&wanted.folder).await? {
            found.notes.push(format!("{user} is left out: the folder {} on the VM is that of {}", wanted.folder, other.user));
            return Ok(());
        }
        let made_at = root.created_time.unwrap_or_else(clock::now);
        let technician = self.ledger.reserve(user, &wanted, &HashSet::new(), made_at).await?.technician;
        self.ledger.adopt_ids(user, &self.folders_of(&tree), Adopt::Replace).await?;
        let mut beside = Vec::new();
        for grant in &grants {
            let Some(email) = grant.email.as_deref().and_then(|e| Email::parse(e).ok()) else { continue };
            // The technician's own follows from their row.
            if technician.email.as_ref() != Some(&email) || grant.role != self.settings.share.role {
                let grant = WantedGrant { email, role: grant.role.clone(), notify: false };
                self.ledger.want_grant(user, &grant).await?;
                beside.push(grant);
            }
        }
        found.technicians.push(Found { technician, grants: beside });
        Ok(())
    }

    /// What somebody gave on `novos` itself, to people.
    async fn grants_on(&self, tree: &BTreeMap<String, &Entry>) -> anyhow::Result<Vec<Grant>> {
        let Some(novos) = tree.get(self.settings.layout.path_of(Role::Novos)) else { return Ok(Vec::new()) };
        let grants = match &novos.permissions {
            Some(grants) => grants.clone(),
            None => self.drive.permissions(&novos.id).await?,
        };
        let theirs = |g: &Grant| !g.inherited && !g.deleted && matches!(g.role.as_str(), "reader" | "commenter" | "writer");
        Ok(grants.into_iter().filter(|g| theirs(g) && matches!(g.kind.as_str(), "user" | "group")).collect())
    }
}

fn owner(entry: &Entry) -> Option<UserId> {
    entry.app_properties.get(tags::USER).and_then(|user| UserId::parse(user).ok())
}

fn folder_of(entry: &RegistryEntry) -> &str {
    entry.pasta_vm.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// One folder for each path that the marks name: the one that hangs in the tree before one that does not, the oldest first.
fn tree_of<'e>(root: &'e Entry, marked: &'e [Entry], entry: Option<&RegistryEntry>) -> BTreeMap<String, &'e Entry> {
    let mut tree = BTreeMap::from([(String::new(), root)]);
    let paths: BTreeSet<&str> = marked.iter().filter_map(|e| tags::path(&e.app_properties)).filter(|p| !p.is_empty()).collect();
    for path in paths {
        let above = plan::parent_path(path).and_then(|p| tree.get(p)).map(|e| &e.id);
        let hangs = |e: &Entry| above.is_some_and(|id| e.parents.contains(id));
        let named = |e: &Entry| entry.is_some_and(|r| r.pasta_novos_id == e.id.as_str());
        let of_path = marked.iter().filter(|e| tags::path(&e.app_properties) == Some(path));
        if let Some(best) = of_path.min_by_key(|e| (e.trashed, !named(e), !hangs(e), e.created_time, e.id.to_string())) {
            tree.insert(path.to_owned(), best);
        }
    }
    tree
}

/// What is known of a person: what `tecnicos.json` says, else what the folder and the only grant on `novos` say.
fn wanted(user: &UserId, root: &Entry, entry: Option<&RegistryEntry>, grants: &[Grant]) -> WantedTechnician {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let people: Vec<&str> = grants.iter().filter(|g| g.kind == "user").filter_map(|g| g.email.as_deref()).collect();
    let only = if let [one] = people.as_slice() { Email::parse(one).ok() } else { None };
    WantedTechnician {
        name: entry.and_then(|e| said(&e.nome)).or_else(|| Some(root.name.replace('_', " "))),
        email: match entry {
            Some(entry) => Email::parse(&entry.email).ok(),
            None => Email::parse(user.as_str()).ok().or(only),
        },
        portal_user: entry.and_then(|e| said(&e.usuario_portal)),
        folder: entry.and_then(|e| said(folder_of(e))).unwrap_or_else(|| root.name.clone()),
    }
}
