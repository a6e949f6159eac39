//! Who somebody is, and what they were granted.

use serde_json::{Value, json};

use crate::clock;
use crate::error::ApiResult;
use crate::rules::access::Effective;
use crate::rules::cx::Cx;
use crate::store::files::FileRow;
use crate::store::perms::Grantee;

/// A User.
pub fn person(cx: &Cx<'_>, email: &str) -> ApiResult<Value> {
    let account = cx.person(email)?;
    let name = account.as_ref().map_or(email, |account| account.name.as_str());
    Ok(json!({
        "kind": "drive#user",
        "displayName": name,
        "me": email == cx.who.email,
        "permissionId": crate::ids::permission_id(email),
        "emailAddress": email,
    }))
}

/// A Permission.
pub fn permission(cx: &Cx<'_>, f: &FileRow, grant: &Effective) -> ApiResult<Value> {
    let perm = &grant.perm;
    let mut value = json!({
        "kind": "drive#permission",
        "id": perm.id,
        "type": perm.grantee.kind(),
        "role": grant.role.word(),
    });
    match &perm.grantee {
        Grantee::User(email) | Grantee::Group(email) => {
            let account = cx.person(email)?;
            value["emailAddress"] = json!(email);
            value["displayName"] = json!(account.map_or_else(|| email.clone(), |account| account.name));
            value["deleted"] = json!(false);
            value["pendingOwner"] = json!(perm.pending_owner);
        }
        Grantee::Domain(domain) => {
            value["domain"] = json!(domain);
            value["displayName"] = json!(domain);
            value["allowFileDiscovery"] = json!(perm.discoverable);
        }
        Grantee::Anyone => value["allowFileDiscovery"] = json!(perm.discoverable),
    }
    if grant.glimpse {
        value["view"] = json!("metadata");
    }
    if let Some(expires) = perm.expires {
        value["expirationTime"] = json!(clock::format(expires));
    }
    let details: Vec<Value> = grant
        .details
        .iter()
        .map(|(role, from)| {
            let membership = f.drive.is_some() && (*from == f.drive || (from.is_none() && f.is_root()));
            let mut detail = json!({
                "permissionType": if membership { "member" } else { "file" },
                "role": role.word(),
                "inherited": from.is_some(),
            });
            // inheritedFrom exists on shared-drive items only (3.13).
            if let Some(from) = from.as_ref().filter(|_| f.drive.is_some()) {
                detail["inheritedFrom"] = json!(from);
            }
            detail
        })
        .collect();
    value["permissionDetails"] = json!(details);
    if f.drive.is_some() {
        // The older twin has the type under its own name.
        let older = |mut detail: Value| {
            if let Some(kind) = detail.as_object_mut().and_then(|detail| detail.remove("permissionType")) {
                detail["teamDrivePermissionType"] = kind;
            }
            detail
        };
        value["teamDrivePermissionDetails"] = details.into_iter().map(older).collect();
    }
    Ok(value)
}
