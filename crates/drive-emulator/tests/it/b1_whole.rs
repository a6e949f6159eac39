//! What may be written at create, ids and their refusals word for word, and names that change.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, send, text};

const ANA: &str = "ana@example.com";
const FOLDER: &str = "application/vnd.google-apps.folder";
const SHORTCUT: &str = "application/vnd.google-apps.shortcut";

#[tokio::test]
async fn b1_9_what_may_be_written_comes_back() {
    let rig = Rig::start().await;
    let id = rig.get(&rig.ana, "files/generateIds?count=1").await.ok()["ids"][0].clone();
    let parent = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let wanted = json!({
        "id": id, "name": "a.pdf", "mimeType": "application/pdf", "parents": [parent], "description": "why",
        "appProperties": {"a": "1"}, "properties": {"b": "2"}, "createdTime": "2020-01-02T03:04:05.000Z",
        "modifiedTime": "2021-01-02T03:04:05.678Z", "viewedByMeTime": "2022-01-02T03:04:05.000Z", "starred": true,
        "copyRequiresWriterPermission": true, "writersCanShare": false, "originalFilename": "scan.pdf",
    });
    let fields = wanted.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(",");
    let mut body = wanted.clone();
    body["contentHints"] = json!({"indexableText": "words"});
    assert_eq!(rig.post(&rig.ana, &format!("files?fields={fields}"), body).await.ok(), wanted);
    let folder = json!({"mimeType": FOLDER, "folderColorRgb": "#ff7537", "inheritedPermissionsDisabled": true});
    assert_eq!(rig.post(&rig.ana, "files?fields=mimeType,folderColorRgb,inheritedPermissionsDisabled", folder.clone()).await.ok(), folder);
    let outputs =
        ["md5Checksum", "version", "webViewLink", "owners", "size", "headRevisionId", "capabilities", "driveId", "sharedWithMeTime"];
    for output in outputs {
        let refused = rig.post(&rig.ana, "files", json!({output: "x"})).await.refused(403, "fieldNotWritable");
        assert_eq!(refused["error"]["message"], "The resource body includes fields which are not directly writable.", "{output}");
    }
}

#[tokio::test]
async fn b1_14_ids_come_in_tens_and_by_kind() {
    let rig = Rig::start().await;
    let ids = rig.get(&rig.ana, "files/generateIds").await.ok();
    assert_eq!(
        (&ids["kind"], &ids["space"], ids["ids"].as_array().map(Vec::len)),
        (&json!("drive#generatedIds"), &json!("drive"), Some(10))
    );
    let many = rig.get(&rig.ana, "files/generateIds?count=1000").await.ok();
    let mut all: Vec<&str> = many["ids"].as_array().expect("ids").iter().map(|id| id.as_str().expect("text")).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 1000);
    let hidden = rig.get(&rig.ana, "files/generateIds?space=appDataFolder&count=1").await.ok();
    assert_eq!(hidden["space"], "appDataFolder");
    let body = json!({"id": hidden["ids"][0], "parents": ["appDataFolder"]});
    rig.post(&rig.ana, "files", body).await.ok();
    rig.get(&rig.ana, "files/generateIds?type=shortcuts&space=drive").await.ok();
    assert_eq!(rig.get(&rig.ana, "files/generateIds?type=shortcuts&space=appDataFolder").await.status, 400);
    rig.get(&rig.ana, "files/generateIds?count=0").await.refused(400, "invalidParameter");
}

#[tokio::test]
async fn b1_16_ids_of_another_kind_and_b1_17_used_ones_are_refused_word_for_word() {
    let rig = Rig::start().await;
    let id = async |query: &str| rig.get(&rig.ana, &format!("files/generateIds?count=1{query}")).await.ok()["ids"][0].clone();
    let message = |refused: Value| text(&refused["error"], "message").to_owned();
    for kind in ["document", "spreadsheet", "presentation", "drawing", "form"] {
        let body = json!({"id": id("").await, "mimeType": format!("application/vnd.google-apps.{kind}")});
        let refused = rig.post(&rig.ana, "files", body).await;
        assert_eq!(refused.status, 403, "{kind}");
        assert_eq!(message(refused.body), "Generated IDs are not supported for Docs Editors formats.");
    }
    let target = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let shortcut = |id: Value| json!({"id": id, "mimeType": SHORTCUT, "shortcutDetails": {"targetId": target}});
    for unusable in [id("").await, json!("1inventedinventedinventedinvented")] {
        let refused = rig.post(&rig.ana, "files", shortcut(unusable)).await;
        assert_eq!(refused.status, 400);
        assert_eq!(message(refused.body), "The provided file ID is not usable.");
    }
    let good = id("&type=shortcuts").await;
    assert_eq!(rig.post(&rig.ana, "files", shortcut(good.clone())).await.ok()["id"], good);
    let refused = rig.post(&rig.ana, "files", shortcut(good)).await.refused(409, "fileIdInUse");
    assert_eq!(message(refused), "A file already exists with the provided ID.");
}

