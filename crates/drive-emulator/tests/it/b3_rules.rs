//! Who may share, what a permission may say, and what becomes of writes at once.

use drive_emulator::control::{Effect, Fault, Status, When};
use serde_json::{Value, json};

use crate::support::{Rig, text};

const ANA: &str = "ana@example.com";
const BEA: &str = "bea@example.com";

fn grant(email: &str, role: &str) -> Value {
    json!({"type": "user", "role": role, "emailAddress": email})
}

fn count(listed: &Value) -> usize {
    listed["permissions"].as_array().expect("a list").len()
}

#[tokio::test]
async fn b3_4_the_loser_of_two_writes_at_once_is_told_that_all_is_well() {
    // b12_7: of writes in parallel one is lost.
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let path = format!("files/{file}/permissions");
    rig.control.set_switches(|switches| switches.grants_are_lost = true).expect("set");
    let made = rig.post(&rig.ana, &path, grant(BEA, "writer")).await.ok();
    assert_eq!(text(&made, "role"), "writer");
    assert_eq!(count(&rig.get(&rig.ana, &path).await.ok()), 1, "it is not there");
    rig.get(&rig.bea, &format!("files/{file}")).await.refused(404, "notFound");
    rig.control.set_switches(|switches| switches.grants_are_lost = false).expect("set");
    rig.post(&rig.ana, &path, grant(BEA, "writer")).await.ok();
    rig.control.set_switches(|switches| switches.grants_are_lost = true).expect("set");
    let own = format!("{path}/{}", rig.bea.permission_id);
    rig.patch(&rig.ana, &own, json!({"role": "reader"})).await.ok();
    assert_eq!(rig.delete(&rig.ana, &own).await.status, 204);
    assert_eq!(text(&rig.get(&rig.ana, &own).await.ok(), "role"), "writer", "neither took hold");
}

#[tokio::test]
async fn b3_5_mail_is_for_people() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let mail = "sendNotificationEmail=true&emailMessage=Here+it+is";
    rig.post(&rig.ana, &format!("files/{file}/permissions?{mail}"), grant(BEA, "reader")).await.ok();
    let link = json!({"type": "anyone", "role": "reader"});
    rig.post(&rig.ana, &format!("files/{file}/permissions?sendNotificationEmail=false"), link).await.ok();
    // b3_25: a service account is granted as anybody is.
    let robot = "robot@project.iam.gserviceaccount.com";
    rig.control.service_account("robot").expect("made");
    let path = format!("files/{file}/permissions?sendNotificationEmail=false&fields=type,emailAddress");
    assert_eq!(rig.post(&rig.ana, &path, grant(robot, "writer")).await.ok(), json!({"type": "user", "emailAddress": robot}));
}

#[tokio::test]
async fn b3_8_a_policy_refuses_and_changes_nothing() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.set_switches(|switches| switches.no_outside_sharing = vec!["EXAMPLE.com".into()]).expect("set");
    let path = format!("files/{file}/permissions");
    rig.post(&rig.ana, &path, grant("joao@example.org", "reader")).await.refused(403, "shareOutNotPermitted");
    rig.post(&rig.ana, &path, grant(BEA, "reader")).await.ok();
    assert_eq!(count(&rig.get(&rig.ana, &path).await.ok()), 2);
}

#[tokio::test]
async fn b3_10_roles_have_their_places() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let file = rig.control.put(ANA, &drive, "a.pdf", b"x", "application/pdf").expect("put");
    let mine = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let path = |id: &str| format!("files/{id}/permissions?supportsAllDrives=true&transferOwnership=true");
    for (id, role, reason) in [
        (&file, "fileOrganizer", "fileOrganizerOnFoldersInSharedDriveOnly"),
        (&file, "owner", "ownerOnTeamDriveItemNotSupported"),
        (&mine, "organizer", "organizerOnNonTeamDriveNotSupported"),
        (&mine, "fileOrganizer", "fileOrganizerOnNonTeamDriveNotSupported"),
    ] {
        rig.post(&rig.ana, &path(id), grant(BEA, role)).await.refused(403, reason);
    }
    let link = json!({"type": "anyone", "role": "reader"});
    rig.post(&rig.ana, &path(&drive), link).await.refused(403, "cannotShareTeamDriveTopFolderWithAnyoneOrDomains");
}

