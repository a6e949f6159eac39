//! Permissions.

use serde_json::json;

use crate::support::{Rig, text};

#[tokio::test]
async fn b3_1_b3_2_b3_3_a_grant_and_its_id() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    let path = format!("files/{folder}/permissions?sendNotificationEmail=false");
    let grant = |role: &str| json!({"type": "user", "role": role, "emailAddress": "Bea@example.com"});
    let made = rig.post(&rig.ana, &path, grant("writer")).await.ok();
    let id = &rig.bea.permission_id;
    assert_eq!(made, json!({"kind": "drive#permission", "id": id, "type": "user", "role": "writer"}));
    let again = rig.post(&rig.ana, &path, grant("reader")).await.ok();
    assert_eq!(text(&again, "role"), "reader", "11.12");
    let list = rig.get(&rig.ana, &format!("files/{folder}/permissions")).await.ok();
    assert_eq!(list["permissions"].as_array().expect("a list").len(), 2);
    rig.control.set_switches(|switches| switches.regrant_never_lowers = true).expect("turned");
    rig.post(&rig.ana, &path, grant("writer")).await.ok();
    assert_eq!(text(&rig.post(&rig.ana, &path, grant("reader")).await.ok(), "role"), "writer");
}

#[tokio::test]
async fn b3_6_b3_7_b3_9_addresses() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    let grant = |email: &str| json!({"type": "user", "role": "writer", "emailAddress": email});
    let path = |notify: bool| format!("files/{folder}/permissions?sendNotificationEmail={notify}");
    for bad in ["", "ana", "a@b", "a b@example.com", "a@b@example.com"] {
        rig.post(&rig.ana, &path(false), grant(bad)).await.refused(400, "invalid");
    }
    rig.control.set_switches(|switches| switches.no_google_account = vec!["joao@example.com".into()]).expect("turned");
    rig.post(&rig.ana, &path(false), grant("joao@example.com")).await.refused(400, "invalidSharingRequest");
    rig.post(&rig.ana, &path(true), grant("joao@example.com")).await.ok();
    rig.control.set_switches(|switches| switches.sharing_mail_fails = true).expect("turned");
    rig.post(&rig.ana, &path(true), grant("bea@example.com")).await.refused(400, "invalidSharingRequest");
    rig.get(&rig.bea, &format!("files/{folder}")).await.ok();
}

#[tokio::test]
async fn b3_10_policies_of_a_domain() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    let path = format!("files/{folder}/permissions");
    rig.control
        .set_switches(|switches| {
            switches.no_outside_sharing = vec!["example.com".into()];
            switches.no_link_sharing = vec!["example.com".into()];
        })
        .expect("turned");
    let outside = json!({"type": "user", "role": "writer", "emailAddress": "x@example.org"});
    rig.post(&rig.ana, &path, outside).await.refused(403, "shareOutNotPermitted");
    rig.post(&rig.ana, &path, json!({"type": "anyone", "role": "reader"})).await.refused(403, "publishOutNotPermitted");
    let organizer = json!({"type": "user", "role": "organizer", "emailAddress": "bea@example.com"});
    rig.post(&rig.ana, &path, organizer).await.refused(403, "organizerOnNonTeamDriveNotSupported");
}

#[tokio::test]
async fn b3_12_b3_14_inherited_grants() {
    // b12_7: what is inherited is not deleted below.
    let rig = Rig::start().await;
    let (ana, bea) = (&rig.ana.email, &rig.bea.email);
    let folder = rig.control.mkdir(ana, "root", "novos").expect("made");
    let file = rig.control.put(ana, &folder, "a.pdf", b"a", "application/pdf").expect("put");
    rig.control.share(ana, &folder, bea, "writer").expect("shared");
    let on_file = format!("files/{file}/permissions/{}", rig.bea.permission_id);
    rig.get(&rig.bea, &format!("files/{file}")).await.ok();
    rig.delete(&rig.ana, &on_file).await.refused(403, "cannotModifyInheritedPermission");
    rig.patch(&rig.ana, &on_file, json!({"role": "reader"})).await.refused(403, "cannotModifyInheritedPermission");
    rig.control.share(ana, &file, bea, "reader").expect("shared");
    let both = rig.get(&rig.ana, &format!("{on_file}?fields=role,permissionDetails(role,inherited)")).await.ok();
    assert_eq!(text(&both, "role"), "writer", "b3_13: the higher one holds");
    rig.control.unshare(ana, &folder, bea).expect("unshared");
    let direct = rig.get(&rig.bea, &format!("files/{file}?fields=capabilities(canEdit)")).await.ok();
    assert_eq!(direct, json!({"capabilities": {"canEdit": false}}));
    rig.delete(&rig.bea, &on_file).await.ok();
    rig.get(&rig.bea, &format!("files/{file}")).await.refused(404, "notFound");
}

