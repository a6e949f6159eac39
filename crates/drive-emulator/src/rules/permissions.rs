//! Sharing: `permissions.create`, `update`, `delete` (`drive-v3-behaviour` 3).

mod policy;

use serde_json::Value;

use crate::error::{ApiError, ApiResult};
use crate::rules::access::outside;
use crate::rules::cx::Cx;
use crate::rules::meta::{self, Meta};
use crate::store::files::{self, FileRow};
use crate::store::perms::{self, Grantee, PermRow, Role};

/// The parameters of the permission calls besides their bodies.
#[derive(Debug, Clone, Copy)]
pub struct Sharing {
    /// `supportsAllDrives`.
    pub all_drives: bool,
    /// `sendNotificationEmail`, true unless said otherwise (3.5).
    pub notify: bool,
    /// `transferOwnership`.
    pub transfer: bool,
    /// `moveToNewOwnersRoot`.
    pub to_new_root: bool,
    /// `removeExpiration`.
    pub remove_expiration: bool,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { all_drives: false, notify: true, transfer: false, to_new_root: false, remove_expiration: false }
    }
}

/// A grant that was made. `complaint` is what the caller is told although it was (3.7).
#[derive(Debug)]
pub struct Granted {
    /// The file as it is now.
    pub file: FileRow,
    /// The permission's id.
    pub id: String,
    /// Sent instead of the permission.
    pub complaint: Option<ApiError>,
}