#[tokio::test]
async fn b3_11_who_may_share() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let path = |id: &str| format!("files/{id}/permissions?supportsAllDrives=true");
    let joao = || grant("joao@example.com", "reader");
    rig.control.share(ANA, &file, BEA, "commenter").expect("shared");
    rig.post(&rig.bea, &path(&file), joao()).await.refused(403, "insufficientFilePermissions");
    rig.control.share(ANA, &file, BEA, "writer").expect("shared");
    rig.post(&rig.bea, &path(&file), joao()).await.ok();
    rig.control.update(ANA, &file, json!({"writersCanShare": false})).expect("set");
    rig.post(&rig.bea, &path(&file), joao()).await.refused(403, "insufficientFilePermissions");
    // On a shared drive a writer shares files; folders and the drive itself are an organizer's.
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let folder = rig.control.mkdir(ANA, &drive, "novos").expect("made");
    let inside = rig.control.put(ANA, &folder, "b.pdf", b"x", "application/pdf").expect("put");
    rig.control.drive_member(&drive, BEA, "writer").expect("a member");
    rig.post(&rig.bea, &path(&inside), joao()).await.ok();
    rig.post(&rig.bea, &path(&folder), joao()).await.refused(403, "insufficientFilePermissions");
    rig.control.drive_member(&drive, BEA, "fileOrganizer").expect("a member");
    rig.post(&rig.bea, &path(&folder), joao()).await.refused(403, "insufficientFilePermissions");
    let open = json!({"restrictions": {"sharingFoldersRequiresOrganizerPermission": false}});
    rig.patch(&rig.ana, &format!("drives/{drive}"), open).await.ok();
    rig.post(&rig.bea, &path(&folder), joao()).await.ok();
    rig.post(&rig.bea, &path(&drive), joao()).await.refused(403, "insufficientFilePermissions");
    // b3_12: what comes from the drive is not taken away below.
    let inherited = format!("files/{inside}/permissions/{}?supportsAllDrives=true", rig.bea.permission_id);
    rig.delete(&rig.ana, &inherited).await.refused(403, "cannotModifyInheritedTeamDrivePermission");
    // b3_13: and says so.
    let details = rig.get(&rig.ana, &format!("{inherited}&fields=permissionDetails")).await.ok();
    let wanted = json!([{"permissionType": "member", "role": "fileOrganizer", "inherited": true, "inheritedFrom": drive}]);
    assert_eq!(details["permissionDetails"], wanted);
}

#[tokio::test]
async fn b3_15_lists_of_permissions() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    for number in 0..120 {
        rig.control.share(ANA, &file, &format!("u{number}@example.com"), "reader").expect("shared");
    }
    let path = format!("files/{file}/permissions");
    assert_eq!(count(&rig.get(&rig.ana, &path).await.ok()), 121, "My Drive tells them all at once");
    let first = rig.get(&rig.ana, &format!("{path}?pageSize=100")).await.ok();
    let second = rig.get(&rig.ana, &format!("{path}?pageSize=100&pageToken={}", text(&first, "nextPageToken"))).await.ok();
    assert_eq!((count(&first), count(&second), second.get("nextPageToken")), (100, 21, None));
    rig.get(&rig.ana, &format!("{path}?pageToken=")).await.refused(403, "pageTokenExpired");
    rig.control.share(ANA, &file, BEA, "reader").expect("shared");
    rig.get(&rig.bea, &path).await.refused(403, "insufficientFilePermissions");
}

#[tokio::test]
async fn b3_16_what_an_update_of_a_permission_may_say() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.clock_set("2026-03-01T00:00:00Z").expect("set");
    let body = json!({"type": "user", "role": "reader", "emailAddress": BEA, "expirationTime": "2026-04-01T00:00:00Z"});
    rig.post(&rig.ana, &format!("files/{file}/permissions"), body).await.ok();
    let path = format!("files/{file}/permissions/{}?fields=role,expirationTime", rig.bea.permission_id);
    for wrong in [json!({"emailAddress": ANA}), json!({"type": "group"}), json!({"displayName": "Bea"})] {
        rig.patch(&rig.ana, &path, wrong).await.refused(403, "fieldNotWritable");
    }
    let writer = rig.patch(&rig.ana, &path, json!({"role": "writer"})).await.ok();
    assert_eq!(writer, json!({"role": "writer", "expirationTime": "2026-04-01T00:00:00.000Z"}));
    assert_eq!(rig.patch(&rig.ana, &format!("{path}&removeExpiration=true"), json!({})).await.ok(), json!({"role": "writer"}));
}