#[tokio::test]
async fn b1_3_a_file_of_a_shared_drive_has_exactly_one_parent() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let inside = rig.control.mkdir(ANA, &drive, "inside").expect("made");
    let refused = rig.post(&rig.ana, "files?supportsAllDrives=true", json!({"parents": [drive, inside]})).await;
    let refused = refused.refused(403, "teamDrivesParentLimit");
    assert_eq!(refused["error"]["message"], "A shared drive item must have exactly one parent.");
    // b1_4: without the flag it is not there.
    let refused = rig.post(&rig.ana, "files", json!({"parents": [inside]})).await.refused(404, "notFound");
    let wanted = json!({"message": format!("File not found: {inside}."), "domain": "global", "reason": "notFound", "location": "fileId", "locationType": "parameter"});
    assert_eq!(refused["error"]["errors"], json!([wanted]));
}

#[tokio::test]
async fn b1_41_an_unfinished_upload_is_no_change() {
    let rig = Rig::start().await;
    let start = rig.get(&rig.ana, "changes/startPageToken").await.ok();
    let changes =
        async || rig.get(&rig.ana, &format!("changes?pageToken={}", text(&start, "startPageToken"))).await.ok()["changes"].clone();
    let request = rig.request(&rig.ana, Method::POST, "/upload/drive/v3/files?uploadType=resumable").json(&json!({"name": "a.bin"}));
    let started = request.send().await.expect("it answers");
    let url = started.headers()["location"].to_str().expect("text").to_owned();
    let put =
        async |range: &str, bytes: Vec<u8>| rig.http.put(&url).header("Content-Range", range).body(bytes).send().await.expect("it answers");
    assert_eq!(put("bytes 0-262143/262145", vec![0; 262_144]).await.status(), 308);
    assert_eq!(changes().await, json!([]));
    assert_eq!(put("bytes 262144-262144/262145", vec![0; 1]).await.status(), 200);
    assert_eq!(changes().await[0]["file"]["name"], "a.bin");
}

#[tokio::test]
async fn b1_46_an_extension_outlives_a_name_without_one() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.tar.gz", b"x", "application/gzip").expect("put");
    let path = format!("files/{file}?fields=fullFileExtension,fileExtension");
    for (name, full, last) in
        [("plain", "tar.gz", "gz"), ("b.pdf", "pdf", "pdf"), ("plain", "pdf", "pdf"), ("ends.", "pdf", "pdf"), ("c.x.y", "x.y", "y")]
    {
        let renamed = rig.patch(&rig.ana, &path, json!({"name": name})).await.ok();
        assert_eq!(renamed, json!({"fullFileExtension": full, "fileExtension": last}), "{name}");
    }
}

#[tokio::test]
async fn b1_25_b1_36_what_a_session_was_started_with_holds_to_its_end() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let path = "/upload/drive/v3/files?uploadType=resumable&supportsAllDrives=true&keepRevisionForever=true&fields=id,driveId";
    let started = rig.request(&rig.ana, Method::POST, path).json(&json!({"parents": [drive]})).send().await.expect("it answers");
    let url = started.headers()["location"].to_str().expect("text").to_owned();
    // Six days later, and six days after that: it lives for a week of inactivity.
    let six_days = || rig.control.clock_advance(std::time::Duration::from_hours(6 * 24)).expect("time passes");
    six_days();
    let put = |range: &str, size: usize| rig.http.put(&url).header("Content-Range", range.to_owned()).body(vec![0; size]);
    assert_eq!(send(put("bytes 0-262143/262145", 262_144)).await.status, 308);
    six_days();
    let done = send(put("bytes 262144-262144/262145", 1)).await.ok();
    assert_eq!(done, json!({"id": done["id"], "driveId": drive}));
    let revisions =
        rig.get(&rig.ana, &format!("files/{}/revisions?fields=revisions(keepForever)&supportsAllDrives=true", text(&done, "id"))).await;
    assert_eq!(revisions.ok(), json!({"revisions": [{"keepForever": true}]}));
}
