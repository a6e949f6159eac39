//! Downloads, revisions, exports, copies, shortcuts, and what service accounts may not own.

use md5::{Digest as _, Md5};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, send, text};

#[tokio::test]
async fn b2_4_downloads_and_ranges() {
    let rig = Rig::start().await;
    let id = rig.control.put(&rig.ana.email, "root", "a.pdf", b"0123456789", "application/pdf").expect("put");
    let path = format!("files/{id}?alt=media");
    let get = |range: &'static str| rig.request(&rig.ana, Method::GET, &path).header("Range", range).send();
    let whole = rig.request(&rig.ana, Method::GET, &path).send().await.expect("answered");
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["content-type"], "application/pdf");
    assert_eq!(whole.bytes().await.expect("bytes"), &b"0123456789"[..]);
    let part = get("bytes=4-6").await.expect("answered");
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 4-6/10");
    assert_eq!(part.bytes().await.expect("bytes"), &b"456"[..]);
    assert_eq!(get("bytes=8-").await.expect("answered").bytes().await.expect("bytes"), &b"89"[..]);
    let past = get("bytes=10-").await.expect("answered");
    assert_eq!(past.status(), 416);
    assert_eq!(past.headers()["content-range"], "bytes */10");
}

#[tokio::test]
async fn b2_4_a_large_file_is_downloaded_from_any_byte() {
    let rig = Rig::start().await;
    let size: u64 = 20 << 20;
    let id = rig.control.put_generated(&rig.ana.email, "root", "big.bin", size).expect("put");
    let path = format!("files/{id}?alt=media");
    let whole = rig.request(&rig.ana, Method::GET, &path).send().await.expect("answered").bytes().await.expect("bytes");
    assert_eq!(whole.len() as u64, size);
    let from = 12_345_678;
    let tail = rig.request(&rig.ana, Method::GET, &path).header("Range", format!("bytes={from}-")).send().await.expect("answered");
    assert_eq!(tail.bytes().await.expect("bytes"), whole[from..]);
    let file = rig.get(&rig.ana, &format!("files/{id}?fields=md5Checksum,sha1Checksum")).await.ok();
    let md5 = format!("{:x}", Md5::digest(&whole));
    assert_eq!(file, json!({"md5Checksum": md5}), "b2_6: sha1 may be missing");
}

#[tokio::test]
async fn b2_8_b2_9_editors_files_are_exported() {
    let rig = Rig::start().await;
    let doc = rig.control.google_doc(&rig.ana.email, "root", "Relatório", "document").expect("made");
    rig.get(&rig.ana, &format!("files/{doc}?alt=media")).await.refused(403, "fileNotDownloadable");
    rig.get(&rig.ana, &format!("files/{doc}/export")).await.refused(400, "required");
    rig.get(&rig.ana, &format!("files/{doc}/export?mimeType=image/png")).await.refused(400, "badRequest");
    let path = format!("files/{doc}/export?mimeType=application/pdf");
    let pdf = rig.request(&rig.ana, Method::GET, &path).send().await.expect("answered");
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    assert!(pdf.bytes().await.expect("bytes").starts_with(b"%PDF-"));
    let file = rig.get(&rig.ana, &format!("files/{doc}?fields=size,md5Checksum,headRevisionId")).await.ok();
    assert_eq!(file, json!({"size": "1"}), "b2_7");
    let blob = rig.control.put(&rig.ana.email, "root", "a.txt", b"a", "text/plain").expect("put");
    rig.get(&rig.ana, &format!("files/{blob}/export?mimeType=text/plain")).await.refused(403, "fileNotExportable");
}

#[tokio::test]
async fn b2_11_abusive_files_are_for_their_owner_only() {
    let rig = Rig::start().await;
    let id = rig.control.put(&rig.ana.email, "root", "a.exe", b"MZ", "application/octet-stream").expect("put");
    rig.control.mark_abusive(&id, true).expect("marked");
    rig.control.share(&rig.ana.email, &id, &rig.bea.email, "reader").expect("shared");
    let path = format!("files/{id}?alt=media&acknowledgeAbuse=true");
    rig.get(&rig.ana, &format!("files/{id}?alt=media")).await.refused(403, "cannotDownloadAbusiveFile");
    rig.get(&rig.bea, &path).await.refused(403, "cannotDownloadAbusiveFile");
    assert_eq!(rig.get(&rig.ana, &path).await.status, 200);
}

#[tokio::test]
async fn b2_13_a_shortcut_is_itself() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let id = rig.control.put(ana, "root", "a.txt", b"a", "text/plain").expect("put");
    let link = rig.control.shortcut(ana, "root", "link", &id).expect("made");
    let seen = rig.get(&rig.ana, &format!("files/{link}?fields=shortcutDetails,size")).await.ok();
    assert_eq!(seen, json!({"shortcutDetails": {"targetId": id, "targetMimeType": "text/plain"}}));
    let body = json!({"mimeType": "application/vnd.google-apps.shortcut", "shortcutDetails": {"targetId": "missing"}});
    rig.post(&rig.ana, "files", body).await.refused(403, "shortcutTargetInvalid");
}

