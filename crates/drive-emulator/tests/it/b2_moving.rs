//! Moves within My Drive, and into, out of and within shared drives.

use serde_json::json;

use crate::support::{Answer, Rig, text};

const ANA: &str = "ana@example.com";
const BEA: &str = "bea@example.com";

async fn moved(rig: &Rig, user: &drive_emulator::User, file: &str, from: &str, to: &str) -> Answer {
    rig.patch(
        user,
        &format!("files/{file}?addParents={to}&removeParents={from}&supportsAllDrives=true&fields=id,parents,driveId,ownedByMe"),
        json!({}),
    )
    .await
}

#[tokio::test]
async fn b2_19_moving_wants_both_folders_and_the_file() {
    let rig = Rig::start().await;
    let [from, to] = ["from", "to"].map(|name| rig.control.mkdir(ANA, "root", name).expect("made"));
    let file = rig.control.put(ANA, &from, "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.share(ANA, &from, BEA, "writer").expect("shared");
    moved(&rig, &rig.bea, &file, &from, &to).await.refused(404, "notFound");
    rig.control.share(ANA, &to, BEA, "reader").expect("shared");
    moved(&rig, &rig.bea, &file, &from, &to).await.refused(403, "insufficientParentPermissions");
    rig.control.share(ANA, &to, BEA, "writer").expect("shared");
    // b2_26: and the id stays.
    assert_eq!(moved(&rig, &rig.bea, &file, &from, &to).await.ok(), json!({"id": file, "parents": [to], "ownedByMe": false}));
}

#[tokio::test]
async fn b2_20_no_folder_into_itself_or_what_is_below() {
    let rig = Rig::start().await;
    let outer = rig.control.mkdir(ANA, "root", "outer").expect("made");
    let inner = rig.control.mkdir(ANA, &outer, "inner").expect("made");
    for target in [&outer, &inner] {
        moved(&rig, &rig.ana, &outer, "root", target).await.refused(400, "badRequest");
    }
}

#[tokio::test]
async fn b2_21_a_move_exchanges_what_is_inherited_and_keeps_what_is_direct() {
    let rig = Rig::start().await;
    let [from, to] = ["from", "to"].map(|name| rig.control.mkdir(ANA, "root", name).expect("made"));
    let file = rig.control.put(ANA, &from, "a.pdf", b"x", "application/pdf").expect("put");
    for email in ["bea@example.com", "joao@example.com", "carla@example.com"] {
        rig.control.user(email).expect("made");
    }
    rig.control.share(ANA, &from, BEA, "writer").expect("shared");
    rig.control.share(ANA, &to, "joao@example.com", "reader").expect("shared");
    rig.control.share(ANA, &file, "carla@example.com", "reader").expect("shared");
    moved(&rig, &rig.ana, &file, &from, &to).await.ok();
    let listed = rig.get(&rig.ana, &format!("files/{file}/permissions?fields=permissions(emailAddress)")).await.ok();
    let mut emails: Vec<&str> = listed["permissions"].as_array().expect("a list").iter().map(|entry| text(entry, "emailAddress")).collect();
    emails.sort_unstable();
    assert_eq!(emails, [ANA, "carla@example.com", "joao@example.com"]);
}

#[tokio::test]
async fn b2_22_files_go_into_shared_drives_and_b2_23_folders_do_not() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", BEA).expect("made");
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let root = &rig.ana.root_id;
    rig.control.drive_member(&drive, ANA, "reader").expect("a member");
    moved(&rig, &rig.ana, &file, root, &drive).await.refused(403, "insufficientParentPermissions");
    rig.control.drive_member(&drive, ANA, "writer").expect("a member");
    moved(&rig, &rig.ana, &folder, root, &drive).await.refused(403, "teamDrivesFolderMoveInNotSupported");
    let trashed = rig.control.put(ANA, "root", "t.pdf", b"x", "application/pdf").expect("put");
    rig.control.trash(ANA, &trashed).expect("trashed");
    moved(&rig, &rig.ana, &trashed, root, &drive).await.refused(403, "cannotMoveTrashedItemIntoTeamDrive");
    let gone = moved(&rig, &rig.ana, &file, root, &drive).await.ok();
    assert_eq!((text(&gone, "id"), text(&gone, "driveId")), (file.as_str(), drive.as_str()));
    assert_eq!(rig.control.file(&file).expect("it is there")["owner"], json!(null), "it is the drive's");
    // b2_25: a writer moves nothing there, a file organizer does.
    let inside = rig.control.mkdir(BEA, &drive, "inside").expect("made");
    moved(&rig, &rig.ana, &file, &drive, &inside).await.refused(403, "insufficientFilePermissions");
    rig.control.drive_member(&drive, ANA, "fileOrganizer").expect("a member");
    moved(&rig, &rig.ana, &file, &drive, &inside).await.ok();
    // b2_24: out again by an organizer, who owns it then.
    moved(&rig, &rig.ana, &file, &inside, root).await.refused(403, "insufficientFilePermissions");
    rig.control.drive_member(&drive, ANA, "organizer").expect("a member");
    let back = moved(&rig, &rig.ana, &file, &inside, root).await.ok();
    assert_eq!((&back["ownedByMe"], back.get("driveId")), (&json!(true), None));
}

#[tokio::test]
async fn b2_22_b2_24_what_is_in_the_trash_stays_on_its_side_and_its_owner_must_be_a_member() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    // Below a folder in the trash it is in the trash as well.
    let folder = rig.control.mkdir(ANA, "root", "old").expect("made");
    let below = rig.control.put(ANA, &folder, "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.trash(ANA, &folder).expect("trashed");
    moved(&rig, &rig.ana, &below, &folder, &drive).await.refused(403, "cannotMoveTrashedItemIntoTeamDrive");
    let inside = rig.control.put(ANA, &drive, "b.pdf", b"x", "application/pdf").expect("put");
    rig.control.trash(ANA, &inside).expect("trashed");
    moved(&rig, &rig.ana, &inside, &drive, &rig.ana.root_id).await.refused(403, "cannotMoveTrashedItemOutOfTeamDrive");
    rig.control.untrash(ANA, &inside).expect("untrashed");
    moved(&rig, &rig.ana, &inside, &drive, &rig.ana.root_id).await.ok();
    // Bea's file in Ana's folder: Ana may write it, and Bea is nobody on the drive.
    let shared = rig.control.mkdir(ANA, "root", "shared").expect("made");
    rig.control.share(ANA, &shared, BEA, "writer").expect("shared");
    let beas = rig.control.put(BEA, &shared, "c.pdf", b"x", "application/pdf").expect("put");
    moved(&rig, &rig.ana, &beas, &shared, &drive).await.refused(403, "fileOwnerNotMemberOfTeamDrive");
}
