//! What a removal has still to do, and who has access against its purpose. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::drive::{Entry, Grant};
use crate::ledger::Technician;
use crate::provision::drift::{Drift, Plan, Problem};

/// Everything a removal looks at.
#[derive(Debug, Clone)]
pub struct Departing {
    /// The tree on Drive: its folder first, then all that lies in it, and what of it somebody dragged elsewhere.
    pub items: Vec<Held>,
    /// The id of the technician's own folder, while it is on Drive.
    pub root: Option<String>,
    /// Whether there is a tree in its folder on the VM.
    pub is_on_vm: bool,
    /// Whether `tecnicos.json` names them.
    pub is_registered: bool,
    /// The archive folder on Drive; `None` while it is not made.
    pub archive_id: Option<String>,
    /// A folder with their mark that may be another installation's.
    pub unclear: Option<Entry>,
    /// Who has access to the archive, or, where it is not made, to the folder that is to hold it.
    pub insiders: Insiders,
}

/// One item of the tree.
#[derive(Debug, Clone)]
pub struct Held {
    /// Where it is, for people.
    pub path: String,
    /// As Drive has it.
    pub entry: Entry,
    /// Who may use it; `None` where its owner lets nobody see that.
    pub grants: Option<Vec<Grant>>,
}

/// Who may have access to what lies in the archive.
#[derive(Debug, Clone)]
pub struct Insiders {
    /// tecnico's own account.
    pub account: String,
    /// The grants on the archive folder, its parent's included.
    pub grants: Vec<Grant>,
    /// The technician's own addresses.
    pub leaving: Vec<String>,
}

/// Somebody who has access against the purpose of the removal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Whom: an address, a domain, or `anyone`.
    pub who: String,
    /// To what.
    pub on: String,
    /// As what.
    pub role: String,
    /// Whether the access comes from the folder above all trees.
    pub from_above: bool,
}

/// What the last look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Who still has access.
    pub left: Vec<Left>,
    /// Whose own files lie in the tree, and how many: Drive lets nobody take a file from its owner (3.17).
    pub owners: BTreeMap<String, usize>,
}

impl Insiders {
    fn is_own(&self, grant: &Grant) -> bool {
        grant.is_for(&self.account)
    }

    /// The technician, everybody of the technician's domain, and everybody at all are outside, however they came in.
    fn is_outsider(&self, grant: &Grant) -> bool {
        let domain_of = |address: &String| address.rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
        grant.kind == "anyone"
            || self.leaving.iter().any(|own| grant.is_for(own) || (grant.kind == "domain" && grant.is_for(&domain_of(own))))
    }

    fn is_inside(&self, grant: &Grant) -> bool {
        self.is_own(grant) || (!self.is_outsider(grant) && self.grants.iter().any(|g| g.id == grant.id))
    }
}

/// The steps left, in their order: access first, then the trees, then `tecnicos.json`.
pub fn plan(technician: &Technician, archive: &str, there: &Departing) -> Plan {
    let mut drifts = Vec::new();
    for held in &there.items {
        for grant in held.grants.iter().flatten().filter(|g| is_to_go(g, &there.insiders)) {
            let problem = Problem::Access {
                file_id: held.entry.id.to_string(),
                permission_id: grant.id.clone(),
                on: held.path.clone(),
                role: grant.role.clone(),
            };
            drifts.push(Drift { place: grant.who().to_owned(), problem });
        }
    }
    let mut found = |place: &str, problem| drifts.push(Drift { place: place.to_owned(), problem });
    let root = there.items.iter().find(|held| Some(held.entry.id.as_str()) == there.root.as_deref());
    let is_archived = |held: &Held| held.entry.parents.iter().any(|p| Some(p.as_str()) == there.archive_id.as_deref());
    if root.is_some_and(|held| !is_archived(held)) {
        found(&technician.folder, Problem::NotArchived { archive: archive.to_owned() });
    }
    if there.is_on_vm {
        found(&technician.folder, Problem::LocalNotArchived { archive: archive.to_owned() });
    }
    if there.is_registered {
        found("tecnicos.json", Problem::RegistryUnwanted);
    }
    Plan { drifts }
}

/// Every grant on an item itself, but the owner's and tecnico's own. What comes from above cannot be taken away here (3.12).
fn is_to_go(grant: &Grant, insiders: &Insiders) -> bool {
    !grant.inherited && grant.role != "owner" && !insiders.is_own(grant)
}

