//! What requests may look like on the wire.

use reqwest::Method;
use serde_json::json;

use crate::support::{Rig, send, text};

const FOLDER: &str = "application/vnd.google-apps.folder";

#[tokio::test]
async fn b0_1_every_mount_is_served_and_other_paths_are_not() {
    let rig = Rig::start().await;
    for path in ["/drive/v3/files", "/upload/drive/v3/files?uploadType=media", "/resumable/upload/drive/v3/files?uploadType=media"] {
        let made = send(rig.request(&rig.ana, Method::POST, path)).await.ok();
        assert_eq!(text(&made, "name"), "Untitled", "{path}");
    }
    let batch = rig.request(&rig.ana, Method::POST, "/batch/drive/v3").header("Content-Type", "multipart/mixed; boundary=b");
    let part = "--b\nContent-Type: application/http\n\nGET /drive/v3/about?fields=kind HTTP/1.1\n\n--b--\n";
    assert_eq!(batch.body(part).send().await.expect("it answers").status(), 200);
    for path in ["/drive/v2/files", "/drive/v3/nonsense", "/upload/drive/v3/about"] {
        send(rig.request(&rig.ana, Method::GET, path)).await.refused(404, "notFound");
    }
}

#[tokio::test]
async fn b0_2_the_parameters_of_every_method() {
    let rig = Rig::start().await;
    let url = |query: &str| format!("{}/drive/v3/about?fields=user/emailAddress&{query}", rig.emulator.url());
    for name in ["access_token", "oauth_token"] {
        let answer = send(rig.http.get(url(&format!("{name}={}", rig.ana.token)))).await.ok();
        assert_eq!(answer["user"]["emailAddress"], "ana@example.com", "{name}");
    }
    let all = "alt=json&prettyPrint=false&quotaUser=q&key=k&$.xgafv=2&upload_protocol=x&uploadType=y";
    rig.get(&rig.ana, &format!("about?fields=kind&{all}")).await.ok();
    rig.get(&rig.ana, "about?fields=kind&$.xgafv=3").await.refused(400, "invalid");
    // b0_6: of this one the last counts.
    rig.get(&rig.ana, "about?fields=kind&$.xgafv=3&$.xgafv=1").await.ok();
}

#[tokio::test]
async fn b0_5_times_are_answered_in_milliseconds_and_read_with_nine_digits() {
    let rig = Rig::start().await;
    let body = json!({"name": "a", "modifiedTime": "2021-03-04T07:13:02.123456789Z", "createdTime": "2020-01-02T03:04:05+02:00"});
    let made = rig.post(&rig.ana, "files?fields=modifiedTime,createdTime", body).await.ok();
    assert_eq!(made, json!({"modifiedTime": "2021-03-04T07:13:02.123Z", "createdTime": "2020-01-02T01:04:05.000Z"}));
    rig.post(&rig.ana, "files", json!({"modifiedTime": "yesterday"})).await.refused(400, "invalid");
}

#[tokio::test]
async fn b0_7_and_b0_8_spellings_of_true() {
    // b12_10: spellings of booleans.
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", "ana@example.com").expect("made");
    let refused = rig.get(&rig.ana, "files/none?supportsAllDrives=NOPE").await.refused(400, "invalid");
    assert_eq!(refused["error"]["status"], "INVALID_ARGUMENT");
    assert_eq!(refused["error"]["details"][0]["fieldViolations"][0]["field"], "supports_all_drives");
    for (word, status) in [("true", 200), ("TRUE", 200), ("1", 404), ("yes", 404), ("t", 404)] {
        assert_eq!(rig.get(&rig.ana, &format!("files/{drive}?supportsAllDrives={word}")).await.status, status, "{word}");
    }
}

#[tokio::test]
async fn b0_10_a_space_in_a_query_is_plus_or_percent_20() {
    // b12_10: `+` and `%20`.
    let rig = Rig::start().await;
    rig.control.mkdir("ana@example.com", "root", "two words").expect("made");
    for q in ["name+=+'two+words'", "name%20=%20'two%20words'", "name%3D%27two%20words%27"] {
        let found = rig.get(&rig.ana, &format!("files?q={q}")).await.ok();
        assert_eq!(found["files"].as_array().map(Vec::len), Some(1), "{q}");
    }
}

#[tokio::test]
async fn b0_12_root_and_app_data_folder_stand_for_ids() {
    let rig = Rig::start().await;
    let root = rig.get(&rig.ana, "files/root?fields=id,mimeType,parents").await.ok();
    assert_eq!(root, json!({"id": rig.ana.root_id, "mimeType": FOLDER}));
    let hidden = rig.post(&rig.ana, "files?fields=id,spaces", json!({"name": "state", "parents": ["appDataFolder"]})).await.ok();
    assert_eq!(hidden["spaces"], json!(["appDataFolder"]));
    let listed = rig.get(&rig.ana, "files?spaces=appDataFolder&fields=files(id)").await.ok();
    assert_eq!(listed["files"], json!([{"id": hidden["id"]}]));
    // b4_16: and it is in no list of the drive space.
    assert_eq!(rig.get(&rig.ana, "files?fields=files(id)").await.ok()["files"], json!([]));
}

#[tokio::test]
async fn b0_14_unknown_parameters_are_ignored() {
    let rig = Rig::start().await;
    rig.get(&rig.ana, "about?fields=kind&nonsense=1&supportsEverything=perhaps").await.ok();
}

#[tokio::test]
async fn b0_16_answers_are_identity_coded_whoever_asks_for_gzip() {
    let rig = Rig::start().await;
    let request = rig.request(&rig.ana, Method::GET, "about?fields=kind").header("Accept-Encoding", "gzip, deflate");
    let response = request.send().await.expect("it answers");
    assert!(response.headers().get("content-encoding").is_none());
    assert!(response.text().await.expect("a body").contains("drive#about"));
}
