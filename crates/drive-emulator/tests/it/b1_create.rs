//! Creating files, ids, names, properties and masks.

use drive_emulator::control::{Effect, Fault, When};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, names, send, text};

const FOLDER: &str = "application/vnd.google-apps.folder";

async fn generated(rig: &Rig, count: u32) -> Vec<String> {
    let body = rig.get(&rig.ana, &format!("files/generateIds?count={count}")).await.ok();
    body["ids"].as_array().expect("ids").iter().map(|id| id.as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn b1_1_an_empty_create_makes_an_untitled_file_in_the_root() {
    let rig = Rig::start().await;
    let made = send(rig.request(&rig.ana, Method::POST, "files")).await.ok();
    assert_eq!(text(&made, "name"), "Untitled");
    assert_eq!(text(&made, "mimeType"), "application/octet-stream");
    let keys: Vec<&String> = made.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["kind", "id", "name", "mimeType"], "b1_11");
    let stored = rig.control.file(text(&made, "id")).expect("it is there");
    assert_eq!(stored["parents"], json!([rig.ana.root_id]));
    assert_eq!(stored["size"], 0);
}

#[tokio::test]
async fn b1_3_b1_4_b1_5_b1_6_parents_are_checked() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let (one, two) = (rig.control.mkdir(ana, "root", "1").expect("made"), rig.control.mkdir(ana, "root", "2").expect("made"));
    let file = rig.control.put(ana, &one, "a", b"a", "text/plain").expect("put");
    let create = |parents: Value| rig.post(&rig.ana, "files", json!({"name": "x", "parents": parents}));
    create(json!([one, two])).await.refused(403, "cannotAddParent");
    let body = create(json!(["missing"])).await.refused(404, "notFound");
    assert_eq!(text(&body["error"], "message"), "File not found: missing.");
    create(json!([file])).await.refused(403, "parentNotAFolder");
    let bea = rig.post(&rig.bea, "files", json!({"name": "x", "parents": [one]})).await;
    bea.refused(404, "notFound");
    rig.control.share(ana, &one, &rig.bea.email, "reader").expect("shared");
    let bea = rig.post(&rig.bea, "files", json!({"name": "x", "parents": [one]})).await;
    bea.refused(403, "insufficientParentPermissions");
}

#[tokio::test]
async fn b1_9_output_fields_are_refused() {
    let rig = Rig::start().await;
    rig.post(&rig.ana, "files", json!({"name": "x", "size": "3"})).await.refused(403, "fieldNotWritable");
    assert!(rig.list(&rig.ana, "name = 'x'").await.is_empty(), "nothing was made");
}

#[tokio::test]
async fn b1_14_generated_ids_and_b1_16_their_kinds() {
    let rig = Rig::start().await;
    assert_eq!(generated(&rig, 3).await.len(), 3);
    rig.get(&rig.ana, "files/generateIds?count=1001").await.refused(400, "invalidParameter");
    let id = &generated(&rig, 1).await[0];
    rig.post(&rig.ana, "files", json!({"id": "invented", "mimeType": FOLDER})).await.refused(400, "invalid");
    let doc = json!({"id": id, "mimeType": "application/vnd.google-apps.document"});
    assert_eq!(rig.post(&rig.ana, "files", doc).await.status, 403);
    let made = rig.post(&rig.ana, "files", json!({"id": id, "name": "novos", "mimeType": FOLDER})).await.ok();
    assert_eq!(text(&made, "id"), id);
}

#[tokio::test]
async fn b1_17_reused_id_is_409() {
    let rig = Rig::start().await;
    let id = &generated(&rig, 1).await[0];
    let body = json!({"id": id, "name": "novos", "mimeType": FOLDER});
    rig.post(&rig.ana, "files", body.clone()).await.ok();
    rig.post(&rig.ana, "files", body.clone()).await.refused(409, "fileIdInUse");
    assert_eq!(rig.list(&rig.ana, "name = 'novos'").await.len(), 1);
    rig.control.trash(&rig.ana.email, id).expect("trashed");
    rig.post(&rig.ana, "files", body.clone()).await.refused(409, "fileIdInUse");
    rig.control.set_switches(|switches| switches.duplicate_id_reason = "duplicate".into()).expect("turned");
    rig.post(&rig.ana, "files", body).await.refused(409, "duplicate");
}

