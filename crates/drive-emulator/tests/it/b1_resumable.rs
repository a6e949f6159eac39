//! Resumable uploads.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{Rig, text};

const UNIT: usize = 256 * 1024;

/// Starts a session; its address.
async fn start(rig: &Rig, method: Method, path: &str, body: Value) -> String {
    let response = rig.request(&rig.ana, method, path).json(&body).send().await.expect("the emulator answers");
    assert_eq!(response.status(), 200);
    let location = response.headers()["location"].to_str().expect("text").to_owned();
    assert!(response.bytes().await.expect("a body").is_empty());
    location
}

/// Sends a chunk without a credential (1.28).
async fn chunk(rig: &Rig, method: Method, url: &str, range: &str, bytes: &[u8]) -> Response {
    let mut request = rig.http.request(method, url).body(bytes.to_vec());
    if !range.is_empty() {
        request = request.header("Content-Range", range);
    }
    request.send().await.expect("the emulator answers")
}

fn stored(response: &Response) -> Option<&str> {
    assert_eq!(response.status(), 308);
    response.headers().get("range").map(|range| range.to_str().expect("text"))
}

const CREATE: &str = "/upload/drive/v3/files?uploadType=resumable&fields=id,size,md5Checksum";

#[tokio::test]
async fn b1_29_b1_31_chunks_by_put_and_post_and_b1_26_no_length_beforehand() {
    // b12_2: no X-Upload-Content-Length, by PUT and by POST.
    let rig = Rig::start().await;
    let bytes: Vec<u8> = (0..UNIT * 2 + 1000).map(|n| u8::try_from(n % 251).expect("below 256")).collect();
    let path = CREATE.replace("/upload/", "/resumable/upload/");
    let url = start(&rig, Method::POST, &path, json!({"name": "a.bin"})).await;
    assert!(url.starts_with(rig.emulator.url()), "b1_27: {url}");
    let probe = chunk(&rig, Method::PUT, &url, "bytes */*", b"").await;
    assert_eq!(stored(&probe), None, "nothing is stored yet");
    let first = chunk(&rig, Method::POST, &url, &format!("bytes 0-{}/*", UNIT - 1), &bytes[..UNIT]).await;
    assert_eq!(stored(&first), Some("bytes=0-262143"));
    // b1_39: bytes sent again do no harm.
    let again = chunk(&rig, Method::PUT, &url, &format!("bytes 0-{}/*", 2 * UNIT - 1), &bytes[..2 * UNIT]).await;
    assert_eq!(stored(&again), Some("bytes=0-524287"));
    assert!(rig.list(&rig.ana, "name = 'a.bin'").await.is_empty(), "b1_41");
    let total = bytes.len();
    let last = chunk(&rig, Method::PUT, &url, &format!("bytes {}-{}/{total}", 2 * UNIT, total - 1), &bytes[2 * UNIT..]).await;
    assert_eq!(last.status(), 200);
    let file: Value = last.json().await.expect("JSON");
    assert_eq!(text(&file, "size"), total.to_string());
    assert_eq!(rig.control.content(text(&file, "id")).expect("bytes"), bytes);
    // b1_33: the answer was lost, the probe gives it again; no second file.
    let probe = chunk(&rig, Method::PUT, &url, &format!("bytes */{total}"), b"").await;
    assert_eq!(probe.json::<Value>().await.expect("JSON"), file);
    assert_eq!(rig.list(&rig.ana, "name = 'a.bin'").await.len(), 1);
}

#[tokio::test]
async fn b1_30_odd_chunks_keep_whole_units_or_are_refused() {
    // b12_2: a Range that is short.
    let rig = Rig::start().await;
    let bytes = vec![1; UNIT + 5];
    let range = format!("bytes 0-{}/900000", bytes.len() - 1);
    let url = start(&rig, Method::POST, CREATE, json!({"name": "a.bin"})).await;
    assert_eq!(stored(&chunk(&rig, Method::PUT, &url, &range, &bytes).await), Some("bytes=0-262143"));
    let gap = chunk(&rig, Method::PUT, &url, "bytes 524288-524289/900000", b"xx").await;
    assert_eq!(stored(&gap), Some("bytes=0-262143"), "a gap stores nothing");
    rig.control.set_switches(|switches| switches.odd_chunk_keeps_prefix = false).expect("turned");
    let url = start(&rig, Method::POST, CREATE, json!({"name": "b.bin"})).await;
    assert_eq!(chunk(&rig, Method::PUT, &url, &range, &bytes).await.status(), 400);
}

#[tokio::test]
async fn b1_35_b1_38_one_put_and_zero_bytes() {
    // b12_2: and nothing at all.
    let rig = Rig::start().await;
    for (bytes, range) in [(&b"hello"[..], ""), (b"hello", "bytes 0-4/5"), (b"", ""), (b"", "bytes */0")] {
        let url = start(&rig, Method::POST, CREATE, json!({})).await;
        let response = chunk(&rig, Method::PUT, &url, range, bytes).await;
        assert_eq!(response.status(), 200, "{range}");
        let file: Value = response.json().await.expect("JSON");
        assert_eq!(text(&file, "size"), bytes.len().to_string());
        assert_eq!(rig.control.content(text(&file, "id")).expect("bytes"), bytes);
    }
}

#[tokio::test]
async fn b1_36_b1_37_b1_40_sessions_that_end_badly() {
    // b12_2: sessions that are 404.
    let rig = Rig::start().await;
    let url = start(&rig, Method::POST, CREATE, json!({})).await;
    let bad = chunk(&rig, Method::PUT, &url, "bytes zero", b"x").await;
    assert_eq!(bad.status(), 400);
    assert_eq!(bad.text().await.expect("text"), "Failed to parse Content-Range header");
    assert_eq!(chunk(&rig, Method::DELETE, &url, "", b"").await.status(), 499);
    assert_eq!(chunk(&rig, Method::PUT, &url, "", b"x").await.status(), 404);
    let url = start(&rig, Method::POST, CREATE, json!({})).await;
    rig.control.clock_advance(std::time::Duration::from_hours(8 * 24)).expect("advanced");
    assert_eq!(chunk(&rig, Method::PUT, &url, "", b"x").await.status(), 404);
}

#[tokio::test]
async fn a_start_is_refused_for_what_would_refuse_the_file() {
    let rig = Rig::start().await;
    let response = rig.request(&rig.ana, Method::POST, CREATE).json(&json!({"parents": ["missing"]})).send().await.expect("answered");
    assert_eq!(response.status(), 404);
    let snapshot = rig.control.snapshot().expect("a snapshot");
    assert_eq!(snapshot["files"].as_array().expect("files").len(), 2, "only the two roots");
}

#[tokio::test]
async fn b2_28_new_content_by_resumable_update() {
    let rig = Rig::start().await;
    let id = rig.control.put(&rig.ana.email, "root", "a.txt", b"old", "text/plain").expect("put");
    let path = format!("/upload/drive/v3/files/{id}?uploadType=resumable&fields=id,headRevisionId,name");
    let before = rig.control.file(&id).expect("there");
    let url = start(&rig, Method::PATCH, &path, json!({"name": "b.txt"})).await;
    assert_eq!(rig.control.file(&id).expect("there"), before, "the start changes nothing");
    let file: Value = chunk(&rig, Method::PUT, &url, "bytes 0-2/3", b"new").await.json().await.expect("JSON");
    assert_eq!(text(&file, "name"), "b.txt");
    assert_ne!(file["headRevisionId"], before["headRevisionId"]);
    assert_eq!(rig.control.content(&id).expect("bytes"), b"new");
}
