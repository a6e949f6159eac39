//! Downloads, exports and lists, with every word of their refusals.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, names, send, text};

const ANA: &str = "ana@example.com";
const BEA: &str = "bea@example.com";
const DRIVES: &str = "supportsAllDrives=true&includeItemsFromAllDrives=true";

/// The one entry of `errors`, without its message, and the message at the top.
fn said(refused: &Value) -> (Value, &str) {
    let mut entry = refused["error"]["errors"][0].clone();
    entry.as_object_mut().expect("an entry").remove("message");
    (entry, text(&refused["error"], "message"))
}

#[tokio::test]
async fn b2_8_what_has_no_bytes_says_how_to_export() {
    let rig = Rig::start().await;
    let letter = rig.control.google_doc(ANA, "root", "letter", "document").expect("made");
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let link = rig.control.shortcut(ANA, "root", "link", &folder).expect("made");
    for id in [letter, folder, link] {
        let refused = rig.get(&rig.ana, &format!("files/{id}?alt=media")).await.refused(403, "fileNotDownloadable");
        let entry = json!({"domain": "global", "reason": "fileNotDownloadable", "location": "alt", "locationType": "parameter"});
        assert_eq!(said(&refused), (entry, "Only files with binary content can be downloaded. Use Export with Docs Editors files."));
    }
}

#[tokio::test]
async fn b2_9_exports_are_whole_of_the_type_asked_for_and_not_too_large() {
    let rig = Rig::start().await;
    let letter = rig.control.google_doc(ANA, "root", "letter", "document").expect("made");
    // What is missing is said before the file is looked up.
    rig.get(&rig.ana, "files/nowhere/export").await.refused(400, "required");
    let refused = rig.get(&rig.ana, &format!("files/{letter}/export?mimeType=image/nonsense")).await.refused(400, "badRequest");
    assert_eq!(said(&refused).1, "The requested conversion is not supported.");
    assert_eq!(said(&refused).0["location"], "convertTo");
    let blob = rig.control.put(ANA, "root", "a.txt", b"x", "text/plain").expect("put");
    let refused = rig.get(&rig.ana, &format!("files/{blob}/export?mimeType=text/plain")).await.refused(403, "fileNotExportable");
    assert_eq!(said(&refused).1, "Export only supports Docs Editors files.");
    let path = format!("files/{letter}/export?mimeType=text/plain");
    let part = rig.request(&rig.ana, Method::GET, &path).header("Range", "bytes=0-1").send().await.expect("it answers");
    assert_eq!((part.status().as_u16(), &part.headers()["content-type"]), (200, &"text/plain".parse().expect("a type")));
    let large = "x".repeat((10 << 20) + 1);
    let body = format!(
        "--b\r\nContent-Type: application/json\r\n\r\n{{\"mimeType\":\"application/vnd.google-apps.document\"}}\r\n--b\r\nContent-Type: text/plain\r\n\r\n{large}\r\n--b--"
    );
    let upload = rig.request(&rig.ana, Method::POST, "/upload/drive/v3/files?uploadType=multipart");
    let made = send(upload.header("Content-Type", "multipart/related; boundary=b").body(body)).await.ok();
    let refused = rig.get(&rig.ana, &format!("files/{}/export?mimeType=text/plain", text(&made, "id"))).await;
    assert_eq!(said(&refused.refused(403, "exportSizeLimitExceeded")).1, "This file is too large to be exported.");
}

#[tokio::test]
async fn b2_11_an_organizer_may_download_what_is_abusive_and_a_writer_may_not() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    rig.control.drive_member(&drive, BEA, "writer").expect("a member");
    let file = rig.control.put(ANA, &drive, "a.exe", b"MZ", "application/octet-stream").expect("put");
    rig.control.mark_abusive(&file, true).expect("marked");
    let path = format!("files/{file}?alt=media&supportsAllDrives=true");
    for user in [&rig.ana, &rig.bea] {
        rig.get(user, &path).await.refused(403, "cannotDownloadAbusiveFile");
    }
    rig.get(&rig.bea, &format!("{path}&acknowledgeAbuse=true")).await.refused(403, "cannotDownloadAbusiveFile");
    assert_eq!(rig.get(&rig.ana, &format!("{path}&acknowledgeAbuse=true")).await.status, 200);
}

