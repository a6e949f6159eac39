//! What a new file is, and what is said of it.

use drive_emulator::control::{Effect, Fault, When};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, send, text};

const ANA: &str = "ana@example.com";
const FOLDER: &str = "application/vnd.google-apps.folder";
const DOCUMENT: &str = "application/vnd.google-apps.document";

async fn with_media(rig: &Rig, metadata: Value, kind: &str, bytes: &str) -> crate::support::Answer {
    let body =
        format!("--B\r\nContent-Type: application/json\r\n\r\n{metadata}\r\n--B\r\nContent-Type: {kind}\r\n\r\n{bytes}\r\n--B--\r\n");
    let request = rig.request(&rig.ana, Method::POST, "/upload/drive/v3/files?uploadType=multipart&fields=*");
    send(request.header("Content-Type", "multipart/related; boundary=B").body(body)).await
}

#[tokio::test]
async fn b1_2_a_folder_has_no_content_and_b1_54_absent_is_absent() {
    let rig = Rig::start().await;
    let made = rig.post(&rig.ana, "files?fields=*", json!({"name": "novos", "mimeType": FOLDER})).await.ok();
    // b2_6, b2_7, b1_46: nor what belongs to content.
    for field in
        ["size", "md5Checksum", "sha1Checksum", "sha256Checksum", "headRevisionId", "originalFilename", "fileExtension", "description"]
    {
        assert!(made.get(field).is_none(), "{field}: {made}");
    }
    assert!(!made.to_string().contains("null"), "{made}");
}

#[tokio::test]
async fn b1_8_media_of_an_editors_type_is_imported_or_refused() {
    let rig = Rig::start().await;
    let made = with_media(&rig, json!({"name": "letter", "mimeType": DOCUMENT}), "text/plain", "Dear Ana").await.ok();
    assert_eq!(text(&made, "mimeType"), DOCUMENT);
    assert!(made.get("md5Checksum").is_none());
    let refused = with_media(&rig, json!({"mimeType": DOCUMENT}), "application/x-tar", "x").await.refused(400, "badRequest");
    assert_eq!(text(&refused["error"], "message"), "The requested conversion is not supported.");
}

#[tokio::test]
async fn b1_10_a_modified_time_is_ones_own_as_well() {
    let rig = Rig::start().await;
    let made = rig.post(&rig.ana, "files?fields=*", json!({"modifiedTime": "2021-03-04T07:13:02Z"})).await.ok();
    assert_eq!(made["modifiedTime"], "2021-03-04T07:13:02.000Z");
    assert_eq!(made["modifiedByMeTime"], made["modifiedTime"]);
}

#[tokio::test]
async fn b1_11_what_is_answered_unasked() {
    let rig = Rig::start().await;
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let made = rig.post(&rig.ana, "files", json!({})).await.ok();
    assert_eq!(keys(&made), ["kind", "id", "name", "mimeType"]);
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let made = rig.post(&rig.ana, "files?supportsAllDrives=true", json!({"parents": [drive]})).await.ok();
    let mut found = keys(&made);
    found.sort();
    assert_eq!(found, ["driveId", "id", "kind", "mimeType", "name", "teamDriveId"]);
}

#[tokio::test]
async fn b1_13_a_shortcut_remembers_its_targets_type() {
    let rig = Rig::start().await;
    let target = rig.control.put(ANA, "root", "a.pdf", b"%PDF-", "application/pdf").expect("put");
    let shortcut =
        |target: &str| json!({"name": "link", "mimeType": "application/vnd.google-apps.shortcut", "shortcutDetails": {"targetId": target}});
    let made = rig.post(&rig.ana, "files?fields=shortcutDetails,size", shortcut(&target)).await.ok();
    assert_eq!(made, json!({"shortcutDetails": {"targetId": target, "targetMimeType": "application/pdf"}}));
    rig.post(&rig.ana, "files", shortcut("nowhere")).await.refused(403, "shortcutTargetInvalid");
}

#[tokio::test]
async fn b1_15_folders_files_and_copies_take_ids_and_b1_18_each_once() {
    let rig = Rig::start().await;
    let ids = rig.get(&rig.ana, "files/generateIds?count=3").await.ok()["ids"].clone();
    let [folder, file, copy] = [0, 1, 2].map(|n| ids[n].as_str().expect("an id").to_owned());
    rig.post(&rig.ana, "files", json!({"id": folder, "mimeType": FOLDER})).await.ok();
    rig.post(&rig.ana, "files", json!({"id": file, "mimeType": "application/vnd.google-apps.drive-sdk"})).await.ok();
    assert_eq!(rig.post(&rig.ana, &format!("files/{file}/copy"), json!({"id": copy})).await.ok()["id"], copy.as_str());
    rig.control.trash(ANA, &copy).expect("trashed");
    rig.post(&rig.ana, "files", json!({"id": copy})).await.refused(409, "fileIdInUse");
}

