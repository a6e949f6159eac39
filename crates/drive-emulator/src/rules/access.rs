//! Who may do what with a file: direct grants, inherited ones, shared drives, link sharing, scopes.

use std::collections::BTreeMap;

use crate::error::{ApiError, ApiResult};
use crate::rules::cx::Cx;
use crate::store::accounts::{Principal, domain_of};
use crate::store::files::{self, FileRow};
use crate::store::perms::{self, Grantee, PermRow, Role};

/// Longest chain of parents that is followed; a store damaged into a cycle must not hang.
const MAX_CHAIN: usize = 200;

/// Where the caller stands with one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Effective role: the highest of direct and inherited.
    pub role: Option<Role>,
    /// The same without link sharing: such items show up in flat lists.
    pub listed: Option<Role>,
    /// Sees only that a limited-access folder exists (3.22).
    pub glimpse: bool,
    /// Trashed, itself or through a folder (2.56).
    pub trashed: bool,
    /// Folders above it.
    pub depth: u32,
}

/// One grantee's permission on a file, direct and inherited put together (3.13).
#[derive(Debug, Clone)]
pub struct Effective {
    /// The strongest of its parts, or the direct one.
    pub perm: PermRow,
    /// Effective role.
    pub role: Role,
    /// There is a grant on the file itself.
    pub direct: bool,
    /// What is left of an inherited grant on a limited-access folder: that it exists (3.22).
    pub glimpse: bool,
    /// Role, whether inherited, and from which item.
    pub details: Vec<(Role, Option<String>)>,
}