#[tokio::test]
async fn b2_13_a_shortcut_to_nothing_is_still_there() {
    let rig = Rig::start().await;
    let target = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let link = rig.control.shortcut(ANA, "root", "link", &target).expect("made");
    rig.control.delete(ANA, &target).expect("deleted");
    let seen = rig.get(&rig.ana, &format!("files/{link}?fields=shortcutDetails")).await.ok();
    assert_eq!(seen["shortcutDetails"], json!({"targetId": target, "targetMimeType": "application/pdf"}));
    rig.get(&rig.ana, &format!("files/{target}")).await.refused(404, "notFound");
}

#[tokio::test]
async fn b2_14_links_of_each_kind_are_the_same_for_everybody() {
    let rig = Rig::start().await;
    let blob = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let letter = rig.control.google_doc(ANA, "root", "letter", "document").expect("made");
    for (id, link, has_content) in [
        (&blob, format!("https://drive.google.com/file/d/{blob}/view"), true),
        (&letter, format!("https://docs.google.com/document/d/{letter}/edit"), false),
    ] {
        rig.control.share(ANA, id, BEA, "reader").expect("shared");
        let path = format!("files/{id}?fields=webViewLink,webContentLink");
        let seen = rig.get(&rig.ana, &path).await.ok();
        assert!(text(&seen, "webViewLink").starts_with(&link), "{seen}");
        assert_eq!(seen.get("webContentLink").is_some(), has_content, "{seen}");
        assert_eq!(rig.get(&rig.bea, &path).await.ok(), seen);
    }
}

#[tokio::test]
async fn b2_28_a_hundred_revisions_are_kept_and_those_that_are_pinned() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.txt", b"0", "text/plain").expect("put");
    let list = async || {
        let page = rig.get(&rig.ana, &format!("files/{file}/revisions?pageSize=1000&fields=revisions(id,keepForever)")).await.ok();
        page["revisions"].as_array().cloned().expect("revisions")
    };
    let first = text(&list().await[0], "id").to_owned();
    rig.patch(&rig.ana, &format!("files/{file}/revisions/{first}"), json!({"keepForever": true})).await.ok();
    for number in 0..101 {
        rig.control.replace(ANA, &file, format!("{number}").as_bytes()).expect("replaced");
    }
    let kept = list().await;
    assert_eq!((kept.len(), text(&kept[0], "id")), (101, first.as_str()), "a hundred and the pinned one");
}

#[tokio::test]
async fn b2_32_a_list_has_a_hundred_unless_asked_and_what_was_shared() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    for number in 0..101 {
        rig.control.mkdir(ANA, &folder, &format!("{number}")).expect("made");
    }
    let page = rig.get(&rig.ana, "files").await.ok();
    assert_eq!((page["files"].as_array().map(Vec::len), page["nextPageToken"].is_string()), (Some(100), true));
    assert_eq!(rig.list(&rig.bea, "").await.len(), 0);
    rig.control.share(ANA, &folder, BEA, "reader").expect("shared");
    assert!(names(&rig.list(&rig.bea, "name = 'novos'").await) == ["novos"]);
}

#[tokio::test]
async fn b2_33_b2_35_b2_36_wrong_parameters_of_a_list_word_for_word() {
    let rig = Rig::start().await;
    let at =
        |reason: &str, location: &str| json!({"domain": "global", "reason": reason, "location": location, "locationType": "parameter"});
    for size in ["0", "1001", "-1"] {
        let refused = rig.get(&rig.ana, &format!("files?pageSize={size}")).await.refused(400, "invalidParameter");
        let (entry, message) = said(&refused);
        assert_eq!(entry, at("invalidParameter", "page_size"));
        assert!(message.contains("[1, 1000]"), "{message}");
    }
    let refused = rig.get(&rig.ana, "files?pageSize=x").await.refused(400, "invalid");
    assert_eq!(said(&refused).1, "Invalid value at 'page_size' (TYPE_INT32), \"x\"");
    for path in ["drives?pageSize=101", "files/root/permissions?pageSize=101"] {
        rig.get(&rig.ana, path).await.refused(400, "invalidParameter");
    }
    for (query, location) in [("pageToken=nonsense", "pageToken"), ("orderBy=nonsense", "orderBy"), ("q=nonsense", "q")] {
        let refused = rig.get(&rig.ana, &format!("files?{query}")).await.refused(400, "invalid");
        assert_eq!(said(&refused), (at("invalid", location), "Invalid Value"));
    }
    rig.get(&rig.ana, "files?pageToken=").await.ok();
    let refused = rig.get(&rig.ana, "files?includeItemsFromAllDrives=true").await.refused(403, "supportsTeamDrivesRequired");
    let (entry, message) = said(&refused);
    assert_eq!(
        (entry, message),
        (json!({"domain": "global", "reason": "supportsTeamDrivesRequired"}), "The supportsAllDrives parameter was not set to true.")
    );
    assert!(refused["error"].get("status").is_none());
}

