//! Whose a folder with a technician's mark is. The mark is found wherever the account sees it, and two installations on one
//! account may call a technician by one id: what another one made is left alone.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Provisioner, Survey};
use crate::config::Settings;
use crate::domain::tags;
use crate::domain::technician::UserId;
use crate::domain::text::quoted;
use crate::drive::Entry;
use crate::error::{Exit, Failure};
use crate::fs_layout::Entry as RegistryEntry;
use crate::ledger::FolderRow;

/// What is known of the owner of a folder with a technician's mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// This installation's: it lies where its trees belong, or names its parent folder.
    Ours,
    /// Another installation's: it names another parent folder.
    Others,
    /// Made before the mark named a parent folder, and it lies elsewhere.
    Unclear,
}

/// What tells whose a folder is.
pub(super) struct Claims<'a> {
    /// The folder every tree of ours lies in.
    pub parent: &'a str,
    /// That folder, the archives in it, and the folders that the ledger knows.
    pub places: HashSet<&'a str>,
    /// What `tecnicos.json` says, which is this installation's own.
    pub registry: &'a [RegistryEntry],
    /// The folders with marks, by id.
    pub marked: HashMap<&'a str, &'a Entry>,
}

impl Claims<'_> {
    /// Where it lies counts first, then what the mark says, of it or of the folders above it.
    pub fn on(&self, entry: &Entry) -> Claim {
        let chain = self.chain(entry);
        let is_in_place = |e: &&Entry| e.parents.iter().any(|p| self.places.contains(p.as_str()));
        if chain.iter().any(is_in_place) || self.places.contains(entry.id.as_str()) {
            return Claim::Ours;
        }
        for at in chain {
            let is_registered = self.registry.iter().any(|r| r.pasta_drive_id == at.id.as_str() || r.pasta_novos_id == at.id.as_str());
            match (tags::parent(&at.app_properties), is_registered) {
                (Some(home), _) if home == self.parent => return Claim::Ours,
                (Some(_), true) => return Claim::Unclear,
                (Some(_), false) => return Claim::Others,
                (None, true) => return Claim::Ours,
                (None, false) => {}
            }
        }
        Claim::Unclear
    }

    /// The folder, and the marked ones above it.
    fn chain<'e>(&'e self, entry: &'e Entry) -> Vec<&'e Entry> {
        let mut chain = vec![entry];
        while let Some(above) = chain.last().and_then(|e| e.parents.iter().find_map(|p| self.marked.get(p.as_str()))) {
            if chain.iter().any(|e| e.id == above.id) {
                break;
            }
            chain.push(above);
        }
        chain
    }
}

/// The folders that carry a technician's mark, by path; where there are several of one part, the oldest.
#[derive(Default)]
pub(super) struct Tagged<'s> {
    /// This installation's.
    pub ours: BTreeMap<String, &'s Entry>,
    /// Another installation's.
    pub others: BTreeMap<String, &'s Entry>,
    /// Nobody can say whose.
    pub unclear: BTreeMap<String, &'s Entry>,
}

impl Survey {
    /// What carries `user`'s mark. `rows` are the folders of theirs that the ledger knows.
    pub(super) fn tagged(&self, user: &UserId, settings: &Settings, rows: &[FolderRow]) -> Tagged<'_> {
        let mut tagged = Tagged::default();
        // Costs a look at everything there is of everybody: most have only what the ledger knows.
        let claims = LazyCell::new(|| self.claims(settings, rows));
        let is_known = |e: &Entry| rows.iter().any(|r| r.drive_id == e.id.as_str());
        let mut marked: Vec<&Entry> =
            self.by_id.values().filter(|e| !e.trashed && tags::user(&e.app_properties) == Some(user.as_str())).collect();
        marked.sort_by_key(|e| (e.created_time, e.id.to_string()));
        for entry in marked {
            if let Some(path) = tags::path(&entry.app_properties) {
                let claim = if is_known(entry) { Claim::Ours } else { claims.on(entry) };
                let of = match claim {
                    Claim::Ours => &mut tagged.ours,
                    Claim::Others => &mut tagged.others,
                    Claim::Unclear => &mut tagged.unclear,
                };
                of.entry(path.to_owned()).or_insert(entry);
            }
        }
        tagged
    }

    pub(super) fn claims<'s>(&'s self, settings: &'s Settings, rows: &'s [FolderRow]) -> Claims<'s> {
        let parent = settings.drive.parent_folder_id.as_str();
        let is_archive = |e: &Entry| {
            let is_one = tags::is_archive(&e.app_properties) || e.name == settings.layout.archive;
            is_one && tags::user(&e.app_properties).is_none() && e.parents.iter().any(|p| p.as_str() == parent)
        };
        let archives = self.by_id.values().filter(|e| is_archive(e)).map(|e| e.id.as_str());
        let places = archives.chain(rows.iter().map(|r| r.drive_id.as_str())).chain([parent]).collect();
        let marked = self.by_id.iter().filter(|(_, e)| tags::user(&e.app_properties).is_some()).map(|(id, e)| (id.as_str(), e)).collect();
        Claims { parent, places, registry: &self.registry, marked }
    }
}