impl Cx<'_> {
    /// The caller's standing with `file`.
    pub fn standing(&self, file: &FileRow) -> ApiResult<Standing> {
        if let Some(known) = self.cache.borrow().standing.get(&file.id) {
            return Ok(*known);
        }
        // From the root down, so that the depth of the tree is not the depth of the stack.
        let mut chain = Vec::new();
        let mut above = None;
        let mut next = file.parent.clone();
        while let Some(id) = next.take() {
            if let Some(known) = self.cache.borrow().standing.get(&id) {
                above = Some(*known);
                break;
            }
            let Some(parent) = files::get(self.db, &id)? else { break };
            next.clone_from(&parent.parent);
            chain.push(parent);
            if chain.len() > MAX_CHAIN {
                break;
            }
        }
        for folder in chain.iter().rev() {
            let own = self.below(folder, above)?;
            self.cache.borrow_mut().standing.insert(folder.id.clone(), own);
            above = Some(own);
        }
        let own = self.below(file, above)?;
        if file.is_folder() {
            self.cache.borrow_mut().standing.insert(file.id.clone(), own);
        }
        Ok(own)
    }

    fn below(&self, file: &FileRow, parent: Option<Standing>) -> ApiResult<Standing> {
        let above = parent.unwrap_or_default();
        let mut own =
            Standing { trashed: file.trashed || above.trashed, depth: above.depth + u32::from(parent.is_some()), ..Standing::default() };
        if file.owner.as_deref() == Some(&self.who.email) {
            own.role = Some(Role::Owner);
            own.listed = own.role;
            return Ok(own);
        }
        for perm in perms::on_file(self.db, &file.id, self.now)? {
            if !self.matches(&perm.grantee)? {
                continue;
            }
            own.role = own.role.max(Some(perm.role));
            if perm.grantee != Grantee::Anyone || perm.discoverable {
                own.listed = own.listed.max(Some(perm.role));
            }
        }
        let inherited = above.role.filter(|_| !above.glimpse).map(passed_down);
        if !file.limited || above.role == Some(Role::Organizer) {
            own.role = own.role.max(inherited);
            own.listed = own.listed.max(above.listed.filter(|_| !above.glimpse).map(passed_down));
        } else if own.role.is_none() && inherited.is_some() {
            own.role = Some(Role::Reader);
            own.listed = above.listed.and(Some(Role::Reader));
            own.glimpse = true;
        }
        Ok(own)
    }

    fn matches(&self, grantee: &Grantee) -> ApiResult<bool> {
        Ok(match grantee {
            Grantee::User(email) => *email == self.who.email,
            Grantee::Domain(domain) => domain == self.who.domain(),
            Grantee::Anyone => true,
            Grantee::Group(email) => {
                let known = self.cache.borrow().groups.clone();
                if let Some(groups) = known {
                    return Ok(groups.contains(email));
                }
                let groups = crate::store::accounts::groups_of(self.db, &self.who.email)?;
                self.cache.borrow_mut().groups = Some(groups.clone());
                groups.contains(email)
            }
        })
    }

    /// Whether the token's scopes let it see this file: `drive.file` sees its own app's (2.1).
    pub fn in_scope(&self, file: &FileRow) -> bool {
        match reach(&self.who) {
            Reach::All => true,
            Reach::OwnFiles => file.app == self.who.app && !file.is_root(),
            Reach::Nothing => false,
        }
    }

    /// The file of an id, if the caller may know of it; else 404, never more (2.1).
    pub fn visible(&self, id: &str, all_drives: bool) -> ApiResult<(FileRow, Standing)> {
        let missing = || ApiError::not_found_file(id);
        let file = self.stored(id)?.ok_or_else(missing)?;
        if file.drive.is_some() && !all_drives {
            return Err(missing());
        }
        let standing = self.standing(&file)?;
        if standing.role.is_none() || !self.in_scope(&file) {
            return Err(missing());
        }
        Ok((file, standing))
    }

    /// The file of an id, if the caller has at least `role` on it.
    pub fn allowed(&self, id: &str, all_drives: bool, role: Role) -> ApiResult<(FileRow, Standing)> {
        let (file, standing) = self.visible(id, all_drives)?;
        if standing.role < Some(role) || standing.glimpse {
            return Err(ApiError::insufficient_file_permissions());
        }
        Ok((file, standing))
    }

    /// The caller's role on the parent of `file`, if they can see it.
    pub fn parent_role(&self, file: &FileRow) -> ApiResult<Option<Role>> {
        let Some(parent) = &file.parent else { return Ok(None) };
        match files::get(self.db, parent)? {
            Some(parent) => Ok(self.standing(&parent)?.role),
            None => Ok(None),
        }
    }

    /// Every permission that holds for a file, by grantee, direct ones and inherited ones (3.12, 3.13).
    pub fn effective(&self, file: &FileRow) -> ApiResult<Vec<Effective>> {
        let mut found: BTreeMap<String, Effective> = BTreeMap::new();
        let mut order = Vec::new();
        let mut at = Some(file.clone());
        let mut steps = 0;
        while let Some(node) = at {
            let inherited = node.id != file.id;
            for perm in perms::on_file(self.db, &node.id, self.now)? {
                let role = if inherited { passed_down(perm.role) } else { perm.role };
                let detail = (role, inherited.then(|| node.id.clone()));
                if let Some(known) = found.get_mut(&perm.id) {
                    // An owner has nothing to inherit.
                    if known.role != Role::Owner {
                        known.role = known.role.max(role);
                        known.details.push(detail);
                    }
                } else {
                    order.push(perm.id.clone());
                    found.insert(perm.id.clone(), Effective { perm, role, direct: !inherited, glimpse: false, details: vec![detail] });
                }
            }
            steps += 1;
            at = match node.parent {
                Some(parent) if !node.limited && steps < MAX_CHAIN => files::get(self.db, &parent)?,
                _ => None,
            };
        }
        if file.limited {
            for glimpse in self.glimpses(file)? {
                if !found.contains_key(&glimpse.perm.id) {
                    order.push(glimpse.perm.id.clone());
                    found.insert(glimpse.perm.id.clone(), glimpse);
                }
            }
        }
        Ok(order.into_iter().filter_map(|id| found.remove(&id)).collect())
    }

    /// Whoever would inherit a limited-access folder sees that it is there; organizers keep all of it (3.22).
    fn glimpses(&self, folder: &FileRow) -> ApiResult<Vec<Effective>> {
        let Some(parent) = folder.parent.as_deref().map(|id| files::get(self.db, id)).transpose()?.flatten() else {
            return Ok(Vec::new());
        };
        let narrowed = |grant: Effective| {
            let from = grant.details.first().and_then(|(_, from)| from.clone()).or_else(|| Some(parent.id.clone()));
            let whole = grant.role == Role::Organizer;
            let role = if whole { grant.role } else { Role::Reader };
            Effective { role, direct: false, glimpse: !whole, details: vec![(role, from)], ..grant }
        };
        // A glimpse itself is handed on to nobody.
        Ok(self.effective(&parent)?.into_iter().filter(|grant| !grant.glimpse).map(narrowed).collect())
    }
}

/// What a role on a folder gives on its children: nobody owns an item through its folder.
fn passed_down(role: Role) -> Role {
    if role == Role::Owner { Role::Writer } else { role }
}

/// How far a token's scopes reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything its user sees.
    All,
    /// What its own app made.
    OwnFiles,
    /// Nothing a folder tree has: Meet files, photos.
    Nothing,
}

/// How far the scopes of `who` reach.
pub fn reach(who: &Principal) -> Reach {
    let has = |name: &str| who.scopes.iter().any(|scope| scope.strip_prefix("https://www.googleapis.com/auth/") == Some(name));
    if ["drive", "drive.readonly", "drive.metadata", "drive.metadata.readonly"].into_iter().any(has) {
        Reach::All
    } else if has("drive.file") || has("drive.appdata") {
        Reach::OwnFiles
    } else {
        Reach::Nothing
    }
}

/// Whether `email` is outside the domain of `of`.
pub fn outside(of: &str, email: &str) -> bool {
    !domain_of(of).eq_ignore_ascii_case(domain_of(email))
}
