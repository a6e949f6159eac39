//! What service accounts own and what they may do.

use drive_emulator::User;
use serde_json::json;

use crate::support::{Rig, text};

const ANA: &str = "ana@example.com";
const FOLDER: &str = "application/vnd.google-apps.folder";

fn robot(rig: &Rig) -> User {
    rig.control.service_account("robot").expect("made");
    rig.control.user("robot@project.iam.gserviceaccount.com").expect("the account")
}

#[tokio::test]
async fn b7_18_empty_files_are_refused_and_shortcuts_are_not() {
    let rig = Rig::start().await;
    let robot = robot(&rig);
    let refused = rig.post(&robot, "files", json!({"name": "empty"})).await.refused(403, "storageQuotaExceeded");
    assert!(text(&refused["error"], "message").starts_with("Service Accounts do not have storage quota."));
    let document = json!({"mimeType": "application/vnd.google-apps.document"});
    rig.post(&robot, "files", document).await.refused(403, "storageQuotaExceeded");
    let folder = rig.post(&robot, "files", json!({"mimeType": FOLDER})).await.ok();
    let shortcut = json!({"mimeType": "application/vnd.google-apps.shortcut", "shortcutDetails": {"targetId": folder["id"]}});
    rig.post(&robot, "files", shortcut).await.ok();
}

#[tokio::test]
async fn b7_20_a_robots_folder_in_a_persons_folder_is_the_robots() {
    let rig = Rig::start().await;
    let robot = robot(&rig);
    let shared = rig.control.mkdir(ANA, "root", "shared").expect("made");
    rig.control.share(ANA, &shared, &robot.email, "writer").expect("shared");
    let made = rig.post(&robot, "files?fields=id,ownedByMe", json!({"mimeType": FOLDER, "parents": [shared]})).await.ok();
    assert_eq!(made["ownedByMe"], true);
    let id = text(&made, "id");
    // The person inherits the right to write and not the right to trash; they can take it out of the folder.
    rig.patch(&rig.ana, &format!("files/{id}"), json!({"name": "renamed"})).await.ok();
    rig.patch(&rig.ana, &format!("files/{id}"), json!({"trashed": true})).await.refused(403, "insufficientFilePermissions");
    rig.patch(&rig.ana, &format!("files/{id}?removeParents={shared}"), json!({})).await.ok();
    assert_eq!(rig.control.file(id).expect("it is there")["parents"], json!([robot.root_id]));
}

#[tokio::test]
async fn b7_19_a_shared_drive_wants_its_flag_and_b2_18_a_hidden_parent_keeps_its_file() {
    // b12_8: a parent it cannot see.
    let rig = Rig::start().await;
    let robot = robot(&rig);
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    rig.control.drive_member(&drive, &robot.email, "fileOrganizer").expect("a member");
    rig.post(&robot, "files", json!({"parents": [drive]})).await.refused(404, "notFound");
    rig.post(&robot, "files?supportsAllDrives=true", json!({"parents": [drive]})).await.ok();
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.share(ANA, &file, &robot.email, "writer").expect("shared");
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    rig.control.share(ANA, &folder, &robot.email, "writer").expect("shared");
    rig.patch(&robot, &format!("files/{file}?addParents={folder}"), json!({})).await.refused(403, "cannotAddParent");
}