impl Provisioner<'_> {
    /// A folder with the technician's mark of which nobody can say whose it is: a second one in its place could be a twin,
    /// and taking it could be theft.
    pub(super) fn tree_elsewhere(&self, user: &UserId, entry: &Entry) -> Failure {
        if !self.reach.is_everybody() {
            let message = format!("a folder on Drive carries the mark of {user} and is not where it belongs");
            return Failure::new(Exit::Data, "tree_elsewhere", message)
                .hint("tecnico's administrator says whose it is; nothing was changed");
        }
        let parent = &self.settings.drive.parent_folder_id;
        let name = quoted(&entry.name);
        let lies = entry.parents.first().map_or_else(|| "where this account cannot see".to_owned(), |p| format!("in the folder {p}"));
        let (id, marked_for) = (entry.id.as_str(), tags::parent(&entry.app_properties));
        let mark =
            marked_for.map_or_else(|| "does not say of which parent folder".to_owned(), |home| format!("names the parent folder {home}"));
        let message = format!("the folder {name} ({id}) carries the mark of {user}, but lies {lies}, not in {parent}, and the mark {mark}");
        let home = match tags::path(&entry.app_properties) {
            Some(path) if !path.is_empty() => format!("where it belongs in the tree of {user}"),
            _ => format!("into {parent}"),
        };
        let settle = match marked_for {
            Some(_) => "take its entry out of tecnicos.json",
            None => "run `tecnico check --repair` there, which marks what is its own",
        };
        let hint = format!(
            "if it is this {user}'s, move it {home} in Drive; if it is another installation's, {settle}; then run the same command again"
        );
        Failure::new(Exit::Data, "tree_elsewhere", message).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::folder::Role;
    use crate::drive::{FOLDER, FileId};

    fn entry(id: &str, parent: &str, home: Option<&str>) -> Entry {
        let user = UserId::parse("42").expect("a user");
        Entry {
            parents: vec![FileId::new(parent).expect("an id")],
            app_properties: home.map(|home| tags::of(&user, "", Role::Usuario, home)).unwrap_or_default(),
            ..Entry::bare(id, FOLDER)
        }
    }

    fn claim(entries: &[Entry], registered: &str) -> Vec<Claim> {
        let registry = [RegistryEntry { pasta_drive_id: registered.to_owned(), ..RegistryEntry::default() }];
        let marked = entries.iter().map(|e| (e.id.as_str(), e)).collect();
        let claims = Claims { parent: "ours", places: HashSet::from(["ours", "archive", "known"]), registry: &registry, marked };
        entries.iter().map(|e| claims.on(e)).collect()
    }

    #[test]
    fn place_comes_before_mark_and_mark_before_nothing() {
        use Claim::{Others, Ours, Unclear};
        let cases = [
            ("ours", None, Ours),
            ("ours", Some("theirs"), Ours),
            ("archive", None, Ours),
            ("known", Some("theirs"), Ours),
            ("away", Some("ours"), Ours),
            ("theirs", Some("theirs"), Others),
            ("away", None, Unclear),
        ];
        for (parent, home, wants) in cases {
            assert_eq!(claim(&[entry("root", parent, home)], ""), [wants], "{parent} {home:?}");
        }
        assert_eq!(claim(&[entry("root", "away", None)], "root"), [Ours]);
        assert_eq!(claim(&[entry("root", "away", Some("theirs"))], "root"), [Unclear], "copied along with the VM?");
    }

    #[test]
    fn a_part_without_a_word_of_its_own_belongs_to_its_tree() {
        use Claim::{Others, Ours, Unclear};
        for (parent, home, wants) in [("ours", None, Ours), ("theirs", Some("theirs"), Others), ("away", None, Unclear)] {
            let tree = [entry("root", parent, home), entry("pdfs", "root", None), entry("novos", "pdfs", None)];
            assert_eq!(claim(&tree, ""), [wants; 3], "{parent} {home:?}");
        }
        let moved = [entry("root", "theirs", Some("theirs")), entry("novos", "root", Some("ours"))];
        assert_eq!(claim(&moved, ""), [Others, Ours]);
    }
}