#[tokio::test]
async fn b3_19_to_the_new_owners_root() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    for (flag, parent) in [("false", &folder), ("true", &rig.bea.root_id)] {
        let file = rig.control.put(ANA, &folder, "a.pdf", b"x", "application/pdf").expect("put");
        let path = format!("files/{file}/permissions?transferOwnership=true&moveToNewOwnersRoot={flag}");
        rig.post(&rig.ana, &path, grant(BEA, "owner")).await.ok();
        let now = rig.control.file(&file).expect("it is there");
        assert_eq!((&now["owner"], &now["parents"]), (&json!(BEA), &json!([parent])));
    }
}

#[tokio::test]
async fn b3_20_what_cannot_expire() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    rig.control.clock_set("2026-03-01T00:00:00Z").expect("set");
    let until = |mut grant: Value| {
        grant["expirationTime"] = json!("2026-04-01T00:00:00Z");
        grant
    };
    for (id, grant, reason) in [
        (&folder, grant(BEA, "writer"), "cannotSetExpiration"),
        (&folder, json!({"type": "anyone", "role": "reader"}), "cannotSetExpirationOnAnyoneOrDomain"),
        (&drive, grant(BEA, "reader"), "expirationDateNotAllowedForSharedDriveMembers"),
    ] {
        rig.post(&rig.ana, &format!("files/{id}/permissions?supportsAllDrives=true"), until(grant)).await.refused(403, reason);
    }
    rig.post(&rig.ana, &format!("files/{folder}/permissions"), until(grant(BEA, "reader"))).await.ok();
}

#[tokio::test]
async fn b3_21_sharing_too_fast() {
    // b12_7: sharingRateLimitExceeded.
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let limit = Effect::Status(Status::new(403, "sharingRateLimitExceeded"));
    rig.control.fault(Fault::new(limit).op("permissions.create").when(When::Next { next: 1 })).expect("a rule that can strike");
    let path = format!("files/{file}/permissions");
    rig.post(&rig.ana, &path, grant(BEA, "reader")).await.refused(403, "sharingRateLimitExceeded");
    rig.post(&rig.ana, &path, grant(BEA, "reader")).await.ok();
}

#[tokio::test]
async fn b3_24_a_members_address_is_not_in_the_list() {
    let rig = Rig::start().await;
    rig.control.group("crew@example.com", &[BEA]).expect("made");
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let path = format!("files/{file}/permissions");
    // b3_9: the type is corrected.
    rig.post(&rig.ana, &path, grant("crew@example.com", "reader")).await.ok();
    rig.get(&rig.bea, &format!("files/{file}")).await.ok();
    let listed = rig.get(&rig.ana, &format!("{path}?fields=permissions(type,emailAddress)")).await.ok();
    let entries = listed["permissions"].as_array().expect("a list");
    assert!(entries.contains(&json!({"type": "group", "emailAddress": "crew@example.com"})), "{listed}");
    assert!(!listed.to_string().contains(BEA), "{listed}");
}

#[tokio::test]
async fn b3_26_how_a_grantee_sees_it() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let file = rig.control.put(ANA, &folder, "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.share(ANA, &file, BEA, "reader").expect("shared");
    let path = format!("files/{file}?fields=parents,sharedWithMeTime,sharingUser/emailAddress,ownedByMe,shared");
    let seen = rig.get(&rig.bea, &path).await.ok();
    assert!(seen.get("parents").is_none() && seen["sharedWithMeTime"].is_string(), "{seen}");
    assert_eq!((&seen["sharingUser"]["emailAddress"], &seen["ownedByMe"], &seen["shared"]), (&json!(ANA), &json!(false), &json!(true)));
    assert_eq!(rig.list(&rig.bea, "sharedWithMe").await.len(), 1);
    assert!(rig.get(&rig.ana, &path).await.ok().get("sharedWithMeTime").is_none());
}
