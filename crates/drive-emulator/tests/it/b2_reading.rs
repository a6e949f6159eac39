//! Reading files: checks, downloads, capabilities, versions.

use drive_emulator::control::{Effect, Fault, Status, When};
use reqwest::Method;
use serde_json::json;

use crate::support::{Rig, send, text};

const ANA: &str = "ana@example.com";
const BEA: &str = "bea@example.com";

#[tokio::test]
async fn b2_3_acknowledging_abuse_is_for_downloads() {
    let rig = Rig::start().await;
    let refused = rig.get(&rig.ana, "files/nowhere?acknowledgeAbuse=true").await.refused(403, "invalidAbuseAcknowledgment");
    assert_eq!(refused["error"]["errors"][0]["location"], "acknowledgeAbuse");
    rig.get(&rig.ana, "files/nowhere?acknowledgeAbuse=true&alt=media").await.refused(404, "notFound");
}

#[tokio::test]
async fn b2_2_what_is_checked_first_on_a_read() {
    let rig = Rig::start().await;
    let nobody = rig.http.get(format!("{}/drive/v3/files/nowhere?supportsAllDrives=NOPE", rig.emulator.url()));
    send(nobody).await.refused(403, "forbidden");
    rig.get(&rig.ana, "files/nowhere?supportsAllDrives=NOPE&fields=nonsense").await.refused(400, "invalid");
    rig.get(&rig.ana, "files/nowhere?fields=nonsense").await.refused(404, "notFound");
    rig.get(&rig.ana, "files/root?fields=nonsense").await.refused(400, "invalidParameter");
}

#[tokio::test]
async fn b2_5_there_is_no_etag_and_preconditions_are_ignored() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    for path in [format!("files/{file}"), format!("files/{file}?alt=media")] {
        let response = rig.request(&rig.ana, Method::GET, &path).header("If-None-Match", "*").send().await.expect("it answers");
        assert_eq!((response.status().as_u16(), response.headers().get("etag")), (200, None), "{path}");
    }
    // b2_31: nor does a write heed one; the last writer wins.
    for name in ["one", "two"] {
        let request = rig.request(&rig.ana, Method::PATCH, &format!("files/{file}")).header("If-Match", "\"old\"");
        send(request.json(&json!({ "name": name }))).await.ok();
    }
    assert_eq!(rig.control.file(&file).expect("it is there")["name"], "two");
}

#[tokio::test]
async fn b2_6_checksums_and_b2_7_sizes() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.txt", b"abc", "text/plain").expect("put");
    let fields = "size,md5Checksum,sha1Checksum,sha256Checksum";
    let sums = json!({
        "size": "3",
        "md5Checksum": "900150983cd24fb0d6963f7d28e17f72",
        "sha1Checksum": "a9993e364706816aba3e25717850c26c9cd0d89d",
        "sha256Checksum": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    });
    assert_eq!(rig.get(&rig.ana, &format!("files/{file}?fields={fields}")).await.ok(), sums);
    let document = rig.control.google_doc(ANA, "root", "letter", "document").expect("made");
    assert_eq!(rig.get(&rig.ana, &format!("files/{document}?fields={fields}")).await.ok(), json!({"size": "1"}));
    let link = rig.control.shortcut(ANA, "root", "link", &file).expect("made");
    assert_eq!(rig.get(&rig.ana, &format!("files/{link}?fields={fields}")).await.ok(), json!({}));
    // Some old blobs have only the one.
    let old = rig.control.put_generated(ANA, "root", "old.bin", 10).expect("put");
    let seen = rig.get(&rig.ana, &format!("files/{old}?fields=md5Checksum,sha256Checksum")).await.ok();
    assert!(seen.get("md5Checksum").is_some() && seen.get("sha256Checksum").is_none(), "{seen}");
}

#[tokio::test]
async fn b2_12_other_refusals_of_downloads() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.share(ANA, &file, BEA, "reader").expect("shared");
    rig.control.update(ANA, &file, json!({"copyRequiresWriterPermission": true})).expect("set");
    rig.get(&rig.bea, &format!("files/{file}?alt=media")).await.refused(403, "cannotDownloadFile");
    rig.control
        .fault(Fault::new(Effect::Status(Status::new(403, "downloadQuotaExceeded"))).op("files.get").when(When::Next { next: 1 }))
        .expect("a rule that can strike");
    rig.get(&rig.ana, &format!("files/{file}?alt=media")).await.refused(403, "downloadQuotaExceeded");
}

