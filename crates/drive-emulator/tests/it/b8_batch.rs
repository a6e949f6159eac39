//! Batches (`drive-v3-behaviour` 8).

use drive_emulator::control::{Effect, Fault};
use reqwest::Method;
use serde_json::json;

use crate::support::Rig;

/// Status and text of the answer to a batch.
async fn batch(rig: &Rig, parts: &[&str]) -> (u16, String) {
    let part = |(index, text): (usize, &&str)| {
        format!("--b\nContent-Type: application/http\nMIME-Version: 1.0\nContent-ID: <u + {index}>\n\n{text}\n")
    };
    let mut body: String = parts.iter().enumerate().map(part).collect();
    body.push_str("--b--\n");
    let request = rig.request(&rig.ana, Method::POST, "/batch/drive/v3");
    let request = request.header("Content-Type", "multipart/mixed; boundary=\"b\"").body(body);
    let response = request.send().await.expect("it answers");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

#[tokio::test]
async fn b8_2_each_call_has_its_answer_under_its_id() {
    let rig = Rig::start().await;
    let create = "POST /drive/v3/files?fields=name HTTP/1.1\nHost: x\ncontent-type: application/json\n\n{\"name\":\"novos\"}";
    let (status, text) =
        batch(&rig, &[create, "GET /drive/v3/files/none HTTP/1.1\n", "GET http://h:1/drive/v3/about?fields=kind HTTP/1.1\n"]).await;
    assert_eq!(status, 200, "{text}");
    let answers: Vec<&str> = text.split("Content-ID: <response-u + ").skip(1).collect();
    assert_eq!(answers.len(), 3, "{text}");
    assert!(answers[0].contains("HTTP/1.1 200 OK") && answers[0].contains("\"name\": \"novos\""), "{text}");
    assert!(answers[1].contains("HTTP/1.1 404 Not Found") && answers[1].contains("notFound"), "{text}");
    assert!(answers[2].contains("drive#about"), "{text}");
    assert_eq!(rig.control.children(&rig.ana.root_id).expect("children").len(), 1);
}

#[tokio::test]
async fn b8_3_a_part_may_have_a_credential_of_its_own() {
    let rig = Rig::start().await;
    let own = format!("GET /drive/v3/about?fields=user/emailAddress HTTP/1.1\nAuthorization: Bearer {}\n", rig.bea.token);
    let (_, text) = batch(&rig, &[&own, "GET /drive/v3/about?fields=user/emailAddress HTTP/1.1\n"]).await;
    assert!(text.find("bea@example.com") < text.find("ana@example.com"), "{text}");
    assert!(text.contains("bea@example.com"), "{text}");
}

#[tokio::test]
async fn b8_5_no_bytes_in_a_batch() {
    let rig = Rig::start().await;
    let id = rig.control.put("ana@example.com", "root", "a.pdf", b"hello", "application/pdf").expect("it is made");
    let (_, text) = batch(&rig, &[&format!("GET /drive/v3/files/{id}?alt=media HTTP/1.1\n")]).await;
    assert!(text.contains("HTTP/1.1 302") && text.contains(&format!("/download/drive/v3/files/{id}?alt=media")), "{text}");
    assert!(!text.contains("hello"), "{text}");
}

#[tokio::test]
async fn b6_28_calls_in_a_batch_count_and_fail_one_by_one() {
    let rig = Rig::start().await;
    rig.control.fault(Fault::new(Effect::Unauthorized).op("about.get")).expect("a rule that can strike");
    let (status, text) = batch(&rig, &["GET /drive/v3/about?fields=kind HTTP/1.1\n", "GET /drive/v3/files?fields=kind HTTP/1.1\n"]).await;
    assert_eq!(status, 200);
    assert!(text.contains("HTTP/1.1 401") && text.contains("HTTP/1.1 200"), "{text}");
    assert_eq!(json!(rig.control.counts()), json!({"about.get": 1, "batch": 1, "files.list": 1}));
}

#[tokio::test]
async fn b8_1_what_is_no_batch_is_refused() {
    let rig = Rig::start().await;
    let many = vec!["GET /drive/v3/about?fields=kind HTTP/1.1\n"; 101];
    assert_eq!(batch(&rig, &many).await.0, 400);
    let (status, text) =
        batch(&rig, &["nonsense", "POST /batch/drive/v3 HTTP/1.1\n\nx", "POST /upload/drive/v3/files HTTP/1.1\n\nx"]).await;
    assert_eq!((status, text.matches("HTTP/1.1 400").count()), (200, 3), "{text}");
}

#[tokio::test]
async fn b8_4_a_batch_is_not_whole() {
    let rig = Rig::start().await;
    let create = |name: &str| format!("POST /drive/v3/files HTTP/1.1\ncontent-type: application/json\n\n{{\"name\":\"{name}\"}}");
    let (one, two) = (create("one"), create("two"));
    // b6_21: the outer answer is 200 whatever happens within.
    let (status, text) = batch(&rig, &[&one, "DELETE /drive/v3/files/nowhere HTTP/1.1\n", &two]).await;
    assert_eq!((status, text.matches("HTTP/1.1 404").count()), (200, 1), "{text}");
    assert_eq!(rig.control.children(&rig.ana.root_id).expect("children").len(), 2);
}

#[tokio::test]
async fn b8_8_several_grants_in_one_batch_all_hold() {
    let rig = Rig::start().await;
    let file = rig.control.put("ana@example.com", "root", "a.pdf", b"x", "application/pdf").expect("put");
    let grant = |email: &str| {
        let body = json!({"type": "user", "role": "reader", "emailAddress": email});
        format!("POST /drive/v3/files/{file}/permissions HTTP/1.1\ncontent-type: application/json\n\n{body}")
    };
    let grants: Vec<String> = (0..20).map(|n| grant(&format!("u{n}@example.com"))).collect();
    let parts: Vec<&str> = grants.iter().map(String::as_str).collect();
    let (_, text) = batch(&rig, &parts).await;
    assert_eq!(text.matches("HTTP/1.1 200").count(), 20, "{text}");
    let permissions = &rig.control.file(&file).expect("it is there")["permissions"];
    assert_eq!(permissions.as_array().map(Vec::len), Some(21));
}

#[tokio::test]
async fn b8_1_a_hundred_calls_with_addresses_of_8000_are_the_most() {
    let rig = Rig::start().await;
    let call = |length: usize| {
        let start = "/drive/v3/files?fields=kind&q=name='";
        format!("GET {start}{}' HTTP/1.1\n", "a".repeat(length - start.len() - 1))
    };
    let (fits, too_long) = (call(8_000), call(8_001));
    let (_, text) = batch(&rig, &[&fits, &too_long]).await;
    assert_eq!((text.matches("HTTP/1.1 200").count(), text.matches("HTTP/1.1 400").count()), (1, 1), "{text}");
    let all = vec!["GET /drive/v3/about?fields=kind HTTP/1.1\n"; 100];
    let (status, text) = batch(&rig, &all).await;
    assert_eq!((status, text.matches("HTTP/1.1 200").count()), (200, 100));
}

#[tokio::test]
async fn b8_5_downloads_and_exports_are_elsewhere_and_say_so() {
    let rig = Rig::start().await;
    let letter = rig.control.google_doc("ana@example.com", "root", "letter", "document").expect("made");
    let (_, text) = batch(&rig, &[&format!("GET /drive/v3/files/{letter}/export?mimeType=text/plain HTTP/1.1\n")]).await;
    assert!(text.contains("HTTP/1.1 302") && text.contains(&format!("/download/drive/v3/files/{letter}/export")), "{text}");
    assert!(text.contains("backendError") && text.contains("\"status\": \"UNKNOWN\""), "{text}");
}