/// Who has access that should have none. What a folder's owner has of what lies in it counts as theirs.
pub fn verdict(there: &Departing) -> Verdict {
    let insiders = &there.insiders;
    let owns = |grant: &Grant| grant.role == "owner" && !insiders.is_inside(grant);
    let owner_ids: BTreeSet<&str> = there
        .items
        .iter()
        .filter(|h| h.entry.is_folder())
        .flat_map(|h| h.grants.iter().flatten())
        .filter(|g| owns(g))
        .map(|g| &*g.id)
        .collect();
    let mut verdict = Verdict::default();
    // Whoever comes in with the archive itself is named once.
    for grant in insiders.grants.iter().filter(|g| insiders.is_outsider(g)) {
        let on = "the folder above all trees".to_owned();
        verdict.left.push(Left { who: grant.who().to_owned(), on, role: grant.role.clone(), from_above: true });
    }
    let comes_with_it = |grant: &Grant| insiders.grants.iter().any(|g| g.id == grant.id) || owner_ids.contains(grant.id.as_str());
    for held in &there.items {
        let Some(grants) = &held.grants else {
            unseen(held, insiders, &mut verdict);
            continue;
        };
        for grant in grants {
            if owns(grant) {
                *verdict.owners.entry(grant.who().to_owned()).or_default() += 1;
            } else if is_to_go(grant, insiders) || (grant.inherited && !insiders.is_own(grant) && !comes_with_it(grant)) {
                verdict.left.push(Left {
                    who: grant.who().to_owned(),
                    on: held.path.clone(),
                    role: grant.role.clone(),
                    from_above: grant.inherited,
                });
            }
        }
    }
    verdict.left.sort();
    verdict
}

/// An item whose grants nobody but its owner may see: the owner's affair where there is one, else not known to be closed.
fn unseen(held: &Held, insiders: &Insiders, verdict: &mut Verdict) {
    let owners: Vec<&String> = held.entry.owners.iter().filter(|o| !o.eq_ignore_ascii_case(&insiders.account)).collect();
    for owner in &owners {
        *verdict.owners.entry((*owner).clone()).or_default() += 1;
    }
    if owners.is_empty() {
        let who = "somebody tecnico may not see".to_owned();
        verdict.left.push(Left { who, on: held.path.clone(), role: "unknown".to_owned(), from_above: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(id: &str, role: &str, inherited: bool) -> Grant {
        let kind = if id == "anyone" { "anyone" } else { "user" };
        let email = (kind == "user").then(|| format!("{id}@example.com"));
        Grant { id: id.into(), kind: kind.into(), role: role.into(), email, domain: None, inherited, deleted: false }
    }

    fn held(path: &str, mime_type: &str, grants: Option<Vec<Grant>>) -> Held {
        Held { path: path.into(), entry: Entry::bare(path, mime_type), grants }
    }

    fn there(items: Vec<Held>, above: Vec<Grant>) -> Departing {
        let insiders = Insiders { account: "robot@example.com".into(), grants: above, leaving: vec!["ana@example.com".into()] };
        Departing { items, root: None, is_on_vm: false, is_registered: false, archive_id: None, unclear: None, insiders }
    }

    fn who(there: &Departing) -> Vec<String> {
        verdict(there).left.iter().map(|l| l.who.clone()).collect()
    }

    const FOLDER: &str = crate::drive::FOLDER;

    #[test]
    fn what_comes_from_above_stays_and_everything_else_is_somebodys_access() {
        let admin = grant("admin", "writer", true);
        let grants = vec![grant("robot", "owner", false), admin.clone(), grant("robot", "writer", false), grant("bea", "reader", false)];
        let seen = there(vec![held("novos", FOLDER, Some(grants))], vec![admin]);
        assert_eq!(who(&seen), ["bea@example.com"]);
    }

    #[test]
    fn the_technician_and_a_public_link_are_outside_even_from_above() {
        let above = vec![grant("admin", "owner", false), grant("ana", "reader", false), grant("anyone", "reader", false)];
        let inherited = above.iter().map(|g| Grant { inherited: true, ..g.clone() }).collect();
        let left = verdict(&there(vec![held("novos", FOLDER, Some(inherited))], above)).left;
        assert_eq!(left.iter().map(|l| (l.who.as_str(), l.from_above)).collect::<Vec<_>>(), [("ana@example.com", true), ("anyone", true)]);
    }

    #[test]
    fn owners_of_files_are_told_apart_from_those_who_were_let_in() {
        let folder = held("lote", FOLDER, Some(vec![grant("ana", "owner", false)]));
        let inner = held("lote/a.pdf", "application/pdf", Some(vec![grant("ana", "writer", true), grant("bea", "owner", false)]));
        let seen = verdict(&there(vec![folder, inner], Vec::new()));
        assert_eq!(seen.left, []);
        assert_eq!(seen.owners, BTreeMap::from([("ana@example.com".into(), 1), ("bea@example.com".into(), 1)]));
    }

    #[test]
    fn what_cannot_be_seen_is_not_called_closed() {
        assert_eq!(who(&there(vec![held("a.pdf", "application/pdf", None)], Vec::new())).len(), 1);
    }
}