#[tokio::test]
async fn b3_17_deleting_permissions() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    rig.delete(&rig.ana, &format!("files/{folder}/permissions/123")).await.refused(404, "notFound");
    let owner = format!("files/{folder}/permissions/{}", rig.ana.permission_id);
    rig.delete(&rig.ana, &owner).await.refused(403, "cannotRemoveOwner");
    rig.control.share(&rig.ana.email, &folder, &rig.bea.email, "writer").expect("shared");
    let bea = format!("files/{folder}/permissions/{}", rig.bea.permission_id);
    assert_eq!(rig.delete(&rig.ana, &bea).await.status, 204);
    rig.get(&rig.bea, &format!("files/{folder}")).await.refused(404, "notFound");
}

#[tokio::test]
async fn b3_18_ownership() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    let path = format!("files/{folder}/permissions");
    let owner = |email: &str| json!({"type": "user", "role": "owner", "emailAddress": email});
    rig.post(&rig.ana, &path, owner("bea@example.com")).await.refused(403, "invalidOwnershipTransfer");
    rig.control.user("x@example.org").expect("an account");
    let with = format!("{path}?transferOwnership=true");
    rig.post(&rig.ana, &with, owner("x@example.org")).await.refused(403, "ownershipChangeAcrossDomainNotPermitted");
    rig.post(&rig.ana, &with, owner("bea@example.com")).await.ok();
    let seen = rig.get(&rig.ana, &format!("files/{folder}?fields=ownedByMe,capabilities(canEdit,canTrash)")).await.ok();
    assert_eq!(seen, json!({"ownedByMe": false, "capabilities": {"canEdit": true, "canTrash": false}}));
}

#[tokio::test]
async fn b3_20_expiring_grants_disappear() {
    let rig = Rig::start().await;
    let file = rig.control.put(&rig.ana.email, "root", "a.pdf", b"a", "application/pdf").expect("put");
    rig.control.clock_set("2026-03-01T00:00:00Z").expect("set");
    let grant = |at: &str| json!({"type": "user", "role": "writer", "emailAddress": "bea@example.com", "expirationTime": at});
    let path = format!("files/{file}/permissions");
    rig.post(&rig.ana, &path, grant("2026-02-01T00:00:00Z")).await.refused(400, "invalid");
    rig.post(&rig.ana, &path, grant("2026-03-02T00:00:00Z")).await.ok();
    rig.get(&rig.bea, &format!("files/{file}")).await.ok();
    rig.control.clock_advance(std::time::Duration::from_hours(48)).expect("advanced");
    rig.get(&rig.bea, &format!("files/{file}")).await.refused(404, "notFound");
}

#[tokio::test]
async fn b3_22_limited_access_folders() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let outer = rig.control.mkdir(ana, "root", "pdfs").expect("made");
    let inner = rig.control.mkdir(ana, &outer, "novos").expect("made");
    let file = rig.control.put(ana, &inner, "a.pdf", b"a", "application/pdf").expect("put");
    rig.control.share(ana, &outer, &rig.bea.email, "writer").expect("shared");
    rig.patch(&rig.ana, &format!("files/{inner}"), json!({"inheritedPermissionsDisabled": true})).await.ok();
    let seen = rig.get(&rig.bea, &format!("files/{inner}?fields=capabilities(canListChildren)")).await.ok();
    assert_eq!(seen, json!({"capabilities": {"canListChildren": false}}));
    assert!(rig.list(&rig.bea, &format!("'{inner}' in parents")).await.is_empty(), "b2_43");
    rig.get(&rig.bea, &format!("files/{file}")).await.refused(404, "notFound");
}