#[tokio::test]
async fn b2_37_corpora_and_drives_go_together_and_t3_a_search_may_be_incomplete() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    rig.control.mkdir(ANA, &drive, "inside").expect("made");
    rig.control.mkdir(ANA, "root", "outside").expect("made");
    assert_eq!(rig.get(&rig.ana, &format!("files?driveId={drive}&{DRIVES}")).await.status, 400, "a drive without its corpus");
    assert_eq!(rig.get(&rig.ana, &format!("files?corpora=drive&{DRIVES}")).await.status, 400, "a corpus without its drive");
    for query in [format!("corpora=drive&driveId={drive}"), "corpora=allDrives".to_owned()] {
        let refused = rig.get(&rig.ana, &format!("files?{query}&supportsAllDrives=true")).await;
        assert!((400..404).contains(&refused.status), "{query}: {refused:?}");
    }
    let all = async || rig.get(&rig.ana, &format!("files?corpora=allDrives&{DRIVES}&fields=incompleteSearch,files(name)")).await.ok();
    let page = all().await;
    assert_eq!((&page["incompleteSearch"], names(page["files"].as_array().expect("files")).len()), (&json!(false), 2));
    rig.control.set_switches(|switches| switches.incomplete_search = true).expect("turned");
    assert_eq!(all().await["incompleteSearch"], true);
    assert_eq!(rig.get(&rig.ana, "files?fields=incompleteSearch").await.ok()["incompleteSearch"], false, "one's own corpus is complete");
}

#[tokio::test]
async fn b2_55_b2_59_trash_and_deletion_on_a_shared_drive_are_the_organizers() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let folder = rig.control.mkdir(ANA, &drive, "novos").expect("made");
    let file = rig.control.put(ANA, &folder, "a.pdf", b"x", "application/pdf").expect("put");
    let path = format!("files/{file}?supportsAllDrives=true");
    rig.control.drive_member(&drive, BEA, "writer").expect("a member");
    rig.patch(&rig.bea, &path, json!({"trashed": true})).await.refused(403, "insufficientFilePermissions");
    rig.control.drive_member(&drive, BEA, "fileOrganizer").expect("a member");
    rig.patch(&rig.bea, &path, json!({"trashed": true})).await.ok();
    rig.delete(&rig.bea, &path).await.refused(403, "insufficientFilePermissions");
    // b2_62: the trash of a drive is its organizers' as well, and nobody else's.
    let trash = format!("files/trash?driveId={drive}");
    rig.delete(&rig.bea, &trash).await.refused(403, "insufficientFilePermissions");
    assert_eq!(rig.delete(&rig.ana, "files/trash").await.status, 204, "her own, in which nothing lies");
    rig.get(&rig.ana, &path).await.ok();
    assert_eq!(rig.delete(&rig.ana, &trash).await.status, 204);
    rig.get(&rig.ana, &path).await.refused(404, "notFound");
    assert_eq!(rig.delete(&rig.ana, &format!("files/{folder}?supportsAllDrives=true")).await.status, 204);
}

#[tokio::test]
async fn b2_50_times_of_queries_are_utc_and_b2_52_spaces_are_not_needed() {
    let rig = Rig::start().await;
    for (name, time) in [("old", "2020-01-01T12:00:00Z"), ("new", "2021-01-01T12:00:00Z")] {
        rig.post(&rig.ana, "files", json!({"name": name, "modifiedTime": time})).await.ok();
    }
    let found = async |q: &str| {
        let request = rig.request(&rig.ana, Method::GET, "files").query(&[("q", q), ("orderBy", "name")]);
        names(send(request).await.ok()["files"].as_array().expect("files"))
    };
    for q in
        ["modifiedTime > '2020-01-01T12:00:00'", "modifiedTime>'2020-01-01T13:00:00+01:00'", "modifiedTime >= '2020-01-01T12:00:00.001Z'"]
    {
        assert_eq!(found(q).await, ["new"], "{q}");
    }
    for q in ["modifiedTime<='2020-01-01T12:00:00'", "modifiedTime = '2020-01-01T12:00:00'", "modifiedTime!='2021-01-01T12:00:00Z'"] {
        assert_eq!(found(q).await, ["old"], "{q}");
    }
    assert_eq!(found("trashed=false and name='old'").await, ["old"]);
}
