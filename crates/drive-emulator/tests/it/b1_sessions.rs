//! Upload sessions: how they start, what they answer, what goes wrong on the way.

use drive_emulator::DriveEmulator;
use drive_emulator::control::{Effect, Fault, Status, When};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{Rig, text};

const UNIT: usize = 256 * 1024;
const CREATE: &str = "/upload/drive/v3/files?uploadType=resumable&fields=id,size,name,mimeType";

async fn start(rig: &Rig, name: &str) -> Response {
    let request = rig.request(&rig.ana, Method::POST, CREATE).json(&json!({ "name": name }));
    request.header("X-Upload-Content-Type", "application/pdf").send().await.expect("the emulator answers")
}

async fn put(rig: &Rig, url: &str, range: &str, bytes: Vec<u8>) -> reqwest::Result<Response> {
    rig.http.put(url).header("Content-Range", range).body(bytes).send().await
}

fn location(response: &Response) -> String {
    response.headers()["location"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn b1_25_a_session_starts_with_metadata_and_its_address() {
    let rig = Rig::start().await;
    let started = start(&rig, "a.bin").await;
    assert_eq!(started.status(), 200);
    let url = location(&started);
    assert!(url.starts_with("http://127.0.0.1:") && url.contains("upload_id="), "{url}");
    assert_eq!(started.text().await.expect("a body"), "");
    // b1_38, b1_34: one request with everything; the start's mask and type hold for the answer.
    let done: Value = rig.http.put(&url).body("hello").send().await.expect("it answers").json().await.expect("JSON");
    assert_eq!(done, json!({"id": done["id"], "size": "5", "name": "a.bin", "mimeType": "application/pdf"}));
    let empty = rig.request(&rig.ana, Method::POST, CREATE).send().await.expect("it answers");
    let untitled: Value = rig.http.put(location(&empty)).body("x").send().await.expect("it answers").json().await.expect("JSON");
    assert_eq!(text(&untitled, "name"), "Untitled");
    // What would refuse the file refuses the start.
    let missing = rig.request(&rig.ana, Method::POST, CREATE).json(&json!({"parents": ["nowhere"]}));
    assert_eq!(missing.send().await.expect("it answers").status(), 404);
}

#[tokio::test]
async fn b1_27_behind_tls_the_address_is_the_one_clients_know() {
    // b12_2: a Location behind TLS.
    let emulator = DriveEmulator::builder().public_base_url("https://www.googleapis.com/").start().await.expect("it starts");
    let ana = emulator.control().user("ana@example.com").expect("made");
    let request = reqwest::Client::new().post(format!("{}{CREATE}", emulator.url())).bearer_auth(&ana.token);
    let url = location(&request.send().await.expect("it answers"));
    assert!(url.starts_with("https://www.googleapis.com/upload/drive/v3/files?"), "{url}");
}

#[tokio::test]
async fn b1_28_chunks_need_no_credential_and_b1_32_308_leads_nowhere() {
    let rig = Rig::start().await;
    let url = location(&start(&rig, "a.bin").await);
    let first = rig.http.post(&url).header("Content-Range", format!("bytes 0-{}/*", UNIT - 1)).body(vec![1; UNIT]);
    let first = first.send().await.expect("it answers");
    assert_eq!((first.status().as_u16(), first.headers().get("location")), (308, None));
    assert_eq!(first.text().await.expect("a body"), "");
    // b1_33: a probe that names a total which is already there ends the upload.
    let done = put(&rig, &url, &format!("bytes */{UNIT}"), Vec::new()).await.expect("it answers");
    assert_eq!(done.status(), 200);
}

#[tokio::test]
async fn b1_33_after_a_503_and_a_lost_answer_the_probe_knows_more() {
    // b12_2: a 503 in the middle, a last answer that is lost, a probe.
    let rig = Rig::start().await;
    let url = location(&start(&rig, "a.bin").await);
    let total = 2 * UNIT + 1;
    let chunk = |first: usize, last: usize| (format!("bytes {first}-{last}/{total}"), vec![2; last + 1 - first]);
    rig.control
        .fault(Fault::new(Effect::Status(Status::new(503, "backendError"))).op("upload.chunk").when(When::Next { next: 1 }))
        .expect("a rule that can strike");
    let (range, bytes) = chunk(0, UNIT - 1);
    assert_eq!(put(&rig, &url, &range, bytes.clone()).await.expect("it answers").status(), 503);
    let probe = put(&rig, &url, &format!("bytes */{total}"), Vec::new()).await.expect("it answers");
    assert_eq!((probe.status().as_u16(), probe.headers().get("range")), (308, None), "nothing is stored");
    put(&rig, &url, &range, bytes).await.expect("it answers");
    rig.control.fault(Fault::new(Effect::LostAfterCommit).op("upload.chunk").when(When::Next { next: 1 })).expect("a rule that can strike");
    let (range, bytes) = chunk(UNIT, total - 1);
    assert!(put(&rig, &url, &range, bytes).await.is_err(), "the last answer is lost");
    let done = put(&rig, &url, &format!("bytes */{total}"), Vec::new()).await.expect("it answers");
    assert_eq!(done.status(), 200);
    assert_eq!(text(&done.json::<Value>().await.expect("JSON"), "size"), total.to_string());
    assert_eq!(rig.list(&rig.ana, "name = 'a.bin'").await.len(), 1);
}
