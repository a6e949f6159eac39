//! What may be granted at all: roles, grantees, dates.

use crate::error::{ApiError, ApiResult};
use crate::rules::access::outside;
use crate::rules::cx::Cx;
use crate::rules::meta::{self, Meta};
use crate::store::accounts::domain_of;
use crate::store::files::FileRow;
use crate::store::perms::{Grantee, Role};

/// One year, in ms: expirations lie within (3.20).
const YEAR: i64 = 366 * 24 * 3_600_000;

impl Cx<'_> {
    /// Roles that do not exist there, and what the domain's administrators forbid (3.10).
    pub(super) fn check_policy(&self, f: &FileRow, grantee: &Grantee, role: Role, notify: bool) -> ApiResult<()> {
        let refuse = |reason, message| Err(ApiError::forbidden(reason, message));
        let top = f.drive.as_deref() == Some(&f.id);
        match (role, f.drive.is_some()) {
            (Role::Organizer, false) => {
                return refuse("organizerOnNonTeamDriveNotSupported", "Organizers exist only on shared drives.");
            }
            (Role::FileOrganizer, false) => {
                return refuse("fileOrganizerOnNonTeamDriveNotSupported", "File organizers exist only on shared drives.");
            }
            (Role::FileOrganizer, true) if !f.is_folder() => {
                return refuse("fileOrganizerOnFoldersInSharedDriveOnly", "File organizers exist only on folders.");
            }
            (Role::Owner, true) => {
                return refuse("ownerOnTeamDriveItemNotSupported", "Items in shared drives have no owner.");
            }
            _ => {}
        }
        let switches = &self.settings.switches;
        let home = f.owner.as_deref().unwrap_or(&self.who.email).to_owned();
        let lists = |domains: &[String], of: &str| domains.iter().any(|d| d.eq_ignore_ascii_case(domain_of(of)));
        match grantee {
            Grantee::User(email) | Grantee::Group(email) => {
                if lists(&switches.no_outside_sharing, &home) && outside(&home, email) {
                    return refuse("shareOutNotPermitted", "The domain's administrator does not allow sharing outside the domain.");
                }
                if !notify && switches.no_google_account.iter().any(|none| none.eq_ignore_ascii_case(email)) {
                    return Err(ApiError::no_google_account(email));
                }
            }
            Grantee::Domain(_) | Grantee::Anyone => {
                if top {
                    return refuse(
                        "cannotShareTeamDriveTopFolderWithAnyoneOrDomains",
                        "A shared drive has only users and groups as members.",
                    );
                }
                if lists(&switches.no_link_sharing, &home) {
                    return refuse("publishOutNotPermitted", "The domain's administrator does not allow publishing.");
                }
                if role > Role::Writer {
                    return Err(ApiError::invalid_value("permission.role"));
                }
            }
        }
        Ok(())
    }

    /// Until when, where that may be said of such a grant (3.20).
    pub(super) fn expiration(&self, body: &Meta, f: &FileRow, grantee: &Grantee, role: Role) -> ApiResult<Option<i64>> {
        let Some(at) = meta::time(body, "expirationTime")? else { return Ok(None) };
        let refuse = |reason, message| Err(ApiError::forbidden(reason, message));
        if !matches!(grantee, Grantee::User(_) | Grantee::Group(_)) {
            return refuse("cannotSetExpirationOnAnyoneOrDomain", "Only users and groups can expire.");
        }
        if f.drive.as_deref() == Some(&f.id) {
            return refuse("expirationDateNotAllowedForSharedDriveMembers", "Members do not expire.");
        }
        if f.is_folder() && role != Role::Reader {
            return refuse("cannotSetExpiration", "On folders only readers can expire.");
        }
        if at <= self.now || at > self.now + YEAR {
            return Err(ApiError::invalid("Expiration dates must be in the future and within a year."));
        }
        Ok(Some(at))
    }
}