#[tokio::test]
async fn b1_22_multipart_with_bare_line_feeds() {
    let rig = Rig::start().await;
    let body = "--b\nContent-Type: application/json\n\n{\"name\":\"a.txt\"}\n--b\nContent-Type: text/plain\n\nhello\n--b--";
    let request = rig
        .request(&rig.ana, Method::POST, "/upload/drive/v3/files?uploadType=multipart&fields=id,name,mimeType,size,md5Checksum")
        .header("Content-Type", "multipart/related; boundary=\"b\"")
        .body(body);
    let made = send(request).await.ok();
    assert_eq!(text(&made, "mimeType"), "text/plain");
    assert_eq!(text(&made, "size"), "5");
    assert_eq!(text(&made, "md5Checksum"), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(rig.control.content(text(&made, "id")).expect("bytes"), b"hello");
}

#[tokio::test]
async fn b1_23_a_folder_with_an_empty_media_part() {
    let rig = Rig::start().await;
    for mount in ["upload", "resumable/upload"] {
        let body = format!(
            "\r\n--B\r\nContent-Length: 16\r\nContent-Type: application/json\r\n\r\n{{\"name\":\"novos\"}}\r\n\
             --B\r\nContent-Type: {FOLDER}\r\n\r\n\r\n--B--\r\n"
        );
        let request = rig
            .request(&rig.ana, Method::POST, &format!("/{mount}/drive/v3/files?uploadType=multipart"))
            .header("Content-Type", "multipart/related; boundary=B")
            .body(body);
        let made = send(request).await.ok();
        assert_eq!(text(&made, "mimeType"), FOLDER);
        let stored = rig.control.file(text(&made, "id")).expect("it is there");
        assert_eq!(stored["size"], Value::Null);
        assert_eq!(stored["headRevisionId"], Value::Null);
    }
}

#[tokio::test]
async fn b1_21_media_alone_is_untitled() {
    let rig = Rig::start().await;
    let big = vec![7_u8; 700_000];
    let request = rig
        .request(&rig.ana, Method::POST, "/upload/drive/v3/files?uploadType=media")
        .header("Content-Type", "application/pdf")
        .body(big.clone());
    let made = send(request).await.ok();
    assert_eq!(text(&made, "name"), "Untitled");
    assert_eq!(text(&made, "mimeType"), "application/pdf");
    assert_eq!(rig.control.content(text(&made, "id")).expect("bytes"), big);
}

#[tokio::test]
async fn b1_42_names_are_not_unique_and_b1_43_anything_is_a_name() {
    let rig = Rig::start().await;
    for name in ["a/b", "a/b", "..", "it's \\ \"x\"", " ", "ação"] {
        rig.post(&rig.ana, "files", json!({"name": name, "mimeType": FOLDER})).await.ok();
    }
    assert_eq!(names(&rig.list(&rig.ana, "'root' in parents").await).len(), 6);
    assert_eq!(rig.list(&rig.ana, "name = 'it\\'s \\\\ \"x\"'").await.len(), 1);
}

#[tokio::test]
async fn b1_48_b1_50_custom_properties_merge_and_null_deletes() {
    let rig = Rig::start().await;
    let made = rig.post(&rig.ana, "files?fields=id,appProperties", json!({"appProperties": {"a": "1", "b": "2"}})).await.ok();
    assert_eq!(made["appProperties"], json!({"a": "1", "b": "2"}));
    let path = format!("files/{}?fields=appProperties,properties", text(&made, "id"));
    let body = json!({"appProperties": {"a": null, "c": "3"}, "properties": {"p": "q"}});
    let after = rig.patch(&rig.ana, &path, body).await.ok();
    assert_eq!(after, json!({"appProperties": {"b": "2", "c": "3"}, "properties": {"p": "q"}}));
    assert_eq!(rig.list(&rig.ana, "appProperties has { key='c' and value='3' }").await.len(), 1);
    assert_eq!(rig.list(&rig.ana, "appProperties has { key='a' and value='1' }").await.len(), 0);
    let long = json!({"appProperties": {"k": "v".repeat(124)}});
    assert_eq!(rig.patch(&rig.ana, &path, long).await.status, 400, "b1_49");
}

#[tokio::test]
async fn b1_52_b1_53_b1_55_masks() {
    // b12_10: a mask that is blank.
    let rig = Rig::start().await;
    rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    let bad = rig.get(&rig.ana, "files?fields=files(id,nonsense)").await.refused(400, "invalidParameter");
    assert_eq!(text(&bad["error"], "message"), "Invalid field selection nonsense");
    assert!(bad["error"].get("status").is_none());
    assert_eq!(rig.get(&rig.ana, "files?fields=").await.ok(), json!({}));
    assert_eq!(rig.get(&rig.ana, "files?fields=files/name").await.ok(), json!({"files": [{"name": "novos"}]}));
    rig.control.mkdir(&rig.ana.email, "root", "erro").expect("made");
    let page = rig.get(&rig.ana, "files?pageSize=1&fields=files(id)").await.ok();
    assert!(page.get("nextPageToken").is_none());
    rig.post(&rig.ana, "files?fields=nonsense", json!({"name": "unmade"})).await.refused(400, "invalidParameter");
    assert!(rig.list(&rig.ana, "name = 'unmade'").await.is_empty(), "a write with a bad mask writes nothing");
}

#[tokio::test]
async fn b12_1_an_ambiguous_create_ends_with_one_file() {
    let rig = Rig::start().await;
    let id = &generated(&rig, 1).await[0];
    let body = json!({"id": id, "name": "novos", "mimeType": FOLDER});
    rig.control.fault(Fault::new(Effect::LostAfterCommit).op("files.create").when(When::Next { next: 1 })).expect("a rule that can strike");
    let lost = rig.request(&rig.ana, Method::POST, "files").json(&body).send().await;
    assert!(lost.is_err(), "the answer is lost");
    rig.post(&rig.ana, "files", body).await.refused(409, "fileIdInUse");
    rig.get(&rig.ana, &format!("files/{id}")).await.ok();
    assert_eq!(rig.list(&rig.ana, "name = 'novos'").await.len(), 1);
}