#[tokio::test]
async fn b2_28_revisions() {
    let rig = Rig::start().await;
    let id = rig.control.put(&rig.ana.email, "root", "a.txt", b"old", "text/plain").expect("put");
    rig.control.replace(&rig.ana.email, &id, b"newer").expect("replaced");
    let list = rig.get(&rig.ana, &format!("files/{id}/revisions?fields=revisions(id,size,keepForever)")).await.ok();
    let all = list["revisions"].as_array().expect("a list").clone();
    assert_eq!(all.iter().map(|revision| text(revision, "size")).collect::<Vec<_>>(), ["3", "5"]);
    let old = text(&all[0], "id");
    let path = format!("files/{id}/revisions/{old}");
    let bytes = rig.request(&rig.ana, Method::GET, &format!("{path}?alt=media")).send().await.expect("answered").bytes().await;
    assert_eq!(bytes.expect("bytes"), &b"old"[..]);
    let kept = rig.patch(&rig.ana, &format!("{path}?fields=keepForever"), json!({"keepForever": true})).await.ok();
    assert_eq!(kept, json!({"keepForever": true}));
    let head = format!("files/{id}/revisions/{}", text(&all[1], "id"));
    rig.delete(&rig.ana, &head).await.refused(403, "revisionNotDeletable");
    rig.delete(&rig.ana, &path).await.ok();
    rig.get(&rig.ana, &path).await.refused(404, "notFound");
}

#[tokio::test]
async fn copies_have_their_own_bytes() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let folder = rig.control.mkdir(ana, "root", "novos").expect("made");
    let id = rig.control.put(ana, &folder, "a.txt", b"bytes", "text/plain").expect("put");
    let path = format!("files/{id}/copy?fields=id,name,parents,md5Checksum");
    let copy = rig.post(&rig.ana, &path, json!({"name": "b.txt"})).await.ok();
    assert_eq!(copy["parents"], json!([folder]));
    assert_eq!(copy["md5Checksum"], rig.control.file(&id).expect("there")["md5Checksum"]);
    rig.control.delete(ana, &id).expect("deleted");
    assert_eq!(rig.control.content(text(&copy, "id")).expect("bytes"), b"bytes");
    rig.post(&rig.ana, &format!("files/{folder}/copy"), json!({})).await.refused(403, "cannotCopyFile");
}

#[tokio::test]
async fn b2_62_emptying_the_trash() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let folder = rig.control.mkdir(ana, "root", "novos").expect("made");
    let inside = rig.control.put(ana, &folder, "a.txt", b"a", "text/plain").expect("put");
    let kept = rig.control.put(ana, "root", "b.txt", b"b", "text/plain").expect("put");
    rig.control.trash(ana, &folder).expect("trashed");
    assert_eq!(rig.delete(&rig.ana, "files/trash").await.status, 204);
    assert!(rig.control.file(&folder).is_err() && rig.control.file(&inside).is_err());
    assert!(rig.control.file(&kept).is_ok());
    rig.control.set_switches(|switches| switches.delete_answers_json = true).expect("turned");
    assert_eq!(rig.delete(&rig.ana, &format!("files/{kept}")).await.ok(), json!({}), "11.8");
}

#[tokio::test]
async fn b7_16_b7_17_b7_19_service_accounts_own_folders_not_bytes() {
    // b12_8: folders, no bytes, and the bytes of a person.
    let rig = Rig::start().await;
    let key: Value = serde_json::from_str(&rig.control.service_account("robo").expect("a key")).expect("JSON");
    let robo = rig.control.user(text(&key, "client_email")).expect("the account");
    let folder = rig.post(&robo, "files", json!({"name": "novos", "mimeType": "application/vnd.google-apps.folder"})).await.ok();
    let folder = text(&folder, "id");
    let upload = |parent: &str| {
        let body = format!("--b\n\n{{\"parents\":[\"{parent}\"]}}\n--b\nContent-Type: text/plain\n\nx\n--b--");
        rig.request(&robo, Method::POST, "/upload/drive/v3/files?uploadType=multipart&supportsAllDrives=true")
            .header("Content-Type", "multipart/related; boundary=b")
            .body(body)
    };
    send(upload(folder)).await.refused(403, "storageQuotaExceeded");
    rig.control.share(&robo.email, folder, &rig.ana.email, "writer").expect("shared");
    let file = rig.control.put(&rig.ana.email, folder, "a.txt", b"a", "text/plain").expect("put");
    rig.post(&robo, &format!("files/{file}/copy"), json!({})).await.refused(403, "storageQuotaExceeded");
    let request = rig.request(&robo, Method::PATCH, &format!("/upload/drive/v3/files/{file}?uploadType=media")).body("by robo");
    send(request).await.ok();
    assert_eq!(rig.control.content(&file).expect("bytes"), b"by robo");
    let drive = rig.control.shared_drive("Equipe", &rig.ana.email).expect("made");
    rig.control.drive_member(&drive, &robo.email, "fileOrganizer").expect("a member");
    send(upload(&drive)).await.ok();
    let quota = rig.get(&robo, "about?fields=storageQuota(limit)").await.ok();
    assert_eq!(quota, json!({"storageQuota": {"limit": "0"}}), "b7_23");
}