impl Cx<'_> {
    /// `permissions.create`.
    pub fn share(&self, id: &str, body: &Meta, how: Sharing) -> ApiResult<Granted> {
        let (mut f, _) = self.visible(id, how.all_drives)?;
        let role = wanted_role(body)?.ok_or_else(|| required("role"))?;
        let grantee = self.grantee(body)?;
        let discoverable = meta::boolean(body, "allowFileDiscovery")?.unwrap_or(false);
        if !self.may_share(&f)? {
            return Err(ApiError::insufficient_file_permissions());
        }
        self.check_policy(&f, &grantee, role, how.notify)?;
        let expires = self.expiration(body, &f, &grantee, role)?;
        let before = self.before(&f, true)?;
        let perm_id = grantee.permission_id(discoverable);
        let known = perms::get(self.db, &f.id, &perm_id, self.now)?;
        if role == Role::Owner {
            self.transfer(&mut f, &grantee, how)?;
        } else if known
            .as_ref()
            .is_none_or(|known| known.role != Role::Owner && !(self.settings.switches.regrant_never_lowers && known.role > role))
        {
            perms::put(
                self.db,
                &PermRow {
                    file: f.id.clone(),
                    id: perm_id.clone(),
                    grantee: grantee.clone(),
                    role,
                    discoverable,
                    expires,
                    pending_owner: meta::boolean(body, "pendingOwner")?.unwrap_or(false),
                    granted: known.as_ref().map_or(self.now, |known| known.granted),
                    granted_by: Some(self.who.email.clone()),
                },
            )?;
        }
        self.finish_sharing(&mut f, &before)?;
        if known.is_none() {
            self.log_membership(&f, &grantee, false)?;
        }
        let complaint = (how.notify && self.settings.switches.sharing_mail_fails).then(|| {
            ApiError::invalid_sharing_request("The items were successfully shared but emails could not be sent to the recipients.")
        });
        Ok(Granted { file: f, id: perm_id, complaint })
    }

    /// `permissions.update`.
    pub fn reshare(&self, id: &str, perm_id: &str, body: &Meta, how: Sharing) -> ApiResult<Granted> {
        const MAY: &[&str] =
            &["role", "expirationTime", "view", "allowFileDiscovery", "pendingOwner", "inheritedPermissionsDisabled", "kind"];
        let (mut f, _) = self.visible(id, how.all_drives)?;
        if body.keys().any(|key| !MAY.contains(&key.as_str())) {
            return Err(ApiError::field_not_writable());
        }
        let known = self.permission_of(&f, perm_id)?;
        if !self.may_share(&f)? {
            return Err(ApiError::insufficient_file_permissions());
        }
        let grantee = known.perm.grantee.clone();
        let role = wanted_role(body)?.unwrap_or(known.role);
        let inherited = known.details.iter().filter(|(_, from)| from.is_some()).map(|(role, _)| *role).max();
        if !known.direct && Some(role) <= inherited {
            return Err(ApiError::inherited_permission(f.drive.is_some()));
        }
        if known.perm.role == Role::Owner && known.direct && role != Role::Owner {
            return Err(ApiError::cannot_remove_owner());
        }
        self.check_policy(&f, &grantee, role, true)?;
        let mut expires = self.expiration(body, &f, &grantee, role)?.or(known.perm.expires);
        if how.remove_expiration {
            expires = None;
        }
        let before = self.before(&f, true)?;
        if role == Role::Owner {
            self.transfer(&mut f, &grantee, how)?;
        } else {
            let discoverable = meta::boolean(body, "allowFileDiscovery")?.unwrap_or(known.perm.discoverable);
            let pending = meta::boolean(body, "pendingOwner")?.unwrap_or(known.perm.pending_owner);
            perms::put(self.db, &PermRow { file: f.id.clone(), role, expires, discoverable, pending_owner: pending, ..known.perm })?;
        }
        self.finish_sharing(&mut f, &before)?;
        Ok(Granted { file: f, id: perm_id.to_owned(), complaint: None })
    }

    /// `permissions.delete`.
    pub fn unshare(&self, id: &str, perm_id: &str, how: Sharing) -> ApiResult<()> {
        let (mut f, _) = self.visible(id, how.all_drives)?;
        let known = self.permission_of(&f, perm_id)?;
        let own = known.perm.grantee == Grantee::User(self.who.email.clone());
        if !own && !self.may_share(&f)? {
            return Err(ApiError::insufficient_file_permissions());
        }
        if !known.direct {
            return Err(ApiError::inherited_permission(f.drive.is_some()));
        }
        if known.perm.role == Role::Owner {
            return Err(ApiError::cannot_remove_owner());
        }
        let before = self.before(&f, true)?;
        perms::remove(self.db, &f.id, perm_id)?;
        self.finish_sharing(&mut f, &before)?;
        self.log_membership(&f, &known.perm.grantee, true)
    }

    /// A grantee's permission on a file, or 404.
    pub fn permission_of(&self, f: &FileRow, perm_id: &str) -> ApiResult<crate::rules::access::Effective> {
        let perm_id = match perm_id {
            "me" => self.account()?.permission_id,
            other => other.to_owned(),
        };
        self.effective(f)?.into_iter().find(|grant| grant.perm.id == perm_id).ok_or_else(|| ApiError::not_found_permission(&perm_id))
    }

    /// `capabilities.canShare` (3.11).
    pub(crate) fn may_share(&self, f: &FileRow) -> ApiResult<bool> {
        let standing = self.standing(f)?;
        if standing.glimpse {
            return Ok(false);
        }
        let needed = match &f.drive {
            None if f.writers_share => Role::Writer,
            None => Role::Owner,
            Some(drive) if *drive == f.id => Role::Organizer,
            Some(drive) if f.is_folder() => {
                let strict = self.restrictions(drive)?.get("sharingFoldersRequiresOrganizerPermission").and_then(Value::as_bool);
                if strict == Some(false) { Role::FileOrganizer } else { Role::Organizer }
            }
            Some(_) => Role::Writer,
        };
        Ok(standing.role >= Some(needed))
    }

    fn finish_sharing(&self, f: &mut FileRow, before: &crate::rules::changelog::Before) -> ApiResult<()> {
        f.version += 1;
        files::save(self.db, f)?;
        self.log(before)?;
        self.event(&f.id, "update", &["permissions"]);
        Ok(())
    }

    /// Joining or leaving a shared drive shows in the member's own log (4.17, 4.18).
    fn log_membership(&self, f: &FileRow, grantee: &Grantee, left: bool) -> ApiResult<()> {
        match grantee {
            Grantee::User(email) if f.drive.as_deref() == Some(&f.id) => self.append(&format!("u:{email}"), "drive", &f.id, left),
            _ => Ok(()),
        }
    }

    fn grantee(&self, body: &Meta) -> ApiResult<Grantee> {
        let address = || -> ApiResult<String> {
            let email = meta::text(body, "emailAddress")?.unwrap_or_default().to_lowercase();
            let (local, domain) = email.rsplit_once('@').unwrap_or_default();
            let odd = |c: char| c.is_whitespace() || c.is_control() || ",;<>()\"@".contains(c);
            if local.is_empty() || !domain.contains('.') || local.contains(odd) || domain.contains(odd) {
                return Err(ApiError::invalid_email_address());
            }
            Ok(email)
        };
        match meta::text(body, "type")?.ok_or_else(|| required("type"))? {
            "user" => {
                // A group's address under type user is stored as the group (3.9).
                let email = address()?;
                let members: i64 =
                    self.db.prepare_cached("SELECT count(*) FROM members WHERE group_email = ?1")?.query_row([&email], |row| row.get(0))?;
                Ok(if members > 0 { Grantee::Group(email) } else { Grantee::User(email) })
            }
            "group" => Ok(Grantee::Group(address()?)),
            "domain" => match meta::text(body, "domain")? {
                Some(domain) if domain.contains('.') => Ok(Grantee::Domain(domain.to_lowercase())),
                _ => Err(required("domain")),
            },
            "anyone" => Ok(Grantee::Anyone),
            _ => Err(ApiError::invalid_value("permission.type")),
        }
    }

    /// Ownership within one organisation (3.18, 3.19).
    fn transfer(&self, f: &mut FileRow, to: &Grantee, how: Sharing) -> ApiResult<()> {
        let refuse = |reason, message| Err(ApiError::forbidden(reason, message));
        let Grantee::User(new) = to else {
            return Err(ApiError::invalid_value("permission.type"));
        };
        if f.owner.as_deref() == Some(new) {
            return Ok(());
        }
        if !how.transfer {
            return refuse(
                "invalidOwnershipTransfer",
                "The transferOwnership parameter must be enabled when the permission role is 'owner'.",
            );
        }
        let pending = perms::get(self.db, &f.id, &to.permission_id(false), self.now)?.is_some_and(|perm| perm.pending_owner);
        let owner = f.owner.clone().unwrap_or_default();
        if owner != self.who.email && !(pending && *new == self.who.email) {
            return Err(ApiError::insufficient_file_permissions());
        }
        if outside(&owner, new) {
            return refuse("ownershipChangeAcrossDomainNotPermitted", "Ownership can only be transferred inside the domain.");
        }
        let Some(account) = self.person(new)? else {
            return Err(ApiError::invalid_email_address());
        };
        let old = Grantee::User(owner);
        if let Some(perm) = perms::get(self.db, &f.id, &old.permission_id(false), self.now)? {
            perms::put(self.db, &PermRow { role: Role::Writer, ..perm })?;
        }
        self.grant_owner(&f.id, new)?;
        f.owner = Some(new.clone());
        if how.to_new_root {
            f.parent = Some(account.root_id);
        }
        Ok(())
    }
}

fn wanted_role(body: &Meta) -> ApiResult<Option<Role>> {
    meta::text(body, "role")?.map(|word| Role::parse(word).ok_or_else(|| ApiError::invalid_value("permission.role"))).transpose()
}

fn required(field: &str) -> ApiError {
    ApiError::new(400, "required", format!("The permission {field} field is required.")).at_parameter(format!("permission.{field}"))
}