#[tokio::test]
async fn b2_15_capabilities_are_the_callers() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    rig.control.share(ANA, &folder, BEA, "writer").expect("shared");
    let path = format!("files/{folder}?fields=capabilities(canAddChildren,canTrash,canDelete,canShare,canTrashChildren)");
    let hers = json!({"capabilities": {"canAddChildren": true, "canDelete": true, "canShare": true, "canTrash": true}});
    assert_eq!(rig.get(&rig.ana, &path).await.ok(), hers);
    let beas = json!({"capabilities": {"canAddChildren": true, "canDelete": false, "canShare": true, "canTrash": false}});
    assert_eq!(rig.get(&rig.bea, &path).await.ok(), beas, "and canTrashChildren is of shared drives");
}

#[tokio::test]
async fn b2_16_an_update_merges_and_types_change_with_bytes_only() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let path = format!("files/{file}?fields=name,description,mimeType");
    rig.patch(&rig.ana, &path, json!({"description": "first"})).await.ok();
    let merged = rig.patch(&rig.ana, &path, json!({"name": "b.pdf"})).await.ok();
    assert_eq!(merged, json!({"name": "b.pdf", "mimeType": "application/pdf", "description": "first"}));
    rig.patch(&rig.ana, &path, json!({"mimeType": "text/plain"})).await.refused(403, "fieldNotWritable");
    let upload = format!("/upload/drive/v3/files/{file}?uploadType=media&fields=mimeType");
    let request = rig.request(&rig.ana, Method::PATCH, &upload).header("Content-Type", "text/plain").body("y");
    assert_eq!(text(&send(request).await.ok(), "mimeType"), "text/plain");
    rig.patch(&rig.ana, &path, json!({"md5Checksum": "0"})).await.refused(403, "fieldNotWritable");
}

#[tokio::test]
async fn b2_29_stars_are_ones_own_and_b2_30_versions_grow_with_everything() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.share(ANA, &file, BEA, "reader").expect("shared");
    let path = format!("files/{file}?fields=starred,version");
    let version = |value: &serde_json::Value| text(value, "version").parse::<i64>().expect("a number");
    let before = rig.get(&rig.ana, &path).await.ok();
    let starred = rig.patch(&rig.bea, &path, json!({"starred": true})).await.ok();
    assert_eq!(starred["starred"], true);
    let after = rig.get(&rig.ana, &path).await.ok();
    assert_eq!(after["starred"], false, "hers is hers");
    assert!(version(&after) > version(&before));
    let mut last = version(&after);
    for body in [json!({"name": "b"}), json!({"trashed": true}), json!({"trashed": false})] {
        let now = version(&rig.patch(&rig.ana, &path, body).await.ok());
        assert!(now > last);
        last = now;
    }
}

#[tokio::test]
async fn b2_57_what_is_trashed_is_reached_by_its_id_and_b2_58_who_did_it() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"bytes", "application/pdf").expect("put");
    rig.control.share(ANA, &file, BEA, "reader").expect("shared");
    rig.control.trash(ANA, &file).expect("trashed");
    let seen = rig.get(&rig.bea, &format!("files/{file}?fields=trashed,trashedTime,trashingUser")).await.ok();
    assert_eq!(seen, json!({"trashed": true}), "in My Drive nobody is named");
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let inside = rig.control.put(ANA, &drive, "b.pdf", b"x", "application/pdf").expect("put");
    rig.control.trash(ANA, &inside).expect("trashed");
    let seen = rig.get(&rig.ana, &format!("files/{inside}?supportsAllDrives=true&fields=trashedTime,trashingUser/emailAddress")).await.ok();
    assert_eq!(seen["trashingUser"]["emailAddress"], ANA);
    assert!(seen["trashedTime"].is_string(), "{seen}");
}

#[tokio::test]
async fn b2_63_deleting_twice_is_not_found_and_b2_61_a_writer_takes_out_what_is_not_theirs() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    rig.control.share(ANA, &folder, BEA, "writer").expect("shared");
    let beas = rig.control.put(BEA, &folder, "b.pdf", b"x", "application/pdf").expect("put");
    rig.delete(&rig.ana, &format!("files/{beas}")).await.refused(403, "insufficientFilePermissions");
    rig.patch(&rig.ana, &format!("files/{beas}?removeParents={folder}"), json!({})).await.ok();
    assert_eq!(rig.control.file(&beas).expect("it is there")["parents"], json!([rig.bea.root_id]), "it lies in its owner's root");
    assert_eq!(rig.delete(&rig.bea, &format!("files/{beas}")).await.status, 204);
    rig.delete(&rig.bea, &format!("files/{beas}")).await.refused(404, "notFound");
}