#[tokio::test]
async fn b1_19_a_create_is_repeated_with_its_id_and_makes_one_file() {
    let rig = Rig::start().await;
    let ids = rig.get(&rig.ana, "files/generateIds?count=1").await.ok();
    // b1_20, b6_22: what that cost.
    assert_eq!(rig.control.requests()[0].units, 5);
    let body = json!({"id": ids["ids"][0], "name": "novos", "mimeType": FOLDER});
    rig.control.fault(Fault::new(Effect::LostAfterCommit).op("files.create").when(When::Next { next: 1 })).expect("a rule that can strike");
    assert!(rig.request(&rig.ana, Method::POST, "files").json(&body).send().await.is_err(), "the answer is lost");
    rig.post(&rig.ana, "files", body.clone()).await.refused(409, "fileIdInUse");
    let there = rig.get(&rig.ana, &format!("files/{}", text(&body, "id"))).await.ok();
    assert_eq!(text(&there, "name"), "novos");
    assert_eq!(rig.list(&rig.ana, "name = 'novos'").await.len(), 1);
}

#[tokio::test]
async fn b1_44_names_are_not_normalised_and_b1_47_an_empty_one_is_untitled() {
    let rig = Rig::start().await;
    let (composed, decomposed) = ("ação", "ac\u{327}a\u{303}o");
    for name in [composed, decomposed] {
        let made = rig.post(&rig.ana, "files", json!({"name": name})).await.ok();
        assert_eq!(text(&made, "name"), name);
    }
    assert_eq!(rig.list(&rig.ana, &format!("name = '{decomposed}'")).await.len(), 1);
    assert_eq!(text(&rig.post(&rig.ana, "files", json!({"name": ""})).await.ok(), "name"), "Untitled");
}

#[tokio::test]
async fn b1_45_roots_keep_their_names_and_b2_27_their_places() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    for body in [json!({"name": "mine"}), json!({"trashed": true})] {
        rig.patch(&rig.ana, "files/root", body.clone()).await.refused(403, "fileNeverWritable");
        rig.patch(&rig.ana, &format!("files/{drive}?supportsAllDrives=true"), body).await.refused(403, "fileNeverWritable");
    }
    rig.delete(&rig.ana, "files/root").await.refused(403, "insufficientFilePermissions");
}

#[tokio::test]
async fn b1_46_extensions_follow_the_name() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.tar.gz", b"x", "application/gzip").expect("put");
    let path = format!("files/{file}?fields=fileExtension,fullFileExtension,originalFilename");
    let all = json!({"originalFilename": "a.tar.gz", "fullFileExtension": "tar.gz", "fileExtension": "gz"});
    assert_eq!(rig.get(&rig.ana, &path).await.ok(), all);
    let renamed = rig.patch(&rig.ana, &path, json!({"name": "b.pdf"})).await.ok();
    assert_eq!(renamed, json!({"originalFilename": "a.tar.gz", "fullFileExtension": "pdf", "fileExtension": "pdf"}));
}

#[tokio::test]
async fn b1_49_custom_properties_have_limits() {
    let rig = Rig::start().await;
    let many = |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    for field in ["properties", "appProperties"] {
        rig.post(&rig.ana, "files", json!({field: many(30)})).await.ok();
        rig.post(&rig.ana, "files", json!({field: many(31)})).await.refused(400, "invalid");
        rig.post(&rig.ana, "files", json!({field: {"k": "é".repeat(61)}})).await.ok();
        rig.post(&rig.ana, "files", json!({field: {"k": "é".repeat(62)}})).await.refused(400, "invalid");
    }
    rig.post(&rig.ana, "files", json!({"properties": {"k": 1}})).await.refused(400, "invalid");
}

#[tokio::test]
async fn b1_57_permissions_are_shown_to_those_who_may_share() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.share(ANA, &file, "bea@example.com", "reader").expect("shared");
    let path = format!("files/{file}?fields=permissions(role)");
    assert_eq!(rig.get(&rig.ana, &path).await.ok()["permissions"].as_array().map(Vec::len), Some(2));
    assert_eq!(rig.get(&rig.bea, &path).await.ok(), json!({}));
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let inside = rig.control.put(ANA, &drive, "b.pdf", b"x", "application/pdf").expect("put");
    let seen = rig.get(&rig.ana, &format!("files/{inside}?supportsAllDrives=true&fields=permissions,permissionIds")).await.ok();
    assert!(seen.get("permissions").is_none() && seen["permissionIds"].is_array(), "{seen}");
}
